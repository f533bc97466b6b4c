//! Who writes the same entry through this node writes in turn, so that a hundred of them do not each decide a hundred
//! times. A courtesy, not a lock: other nodes know nothing of it, and what holds is that a decision on a row that has moved
//! is taken again.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};

use tokio::sync::{Mutex, MutexGuard};
use types::OrgId;

use crate::words::Key;

const PLACES: usize = 256;

pub(crate) struct Turns {
    places: Vec<Mutex<()>>,
    hasher: RandomState,
}

impl Default for Turns {
    fn default() -> Self {
        Self { places: (0..PLACES).map(|_| Mutex::default()).collect(), hasher: RandomState::new() }
    }
}

impl Turns {
    /// Waits for those before; in one order, so that nobody waits in a circle.
    pub(crate) async fn take<'a>(
        &self,
        org: OrgId,
        keys: impl IntoIterator<Item = &'a Key>,
    ) -> Vec<MutexGuard<'_, ()>> {
        let place = |key: &Key| self.hasher.hash_one((org, key)) % (PLACES as u64);
        let places: BTreeSet<u64> = keys.into_iter().map(place).collect();
        let mut turns = Vec::with_capacity(places.len());
        for place in places {
            if let Some(place) = usize::try_from(place).ok().and_then(|place| self.places.get(place)) {
                turns.push(place.lock().await);
            }
        }
        turns
    }
}
