//! Which processes work on runs: each says so with its leases' heartbeat, and takes itself off when it ends. Who was killed
//! stays on the list as silent until it is forgotten; its runs are taken back meanwhile.

use std::time::Duration;

use db::{Bookkeeping, Row, sql};
use types::{Timestamp, WorkerId};

use crate::RunsError;
use crate::house::Runs;
use crate::store::SCOPE;

/// How long a silent one is shown.
const REMEMBERED: Duration = Duration::from_secs(3600);

/// A process that works on runs.
#[derive(Clone, Debug)]
pub struct Worker {
    pub id: WorkerId,
    /// Of its machine.
    pub name: String,
    pub version: String,
    pub kinds: Vec<String>,
    /// Runs that it can work on at the same time.
    pub slots: i64,
    pub running: i64,
    pub state: WorkerState,
    pub started_at: Timestamp,
    pub seen_at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkerState {
    Working,
    /// It begins nothing more and ends what it has.
    Draining,
    /// Not heard of for as long as a lease lasts: its runs go to others.
    Silent,
}

impl Runs {
    /// All of the installation, the oldest first.
    pub async fn workers(&self) -> Result<Vec<Worker>, RunsError> {
        let text = "SELECT id, name, version, kinds, slots, running, draining, started_at, seen_at FROM workers \
                    ORDER BY id";
        let silent_since = self.0.world.now().minus(self.0.settings.lease);
        let rows = self.0.db.read(SCOPE, sql(text, vec![])).await?;
        Ok(rows.into_iter().map(|row| worker(row, silent_since)).collect::<Result<_, _>>()?)
    }

    /// Says that this process is there, and how much it has to do.
    pub(crate) async fn say(&self) -> Result<(), RunsError> {
        let inner = &*self.0;
        if !inner.settings.executes {
            return Ok(());
        }
        let now = inner.world.now();
        let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        let say = "INSERT INTO workers (id, name, version, kinds, slots, running, draining, started_at, seen_at) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
                   ON CONFLICT (id) DO UPDATE SET running = $6, draining = $7, seen_at = $9";
        let params = vec![
            inner.worker.into(),
            (&inner.settings.name).into(),
            (&inner.settings.version).into(),
            (&inner.kinds).into(),
            count(inner.settings.slots).into(),
            count(inner.live.len()).into(),
            inner.draining.is_cancelled().into(),
            inner.started_at.into(),
            now.into(),
        ];
        let forget = sql("DELETE FROM workers WHERE seen_at < $1", vec![now.minus(REMEMBERED).into()]);
        self.0.db.keep(Bookkeeping::new(SCOPE).statement(forget).statement(sql(say, params))).await?;
        Ok(())
    }

    /// Takes this process off the list.
    pub(crate) async fn sign_off(&self) {
        let gone = sql("DELETE FROM workers WHERE id = $1", vec![self.0.worker.into()]);
        if let Err(error) = self.0.db.keep(Bookkeeping::new(SCOPE).statement(gone)).await {
            tracing::debug!(%error, "this worker stays on the list until it is forgotten");
        }
    }

    /// Begins nothing more, and waits until what runs here has ended, at most for `patience`.
    pub async fn drain(&self, patience: Duration) {
        self.0.draining.cancel();
        if let Err(error) = self.say().await {
            tracing::warn!(%error, "nobody is told that this worker drains");
        }
        self.0.carried.close();
        // What is left then goes back to the queue when the engine stops.
        let _ = tokio::time::timeout(patience, self.0.carried.wait()).await;
    }
}

fn worker(mut row: Row, silent_since: Timestamp) -> Result<Worker, db::DbError> {
    let (id, name, version) = (row.id()?, row.next()?, row.next()?);
    let kinds: String = row.next()?;
    let (slots, running, draining) = (row.next()?, row.next()?, row.next::<bool>()?);
    let (started_at, seen_at) = (row.next()?, row.next::<Timestamp>()?);
    let state = match draining {
        _ if seen_at < silent_since => WorkerState::Silent,
        true => WorkerState::Draining,
        false => WorkerState::Working,
    };
    let kinds = kinds.split(',').filter(|kind| !kind.is_empty()).map(str::to_owned).collect();
    // Its runs are others' by now.
    let running = if state == WorkerState::Silent { 0 } else { running };
    Ok(Worker { id, name, version, kinds, slots, running, state, started_at, seen_at })
}
