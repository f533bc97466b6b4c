//! The roll of the dead: for each key the revision before which every token that stands on it is void.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use parking_lot::RwLock;
use types::{Timestamp, Uuid};

use crate::Kin;

/// No access token lives longer than an hour; a day leaves room for clocks that disagree.
pub(crate) const REMEMBERED: Duration = Duration::from_secs(24 * 3600);

#[derive(Default)]
pub(crate) struct Roll {
    dead_before: RwLock<HashMap<Kin, (i64, Timestamp)>>,
    /// The youngest death of all: tokens at least as young need no further look.
    youngest: AtomicI64,
}

impl Roll {
    pub(crate) fn add(&self, kin: Kin, revision: i64, at: Timestamp) {
        let mut dead_before = self.dead_before.write();
        let entry = dead_before.entry(kin).or_insert((revision, at));
        *entry = (revision.max(entry.0), at.max(entry.1));
        self.youngest.fetch_max(revision, Ordering::Release);
    }

    /// Whether a token of revision `rev` that stands on these keys is void.
    pub(crate) fn is_dead(&self, rev: i64, stands_on: &[Kin]) -> bool {
        if rev >= self.youngest.load(Ordering::Acquire) {
            return false;
        }
        let dead_before = self.dead_before.read();
        stands_on.iter().any(|kin| dead_before.get(kin).is_some_and(|(revision, _)| rev < *revision))
    }

    /// Forgets deaths that no living token can predate.
    pub(crate) fn forget(&self, now: Timestamp) {
        let oldest = now.minus(REMEMBERED);
        self.dead_before.write().retain(|_, (_, at)| *at > oldest);
    }
}

/// For tests and receipts.
impl Roll {
    pub(crate) fn contains(&self, kind: &'static str, key: Uuid) -> bool {
        self.dead_before.read().contains_key(&Kin { kind, key })
    }
}
