//! Dead letters: runs that were given up. They are looked at, tried again by hand, or put aside.

use db::{OrgScope, Select, Statement};
use ledger::{Actor, Fact, FactKind, Origin};
use serde_json::{Value, json};

use crate::house::Runs;
use crate::model::{Queue, Run, RunState};
use crate::{RunsError, facts, store};

/// What is done to a run by hand: the fact and the statement of its change, and the run as it then stands.
pub struct Act {
    pub fact: Fact,
    pub statement: Statement,
    pub run: Run,
}

impl Runs {
    /// Every kind of run with how many stand where, in this organization; `narrow` adds what the caller may see.
    pub async fn queues(
        &self,
        scope: &OrgScope,
        narrow: impl FnOnce(Select) -> Select,
    ) -> Result<Vec<Queue>, RunsError> {
        let rows = self.0.db.read(scope, store::queues(scope, narrow)).await?;
        let queue = |mut row: db::Row| {
            Ok(Queue {
                kind: row.next()?,
                ready: row.next()?,
                rated: row.next()?,
                delayed: row.next()?,
                running: row.next()?,
                awaiting: row.next()?,
                dead: row.next()?,
                oldest: row.next()?,
            })
        };
        rows.into_iter().map(queue).collect()
    }

    /// For whoever puts a run back that failed; the change wakes the queue. It gets
    /// `attempts` more, or as many as the engine gives to a new one, under the authority that it was asked for with.
    pub async fn retrying(
        &self,
        scope: &OrgScope,
        run: &Run,
        attempts: Option<i64>,
        actor: Actor,
        origin: Origin,
    ) -> Result<Act, RunsError> {
        let attempts = attempts.unwrap_or(self.0.settings.attempts);
        let fact = self.told(scope, run, &facts::RUN_RETRIED, actor, origin).await?;
        let after = Run {
            state: RunState::Queued,
            max_attempts: run.attempts + attempts,
            error_kind: None,
            usage: None,
            started_at: None,
            ended_at: None,
            flushed_at: None,
            fence: run.fence + 1,
            revision: run.revision + 1,
            ..run.clone()
        };
        Ok(Act { fact, statement: store::retry(run, attempts), run: after })
    }

    /// The same for whoever puts a dead run aside.
    pub async fn flushing(
        &self,
        scope: &OrgScope,
        run: &Run,
        actor: Actor,
        origin: Origin,
    ) -> Result<Act, RunsError> {
        let fact = self.told(scope, run, &facts::RUN_FLUSHED, actor, origin).await?;
        let now = self.0.world.now();
        let after = Run { flushed_at: Some(now), revision: run.revision + 1, ..run.clone() };
        Ok(Act { fact, statement: store::flush(run, now), run: after })
    }

    async fn told(
        &self,
        scope: &OrgScope,
        run: &Run,
        kind: &'static FactKind,
        actor: Actor,
        origin: Origin,
    ) -> Result<Fact, RunsError> {
        let (shown, mut data) = self.shown(scope, run).await?;
        data.insert("error".into(), json!(run.error_kind));
        let target = self.executor(&run.kind).map_or("run", |executor| executor.target());
        Ok(Fact::new(kind, run.org, actor)
            .origin(&Origin { run: Some(run.id), ..origin })
            .target(target, &shown.id, shown.name)
            .data(Value::Object(data)))
    }
}
