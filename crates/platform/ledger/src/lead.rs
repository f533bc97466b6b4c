//! The time of one leader: sequence what is there, sign what grew, wait for news.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use crate::sequencer::Sequencer;
use crate::{Inner, LedgerError, store};

/// How old a checkpoint gets while the log grows, and how many leaves it may miss.
const SIGN_EVERY: Duration = Duration::from_secs(1);
const SIGN_LEAVES: u64 = 10_000;
/// How often to look for facts that another node wrote.
const LOOK_EVERY: Duration = Duration::from_millis(100);
const HOLD_EVERY: Duration = Duration::from_secs(1);
const FINISH_WITHIN: Duration = Duration::from_secs(5);
const DAYS_EVERY: Duration = Duration::from_secs(3600);

pub(crate) struct Lead<'a> {
    ledger: &'a Inner,
    sequencer: Sequencer,
    facts: watch::Receiver<u64>,
    signed: u64,
    sign_at: Instant,
    hold_at: Instant,
    /// When partitions for the coming days are made next.
    days_at: Instant,
}

/// Why a leader no longer leads.
pub(crate) enum End {
    Stopped,
    Lost,
}

/// What ended a wait.
enum News {
    Facts,
    /// Somebody waits for everything to be sequenced and signed.
    Nudge,
    Time,
    Stop,
}

impl<'a> Lead<'a> {
    pub(crate) async fn new(ledger: &'a Inner, sequencer: Sequencer) -> Result<Self, LedgerError> {
        let signed = store::newest_checkpoint(&ledger.db).await?.map_or(0, |(size, ..)| size);
        ledger.tracker.reached(sequencer.size(), signed);
        let (facts, now) = (ledger.db.facts_signal(), Instant::now());
        Ok(Self { ledger, sequencer, facts, signed, sign_at: now, hold_at: now + HOLD_EVERY, days_at: now })
    }

    pub(crate) async fn run(mut self, stop: &mut watch::Receiver<bool>) -> Result<End, LedgerError> {
        match self.lead(stop).await {
            Ok(()) => {
                // Only makes the next leader wait less.
                let _ = self.sequencer.resign(self.ledger).await;
                Ok(End::Stopped)
            }
            Err(LedgerError::Fenced) => {
                tracing::info!("another node leads the sequencer");
                Ok(End::Lost)
            }
            Err(error) => Err(error),
        }
    }

    async fn lead(&mut self, stop: &mut watch::Receiver<bool>) -> Result<(), LedgerError> {
        self.make_days().await?;
        loop {
            self.catch_up().await?;
            match self.news(stop).await {
                News::Facts => {}
                News::Time => self.hold().await?,
                News::Nudge => {
                    self.catch_up().await?;
                    self.sign().await?;
                }
                News::Stop => return self.finish().await,
            }
        }
    }

    async fn catch_up(&mut self) -> Result<(), LedgerError> {
        loop {
            // Before the look, so that nothing written during it goes unheard.
            self.facts.borrow_and_update();
            let taken = self.sequencer.step(self.ledger).await?;
            let size = self.sequencer.size();
            self.ledger.tracker.reached(size, self.signed);
            if size >= self.signed + SIGN_LEAVES || (size > self.signed && Instant::now() >= self.sign_at) {
                self.sign().await?;
            }
            if taken == 0 {
                return Ok(());
            }
            self.hold_at = Instant::now() + HOLD_EVERY;
        }
    }

    /// Everything that is there. What a transaction of somebody else holds back for longer waits for the next leader.
    async fn finish(&mut self) -> Result<(), LedgerError> {
        let until = Instant::now() + FINISH_WITHIN;
        loop {
            self.catch_up().await?;
            if Instant::now() >= until || !store::has_unsequenced(&self.ledger.db).await? {
                return self.sign().await;
            }
            sleep(LOOK_EVERY).await;
        }
    }

    async fn sign(&mut self) -> Result<(), LedgerError> {
        let size = self.sequencer.size();
        if size == self.signed {
            return Ok(());
        }
        self.sign_at = Instant::now() + SIGN_EVERY;
        if let Some(known) = self.ledger.rewritten() {
            tracing::error!(
                known,
                size,
                "the log does not continue its checkpoint of this size; nothing is signed"
            );
            return Ok(());
        }
        self.ledger.sign(&self.sequencer).await?;
        self.signed = size;
        self.ledger.tracker.reached(size, size);
        Ok(())
    }

    async fn hold(&mut self) -> Result<(), LedgerError> {
        let now = Instant::now();
        if !self.ledger.db.is_postgres() || now < self.hold_at {
            return Ok(());
        }
        self.hold_at = now + HOLD_EVERY;
        self.sequencer.hold(self.ledger).await?;
        self.make_days().await
    }

    /// Partitions are made before their day: facts of a day that is already in the default partition stay there.
    async fn make_days(&mut self) -> Result<(), LedgerError> {
        let now = Instant::now();
        if self.ledger.db.is_postgres() && now >= self.days_at {
            self.days_at = now + DAYS_EVERY;
            store::make_days(&self.ledger.db, self.ledger.world.now()).await?;
        }
        Ok(())
    }

    async fn news(&mut self, stop: &mut watch::Receiver<bool>) -> News {
        let grown = self.sequencer.size() > self.signed;
        let mut until = Instant::now() + HOLD_EVERY;
        if grown {
            until = until.min(self.sign_at);
        }
        if self.ledger.db.is_postgres() {
            until = until.min(Instant::now() + LOOK_EVERY);
        }
        tokio::select! {
            changed = self.facts.changed() => if changed.is_ok() { News::Facts } else { News::Stop },
            () = self.ledger.tracker.nudge.notified() => News::Nudge,
            _ = stop.wait_for(|stop| *stop) => News::Stop,
            () = sleep_until(until) => News::Time,
        }
    }
}
