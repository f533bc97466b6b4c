//! Functions as the targets of triggers: hooks and schedules call them for their owners.

use std::time::Duration;

use authority::{Permission, Required, Selector};
use db::{OrgScope, Statement};
use problem::{FieldError, Problem};
use runs::{Contents, Prepared, Promised, Run, Trigger};
use serde_json::Value;
use types::FunctionId;
use web::{Allowance, Details};

use crate::act::Asked;
use crate::model::FunctionRef;
use crate::routes::{COLUMNS, ExecuteFunction};
use crate::{FunctionError, Functions, store};

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

/// A function as it is shown to those who may execute it.
pub struct Executable {
    pub id: FunctionId,
    pub namespace: String,
    pub name: String,
    pub description: String,
    pub input_schema: Option<Value>,
    pub output_schema: Option<Value>,
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

    /// Where an input would not fit the live version's schema, coerced as a call's is; pointers begin with `pointer`. For
    /// who may execute the function ([`Functions::callable`]).
    pub async fn misfits(
        &self,
        by: &Allowance,
        function: FunctionId,
        input: &Value,
        pointer: &str,
    ) -> Result<Vec<FieldError>, Problem> {
        let function = self.known(by, &FunctionRef::Id(function)).await?;
        let ready = self.inner().versions.get(&by.scope(), function.live_version).await?;
        Ok(ready.misfits(&ready.coerced(input), pointer))
    }

    /// What the caller may execute, newest first.
    pub async fn executable(&self, by: &Allowance, most: i64) -> Result<Vec<Executable>, Problem> {
        let narrow = |select| by.narrow_for(&EXECUTE, select, &COLUMNS);
        Ok(store::executable(&self.inner().db, &by.scope(), narrow, most).await?)
    }

    /// A run of the live version, made ready and not yet accepted: by [`Functions::accept`], or by a change of the caller's
    /// own ([`Prepared::statements`]).
    pub async fn prepared(&self, by: &Allowance, call: &TriggerCall<'_>) -> Result<Prepared, Problem> {
        let asked = Asked {
            input: call.input,
            priority: 0,
            delay: Duration::ZERO,
            deduplication_key: call.deduplication_key,
            concurrency_key: call.in_turn,
            trigger: call.trigger,
            trigger_id: Some(call.trigger_id.clone()),
        };
        Ok(self.prepare(by, &FunctionRef::Id(call.function), &asked).await?)
    }

    /// Accepts it together with what is noted of it, or not at all.
    pub async fn accept(
        &self,
        by: &Allowance,
        prepared: Prepared,
        note: impl FnOnce(&Run) -> Vec<Statement>,
    ) -> Result<Run, Problem> {
        let mut along = Vec::new();
        along.extend(note(prepared.run()));
        Ok(self.runs().queue(&by.scope(), prepared, along).await.map_err(FunctionError::from)?)
    }

    /// The same, begun at once where there is a place; answers as [`Functions::ended`].
    pub async fn accept_and_wait(
        &self,
        by: &Allowance,
        prepared: Prepared,
        patience: Duration,
        note: impl FnOnce(&Run) -> Vec<Statement>,
    ) -> Result<(Run, Option<Contents>), Problem> {
        let mut along = Vec::new();
        along.extend(note(prepared.run()));
        let begun = self.runs().begin(&by.scope(), prepared, Promised::NotYet, along).await;
        self.ended(&by.scope(), begun.map_err(FunctionError::from)?, patience).await
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
}
