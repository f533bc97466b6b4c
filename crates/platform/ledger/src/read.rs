//! Reading in the order of the log: one organization's record as it grows, and the readers of the whole ledger, each with
//! a cursor of its own (at least once, in order).

use std::time::Duration;

use db::{Bookkeeping, CommitError, OrgScope, Statement, SystemScope, sql};
use telemetry::Stop;
use tokio::sync::watch;
use types::FactId;

use crate::background::Failures;
use crate::event::Event;
use crate::progress::Progress;
use crate::store::{self, LoggedFact, int, number};
use crate::{Ledger, LedgerError};

const READERS: SystemScope = SystemScope::new("ledger reader");
const PAGE: i64 = 256;
const PATIENCE: Duration = Duration::from_millis(500);

/// What follows the whole ledger: an index, outgoing webhooks, a stream.
pub trait LedgerReader: Send + Sync {
    /// Names the cursor; never reused for another meaning.
    const NAME: &'static str;

    /// Bookkeeping that takes these events in, kept together with the cursor. Purged facts are left out. Events may come
    /// again after a crash only if they were not kept.
    fn take(&self, events: &[Event]) -> impl Future<Output = Result<Vec<Statement>, LedgerError>> + Send;
}

/// One organization's record from a place on, as it grows.
pub struct Follow {
    ledger: Ledger,
    scope: OrgScope,
    after: u64,
    progress: watch::Receiver<Progress>,
}

impl Follow {
    /// Waits until there is more; never empty.
    pub async fn next(&mut self) -> Result<Vec<Event>, LedgerError> {
        loop {
            // Before the look, so that nothing written during it goes unheard.
            self.progress.borrow_and_update();
            let events = self.ledger.run(&self.scope, self.after + 1, u64::MAX, PAGE).await?;
            if let Some((last, events)) = events {
                self.after = last;
                if !events.is_empty() {
                    return Ok(events);
                }
                continue;
            }
            if self.progress.changed().await.is_err() {
                return Err(LedgerError::NotYet);
            }
        }
    }
}

impl Ledger {
    /// Events behind this place of the organization's own order, then those that come.
    pub fn follow(&self, scope: &OrgScope, after: u64) -> Follow {
        Follow { ledger: self.clone(), scope: *scope, after, progress: self.0.tracker.subscribe() }
    }

    /// Number of the organization's newest event; 0 if there is none.
    pub async fn newest(&self, scope: &OrgScope) -> Result<u64, LedgerError> {
        Ok(store::last_leaf(&self.0.db, scope.org()).await?.map_or(0, |leaf| leaf.org_seq))
    }

    /// One event; none if it is unknown here, not sequenced yet, or purged.
    pub async fn event(&self, scope: &OrgScope, fact: FactId) -> Result<Option<Event>, LedgerError> {
        match store::logged_fact(&self.0.db, scope, fact).await? {
            Some(logged) => self.0.event(logged).await,
            None => Ok(None),
        }
    }

    /// Many events at once, in the order of the ids; what is unknown or purged is left out.
    pub async fn events(&self, scope: &OrgScope, facts: &[FactId]) -> Result<Vec<Event>, LedgerError> {
        let mut events = Vec::with_capacity(facts.len());
        for logged in store::logged_facts(&self.0.db, scope, facts).await? {
            events.extend(self.readable(logged).await?);
        }
        let place = |event: &Event| facts.iter().position(|fact| *fact == event.id);
        events.sort_by_key(place);
        Ok(events)
    }

    /// A run of the organization's own order: the number of the last record read, and the events that are not purged.
    /// None if there is nothing.
    pub async fn run(
        &self,
        scope: &OrgScope,
        first: u64,
        last: u64,
        limit: i64,
    ) -> Result<Option<(u64, Vec<Event>)>, LedgerError> {
        let logged = store::run_of(&self.0.db, scope, first, last, limit).await?;
        let logged: Vec<LoggedFact> = logged.into_iter().flatten().collect();
        let Some(last) = logged.last().map(|one| one.leaf.org_seq) else { return Ok(None) };
        let mut events = Vec::with_capacity(logged.len());
        for one in logged {
            events.extend(self.readable(one).await?);
        }
        Ok(Some((last, events)))
    }

    /// One that cannot be read – changed behind our back, most likely – stops neither lists nor readers; verification
    /// names it.
    async fn readable(&self, logged: LoggedFact) -> Result<Option<Event>, LedgerError> {
        match self.0.event(logged).await {
            Err(LedgerError::Broken(reason)) => {
                tracing::error!(reason, "a fact was passed over; verify the ledger");
                Ok(None)
            }
            answer => answer,
        }
    }

    /// Makes [`Ledger::drain`] wait for this reader from now on; one that runs is waited for anyway.
    pub fn expect_reader<R: LedgerReader>(&self) {
        self.0.tracker.reader_reached(R::NAME, 0);
    }

    /// Feeds a reader until `stop`; what it has taken in, it has taken in for good.
    pub async fn feed<R: LedgerReader>(&self, reader: &R, stop: Stop) {
        let mut progress = self.0.tracker.subscribe();
        let mut rewinds = self.0.tracker.rewinds();
        let mut failures = Failures::default();
        loop {
            progress.borrow_and_update();
            rewinds.borrow_and_update();
            let wait = match self.feed_all(reader).await {
                Ok(()) => {
                    failures = Failures::default();
                    Duration::MAX
                }
                Err(error) => {
                    let name = R::NAME;
                    failures.tell(|| tracing::error!(%error, reader = name, "a reader failed; trying again"));
                    PATIENCE
                }
            };
            tokio::select! {
                () = stop.requested() => break,
                _ = tokio::time::timeout(wait, progress.changed()) => {}
                _ = rewinds.changed() => {}
            }
        }
        self.0.tracker.reader_stopped(R::NAME);
    }

    /// The next batch is prepared while the one before it is written.
    async fn feed_all<R: LedgerReader>(&self, reader: &R) -> Result<(), LedgerError> {
        let mut from = self.cursor(R::NAME).await?;
        self.0.tracker.reader_reached(R::NAME, from);
        let mut prepared = self.prepare(reader, from).await?;
        while let Some((to, statements)) = prepared {
            let written = self.advance(R::NAME, from, to, statements);
            let (written, next) = tokio::join!(written, self.prepare(reader, to));
            (from, prepared) = match written {
                Ok(()) => (to, next?),
                // Another node was faster; go on from where it left the cursor.
                Err(CommitError::Stale) => {
                    let cursor = self.cursor(R::NAME).await?;
                    (cursor, self.prepare(reader, cursor).await?)
                }
                Err(error) => return Err(error.into()),
            };
            self.0.tracker.reader_reached(R::NAME, from);
        }
        Ok(())
    }

    /// Where the cursor will stand, and what the reader keeps of the events up to there; none if there is nothing.
    async fn prepare<R: LedgerReader>(
        &self,
        reader: &R,
        from: u64,
    ) -> Result<Option<(u64, Vec<Statement>)>, LedgerError> {
        let logged = store::run_of_log(&self.0.db, from, PAGE).await?;
        let mut events = Vec::with_capacity(logged.len());
        let mut to = from + logged.len() as u64;
        for one in logged.into_iter().flatten() {
            to = to.max(one.leaf.seq + 1);
            events.extend(self.readable(one).await?);
        }
        if to == from { Ok(None) } else { Ok(Some((to, reader.take(&events).await?))) }
    }

    /// How many leaves of the log the reader has taken in.
    pub async fn taken_in<R: LedgerReader>(&self) -> Result<u64, LedgerError> {
        self.cursor(R::NAME).await
    }

    async fn cursor(&self, name: &'static str) -> Result<u64, LedgerError> {
        let text = "SELECT seq FROM ledger_readers WHERE name = $1";
        if let Some(mut row) = self.0.db.read_one(READERS, sql(text, vec![name.into()])).await? {
            return Ok(number(&mut row)?);
        }
        let text = "INSERT INTO ledger_readers (name, seq) VALUES ($1, 0) ON CONFLICT (name) DO NOTHING";
        self.0.db.keep(Bookkeeping::new(READERS).statement(sql(text, vec![name.into()]))).await?;
        Ok(0)
    }

    async fn advance(
        &self,
        name: &'static str,
        from: u64,
        to: u64,
        statements: Vec<Statement>,
    ) -> Result<(), CommitError> {
        let text = "UPDATE ledger_readers SET seq = $1 WHERE name = $2 AND seq = $3";
        let fence = sql(text, vec![int(to).into(), name.into(), int(from).into()]).fresh();
        let mut books = Bookkeeping::new(READERS).statement(fence);
        for statement in statements {
            books = books.statement(statement);
        }
        self.0.db.keep(books).await.map(drop)
    }

    /// The reader starts over from the beginning; it forgets what it kept in `statements`.
    pub async fn rewind<R: LedgerReader>(&self, statements: Vec<Statement>) -> Result<(), LedgerError> {
        let text = "UPDATE ledger_readers SET seq = 0 WHERE name = $1";
        let mut books = Bookkeeping::new(READERS).statement(sql(text, vec![R::NAME.into()]));
        for statement in statements {
            books = books.statement(statement);
        }
        self.0.db.keep(books).await?;
        self.0.tracker.reader_rewound(R::NAME);
        Ok(())
    }
}
