//! `/api/v1/runs/{run}/logs` and `/events`: live, by server-sent events. A stream ends with its run, with the rights of
//! whoever reads it, or with the server.

use std::convert::Infallible;

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use db::OrgScope;
use futures::Stream;
use futures::stream::unfold;
use problem::{INVALID_CURSOR, Problem};
use runs::{LogLine, Move, Runs};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use types::{RunId, Timestamp};
use utoipa::ToSchema;
use web::{
    Allowance, Allowed, Nothing, Page, Params, Refusal, Reply, Segment, Spec, Tether, operation, page,
    page_size, refuses,
};

use super::views::{ProgressView, RunView};
use crate::Functions;

operation! {
    /// The log of a run: as JSON in pages, or – with `Accept: text/event-stream` – line by line while it runs.
    pub RunLogs[LogFilter] -> Page<LogLineView> = Spec::get("runs.logs", "/api/v1/runs/{run}/logs")
        .needs("runs:read").errors(refuses![INVALID_CURSOR]);

    /// The states of a run as server-sent events (`run`), from the present one to the last – with its question while it
    /// waits for an answer –, and between them how far it says it is (`progress`), at most five times a second.
    pub RunEvents -> Nothing = Spec::get("runs.events", "/api/v1/runs/{run}/events").needs("runs:read");
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LogFilter {
    /// 1 to 200; 50 if left out.
    pub limit: Option<i64>,
    pub cursor: Option<String>,
}

/// One piece of output.
#[derive(Serialize, ToSchema)]
pub struct LogLineView {
    /// From 1; the id of its event.
    pub number: i64,
    pub at: Timestamp,
    /// `stdout`, `stderr`, `log`, `raw` or `sandbox`.
    pub source: String,
    /// `debug`, `info`, `warning` or `error`.
    pub level: String,
    pub text: String,
    /// What `context.log` was given besides the text.
    #[schema(value_type = Option<Object>)]
    pub fields: Option<Value>,
}

impl From<LogLine> for LogLineView {
    fn from(line: LogLine) -> Self {
        Self {
            number: line.number,
            at: line.at,
            source: line.source.into_owned(),
            level: line.level.into_owned(),
            text: line.text,
            fields: line.fields,
        }
    }
}

/// Lines of one event burst.
const BURST: usize = 500;

pub async fn logs(
    State(functions): State<Functions>,
    allowed: Allowed<RunLogs>,
    Segment(id): Segment<RunId>,
    Params(filter): Params<RunLogs>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let run = functions.find_run(&allowed, id).await?;
    if wants_events(&headers) {
        let reader = Reader::of(&functions, &allowed, run.id);
        return Ok(stream(lines(reader, resumed(&headers)?)));
    }
    let limit = page_size(filter.limit)?;
    let keys = allowed.keys_after(filter.cursor.as_deref())?;
    let after = keys.first().and_then(Value::as_i64).unwrap_or(0);
    let most = usize::try_from(limit + 1).unwrap_or(BURST);
    let lines = functions.runs().lines(&allowed.scope(), run.id, after, most).await?;
    let cursor = |line: &LogLine| allowed.cursor(&[json!(line.number)]);
    Ok(Reply::of::<RunLogs>(&page(lines, limit, cursor, LogLineView::from))?.into_response())
}

pub async fn events(
    State(functions): State<Functions>,
    allowed: Allowed<RunEvents>,
    Segment(id): Segment<RunId>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let run = functions.find_run(&allowed, id).await?;
    Ok(stream(states(Reader::of(&functions, &allowed, run.id), resumed(&headers)?)))
}

pub(super) fn wants_events(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/event-stream"))
}

/// Where the reader was when it lost the connection; 0 at the first time.
fn resumed(headers: &HeaderMap) -> Result<i64, Problem> {
    let after = web::last_event(headers)?.unwrap_or(0);
    Ok(i64::try_from(after).unwrap_or(i64::MAX))
}

pub(super) fn stream(events: impl Stream<Item = Result<Event, Infallible>> + Send + 'static) -> Response {
    let mut response = Sse::new(events).keep_alive(KeepAlive::default()).into_response();
    // No proxy may hold events back until its buffer is full.
    response.headers_mut().insert("x-accel-buffering", header::HeaderValue::from_static("no"));
    response
}

/// Who reads, and until when.
struct Reader {
    runs: Runs,
    tether: Tether,
    scope: OrgScope,
    run: RunId,
}

impl Reader {
    fn of(functions: &Functions, by: &Allowance, run: RunId) -> Self {
        let inner = functions.inner();
        let tether = Tether::of(by, &inner.feed, &inner.world);
        Self { runs: inner.runs.clone(), tether, scope: by.scope(), run }
    }

    /// What comes next; `None` when the stream is over.
    async fn next<T>(&self, coming: impl Future<Output = Option<T>>) -> Option<T> {
        tokio::select! {
            next = self.tether.next(coming) => next,
            () = self.runs.stopping() => None,
        }
    }
}

/// `event: line` for each line, `event: end` with the last state.
fn lines(reader: Reader, after: i64) -> impl Stream<Item = Result<Event, Infallible>> + Send {
    let pending = Vec::<LogLine>::new().into_iter();
    unfold(Some((reader, after, pending)), async |state| {
        let (reader, after, mut pending) = state?;
        if let Some(line) = pending.next() {
            let number = line.number;
            let event = event("line", number, &LogLineView::from(line));
            return Some((Ok(event), Some((reader, number, pending))));
        }
        let coming = async { reader.runs.next_lines(&reader.scope, reader.run, after, BURST).await.ok() };
        match reader.next(coming).await? {
            Some(more) => {
                let mut more = more.into_iter();
                let line = more.next()?;
                let number = line.number;
                let event = event("line", number, &LogLineView::from(line));
                Some((Ok(event), Some((reader, number, more))))
            }
            None => {
                let run = reader.runs.get(&reader.scope, reader.run).await.ok()??;
                let status = json!({ "status": run.state });
                Some((Ok(event("end", after, &status)), None))
            }
        }
    })
}

/// `event: run` for each state; its id is the run's revision. `event: progress` between them, without an id: whoever
/// resumes is told how far it is by then.
fn states(reader: Reader, after: i64) -> impl Stream<Item = Result<Event, Infallible>> + Send {
    unfold((reader, after, None), async |(reader, after, seen)| {
        let coming =
            async { reader.runs.next_move(&reader.scope, reader.run, after, seen.as_ref()).await.ok()? };
        let run = match reader.next(coming).await? {
            Move::State(run) => *run,
            Move::Progress(progress) => {
                let event =
                    Event::default().event("progress").data(text(&ProgressView::from(progress.clone())));
                return Some((Ok(event), (reader, after, Some(progress))));
            }
        };
        let revision = run.revision;
        let contents = match run.state.rests() {
            true => reader.runs.contents(&reader.scope, &run).await.ok(),
            false => None,
        };
        Some((Ok(event("run", revision, &RunView::new(run, contents))), (reader, revision, seen)))
    })
}

fn event(name: &str, id: i64, data: &impl Serialize) -> Event {
    Event::default().event(name).id(id.to_string()).data(text(data))
}

/// Views are plain structs; their JSON has no line breaks.
pub(super) fn text(data: &impl Serialize) -> String {
    serde_json::to_string(data).unwrap_or_default()
}
