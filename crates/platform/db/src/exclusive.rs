//! One transaction in which decisions are taken one after the other, each reading what the one before it wrote.
//!
//! A change is a value and its decision reads before it; that is right for one act. Configuration is many acts of which the
//! later ones rely on the earlier ones, and all of them are made or none. So while [`Db::exclusive`] runs a future, whatever
//! that future – and no task that it spawns – reads and commits for its organization goes through one transaction. The rest
//! of the house knows nothing of it: services read and decide as always.
//!
//! With SQLite every other write waits meanwhile, so it is for configuration, import and migration only, and it is cut off
//! when nothing comes for [`PATIENCE`]. What belongs to no organization is read outside of it, and not written at all.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use crate::postgres::Transaction;
use crate::sqlite::Exclusive;
use crate::{
    Bookkeeping, Change, CommitError, Committed, Db, DbError, Engine, OrgScope, Row, Scope, Statement,
    in_own_task,
};

/// How long others are kept waiting for the next statement of an exclusive transaction.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

tokio::task_local! {
    static CURRENT: Arc<Session>;
}

/// What is being done in one transaction.
pub(crate) struct Session {
    db: Db,
    scope: OrgScope,
    way: Way,
    /// The last authority revision that it reached; 0 for none.
    authority: AtomicI64,
    wakes_queue: AtomicBool,
}

enum Way {
    Sqlite(Exclusive),
    Postgres(Transaction),
}

impl Db {
    /// Runs `work` in one transaction: kept if it succeeds, taken back whole if it does not. `work` may run several times
    /// in a row only if its caller says so; here it runs once. One at a time in this process.
    pub async fn exclusive<T, E: From<CommitError>>(
        &self,
        scope: OrgScope,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let _turn = self.0.exclusive.lock().await;
        let way = match &self.0.engine {
            Engine::Sqlite(sqlite) => Way::Sqlite(sqlite.exclusive().await?),
            Engine::Postgres(postgres) => Way::Postgres(postgres.transaction(scope).await?),
        };
        let session = Arc::new(Session {
            db: self.clone(),
            scope,
            way,
            authority: AtomicI64::new(0),
            wakes_queue: AtomicBool::new(false),
        });
        let outcome = CURRENT.scope(session.clone(), work).await;
        let keep = outcome.is_ok();
        // In a task of its own: a caller that hangs up must not cut off the news of what was committed.
        let end = in_own_task(async move { session.end(keep).await }).await;
        let done = outcome?;
        end?;
        Ok(done)
    }

    /// The exclusive transaction that the present task is in, if it is one of this database.
    pub(crate) fn session(&self) -> Option<Arc<Session>> {
        let current = CURRENT.try_with(Arc::clone).ok()?;
        Arc::ptr_eq(&current.db.0, &self.0).then_some(current)
    }
}

impl Session {
    /// None for what is no organization's: that is read as it stands outside.
    pub(crate) async fn read(
        &self,
        scope: &Scope,
        statement: &Statement,
    ) -> Option<Result<Vec<Row>, DbError>> {
        let Scope::Org(scope) = scope else { return None };
        if scope.org() != self.scope.org() {
            return Some(Err(foreign()));
        }
        Some(match &self.way {
            Way::Sqlite(exclusive) => exclusive.read(statement.clone()).await,
            Way::Postgres(transaction) => transaction.read(statement).await,
        })
    }

    pub(crate) async fn commit(&self, change: Change) -> Result<Committed, CommitError> {
        self.own(&change.scope)?;
        let wakes_queue = change.wakes_queue;
        let committed = match &self.way {
            Way::Sqlite(exclusive) => exclusive.commit(change).await?,
            Way::Postgres(transaction) => transaction.commit(change).await?,
        };
        if let Some(revision) = committed.authority_revision {
            self.authority.fetch_max(revision, Ordering::AcqRel);
        }
        self.wakes_queue.fetch_or(wakes_queue, Ordering::AcqRel);
        Ok(committed)
    }

    pub(crate) async fn keep(&self, books: Bookkeeping) -> Result<Vec<Vec<Row>>, CommitError> {
        self.own(&books.scope)?;
        self.wakes_queue.fetch_or(books.wakes_queue, Ordering::AcqRel);
        match &self.way {
            Way::Sqlite(exclusive) => exclusive.keep(books).await,
            Way::Postgres(transaction) => transaction.keep(books).await,
        }
    }

    fn own(&self, scope: &Scope) -> Result<(), CommitError> {
        match scope {
            Scope::Org(scope) if scope.org() == self.scope.org() => Ok(()),
            _ => Err(foreign().into()),
        }
    }

    async fn end(&self, keep: bool) -> Result<(), CommitError> {
        match &self.way {
            Way::Sqlite(exclusive) => exclusive.end(keep).await?,
            Way::Postgres(transaction) => transaction.end(keep).await?,
        }
        if !keep {
            return Ok(());
        }
        let revision = self.authority.load(Ordering::Acquire);
        if let Some(observer) = self.db.0.observer.get().filter(|_| revision > 0) {
            observer.reached(revision).await;
        }
        self.db.0.signals.facts_written();
        if self.wakes_queue.load(Ordering::Acquire) {
            self.db.0.signals.work_queued();
        }
        Ok(())
    }
}

/// It would wait for the transaction that waits for it.
pub(crate) fn foreign() -> DbError {
    DbError::Internal("an exclusive transaction touches what is not its organization's".into())
}
