//! Who writes the same thing through this node writes in turn, so that a hundred of them do not each decide a hundred
//! times. A courtesy, not a lock: other nodes know nothing of it, and what holds is that a decision on a row that has moved
//! is taken again.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, Hash, RandomState};

use tokio::sync::{Mutex, MutexGuard};
use types::OrgId;

const PLACES: usize = 256;

/// Places to wait at, by what is to be written.
pub struct Turns {
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
    pub async fn take<T: Hash>(
        &self,
        org: OrgId,
        things: impl IntoIterator<Item = T>,
    ) -> Vec<MutexGuard<'_, ()>> {
        let place = |thing: T| self.hasher.hash_one((org, thing)) % (PLACES as u64);
        let places: BTreeSet<u64> = things.into_iter().map(place).collect();
        let mut turns = Vec::with_capacity(places.len());
        for place in places {
            if let Some(place) = usize::try_from(place).ok().and_then(|place| self.places.get(place)) {
                turns.push(place.lock().await);
            }
        }
        turns
    }
}
