//! How often a function that failed is tried again, and after how long: doubling, with a little chance in it so that those
//! who failed together do not come back together.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use types::World;
use utoipa::ToSchema;

/// Attempts and the wait between them. One attempt: a failure is the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FunctionRetry)]
pub struct Retry {
    #[schema(minimum = 1, maximum = 20)]
    pub max_attempts: i64,
    /// Before the second attempt; doubles with each further one.
    #[serde(default = "one")]
    #[schema(minimum = 0, maximum = 3600)]
    pub initial_seconds: i64,
    /// No wait is longer.
    #[serde(default = "five_minutes")]
    #[schema(minimum = 0, maximum = 86400)]
    pub max_seconds: i64,
}

fn one() -> i64 {
    1
}

fn five_minutes() -> i64 {
    300
}

impl Retry {
    /// After the attempt of this number, from 1.
    pub(crate) fn wait(self, attempt: i64, world: &World) -> Duration {
        let doublings = u32::try_from(attempt.saturating_sub(1)).unwrap_or(u32::MAX).min(32);
        let seconds = self.initial_seconds.saturating_mul(1 << doublings).min(self.max_seconds);
        let wait = Duration::from_secs(u64::try_from(seconds).unwrap_or_default());
        // Between four fifths and six fifths.
        let [chance] = world.bytes::<1>();
        wait * 4 / 5 + wait * 2 / 5 * u32::from(chance) / 255
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_with_a_fifth_of_chance() {
        let (retry, world) =
            (Retry { max_attempts: 20, initial_seconds: 2, max_seconds: 60 }, World::system());
        for (attempt, seconds) in [(1, 2), (2, 4), (3, 8), (5, 32), (6, 60), (20, 60), (i64::MAX, 60)] {
            let wait = retry.wait(attempt, &world);
            let (least, most) = (Duration::from_millis(seconds * 800), Duration::from_millis(seconds * 1200));
            assert!(least <= wait && wait <= most, "{attempt}: {wait:?}");
        }
        let at_once = Retry { initial_seconds: 0, ..retry };
        assert_eq!(at_once.wait(7, &world), Duration::ZERO);
        let spread: std::collections::BTreeSet<Duration> = (0..64).map(|_| retry.wait(6, &world)).collect();
        assert!(spread.len() > 8, "those who failed together come back apart");
    }
}
