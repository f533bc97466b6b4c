//! Time and randomness as a value that is handed down, so that tests steer both.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use rand::RngCore;
use uuid::Uuid;

use crate::{Id, Timestamp};

pub trait Clock: Send + Sync {
    fn now(&self) -> Timestamp;
}

/// Bytes fit for keys and secrets.
pub trait Entropy: Send + Sync {
    fn fill(&self, bytes: &mut [u8]);
}

/// The machine's own clock.
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place where the wall clock is read")]
    fn now(&self) -> Timestamp {
        let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        Timestamp::from_millis(
            since_epoch.map_or(0, |span| i64::try_from(span.as_millis()).unwrap_or(i64::MAX)),
        )
    }
}

/// The operating system's generator, by way of a ChaCha stream per thread.
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        rand::rng().fill_bytes(bytes);
    }
}

/// A clock that runs with the machine's, shifted by what a test asked for (forwards or back).
#[derive(Default)]
pub struct SteeredClock {
    shift_millis: AtomicI64,
}

impl SteeredClock {
    pub fn advance(&self, span: Duration) {
        self.shift_millis.fetch_add(i64::try_from(span.as_millis()).unwrap_or(0), Ordering::SeqCst);
    }

    pub fn jump_back(&self, span: Duration) {
        self.shift_millis.fetch_sub(i64::try_from(span.as_millis()).unwrap_or(0), Ordering::SeqCst);
    }
}

impl Clock for SteeredClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(
            SystemClock.now().millis().saturating_add(self.shift_millis.load(Ordering::SeqCst)),
        )
    }
}

/// What a service needs of the outside: the time, randomness, new ids.
#[derive(Clone)]
pub struct World(Arc<Inner>);

struct Inner {
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    /// Milliseconds << 12 | counter of the last id: ids of one process only grow, also when the clock jumps back.
    last_id: AtomicU64,
}

impl World {
    pub fn system() -> Self {
        Self::new(Arc::new(SystemClock), Arc::new(SystemEntropy))
    }

    pub fn new(clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        Self(Arc::new(Inner { clock, entropy, last_id: AtomicU64::new(0) }))
    }

    pub fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    pub fn fill(&self, bytes: &mut [u8]) {
        self.0.entropy.fill(bytes);
    }

    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }

    /// A new id: UUIDv7 (RFC 9562 §6.2, method 1: a 12-bit counter after the milliseconds).
    pub fn id<I: Id>(&self) -> I {
        let wanted = u64::try_from(self.now().millis()).unwrap_or(0) << 12;
        let next = |last: u64| Some(wanted.max(last + 1));
        let last = self.0.last_id.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).unwrap_or(wanted);
        let stamp = wanted.max(last + 1);
        let random = u64::from_le_bytes(self.bytes());
        let high = (stamp >> 12) << 16 | 0x7000 | (stamp & 0x0fff);
        let low = (random >> 2) | 0x8000_0000_0000_0000;
        I::from_uuid(Uuid::from_u64_pair(high, low))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FactId;

    #[test]
    fn ids_only_grow_even_when_the_clock_jumps_back() {
        let clock = Arc::new(SteeredClock::default());
        let world = World::new(clock.clone(), Arc::new(SystemEntropy));
        let mut last: FactId = world.id();
        for round in 0..20_000 {
            if round == 10_000 {
                clock.jump_back(Duration::from_secs(3600));
            }
            let id: FactId = world.id();
            assert!(id > last);
            assert_eq!(id.uuid().get_version_num(), 7);
            last = id;
        }
    }
}
