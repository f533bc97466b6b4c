//! What runs as long as the server does: the sequencer's lead, the queue of facts that nobody waits for, the counts of
//! what is summed up. On stop they end in the order in which they feed each other.

use std::time::Duration;

use futures::stream::{FuturesUnordered, StreamExt};
use telemetry::Stop;
use tokio::sync::watch;
use tokio::time::sleep;

use crate::lead::{End, Lead};
use crate::sequencer::Sequencer;
use crate::{Inner, Ledger, LedgerError, store};

/// How often a follower looks what the leader did.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Before the next attempt, after an error or a lost lead.
const PATIENCE: Duration = Duration::from_millis(500);
const COUNT_EVERY: Duration = Duration::from_secs(1);
/// Facts under way at once that nobody waits for.
const FAST_AT_ONCE: usize = 1024;

impl Ledger {
    /// Sequences, signs and writes until `stop` asks for the end; then finishes what was accepted. Runs once.
    pub async fn background(self, stop: Stop) {
        let (fed, all_fed) = watch::channel(false);
        tokio::join!(self.write_all(&stop, fed), self.0.sequence(all_fed), self.watch_disk(&stop));
    }

    async fn write_all(&self, stop: &Stop, fed: watch::Sender<bool>) {
        tokio::join!(self.write_fast(stop), self.write_counts(stop));
        // The sequencer may have ended already.
        let _ = fed.send(true);
    }

    async fn watch_disk(&self, stop: &Stop) {
        if let Some(disk) = &self.0.disk {
            disk.watch(stop).await;
        }
    }

    /// Facts that were accepted with [`crate::Ack::Fast`].
    async fn write_fast(&self, stop: &Stop) {
        let Some(mut queue) = self.0.fast_queue.lock().take() else { return };
        let mut flying = FuturesUnordered::new();
        let mut stopping = false;
        loop {
            tokio::select! {
                fact = queue.recv(), if flying.len() < FAST_AT_ONCE => match fact {
                    Some(fact) => flying.push(self.0.db.append(fact)),
                    None if flying.is_empty() => return,
                    None => self.0.fast_written(flying.next().await),
                },
                written = flying.next(), if !flying.is_empty() => self.0.fast_written(written),
                () = stop.requested(), if !stopping => {
                    stopping = true;
                    queue.close();
                }
            }
        }
    }

    async fn write_counts(&self, stop: &Stop) {
        loop {
            let stopped = tokio::select! {
                () = stop.requested() => true,
                () = sleep(COUNT_EVERY) => false,
            };
            self.write_due_counts(stopped).await;
            if stopped {
                return;
            }
        }
    }

    /// Writes the counts of minutes that are over; with `all` also of the current one.
    pub(crate) async fn write_due_counts(&self, all: bool) {
        for fact in self.0.coalescer.due(self.0.world.now(), all) {
            let kind = fact.kind().name;
            if let Err(error) = self.append(fact).await {
                tracing::error!(%error, kind, "a count of repeated facts could not be written");
            }
        }
    }
}

impl Inner {
    fn fast_written(&self, written: Option<Result<(), db::CommitError>>) {
        match written {
            None => return,
            Some(Ok(())) => {}
            Some(Err(error)) => tracing::error!(%error, "a fact that nobody waited for was lost"),
        }
        self.tracker.fast_written();
    }

    async fn sequence(&self, mut stop: watch::Receiver<bool>) {
        let mut failures = Failures::default();
        loop {
            match self.lead_or_follow(&mut stop).await {
                Ok(End::Stopped) => return,
                Ok(End::Lost) => failures = Failures::default(),
                Err(error) => failures.tell(|| tracing::error!(%error, "the sequencer failed; trying again")),
            }
            // Facts that were not sequenced stay in their table for the next start.
            if wait(&mut stop, PATIENCE).await {
                return;
            }
        }
    }

    async fn lead_or_follow(&self, stop: &mut watch::Receiver<bool>) -> Result<End, LedgerError> {
        match Sequencer::take_over(self, false).await? {
            Some(sequencer) => Lead::new(self, sequencer).await?.run(stop).await,
            None => self.follow(stop).await,
        }
    }

    /// Tells waiters of this node what the leader did, for a moment.
    async fn follow(&self, stop: &mut watch::Receiver<bool>) -> Result<End, LedgerError> {
        for _ in 0..10 {
            let size = store::head(&self.db).await?.size;
            let checkpoint = store::newest_checkpoint(&self.db).await?.map_or(0, |(size, ..)| size);
            self.tracker.reached(size, checkpoint);
            if wait(stop, LOOK_EVERY).await {
                return Ok(End::Stopped);
            }
        }
        Ok(End::Lost)
    }
}

/// A database that is away for an hour is not told twice a second.
#[derive(Default)]
pub(crate) struct Failures(u32);

impl Failures {
    pub(crate) fn tell(&mut self, log: impl FnOnce()) {
        if self.0.is_multiple_of(60) {
            log();
        }
        self.0 = self.0.wrapping_add(1);
    }
}

/// Whether to stop; false when the time is over.
async fn wait(stop: &mut watch::Receiver<bool>, span: Duration) -> bool {
    tokio::select! {
        _ = stop.wait_for(|stop| *stop) => true,
        () = sleep(span) => false,
    }
}
