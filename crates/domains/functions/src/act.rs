//! Running functions, and ending runs by hand.

use std::time::Duration;

use authority::Required;
use db::{AuthorityEntry, Change, CommitError};
use problem::{ALREADY_EXISTS, CONFLICT, IDEMPOTENCY_IN_FLIGHT, Problem, RUN_NOT_DEAD, RUN_NOT_FAILED};
use runs::{
    Act, Concurrency, Contents, NewRun, Order, Prepared, Promised, Run, RunState, RunsError, Target, Trigger,
};
use serde_json::Value;
use types::{FunctionId, FunctionVersionId, Id, RunId};
use web::{Allowance, Decided, Object, Refusal, Reply};

use crate::mandate::mandate;
use crate::model::FunctionRef;
use crate::service::held;
use crate::versions::Ready;
use crate::{FunctionError, Functions};

/// What a caller asks for, besides the function.
pub(crate) struct Asked<'a> {
    pub(crate) input: &'a Value,
    pub(crate) priority: i64,
    pub(crate) delay: Duration,
    pub(crate) deduplication_key: Option<&'a str>,
    pub(crate) concurrency_key: Option<&'a str>,
    pub(crate) trigger: Trigger,
    pub(crate) trigger_id: Option<String>,
}

/// How a caller wants a run.
#[derive(Clone, Copy)]
pub(crate) enum Wish {
    /// Only that it is accepted.
    Accepted,
    /// The end, if it comes within this time.
    Ended(Duration),
}

const READ_RUNS: Required = Required::parse("runs:read");

/// Why a run was not set off.
enum SetOff {
    /// There is one under its key.
    Duplicate,
    Refused(Refusal),
}

impl<E: Into<Refusal>> From<E> for SetOff {
    fn from(error: E) -> Self {
        Self::Refused(error.into())
    }
}

/// A run is its principal's own.
fn run_object(run: &Run) -> Object<'static> {
    Object { selector: run.id.to_string().into(), owner: Some(run.subject), ..Object::default() }
}

impl Functions {
    /// A run of the live version: checked, made ready, accepted – and waited for, if the caller wants that.
    ///
    /// `show` gives the answer's bytes for a run as it stands, with 200 or 202.
    pub(crate) async fn execute(
        &self,
        by: &Allowance,
        of: &FunctionRef,
        asked: &Asked<'_>,
        wish: Wish,
        show: impl Fn(u16, &Run, Option<Contents>) -> Result<Reply, Problem>,
    ) -> Result<Reply, Refusal> {
        let prepared = self.prepare(by, of, asked).await?;
        if let Some(key) = asked.deduplication_key
            && let Some(open) = self.open_under(by, prepared.run(), key).await?
        {
            return by.keyed_answer(show(202, &open, None)?).await;
        }
        let same = prepared.run().clone();
        match self.set_off(by, prepared, wish, &show).await {
            // Somebody was faster, by a moment.
            Err(SetOff::Duplicate) => {
                match self.open_under(by, &same, asked.deduplication_key.unwrap_or_default()).await? {
                    Some(open) => by.keyed_answer(show(202, &open, None)?).await,
                    None => {
                        Err(Problem::new(&CONFLICT, "The run under this key has just ended. Ask again.")
                            .into())
                    }
                }
            }
            Err(SetOff::Refused(refusal)) => Err(refusal),
            Ok(reply) => Ok(reply),
        }
    }

    /// The caller's own open run of the same function under this key.
    async fn open_under(&self, by: &Allowance, same: &Run, key: &str) -> Result<Option<Run>, FunctionError> {
        Ok(self.runs().duplicate(&by.scope(), same.subject, same.target, key).await?)
    }

    async fn set_off(
        &self,
        by: &Allowance,
        prepared: Prepared,
        wish: Wish,
        show: &impl Fn(u16, &Run, Option<Contents>) -> Result<Reply, Problem>,
    ) -> Result<Reply, SetOff> {
        let (scope, runs) = (by.scope(), self.runs());
        let accepted = show(202, prepared.run(), None)?;
        let keyed = by.keyed(&accepted).await?;
        // Under a key the caller may come back and ask: then the run is promised from the start.
        let promised = if keyed.is_some() { Promised::Yes } else { Promised::NotYet };
        let along = keyed.into_iter().collect();
        let begun = match wish {
            Wish::Accepted => runs.queue(&scope, prepared, along).await,
            Wish::Ended(_) => runs.begin(&scope, prepared, promised, along).await,
        };
        let run = match begun {
            Err(RunsError::Commit(CommitError::Refused(code))) if *code == IDEMPOTENCY_IN_FLIGHT => {
                return Ok(by.first_answer().await?);
            }
            Err(RunsError::Commit(CommitError::Refused(code))) if *code == ALREADY_EXISTS => {
                return Err(SetOff::Duplicate);
            }
            begun => begun?,
        };
        let Wish::Ended(patience) = wish else { return Ok(accepted) };
        match runs.wait(&scope, run.id, patience).await? {
            Some(run) if run.state.has_ended() => {
                let contents = runs.contents(&scope, &run).await?;
                let reply = show(200, &run, Some(contents))?;
                by.keyed_anew(&reply).await?;
                Ok(reply)
            }
            _ => {
                runs.promise(&scope, run.id).await?;
                let run = runs.get(&scope, run.id).await?.unwrap_or(run);
                let contents = runs.contents(&scope, &run).await?;
                Ok(show(202, &run, Some(contents))?)
            }
        }
    }

    pub(crate) async fn prepare(
        &self,
        by: &Allowance,
        of: &FunctionRef,
        asked: &Asked<'_>,
    ) -> Result<Prepared, FunctionError> {
        let function = self.known(by, of).await?;
        let ready = self.inner().versions.get(&by.scope(), function.live_version).await?;
        let input = ready.coerced(asked.input);
        // Asked about what will run, not about how it was written.
        self.admit(by, &function, Some(&input))?;
        if self.inner().sandbox.is_none() && !self.inner().settings.workers_only {
            return Err(FunctionError::NoSandbox("no sandbox".into()));
        }
        let misfits = ready.misfits(&input, "/input");
        if !misfits.is_empty() {
            return Err(FunctionError::Input(misfits));
        }
        let new = NewRun {
            kind: "function",
            trigger: asked.trigger,
            trigger_id: asked.trigger_id.clone(),
            target: Target::new(function.id, function.full_name()).version(ready.version.id),
            mandate: mandate(by, &*self.inner().tokens)?,
            input: serde_json::to_vec(&input).map_err(Problem::internal)?,
            order: self.order(&ready, asked),
        };
        Ok(self.runs().prepare(&by.scope(), new).await?)
    }

    fn order(&self, ready: &Ready, asked: &Asked<'_>) -> Order {
        let version = &ready.version;
        // A key without a limit of the function's own means: one after the other.
        let limit = version.concurrency.or_else(|| asked.concurrency_key.map(|_| 1));
        // A rate wants a key, too.
        let uncounted = version.rate.map(|_| i64::MAX);
        let key = |limit| Concurrency {
            key: format!("{}:{}", version.function, asked.concurrency_key.unwrap_or_default()),
            limit,
        };
        Order {
            priority: asked.priority,
            due_at: (!asked.delay.is_zero()).then(|| self.inner().world.now().plus(asked.delay)),
            concurrency: limit.or(uncounted).map(key),
            rate: version.rate.map(Into::into),
            deduplication_key: asked.deduplication_key.map(str::to_owned),
            attempts: version.retry.map(|retry| retry.max_attempts),
            replay_of: None,
        }
    }

    /// A new run of the same version with the same input, on the caller's own authority. How many run and start at a time is
    /// the function's matter, so the live version says it; what an old version may do that the live one may not, it may
    /// only for whoever could publish it.
    pub(crate) async fn replay(
        &self,
        by: &Allowance,
        run: RunId,
        wish: Wish,
        show: impl Fn(u16, &Run, Option<Contents>) -> Result<Reply, Problem>,
    ) -> Result<Reply, Refusal> {
        let scope = by.scope();
        let found = self.runs().get(&scope, run).await.map_err(FunctionError::from)?;
        let found = found.ok_or(FunctionError::UnknownRun)?;
        by.check_for(&READ_RUNS, &run_object(&found))?;
        let input = self.runs().input_of(&scope, &found).await.map_err(FunctionError::from)?;
        let arguments: Value = serde_json::from_slice(&input).map_err(Problem::internal)?;
        let of = FunctionRef::Id(FunctionId::from_uuid(found.target));
        let function = self.find_for(by, &of, Some(&arguments)).await?;
        let version = FunctionVersionId::from_uuid(found.version.unwrap_or_default());
        let live = self.inner().versions.get(&scope, function.live_version).await?;
        if version != function.live_version {
            let old = self.inner().versions.get(&scope, version).await?;
            held(&old.version.permissions, by)?;
        }
        let asked = Asked {
            input: &Value::Null,
            priority: 0,
            delay: Duration::ZERO,
            deduplication_key: None,
            concurrency_key: None,
            trigger: Trigger::Manual,
            trigger_id: None,
        };
        let new = NewRun {
            kind: "function",
            trigger: Trigger::Manual,
            trigger_id: None,
            target: Target::new(function.id, function.full_name()).version(version),
            mandate: mandate(by, &*self.inner().tokens)?,
            input,
            order: Order { replay_of: Some(found.id), ..self.order(&live, &asked) },
        };
        let prepared = self.runs().prepare(&scope, new).await.map_err(FunctionError::from)?;
        match self.set_off(by, prepared, wish, &show).await {
            Err(SetOff::Refused(refusal)) => Err(refusal),
            Err(SetOff::Duplicate) => {
                Err(Problem::internal("a replay has no key to be a duplicate under").into())
            }
            Ok(reply) => Ok(reply),
        }
    }

    /// A run that failed, back in the queue under the authority that it was asked for with.
    pub(crate) async fn retry(&self, by: &Allowance, run: RunId) -> Result<Decided<Run>, FunctionError> {
        let found = self.find_run(by, run).await?;
        by.expect_revision(found.revision)?;
        if !matches!(found.state, RunState::Failed | RunState::TimedOut | RunState::Dead) {
            let detail = format!(
                "The run is {}; only one that failed, timed out or is dead is tried again.",
                found.state
            );
            return Err(Problem::new(&RUN_NOT_FAILED, detail).into());
        }
        if let Some(parent) = found.parent
            && let Some(parent) = self.runs().get(&by.scope(), parent).await?
            && parent.state == RunState::Cancelled
        {
            let detail = format!("The run {} that asked for it was cancelled. Replay it instead.", parent.id);
            return Err(Problem::new(&RUN_NOT_FAILED, detail).into());
        }
        let (actor, origin) = (by.caller().actor(), by.origin());
        let version = FunctionVersionId::from_uuid(found.version.unwrap_or_default());
        let retry = self.inner().versions.get(&by.scope(), version).await?.version.retry;
        let attempts = retry.map(|retry| retry.max_attempts);
        let retried = self.runs().retrying(&by.scope(), &found, attempts, actor, origin).await?;
        let Act { fact, statement, run } = retried;
        let change = Change::new(by.scope(), self.inner().ledger.seal(fact).await?).statement(statement);
        Ok(Decided::new(change.wake_queue(), run))
    }

    /// A dead run, put aside.
    pub(crate) async fn flush(&self, by: &Allowance, run: RunId) -> Result<Decided<Run>, FunctionError> {
        let found = self.find_run(by, run).await?;
        by.expect_revision(found.revision)?;
        if found.state != RunState::Dead || found.flushed_at.is_some() {
            let state = if found.flushed_at.is_some() { "put aside already" } else { found.state.name() };
            let detail = format!("The run is {state}; only dead ones are put aside.");
            return Err(Problem::new(&RUN_NOT_DEAD, detail).into());
        }
        let (actor, origin) = (by.caller().actor(), by.origin());
        let Act { fact, statement, run } = self.runs().flushing(&by.scope(), &found, actor, origin).await?;
        let change = Change::new(by.scope(), self.inner().ledger.seal(fact).await?).statement(statement);
        Ok(Decided::new(change, run))
    }

    /// The run, if the caller may do its operation to it.
    pub(crate) async fn find_run(&self, by: &Allowance, run: RunId) -> Result<Run, FunctionError> {
        let found = self.runs().get(&by.scope(), run).await?.ok_or(FunctionError::UnknownRun)?;
        by.check(&run_object(&found))?;
        Ok(found)
    }

    pub(crate) async fn cancel(&self, by: &Allowance, run: RunId) -> Result<Decided<Run>, FunctionError> {
        let mut found = self.find_run(by, run).await?;
        by.expect_revision(found.revision)?;
        let (actor, origin) = (by.caller().actor(), by.origin());
        let (fact, statement) = self.runs().cancellation(&by.scope(), &found, actor, origin).await?;
        // Its token may have got out; what it stood for is over.
        let token = AuthorityEntry::changed(by.org(), "run", found.id.uuid()).died();
        let change = Change::new(by.scope(), self.inner().ledger.seal(fact).await?)
            .statement(statement)
            .authority(token);
        found.state = RunState::Cancelled;
        found.ended_at = Some(self.inner().world.now());
        found.error_kind = Some("cancelled".into());
        found.revision += 1;
        Ok(Decided::new(change.wake_queue(), found))
    }
}
