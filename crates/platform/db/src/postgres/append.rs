//! Facts without a change (tokens issued, refusals): many share one INSERT and one COMMIT, per organization.

use std::collections::HashMap;

use tokio::sync::{mpsc, oneshot};
use tokio_postgres::types::ToSql;
use types::{Id, OrgId};

use super::pool::{Connection, Pool, prepare};
use super::values::failed;
use crate::{CommitError, DbError, FactRow, Signals, Value, facts};

const BATCH: usize = 512;
const QUEUE: usize = 16 * 1024;
/// Batches under way at once; each holds a connection.
const LANES: usize = 2;

type Waiting = (FactRow, oneshot::Sender<Result<(), CommitError>>);

#[derive(Clone)]
pub(super) struct Appender {
    queue: mpsc::Sender<Waiting>,
}

impl Appender {
    #[expect(
        clippy::disallowed_methods,
        reason = "the appender's own task; db stands below telemetry::spawn"
    )]
    pub(super) fn start(pool: Pool, signals: Signals) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let waiting = std::sync::Arc::new(tokio::sync::Mutex::new(waiting));
        for _ in 0..LANES {
            tokio::spawn(lane(pool.clone(), signals.clone(), waiting.clone()));
        }
        Self { queue }
    }

    pub(super) async fn append(&self, fact: FactRow) -> Result<(), CommitError> {
        let (answer, answered) = oneshot::channel();
        let closed = || CommitError::Db(DbError::Unavailable("the appender has stopped".into()));
        self.queue.send((fact, answer)).await.map_err(|_| closed())?;
        answered.await.map_err(|_| closed())?
    }
}

async fn lane(
    pool: Pool,
    signals: Signals,
    waiting: std::sync::Arc<tokio::sync::Mutex<mpsc::Receiver<Waiting>>>,
) {
    let mut batch = Vec::with_capacity(BATCH);
    loop {
        let taken = waiting.lock().await.recv_many(&mut batch, BATCH).await;
        if taken == 0 {
            return;
        }
        let mut by_org: HashMap<OrgId, Vec<Waiting>> = HashMap::new();
        for one in batch.drain(..) {
            by_org.entry(one.0.org).or_default().push(one);
        }
        for (org, facts) in by_org {
            write(&pool, org, facts).await;
        }
        signals.facts_written();
    }
}

async fn write(pool: &Pool, org: OrgId, waiting: Vec<Waiting>) {
    let (facts, answers): (Vec<_>, Vec<_>) = waiting.into_iter().unzip();
    let result = insert(pool, org, facts).await;
    for answer in answers {
        let outcome = result.clone().map_err(CommitError::Db);
        // Nobody waits any more when the caller hung up.
        let _ = answer.send(outcome);
    }
}

async fn insert(pool: &Pool, org: OrgId, facts: Vec<FactRow>) -> Result<(), DbError> {
    let connection = pool.connection().await?;
    let columns = columns(facts);
    let texts =
        ["BEGIN", "SELECT set_config('safeconduct.org', $1, true)", facts::insert_many_text(), "COMMIT"];
    let org = org.uuid().to_string();
    let org: [&(dyn ToSql + Sync); 1] = [&org];
    let columns: Vec<&(dyn ToSql + Sync)> =
        columns.iter().map(|column| column as &(dyn ToSql + Sync)).collect();
    let params: [&[&(dyn ToSql + Sync)]; 4] = [&[], &org, &columns, &[]];
    run(&connection, &texts, &params).await
}

async fn run(
    connection: &Connection,
    texts: &[&'static str; 4],
    params: &[&[&(dyn ToSql + Sync)]; 4],
) -> Result<(), DbError> {
    let mut prepared = Vec::with_capacity(texts.len());
    for text in texts {
        prepared.push(prepare(connection, text).await.map_err(failed)?);
    }
    let sent = prepared.iter().zip(params).map(|(statement, params)| connection.query(statement, params));
    for answer in futures::future::join_all(sent).await {
        answer.map_err(failed)?;
    }
    Ok(())
}

/// Rows turned into one array per column.
fn columns(facts: Vec<FactRow>) -> Vec<Vec<Value>> {
    let count = facts.len();
    let mut columns: Vec<Vec<Value>> = (0..18).map(|_| Vec::with_capacity(count)).collect();
    for fact in facts {
        for (column, value) in columns.iter_mut().zip(fact.into_values()) {
            column.push(value);
        }
    }
    columns
}
