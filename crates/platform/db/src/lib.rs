//! The database: SQLite (default) or PostgreSQL behind one face.
//!
//! Two kinds of write. A [`Change`] is a value – statements with their expectations, guards, authority entries and
//! at least one fact – shipped whole by [`Db::commit`]. [`Bookkeeping`] (leases, cursors, counters …) may touch only
//! the tables that `xtask tidy` lists. Reads run on reader pools, under an [`OrgScope`] or a [`SystemScope`].
//! Knows no domain and never decides: what a row means is its owner's business.

mod change;
mod error;
mod exclusive;
mod facts;
mod migrate;
mod postgres;
mod scope;
mod select;
mod sqlite;
mod statement;
mod value;

use std::sync::{Arc, OnceLock};

use tokio::sync::{Mutex, watch};

pub use change::{AuthorityEntry, Bookkeeping, Change, Committed, Guard};
pub use error::{CommitError, DbError, OpenError};
pub use facts::FactRow;
pub use migrate::{MIGRATIONS, Migration};
pub use postgres::{PostgresSettings, RolePasswords, init_roles};
pub use scope::{OrgScope, Scope, SystemScope};
pub use select::Select;
pub use sqlite::SqliteSettings;
pub use statement::{Statement, sql};
pub use value::{FromValue, Row, Value};

/// Where the data lives.
pub enum Settings {
    Sqlite(SqliteSettings),
    Postgres(PostgresSettings),
}

/// Hears of each authority revision before the commit that made it is answered (platform/cluster's feed).
pub trait AuthorityObserver: Send + Sync {
    fn reached(&self, revision: i64) -> futures::future::BoxFuture<'static, ()>;
}

/// The open database; clones share it.
#[derive(Clone)]
pub struct Db(Arc<Inner>);

struct Inner {
    engine: Engine,
    signals: Signals,
    observer: OnceLock<Arc<dyn AuthorityObserver>>,
    /// Held by the one exclusive transaction of this process.
    exclusive: Mutex<()>,
}

enum Engine {
    Sqlite(sqlite::Sqlite),
    Postgres(postgres::Postgres),
}

/// What readers of the ledger and the queue wait for; values only grow. Fed after a commit, by this process or – on
/// PostgreSQL – by any other.
#[derive(Clone)]
pub struct Signals {
    facts: watch::Sender<u64>,
    queue: watch::Sender<u64>,
}

impl Signals {
    fn new() -> Self {
        Self { facts: watch::Sender::new(0), queue: watch::Sender::new(0) }
    }

    pub(crate) fn facts_written(&self) {
        self.facts.send_modify(|count| *count += 1);
    }

    pub(crate) fn work_queued(&self) {
        self.queue.send_modify(|count| *count += 1);
    }
}

impl Db {
    /// Opens, migrates and starts the pools. Refuses a second server on one SQLite file, a superuser or BYPASSRLS role
    /// on PostgreSQL, and a schema newer than this binary.
    pub async fn open(settings: Settings) -> Result<Self, OpenError> {
        let signals = Signals::new();
        let engine = match settings {
            Settings::Sqlite(settings) => Engine::Sqlite(sqlite::Sqlite::open(&settings, signals.clone())?),
            Settings::Postgres(settings) => {
                Engine::Postgres(postgres::Postgres::open(settings, signals.clone()).await?)
            }
        };
        Ok(Self(Arc::new(Inner { engine, signals, observer: OnceLock::new(), exclusive: Mutex::new(()) })))
    }

    /// Who hears of authority revisions; set once, at boot.
    pub fn observe_authority(&self, observer: Arc<dyn AuthorityObserver>) {
        // A second observer would mean two feeds in one process; the first stays.
        let _ = self.0.observer.set(observer);
    }

    /// Rows of one SELECT under a scope.
    pub async fn read(
        &self,
        scope: impl Into<Scope>,
        statement: impl Into<Statement>,
    ) -> Result<Vec<Row>, DbError> {
        let (scope, statement) = (scope.into(), statement.into());
        if let Some(session) = self.session()
            && let Some(rows) = session.read(&scope, &statement).await
        {
            return rows;
        }
        match &self.0.engine {
            Engine::Sqlite(sqlite) => sqlite.read(statement).await,
            Engine::Postgres(postgres) => postgres.read(scope, statement).await,
        }
    }

    /// The first row, if any.
    pub async fn read_one(
        &self,
        scope: impl Into<Scope>,
        statement: impl Into<Statement>,
    ) -> Result<Option<Row>, DbError> {
        Ok(self.read(scope, statement).await?.into_iter().next())
    }

    /// Ships a change whole: all of it and its facts are durable, or nothing of it happened.
    pub async fn commit(&self, change: Change) -> Result<Committed, CommitError> {
        self.ship(change, false).await
    }

    /// As [`Db::commit`], for changes that come by the hundred and rarely meet on a row: those that are under way at the same
    /// time share a COMMIT, and if one of them is refused each is made by itself.
    pub async fn commit_together(&self, change: Change) -> Result<Committed, CommitError> {
        let together = change.is_plain();
        self.ship(change, together).await
    }

    async fn ship(&self, change: Change, together: bool) -> Result<Committed, CommitError> {
        if let Some(session) = self.session() {
            return session.commit(change).await;
        }
        let db = self.clone();
        // In a task of its own: a caller that hangs up must not cut a flight, nor the news of a revocation.
        let flight = async move {
            let committed = match &db.0.engine {
                // Its writer makes one COMMIT of whatever waits, anyway.
                Engine::Sqlite(sqlite) => sqlite.commit(change).await?,
                Engine::Postgres(postgres) if together => postgres.commit_together(change).await?,
                Engine::Postgres(postgres) => postgres.commit(change).await?,
            };
            if let (Some(revision), Some(observer)) = (committed.authority_revision, db.0.observer.get()) {
                observer.reached(revision).await;
            }
            Ok(committed)
        };
        in_own_task(flight).await
    }

    /// Appends a fact that no change caused (a token issued, a refusal); durable when it returns.
    pub async fn append(&self, fact: FactRow) -> Result<(), CommitError> {
        if self.session().is_some() {
            return Err(exclusive::foreign().into());
        }
        match &self.0.engine {
            Engine::Sqlite(sqlite) => sqlite.append(fact).await,
            Engine::Postgres(postgres) => postgres.append(fact).await,
        }
    }

    /// Writes bookkeeping in one transaction; answers the rows of each statement (`RETURNING`).
    pub async fn keep(&self, books: Bookkeeping) -> Result<Vec<Vec<Row>>, CommitError> {
        if let Some(session) = self.session() {
            return session.keep(books).await;
        }
        match &self.0.engine {
            Engine::Sqlite(sqlite) => sqlite.keep(books).await,
            Engine::Postgres(postgres) => {
                let postgres = postgres.clone();
                in_own_task(async move { postgres.keep(books).await }).await
            }
        }
    }

    /// Grows whenever facts were committed.
    pub fn facts_signal(&self) -> watch::Receiver<u64> {
        self.0.signals.facts.subscribe()
    }

    /// Grows whenever runs were queued.
    pub fn queue_signal(&self) -> watch::Receiver<u64> {
        self.0.signals.queue.subscribe()
    }

    /// PostgreSQL: authority revisions announced by any node. SQLite: never fires, one process knows all.
    pub fn authority_notices(&self) -> Option<watch::Receiver<i64>> {
        match &self.0.engine {
            Engine::Sqlite(_) => None,
            Engine::Postgres(postgres) => Some(postgres.authority_notices()),
        }
    }

    pub fn is_postgres(&self) -> bool {
        matches!(self.0.engine, Engine::Postgres(_))
    }

    /// Answers one trivial query or says why not; for health.
    pub async fn ping(&self) -> Result<(), DbError> {
        self.read(SystemScope::new("health"), sql("SELECT 1", vec![])).await.map(drop)
    }

    /// Stops the writer after all accepted work; later calls fail with `Unavailable`.
    pub async fn close(&self) {
        if let Engine::Sqlite(sqlite) = &self.0.engine {
            sqlite.close().await;
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a flight's own task; db stands below telemetry::spawn")]
async fn in_own_task<T: Send + 'static>(
    flight: impl Future<Output = Result<T, CommitError>> + Send + 'static,
) -> Result<T, CommitError> {
    match tokio::spawn(flight).await {
        Ok(result) => result,
        Err(error) => Err(CommitError::Db(DbError::Internal(error.to_string()))),
    }
}
