//! When rights last changed, for those who keep a decision longer than a request: open streams.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use parking_lot::RwLock;
use types::{Id, Uuid};

use crate::Heard;

/// Nobody keeps a decision longer than that.
const REMEMBERED: Duration = Duration::from_secs(600);

/// By principal, and by organization where any principal of it may be meant.
#[derive(Default)]
pub(crate) struct Stirs(RwLock<HashMap<Uuid, (i64, Instant)>>);

impl Stirs {
    pub(crate) fn heard(&self, entry: &Heard) {
        let key = match entry.kind.as_str() {
            "user" | "agent" => entry.key,
            "group" | "role" | "policy" => entry.org.uuid(),
            _ => return,
        };
        self.0.write().insert(key, (entry.revision, Instant::now()));
    }

    pub(crate) fn since(&self, revision: i64, keys: &[Uuid]) -> bool {
        let stirs = self.0.read();
        keys.iter().any(|key| stirs.get(key).is_some_and(|(stirred, _)| *stirred > revision))
    }

    pub(crate) fn forget(&self) {
        self.0.write().retain(|_, (_, at)| at.elapsed() < REMEMBERED);
    }
}
