//! Changes that are cheaper together: those of one organization that come while others are on their way share a
//! transaction, so one COMMIT and one notification serve all of them.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::{Mutex, mpsc, oneshot};

use super::flight;
use super::pool::Pool;
use crate::{Change, CommitError, Committed, DbError, OrgScope, Signals};

const BATCH: usize = 128;
const QUEUE: usize = 4 * 1024;
/// Batches under way at once; each holds a connection.
const LANES: usize = 2;

type Answer = oneshot::Sender<Result<Committed, CommitError>>;
type Waiting = (OrgScope, Change, Answer);

#[derive(Clone)]
pub(super) struct Together {
    queue: mpsc::Sender<Waiting>,
}

impl Together {
    #[expect(clippy::disallowed_methods, reason = "the lanes' own tasks; db stands below telemetry::spawn")]
    pub(super) fn start(pool: Pool, signals: Signals) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let waiting = Arc::new(Mutex::new(waiting));
        for _ in 0..LANES {
            tokio::spawn(lane(pool.clone(), signals.clone(), waiting.clone()));
        }
        Self { queue }
    }

    /// As [`flight::commit`].
    pub(super) async fn commit(&self, scope: OrgScope, change: Change) -> Result<Committed, CommitError> {
        let (answer, answered) = oneshot::channel();
        let closed = || CommitError::Db(DbError::Unavailable("the lanes have stopped".into()));
        self.queue.send((scope, change, answer)).await.map_err(|_| closed())?;
        answered.await.map_err(|_| closed())?
    }
}

async fn lane(pool: Pool, signals: Signals, waiting: Arc<Mutex<mpsc::Receiver<Waiting>>>) {
    let mut batch = Vec::with_capacity(BATCH);
    loop {
        let taken = waiting.lock().await.recv_many(&mut batch, BATCH).await;
        if taken == 0 {
            return;
        }
        let mut by_scope: HashMap<OrgScope, Vec<(Change, Answer)>> = HashMap::new();
        for (scope, change, answer) in batch.drain(..) {
            by_scope.entry(scope).or_default().push((change, answer));
        }
        for group in by_scope.into_values() {
            write(&pool, &signals, group).await;
        }
    }
}

async fn write(pool: &Pool, signals: &Signals, group: Vec<(Change, Answer)>) {
    let wakes_queue = group.iter().any(|(change, _)| change.wakes_queue);
    let whole = match group.as_slice() {
        [(first, _), rest @ ..] if !rest.is_empty() => {
            let whole = rest.iter().fold(first.clone(), |all, (change, _)| all.and(change.clone()));
            Some(flight::commit(pool, whole).await)
        }
        _ => None,
    };
    for (change, answer) in group {
        let committed = match &whole {
            Some(Ok(_)) => Ok(Committed::default()),
            Some(Err(CommitError::Db(error))) => Err(error.clone().into()),
            // What is refused is one of them; each is made by itself and gets its own answer.
            Some(Err(_)) | None => flight::commit(pool, change).await,
        };
        // Nobody waits any more when the caller hung up.
        let _ = answer.send(committed);
    }
    signals.facts_written();
    if wakes_queue {
        signals.work_queued();
    }
}
