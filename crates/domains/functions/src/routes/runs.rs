//! `/api/v1/runs`: list, read, output, cancel.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use futures::StreamExt;
use problem::{
    ALREADY_EXISTS, AUTHORITY_EXCEEDED, CONFLICT, IDEMPOTENCY_MISMATCH, INVALID_CURSOR, NOT_FOUND, Problem,
    RUN_ENDED, RUN_NOT_DEAD, RUN_NOT_FAILED, STALE_REVISION, STORAGE_FULL,
};
use runs::{Run, RunFilter};
use serde::Deserialize;
use serde_json::json;
use types::{AgentId, FunctionId, Id, RunId, Timestamp};
use utoipa::ToSchema;
use web::{
    Allowed, Columns, Nothing, Page, Params, PrincipalId, Refusal, Reply, Segment, SelectorColumn, Spec,
    foreign_content, leaves, operation, page, page_size, refuses,
};

use super::HOW_RUNS_END;
use super::execute::wish;
use super::views::{RunStatus, RunTrigger, RunView};
use crate::Functions;

operation! {
    /// Lists runs, newest first.
    pub ListRuns[RunsFilter] -> Page<RunView> = Spec::get("runs.list", "/api/v1/runs")
        .needs("runs:read").errors(refuses![INVALID_CURSOR]);

    /// Shows a run with its input, output and error.
    pub GetRun -> RunView = Spec::get("runs.get", "/api/v1/runs/{run}").needs("runs:read");

    /// The output of a run that succeeded, byte by byte, however large it is.
    pub RunOutput -> Nothing = Spec::get("runs.output", "/api/v1/runs/{run}/output").needs("runs:read");

    /// Ends a run, with everything that it has started; the answer comes when nothing of it is left on this server.
    pub CancelRun -> RunView = Spec::post("runs.cancel", "/api/v1/runs/{run}/cancel")
        .needs("runs:update").facts(leaves![runs::facts::RUN_CANCELLED])
        .errors(refuses![RUN_ENDED, CONFLICT, STALE_REVISION]);

    /// Puts a run that failed, timed out or is dead back into the queue: the same run, under the authority that it was
    /// asked for with, with further attempts.
    pub RetryRun -> RunView = Spec::post("runs.retry", "/api/v1/runs/{run}/retry")
        .needs("runs:update").facts(leaves![runs::facts::RUN_RETRIED])
        .further_facts(HOW_RUNS_END)
        .errors(refuses![RUN_NOT_FAILED, ALREADY_EXISTS, CONFLICT, STALE_REVISION]);

    /// Runs the same version with the same input once more, as a new run on your own authority, and answers as
    /// `functions.execute` does. Needs `runs:read` for the run, too.
    pub ReplayRun -> RunView = Spec::post("runs.replay", "/api/v1/runs/{run}/replay")
        .needs("functions:execute").facts(leaves![runs::facts::RUN_SUCCEEDED])
        .further_facts(leaves![
            runs::facts::RUN_FAILED, runs::facts::RUN_TIMED_OUT, runs::facts::RUN_CANCELLED, runs::facts::RUN_DEAD
        ])
        .errors(refuses![AUTHORITY_EXCEEDED, IDEMPOTENCY_MISMATCH, STORAGE_FULL]);

    /// Puts a dead run aside, so that it is no dead letter of its queue any more. It stays on record.
    pub FlushRun -> RunView = Spec::post("runs.flush", "/api/v1/runs/{run}/flush")
        .needs("runs:update").facts(leaves![runs::facts::RUN_FLUSHED])
        .errors(refuses![RUN_NOT_DEAD, CONFLICT, STALE_REVISION]);
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RunsFilter {
    pub status: Option<RunStatus>,
    pub trigger: Option<RunTrigger>,
    pub function: Option<FunctionId>,
    pub agent: Option<AgentId>,
    /// Runs that this one asked for.
    pub parent: Option<RunId>,
    /// `usr_…` or `agt_…`.
    pub principal: Option<String>,
    /// Queued at or after this time.
    pub from: Option<Timestamp>,
    /// Queued before this time.
    pub to: Option<Timestamp>,
    /// 1 to 200; 50 if left out.
    pub limit: Option<i64>,
    pub cursor: Option<String>,
}

/// Where the table keeps what rights depend on: a run is its principal's own.
pub(super) const COLUMNS: Columns = Columns {
    selector: SelectorColumn::id::<RunId>("id"),
    owner: Some("subject"),
    is: None,
    named: None,
    group: None,
    visible: None,
};

pub async fn list(
    State(functions): State<Functions>,
    allowed: Allowed<ListRuns>,
    Params(filter): Params<ListRuns>,
) -> Result<Reply, Refusal> {
    let limit = page_size(filter.limit)?;
    let wanted = RunFilter {
        kind: None,
        state: filter.status.map(Into::into),
        trigger: filter.trigger.map(Into::into),
        target: filter.function.map(Id::uuid),
        subject: subject(&filter)?,
        parent: filter.parent,
        letters: false,
        from: filter.from,
        to: filter.to,
        before: allowed.after::<RunId>(filter.cursor.as_deref())?,
    };
    let narrow = |select| allowed.narrow(select, &COLUMNS);
    let rows = functions.runs().list(&allowed.scope(), &wanted, narrow, limit + 1).await?;
    let cursor = |run: &Run| allowed.cursor(&[json!(run.id)]);
    Ok(Reply::of::<ListRuns>(&page(rows, limit, cursor, RunView::from))?)
}

fn subject(filter: &RunsFilter) -> Result<Option<types::Uuid>, Problem> {
    match (filter.agent, &filter.principal) {
        (Some(agent), _) => Ok(Some(agent.uuid())),
        (None, None) => Ok(None),
        (None, Some(text)) => match text.parse::<PrincipalId>() {
            Ok(principal) => Ok(Some(principal.uuid())),
            Err(error) => Err(Problem::new(&problem::VALIDATION_FAILED, "Mend the query parameters.")
                .with_error("principal", error.to_string())),
        },
    }
}

pub async fn get(
    State(functions): State<Functions>,
    allowed: Allowed<GetRun>,
    Segment(id): Segment<RunId>,
) -> Result<Reply, Refusal> {
    let run = functions.find_run(&allowed, id).await?;
    let contents = functions.runs().contents(&allowed.scope(), &run).await?;
    Ok(Reply::of::<GetRun>(&RunView::new(run, Some(contents)))?)
}

pub async fn output(
    State(functions): State<Functions>,
    allowed: Allowed<RunOutput>,
    Segment(id): Segment<RunId>,
) -> Result<Response, Refusal> {
    let run = functions.find_run(&allowed, id).await?;
    let contents = functions.runs().contents(&allowed.scope(), &run).await?;
    let body = match (contents.output, run.output_sha256) {
        (Some(bytes), _) => Body::from(bytes),
        (None, Some(sha256)) => {
            let (_, pieces) =
                functions.inner().blobs.stream(&allowed.scope(), sha256).await.map_err(Problem::from)?;
            Body::from_stream(pieces.map(|piece| piece.map_err(std::io::Error::other)))
        }
        (None, None) => {
            let detail = format!("The run is {} and has no output.", run.state);
            return Err(Problem::new(&NOT_FOUND, detail).into());
        }
    };
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(foreign_content(StatusCode::OK, &headers, body))
}

pub async fn cancel(
    State(functions): State<Functions>,
    allowed: Allowed<CancelRun>,
    Segment(id): Segment<RunId>,
) -> Result<Reply, Refusal> {
    let reply = allowed.settle::<CancelRun, _, _, _>(|| functions.cancel(&allowed, id)).await?;
    functions.runs().stop(id).await;
    functions.runs().cancel_family(&allowed.scope(), id).await.map_err(Problem::from)?;
    Ok(reply)
}

pub async fn retry(
    State(functions): State<Functions>,
    allowed: Allowed<RetryRun>,
    Segment(id): Segment<RunId>,
) -> Result<Reply, Refusal> {
    allowed.settle::<RetryRun, _, _, _>(|| functions.retry(&allowed, id)).await
}

pub async fn replay(
    State(functions): State<Functions>,
    allowed: Allowed<ReplayRun>,
    Segment(id): Segment<RunId>,
    headers: HeaderMap,
) -> Result<Reply, Refusal> {
    let wish = wish(&headers, functions.inner().settings.sync);
    functions.replay(&allowed, id, wish, RunView::reply).await
}

pub async fn flush(
    State(functions): State<Functions>,
    allowed: Allowed<FlushRun>,
    Segment(id): Segment<RunId>,
) -> Result<Reply, Refusal> {
    allowed.settle::<FlushRun, _, _, _>(|| functions.flush(&allowed, id)).await
}
