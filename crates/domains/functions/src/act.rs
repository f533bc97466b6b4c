//! Running functions, and ending runs by hand.

use std::time::Duration;

use db::{AuthorityEntry, Change, CommitError};
use problem::{IDEMPOTENCY_IN_FLIGHT, Problem};
use runs::{Contents, NewRun, Prepared, Promised, Run, RunState, RunsError, Target, Trigger};
use serde_json::Value;
use types::{Id, RunId};
use web::{Allowance, Decided, Object, Refusal, Reply};

use crate::mandate::mandate;
use crate::model::FunctionRef;
use crate::{FunctionError, Functions};

/// How a caller wants a run.
#[derive(Clone, Copy)]
pub(crate) enum Wish {
    /// Only that it is accepted.
    Accepted,
    /// The end, if it comes within this time.
    Ended(Duration),
}

impl Functions {
    /// A run of the live version: checked, made ready, accepted – and waited for, if the caller wants that.
    ///
    /// `show` gives the answer's bytes for a run as it stands, with 200 or 202.
    pub(crate) async fn execute(
        &self,
        by: &Allowance,
        of: &FunctionRef,
        input: &Value,
        wish: Wish,
        show: impl Fn(u16, &Run, Option<Contents>) -> Result<Reply, Problem>,
    ) -> Result<Reply, Refusal> {
        let (scope, runs) = (by.scope(), self.runs());
        let prepared = self.prepare(by, of, input).await?;
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
                return by.first_answer().await;
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
                Ok(show(202, &run, None)?)
            }
        }
    }

    async fn prepare(
        &self,
        by: &Allowance,
        of: &FunctionRef,
        input: &Value,
    ) -> Result<Prepared, FunctionError> {
        let function = self.find_for(by, of, Some(input)).await?;
        if self.inner().sandbox.is_none() {
            return Err(FunctionError::NoSandbox("no sandbox".into()));
        }
        let ready = self.inner().versions.get(&by.scope(), function.live_version).await?;
        let violations = ready.input.as_ref().map(|schema| schema.violations(input, "/input"));
        if let Some(violations) = violations.filter(|found| !found.is_empty()) {
            return Err(FunctionError::Input(violations));
        }
        let new = NewRun {
            kind: "function",
            trigger: Trigger::Api,
            trigger_id: None,
            target: Target::new(function.id, function.full_name()).version(ready.version.id),
            mandate: mandate(by, &*self.inner().tokens)?,
            input: serde_json::to_vec(input).map_err(Problem::internal)?,
        };
        Ok(self.runs().prepare(&by.scope(), new).await?)
    }

    /// The run, if the caller may do its operation to it.
    pub(crate) async fn find_run(&self, by: &Allowance, run: RunId) -> Result<Run, FunctionError> {
        let found = self.runs().get(&by.scope(), run).await?.ok_or(FunctionError::UnknownRun)?;
        let object =
            Object { selector: found.id.to_string().into(), owner: Some(found.subject), ..Object::default() };
        by.check(&object)?;
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
