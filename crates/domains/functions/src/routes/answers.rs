//! `POST /api/v1/runs/{run}/continue`.

use axum::extract::State;
use problem::{CONFLICT, INPUT_INVALID, RUN_NOT_AWAITING, STALE_REVISION};
use serde::Deserialize;
use serde_json::Value;
use types::RunId;
use utoipa::ToSchema;
use web::{Allowed, Input, Refusal, Reply, Segment, Spec, leaves, operation, refuses};

use super::HOW_RUNS_END;
use super::views::RunView;
use crate::Functions;

operation! {
    /// Answers what a run asks (`question` in the run), and lets it go on. Of several answers to one question the first
    /// counts. No run answers for its caller.
    pub ContinueRun(Continuation) -> RunView = Spec::post("runs.continue", "/api/v1/runs/{run}/continue")
        .needs("runs:continue").in_person().facts(leaves![runs::facts::RUN_CONTINUED])
        .further_facts(HOW_RUNS_END)
        .errors(refuses![RUN_NOT_AWAITING, INPUT_INVALID, CONFLICT, STALE_REVISION])
        .example(r#"{"input": {"deploy": true}}"#);
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Continuation {
    /// The answer: any JSON that the question's schema admits, at most 64 KiB.
    #[schema(value_type = Value)]
    pub input: Value,
    /// The number of the question that is meant; the answer is refused if the run asks another one by now.
    #[schema(minimum = 1, maximum = 100)]
    pub question: Option<i64>,
}

pub async fn answer(
    State(functions): State<Functions>,
    allowed: Allowed<ContinueRun>,
    Segment(id): Segment<RunId>,
    Input(given): Input<ContinueRun>,
) -> Result<Reply, Refusal> {
    let decide = || functions.answer(&allowed, id, given.question, &given.input);
    let reply = allowed.settle::<ContinueRun, _, _, _>(decide).await?;
    functions.runs().answered(id);
    Ok(reply)
}
