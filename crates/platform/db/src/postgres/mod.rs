//! PostgreSQL 15+: two small worlds of connections – `safeconduct_app` under row-level security, `safeconduct_system`
//! for work without an organization – and pipelined flights.

mod append;
mod exclusive;
mod flight;
mod listen;
mod pool;
mod roles;
mod together;
mod values;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::{
    Bookkeeping, Change, CommitError, Committed, DbError, FactRow, OpenError, OrgScope, Row, Scope, Signals,
    Statement,
};

pub(crate) use exclusive::Transaction;
pub(crate) use flight::NOTIFIED_HEAD;
pub use roles::{RolePasswords, init_roles};

/// One login per role; URLs as libpq understands them.
#[derive(Clone)]
pub struct PostgresSettings {
    pub app_url: String,
    pub system_url: String,
    pub owner_url: String,
    pub app_connections: usize,
    pub system_connections: usize,
    pub connect_timeout: Duration,
}

#[derive(Clone)]
pub(crate) struct Postgres(Arc<Inner>);

struct Inner {
    app: pool::Pool,
    system: pool::Pool,
    appender: append::Appender,
    together: together::Together,
    notices: watch::Receiver<i64>,
    signals: Signals,
}

impl Postgres {
    pub(crate) async fn open(settings: PostgresSettings, signals: Signals) -> Result<Self, OpenError> {
        roles::migrate(&settings.owner_url).await?;
        let app = pool::Pool::new(&settings.app_url, settings.app_connections, settings.connect_timeout)?;
        let system =
            pool::Pool::new(&settings.system_url, settings.system_connections, settings.connect_timeout)?;
        roles::refuse_powerful(&app).await?;
        let appender = append::Appender::start(app.clone(), signals.clone());
        let together = together::Together::start(app.clone(), signals.clone());
        let notices = listen::start(&settings.system_url, signals.clone())?;
        Ok(Self(Arc::new(Inner { app, system, appender, together, notices, signals })))
    }

    pub(crate) async fn read(&self, scope: Scope, statement: Statement) -> Result<Vec<Row>, DbError> {
        flight::read(self.pool(&scope), &scope, &statement).await
    }

    pub(crate) async fn commit(&self, change: Change) -> Result<Committed, CommitError> {
        let wakes_queue = change.wakes_queue;
        let committed = flight::commit(self.pool(&change.scope), change).await?;
        self.0.signals.facts_written();
        if wakes_queue {
            self.0.signals.work_queued();
        }
        Ok(committed)
    }

    pub(crate) async fn commit_together(&self, change: Change) -> Result<Committed, CommitError> {
        match change.scope {
            Scope::Org(scope) => self.0.together.commit(scope, change).await,
            Scope::System(_) => self.commit(change).await,
        }
    }

    pub(crate) async fn append(&self, fact: FactRow) -> Result<(), CommitError> {
        self.0.appender.append(fact).await
    }

    pub(crate) async fn keep(&self, books: Bookkeeping) -> Result<Vec<Vec<Row>>, CommitError> {
        let wakes_queue = books.wakes_queue;
        let rows = flight::keep(self.pool(&books.scope), books).await?;
        if wakes_queue {
            self.0.signals.work_queued();
        }
        Ok(rows)
    }

    /// Begins a transaction of one organization.
    pub(crate) async fn transaction(&self, scope: OrgScope) -> Result<Transaction, CommitError> {
        Transaction::begin(&self.0.app, scope).await
    }

    pub(crate) fn authority_notices(&self) -> watch::Receiver<i64> {
        self.0.notices.clone()
    }

    fn pool(&self, scope: &Scope) -> &pool::Pool {
        match scope {
            Scope::Org(_) => &self.0.app,
            Scope::System(_) => &self.0.system,
        }
    }
}
