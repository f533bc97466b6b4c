//! `/api/v1/pools`: interpreters that the server which answers keeps warm. They belong to the instance.

use axum::extract::State;
use problem::{CONFLICT, Problem};
use serde::{Deserialize, Serialize};
use types::{FunctionId, FunctionVersionId, OrgId};
use utoipa::ToSchema;
use web::{Allowed, Input, Page, Refusal, Reply, Spec, leaves, operation, refuses};

use crate::model::Mode;
use crate::pools::{Recycled, Warm};
use crate::{Functions, facts};

operation! {
    /// Lists the interpreters that the server which answers keeps warm, the last used first. Each server keeps its own.
    pub ListPools -> Page<PoolView> = Spec::get("pools.list", "/api/v1/pools").needs("system:read");

    /// Gives up the warm interpreters of one function, or all, on the server which answers. Calls that run are not touched; the
    /// next ones get a new interpreter.
    pub RecyclePools(Recycling) -> RecycledView = Spec::post("pools.recycle", "/api/v1/pools/recycle")
        .needs("system:update").facts(leaves![facts::POOLS_RECYCLED]).errors(refuses![CONFLICT])
        .example("{}");
}

/// An interpreter that has loaded one version.
#[derive(Serialize, ToSchema)]
#[schema(as = WarmInterpreter)]
pub struct PoolView {
    pub organization: OrgId,
    pub function: FunctionId,
    pub version: FunctionVersionId,
    pub mode: Mode,
    pub status: PoolStatus,
    /// Calls that it served so far.
    pub calls: i64,
    pub running: i64,
    pub age_seconds: i64,
    /// Since it was last asked for.
    pub idle_seconds: i64,
    /// Resident bytes of its processes, where the system tells; what they share is counted for each.
    pub memory: Option<i64>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PoolStatus {
    Busy,
    Idle,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Recycling {
    /// All if left out.
    pub function: Option<FunctionId>,
}

#[derive(Serialize, ToSchema)]
pub struct RecycledView {
    /// How many were warm.
    pub recycled: i64,
}

impl From<Recycled> for RecycledView {
    fn from(Recycled(count): Recycled) -> Self {
        Self { recycled: whole(count) }
    }
}

impl From<Warm> for PoolView {
    fn from(warm: Warm) -> Self {
        let Warm { org, function, version, mode, interpreter } = warm;
        Self {
            organization: org,
            function,
            version,
            mode,
            status: if interpreter.running > 0 { PoolStatus::Busy } else { PoolStatus::Idle },
            calls: whole(interpreter.calls),
            running: whole(interpreter.running),
            age_seconds: whole(interpreter.age.as_secs()),
            idle_seconds: whole(interpreter.idle.as_secs()),
            memory: interpreter.memory.map(whole),
        }
    }
}

fn whole(number: impl TryInto<i64>) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}

pub async fn list(
    State(functions): State<Functions>,
    _allowed: Allowed<ListPools>,
) -> Result<Reply, Refusal> {
    let items = functions.pools().await.map_err(Problem::from)?.into_iter().map(PoolView::from).collect();
    Ok(Reply::of::<ListPools>(&Page { items, next_cursor: None, total: None })?)
}

pub async fn recycle(
    State(functions): State<Functions>,
    allowed: Allowed<RecyclePools>,
    Input(wanted): Input<RecyclePools>,
) -> Result<Reply, Refusal> {
    let decide = || functions.recycling(&allowed, wanted.function);
    let reply = allowed.settle::<RecyclePools, _, _, _>(decide).await?;
    functions.recycle(wanted.function).await?;
    Ok(reply)
}
