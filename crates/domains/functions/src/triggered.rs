//! Functions as the targets of triggers: hooks and schedules call them for their owners.

use std::time::Duration;

use authority::{Permission, Required, Selector};
use db::{OrgScope, Statement};
use problem::Problem;
use runs::{Contents, Promised, Run, Trigger};
use serde_json::Value;
use types::FunctionId;
use web::{Allowance, Details};

use crate::act::Asked;
use crate::model::FunctionRef;
use crate::routes::ExecuteFunction;
use crate::{FunctionError, Functions};

const EXECUTE: Required = Required::parse("functions:execute");

/// The operation that a trigger is admitted to when it calls a function ([`web::Door::stand_in`]).
pub type CallFunction = ExecuteFunction;

/// What a trigger may name as its target.
pub struct Callable {
    pub id: FunctionId,
    /// `namespace/name`
    pub name: String,
    /// To execute this function and no other.
    pub permission: Permission,
}

/// What a trigger asks for.
pub struct TriggerCall<'a> {
    pub function: FunctionId,
    pub input: &'a Value,
    pub trigger: Trigger,
    /// `hok_…` or `sch_…`
    pub trigger_id: String,
    /// While a run of the same owner and function under this key is open there is no second one (`already_exists`).
    pub deduplication_key: Option<&'a str>,
    /// Runs of this function under the same key are worked on one after the other.
    pub in_turn: Option<&'a str>,
    /// Stored with the run, or the run is not accepted.
    pub along: Vec<Statement>,
}

impl Functions {
    /// The function, if the caller may execute it.
    pub async fn callable(&self, by: &Allowance, of: &FunctionRef) -> Result<Callable, Problem> {
        let function = self.known(by, of).await?;
        let attributes = || function.attributes();
        let details = Details { attributes: Some(&attributes), arguments: None };
        by.check_for_with(&EXECUTE, &function.object(), details)?;
        if function.deleted_at.is_some() {
            return Err(FunctionError::Unknown.into());
        }
        let object = [function.namespace.as_str(), function.name.as_str()];
        let selector = Selector::object(object).map_err(Problem::internal)?;
        Ok(Callable { id: function.id, name: function.full_name(), permission: EXECUTE.on(selector) })
    }

    /// Accepts a run of the live version.
    pub async fn call_later(&self, by: &Allowance, call: TriggerCall<'_>) -> Result<Run, Problem> {
        let (prepared, along) = self.prepare_call(by, call).await?;
        Ok(self.runs().queue(&by.scope(), prepared, along).await.map_err(FunctionError::from)?)
    }

    /// The same, begun at once where there is a place; answers the run at its end, or as it stands after `patience`.
    pub async fn call(
        &self,
        by: &Allowance,
        call: TriggerCall<'_>,
        patience: Duration,
    ) -> Result<(Run, Option<Contents>), Problem> {
        let (scope, runs) = (by.scope(), self.runs());
        let (prepared, along) = self.prepare_call(by, call).await?;
        let ended = async {
            let begun = runs.begin(&scope, prepared, Promised::NotYet, along).await?;
            match runs.wait(&scope, begun.id, patience).await? {
                Some(run) if run.state.has_ended() => {
                    let contents = runs.contents(&scope, &run).await?;
                    Ok((run, Some(contents)))
                }
                _ => {
                    runs.promise(&scope, begun.id).await?;
                    Ok((runs.get(&scope, begun.id).await?.unwrap_or(begun), None))
                }
            }
        };
        ended.await.map_err(|error: runs::RunsError| FunctionError::from(error).into())
    }

    /// As [`Functions::call_later`], with statements that name the run: stored with it, or it is not accepted.
    pub async fn call_later_noted(
        &self,
        by: &Allowance,
        call: TriggerCall<'_>,
        note: impl FnOnce(&Run) -> Vec<Statement>,
    ) -> Result<Run, Problem> {
        let (prepared, mut along) = self.prepare_call(by, call).await?;
        along.extend(note(prepared.run()));
        Ok(self.runs().queue(&by.scope(), prepared, along).await.map_err(FunctionError::from)?)
    }

    /// As [`Functions::call`], with statements that name the run.
    pub async fn call_noted(
        &self,
        by: &Allowance,
        call: TriggerCall<'_>,
        patience: Duration,
        note: impl FnOnce(&Run) -> Vec<Statement>,
    ) -> Result<(Run, Option<Contents>), Problem> {
        let (prepared, mut along) = self.prepare_call(by, call).await?;
        along.extend(note(prepared.run()));
        let begun = self.runs().begin(&by.scope(), prepared, Promised::NotYet, along).await;
        let begun = begun.map_err(FunctionError::from)?;
        self.ended(&by.scope(), begun, patience).await
    }

    /// The run at its end with what it gave, or as it stands after `patience`; then it is promised.
    pub async fn ended(
        &self,
        scope: &OrgScope,
        begun: Run,
        patience: Duration,
    ) -> Result<(Run, Option<Contents>), Problem> {
        let runs = self.runs();
        let ended = async {
            match runs.wait(scope, begun.id, patience).await? {
                Some(run) if run.state.has_ended() => {
                    let contents = runs.contents(scope, &run).await?;
                    Ok((run, Some(contents)))
                }
                _ => {
                    runs.promise(scope, begun.id).await?;
                    Ok((runs.get(scope, begun.id).await?.unwrap_or(begun), None))
                }
            }
        };
        ended.await.map_err(|error: runs::RunsError| FunctionError::from(error).into())
    }

    async fn prepare_call(
        &self,
        by: &Allowance,
        call: TriggerCall<'_>,
    ) -> Result<(runs::Prepared, Vec<Statement>), Problem> {
        let asked = Asked {
            input: call.input,
            priority: 0,
            delay: Duration::ZERO,
            deduplication_key: call.deduplication_key,
            concurrency_key: call.in_turn,
            trigger: call.trigger,
            trigger_id: Some(call.trigger_id),
        };
        let of = FunctionRef::Id(call.function);
        Ok((self.prepare(by, &of, &asked).await?, call.along))
    }
}
