//! Values of this process, in a bounded table.

use std::collections::HashMap;

use parking_lot::Mutex;
use types::{Timestamp, World};

use crate::{FORGOTTEN_AFTER, Key};

/// The oldest go first.
const MOST: usize = 200_000;

pub(crate) struct Local {
    world: World,
    values: Mutex<HashMap<Key, (Vec<u8>, Timestamp)>>,
}

impl Local {
    pub(crate) fn new(world: World) -> Self {
        Self { world, values: Mutex::default() }
    }

    pub(crate) fn get(&self, key: &Key) -> Option<Vec<u8>> {
        let now = self.world.now();
        let values = self.values.lock();
        let (value, changed) = values.get(key)?;
        (now.since(*changed) < FORGOTTEN_AFTER).then(|| value.clone())
    }

    pub(crate) fn change(&self, key: &Key, next: impl Fn(Option<&[u8]>) -> Vec<u8>) -> Vec<u8> {
        let now = self.world.now();
        let mut values = self.values.lock();
        let seen = values.get(key).filter(|(_, changed)| now.since(*changed) < FORGOTTEN_AFTER);
        let value = next(seen.map(|(value, _)| value.as_slice()));
        if values.len() >= MOST && !values.contains_key(key) {
            // Whoever fills the table pushes out the oldest, not the newest.
            if let Some(oldest) = values.iter().min_by_key(|(_, (_, at))| *at).map(|(key, _)| *key) {
                values.remove(&oldest);
            }
        }
        values.insert(*key, (value.clone(), now));
        value
    }

    pub(crate) fn remove(&self, key: &Key) {
        self.values.lock().remove(key);
    }

    pub(crate) fn sweep(&self) {
        let now = self.world.now();
        self.values.lock().retain(|_, (_, changed)| now.since(*changed) < FORGOTTEN_AFTER);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use types::{SteeredClock, SystemEntropy};

    use super::*;

    #[test]
    fn values_are_forgotten_when_nobody_changes_them() {
        let clock = Arc::new(SteeredClock::default());
        let local = Local::new(World::new(clock.clone(), Arc::new(SystemEntropy)));
        let longer = |seen: Option<&[u8]>| [seen.unwrap_or_default(), b"x"].concat();
        assert_eq!(local.change(&[1; 32], longer), b"x");
        clock.advance(FORGOTTEN_AFTER / 2);
        assert_eq!(local.change(&[1; 32], longer), b"xx");
        local.change(&[2; 32], longer);
        clock.advance(FORGOTTEN_AFTER / 2);
        assert_eq!(local.get(&[1; 32]).as_deref(), Some(b"xx".as_slice()));
        local.remove(&[1; 32]);
        assert_eq!(local.get(&[1; 32]), None);
        clock.advance(FORGOTTEN_AFTER);
        assert_eq!(local.change(&[2; 32], longer), b"x", "begins anew");
        clock.advance(FORGOTTEN_AFTER);
        local.sweep();
        assert!(local.values.lock().is_empty());
    }
}
