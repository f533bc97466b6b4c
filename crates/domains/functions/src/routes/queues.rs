//! `/api/v1/queues`: how many runs stand where, and those that were given up.

use axum::extract::State;
use problem::{INVALID_CURSOR, NOT_FOUND, Problem};
use runs::{Queue, Run, RunFilter};
use serde::{Deserialize, Serialize};
use serde_json::json;
use types::{RunId, Timestamp};
use utoipa::ToSchema;
use web::{Allowed, Page, Params, Refusal, Reply, Segment, Spec, operation, page, page_size, refuses};

use super::runs::COLUMNS;
use super::views::RunView;
use crate::Functions;

operation! {
    /// Lists the queues of your organization with how many runs stand where. A queue holds runs of one kind.
    pub ListQueues -> Page<QueueView> = Spec::get("queues.list", "/api/v1/queues").needs("runs:read");

    /// Lists the dead letters of a queue, newest first: runs that were given up and that nobody tried again or put aside.
    pub ListDead[DeadFilter] -> Page<RunView> = Spec::get("queues.dead", "/api/v1/queues/{queue}/dead")
        .needs("runs:read").errors(refuses![INVALID_CURSOR]);
}

#[derive(Serialize, ToSchema)]
pub struct QueueView {
    /// The kind of its runs: `function`.
    pub name: String,
    /// To be worked on as soon as there is a place.
    pub ready: i64,
    /// Those among them whose function says how often it may start: they may have to wait for that.
    pub rated: i64,
    /// Queued for later.
    pub delayed: i64,
    /// Being worked on.
    pub running: i64,
    /// Waiting for an answer.
    pub awaiting: i64,
    /// Dead letters.
    pub dead: i64,
    /// Since when the oldest ready one waits.
    pub oldest_ready_at: Option<Timestamp>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeadFilter {
    /// 1 to 200; 50 if left out.
    pub limit: Option<i64>,
    pub cursor: Option<String>,
}

pub async fn list(
    State(functions): State<Functions>,
    allowed: Allowed<ListQueues>,
) -> Result<Reply, Refusal> {
    let narrow = |select| allowed.narrow(select, &COLUMNS);
    let queues = functions.runs().queues(&allowed.scope(), narrow).await.map_err(Problem::from)?;
    let items = queues.into_iter().map(QueueView::from).collect();
    Ok(Reply::of::<ListQueues>(&Page { items, next_cursor: None, total: None })?)
}

pub async fn dead(
    State(functions): State<Functions>,
    allowed: Allowed<ListDead>,
    Segment(queue): Segment<String>,
    Params(filter): Params<ListDead>,
) -> Result<Reply, Refusal> {
    if !functions.runs().works_on(&queue) {
        return Err(Problem::new(&NOT_FOUND, "There is no such queue; GET /queues lists them.").into());
    }
    let limit = page_size(filter.limit)?;
    let before = allowed.after::<RunId>(filter.cursor.as_deref())?;
    let wanted = RunFilter { kind: Some(queue), letters: true, before, ..RunFilter::default() };
    let narrow = |select| allowed.narrow(select, &COLUMNS);
    let rows = functions.runs().list(&allowed.scope(), &wanted, narrow, limit + 1).await?;
    let cursor = |run: &Run| allowed.cursor(&[json!(run.id)]);
    Ok(Reply::of::<ListDead>(&page(rows, limit, cursor, RunView::from))?)
}

impl From<Queue> for QueueView {
    fn from(queue: Queue) -> Self {
        Self {
            name: queue.kind,
            ready: queue.ready,
            rated: queue.rated,
            delayed: queue.delayed,
            running: queue.running,
            awaiting: queue.awaiting,
            dead: queue.dead,
            oldest_ready_at: queue.oldest,
        }
    }
}
