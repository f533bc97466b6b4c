//! What a sender may ask of this node: rates by the generic cell rate algorithm, and how many at a time. In memory; every
//! hook has its own, so that a flood on one takes nothing from another.

use std::collections::HashMap;
use std::hash::Hash;

use parking_lot::Mutex;
use types::{HookId, Timestamp};

/// Microseconds in which a rate is counted.
const WINDOW: i64 = 60_000_000;
/// Senders that are remembered at most.
const MOST: usize = 50_000;

/// Rates by key.
pub(crate) struct Meter<K>(Mutex<HashMap<K, i64>>);

impl<K> Default for Meter<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash> Meter<K> {
    /// Takes one of so many a minute, or says in how many seconds there is one.
    pub(crate) fn take(&self, key: K, per_minute: i64, now: Timestamp) -> Result<(), u64> {
        let now = now.millis().saturating_mul(1000);
        let mut known = self.0.lock();
        if known.len() >= MOST {
            known.retain(|_, next| *next > now);
            if known.len() >= MOST {
                known.clear();
            }
        }
        let next = known.entry(key).or_insert(now);
        // Further ahead than a window only if the clock was set back.
        if *next < now || *next > now.saturating_add(WINDOW) {
            *next = now;
        }
        let after = next.saturating_add(WINDOW / per_minute.max(1));
        let over = after - now - WINDOW;
        if over > 0 {
            return Err(u64::try_from(over.div_euclid(1_000_000)).unwrap_or_default() + 1);
        }
        *next = after;
        Ok(())
    }

    /// Whether there is none left, without taking one.
    pub(crate) fn is_spent(&self, key: &K, per_minute: i64, now: Timestamp) -> bool {
        let now = now.millis().saturating_mul(1000);
        let next = self.0.lock().get(key).copied().unwrap_or(now);
        let ahead = next - now;
        ahead <= WINDOW && ahead + WINDOW / per_minute.max(1) > WINDOW
    }

    /// Forgets who has been quiet.
    pub(crate) fn sweep(&self, now: Timestamp) {
        let now = now.millis().saturating_mul(1000);
        self.0.lock().retain(|_, next| *next > now);
    }
}

/// How many deliveries of each hook are under way here.
#[derive(Default)]
pub(crate) struct Places(Mutex<HashMap<HookId, i64>>);

/// Given back when dropped.
pub(crate) struct Place<'a> {
    places: &'a Places,
    hook: HookId,
}

impl Places {
    pub(crate) fn take(&self, hook: HookId, most: i64) -> Option<Place<'_>> {
        let mut taken = self.0.lock();
        let count = taken.entry(hook).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Place { places: self, hook })
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut taken = self.places.0.lock();
        if let Some(count) = taken.get_mut(&self.hook) {
            *count -= 1;
            if *count <= 0 {
                taken.remove(&self.hook);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use types::{Id, Uuid};

    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(1_000_000_000 + millis)
    }

    #[test]
    fn a_minutes_worth_may_come_at_once_and_comes_back_evenly() {
        let meter = Meter::default();
        for _ in 0..6 {
            assert!(!meter.is_spent(&"a", 6, at(0)));
            assert_eq!(meter.take("a", 6, at(0)), Ok(()));
        }
        assert!(meter.is_spent(&"a", 6, at(0)));
        assert_eq!(meter.take("a", 6, at(0)), Err(11));
        assert_eq!(meter.take("b", 6, at(0)), Ok(()), "another's budget is another");
        assert_eq!(meter.take("a", 6, at(9_999)), Err(1));
        assert_eq!(meter.take("a", 6, at(10_000)), Ok(()));
        assert_eq!(meter.take("a", 6, at(10_001)), Err(10));
    }

    #[test]
    fn a_clock_that_is_set_back_shuts_nobody_out() {
        let meter = Meter::default();
        (0..60).for_each(|_| meter.take("a", 60, at(3_600_000)).unwrap());
        assert!(!meter.is_spent(&"a", 60, at(0)));
        assert_eq!(meter.take("a", 60, at(0)), Ok(()));
    }

    #[test]
    fn whoever_was_quiet_is_forgotten() {
        let meter = Meter::default();
        meter.take("a", 60, at(0)).unwrap();
        meter.sweep(at(999));
        assert_eq!(meter.0.lock().len(), 1);
        meter.sweep(at(1_000));
        assert_eq!(meter.0.lock().len(), 0);
    }

    #[test]
    fn places_are_given_back() {
        let (places, hook) = (Places::default(), HookId::from_uuid(Uuid::from_u64_pair(1, 2)));
        let held = places.take(hook, 1).unwrap();
        assert!(places.take(hook, 1).is_none());
        drop(held);
        assert!(places.take(hook, 1).is_some());
        assert!(places.0.lock().is_empty());
    }
}
