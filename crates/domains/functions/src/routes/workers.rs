//! `/api/v1/workers`: the processes that work on runs. They belong to the instance.

use axum::extract::State;
use problem::Problem;
use runs::{Worker, WorkerState};
use serde::Serialize;
use types::{Timestamp, WorkerId};
use utoipa::ToSchema;
use web::{Allowed, Page, Refusal, Reply, Spec, operation};

use crate::Functions;

operation! {
    /// Lists the processes that work on runs, the oldest first: servers, and `safeconduct worker` beside them.
    pub ListWorkers -> Page<WorkerView> = Spec::get("workers.list", "/api/v1/workers").needs("system:read");
}

#[derive(Serialize, ToSchema)]
pub struct WorkerView {
    pub id: WorkerId,
    /// Of its machine.
    pub name: String,
    pub version: String,
    pub status: WorkerStatus,
    /// Whose runs it takes.
    pub queues: Vec<String>,
    /// Runs that it can work on at the same time.
    pub slots: i64,
    /// As of its last word.
    pub running: i64,
    pub started_at: Timestamp,
    /// When it was last heard of; it says something every five seconds.
    pub seen_at: Timestamp,
}

/// `draining`: it begins nothing more. `silent`: not heard of for 15 seconds; its runs go to others.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WorkerStatus {
    Working,
    Draining,
    Silent,
}

impl From<Worker> for WorkerView {
    fn from(worker: Worker) -> Self {
        Self {
            id: worker.id,
            name: worker.name,
            version: worker.version,
            status: match worker.state {
                WorkerState::Working => WorkerStatus::Working,
                WorkerState::Draining => WorkerStatus::Draining,
                WorkerState::Silent => WorkerStatus::Silent,
            },
            queues: worker.kinds,
            slots: worker.slots,
            running: worker.running,
            started_at: worker.started_at,
            seen_at: worker.seen_at,
        }
    }
}

pub async fn list(
    State(functions): State<Functions>,
    _allowed: Allowed<ListWorkers>,
) -> Result<Reply, Refusal> {
    let workers = functions.runs().workers().await.map_err(Problem::from)?;
    let items = workers.into_iter().map(WorkerView::from).collect();
    Ok(Reply::of::<ListWorkers>(&Page { items, next_cursor: None, total: None })?)
}
