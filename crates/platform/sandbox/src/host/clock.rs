//! The wall clock of one call. It stands still while the call waits for an answer, which is not its own time.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

pub(super) struct WallClock(watch::Sender<Hand>);

#[derive(Clone, Copy)]
struct Hand {
    begun: Instant,
    limit: Duration,
    /// Spent waiting.
    waited: Duration,
    waits_since: Option<Instant>,
}

impl WallClock {
    pub(super) fn new(limit: Duration) -> Self {
        Self(watch::Sender::new(Hand::new(Instant::now(), limit)))
    }

    pub(super) fn stand_still(&self) {
        self.0.send_modify(|hand| hand.stand_still(Instant::now()));
    }

    pub(super) fn go_on(&self) {
        self.0.send_modify(|hand| hand.go_on(Instant::now()));
    }

    /// Time that was the call's own.
    pub(super) fn elapsed(&self) -> Duration {
        self.0.borrow().elapsed(Instant::now())
    }

    /// Resolves when the call has used up its time.
    pub(super) async fn run_out(&self) {
        let mut moved = self.0.subscribe();
        loop {
            let until = moved.borrow_and_update().until();
            tokio::select! {
                // The sender lives in this clock.
                _ = moved.changed() => {}
                () = sleep_until(until.unwrap_or_else(Instant::now)), if until.is_some() => return,
            }
        }
    }
}

impl Hand {
    fn new(begun: Instant, limit: Duration) -> Self {
        Self { begun, limit, waited: Duration::ZERO, waits_since: None }
    }

    fn stand_still(&mut self, now: Instant) {
        self.waits_since = self.waits_since.or(Some(now));
    }

    fn go_on(&mut self, now: Instant) {
        if let Some(since) = self.waits_since.take() {
            self.waited += now.duration_since(since);
        }
    }

    fn elapsed(&self, now: Instant) -> Duration {
        self.waits_since.unwrap_or(now).duration_since(self.begun).saturating_sub(self.waited)
    }

    fn until(&self) -> Option<Instant> {
        self.waits_since.is_none().then(|| self.begun + self.limit + self.waited)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_waited_is_not_counted() {
        let (begun, second) = (Instant::now(), Duration::from_secs(1));
        let mut hand = Hand::new(begun, 10 * second);
        assert_eq!(hand.until(), Some(begun + 10 * second));
        for wait in 0..2 {
            let at = begun + (4 + 100 * wait) * second;
            hand.stand_still(at);
            hand.stand_still(at + 50 * second);
            assert_eq!((hand.elapsed(at + 50 * second), hand.until()), (4 * second, None));
            hand.go_on(at + 100 * second);
            hand.go_on(at + 200 * second);
        }
        assert_eq!(hand.until(), Some(begun + 210 * second));
        assert_eq!(hand.elapsed(begun + 205 * second), 5 * second);
    }
}
