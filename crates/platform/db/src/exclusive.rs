//! One transaction in which decisions are taken one after the other, each reading what the one before it wrote.
//!
//! A change is a value and its decision reads before it; that is right for one act. Configuration is many acts of which the
//! later ones rely on the earlier ones, and all of them are made or none. So while [`Db::exclusive`] runs a future, whatever
//! that future – and no task that it spawns – reads and commits for its organization goes through one transaction. The rest
//! of the house knows nothing of it: services read and decide as always.
//!
//! With SQLite every other write waits meanwhile, so it is for configuration, import and migration only, and it is cut off
//! when nothing comes for [`PATIENCE`]. On PostgreSQL others wait only for rows that they share with it: what all
//! organizations share, the head of the authority log, is taken last, so all of it has one authority revision. What belongs
//! to no organization is read outside of it, and not written at all.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use crate::change::Announcement;
use crate::postgres::{self, Transaction};
use crate::sqlite::Exclusive;
use crate::{
    Bookkeeping, Change, CommitError, Committed, Db, DbError, Engine, OrgScope, Row, Scope, Statement,
    in_own_task, sql,
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
    /// For the end.
    announcement: Mutex<Announcement>,
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
            announcement: Mutex::default(),
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

    /// Its authority revision is known at the end of all only, so the answer has none.
    pub(crate) async fn commit(&self, mut change: Change) -> Result<Committed, CommitError> {
        self.own(&change.scope)?;
        let wakes_queue = change.wakes_queue;
        let announcement = change.take_announcement();
        let committed = match &self.way {
            Way::Sqlite(exclusive) => exclusive.commit(change).await?,
            Way::Postgres(transaction) => transaction.commit(change).await?,
        };
        self.announcement.lock().join(announcement);
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
        let revision = if keep { self.announce().await? } else { None };
        match &self.way {
            Way::Sqlite(exclusive) => exclusive.end(keep).await?,
            Way::Postgres(transaction) => transaction.end(keep).await?,
        }
        if !keep {
            return Ok(());
        }
        if let (Some(revision), Some(observer)) = (revision, self.db.0.observer.get()) {
            observer.reached(revision).await;
        }
        self.db.0.signals.facts_written();
        if self.wakes_queue.load(Ordering::Acquire) {
            self.db.0.signals.work_queued();
        }
        Ok(())
    }
}

impl Session {
    /// The revision of everything that was changed about authority, if anything was.
    async fn announce(&self) -> Result<Option<i64>, CommitError> {
        let announcement = std::mem::take(&mut *self.announcement.lock());
        if announcement.is_empty() {
            return Ok(None);
        }
        let head = if self.db.is_postgres() {
            postgres::NOTIFIED_HEAD
        } else {
            "SELECT revision FROM authority_head"
        };
        let books =
            announcement.statements().into_iter().fold(Bookkeeping::new(self.scope), Bookkeeping::statement);
        let answers = self.keep(books.statement(sql(head, vec![]))).await?;
        let head = answers.into_iter().next_back().and_then(|rows| rows.into_iter().next());
        Ok(head.map(|mut row| row.next()).transpose()?)
    }
}

/// It would wait for the transaction that waits for it.
pub(crate) fn foreign() -> DbError {
    DbError::Internal("an exclusive transaction touches what is not its organization's".into())
}
