//! Suspending and reactivating.

use axum::extract::State;
use problem::{
    AGENT_DECOMMISSIONED, AGENT_NOT_ACTIVE, AGENT_NOT_PENDING, AGENT_NOT_SUSPENDED, AUTHORITY_EXCEEDED,
    CONFLICT, ORGANIZATION_LEAVING, STALE_REVISION,
};
use serde::Deserialize;
use utoipa::ToSchema;
use web::{Allowed, Input, Refusal, Reply, Segment, Spec, leaves, operation, refuses};

use super::views::AgentView;
use crate::store::AgentRef;
use crate::{Agents, facts};

operation! {
    /// Stops an agent: no new tokens, existing ones dead, live runs aborted.
    pub SuspendAgent(Because) -> AgentView = Spec::post("agents.suspend", "/api/v1/agents/{agent}/suspend")
        .needs("agents:update").facts(leaves![facts::AGENT_SUSPENDED])
        .errors(refuses![AGENT_DECOMMISSIONED, AGENT_NOT_ACTIVE, CONFLICT, STALE_REVISION])
        .example(r#"{"reason": "unusual calls at night"}"#);

    /// Lets a suspended agent act again; it needs new tokens.
    pub ReactivateAgent -> AgentView = Spec::post("agents.reactivate", "/api/v1/agents/{agent}/reactivate")
        .needs("agents:update").facts(leaves![facts::AGENT_REACTIVATED])
        .errors(refuses![
            AGENT_DECOMMISSIONED, AGENT_NOT_SUSPENDED, AUTHORITY_EXCEEDED, CONFLICT, ORGANIZATION_LEAVING, STALE_REVISION,
        ]);
}

operation! {
    /// Lets an agent act that waits for approval.
    pub ApproveAgent -> AgentView = Spec::post("agents.approve", "/api/v1/agents/{agent}/approve")
        .needs("agents:approve").facts(leaves![facts::AGENT_APPROVED])
        .errors(refuses![
            AGENT_DECOMMISSIONED, AGENT_NOT_PENDING, AUTHORITY_EXCEEDED, CONFLICT, ORGANIZATION_LEAVING, STALE_REVISION,
        ]);

    /// Turns an agent away that waits for approval; its record stays, its name is not given out again.
    pub RejectAgent(Because) -> AgentView = Spec::post("agents.reject", "/api/v1/agents/{agent}/reject")
        .needs("agents:approve").facts(leaves![facts::AGENT_REJECTED])
        .errors(refuses![AGENT_DECOMMISSIONED, AGENT_NOT_PENDING, CONFLICT, STALE_REVISION])
        .example(r#"{"reason": "nobody asked for it"}"#);
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Because {
    /// Kept on the fact.
    #[schema(max_length = 500)]
    pub reason: Option<String>,
}

pub async fn suspend(
    State(agents): State<Agents>,
    allowed: Allowed<SuspendAgent>,
    Segment(of): Segment<AgentRef>,
    Input(because): Input<SuspendAgent>,
) -> Result<Reply, Refusal> {
    let reason = because.reason.as_deref();
    allowed.settle::<SuspendAgent, _, _, _>(|| agents.suspend(&allowed, &of, reason)).await
}

pub async fn reactivate(
    State(agents): State<Agents>,
    allowed: Allowed<ReactivateAgent>,
    Segment(of): Segment<AgentRef>,
) -> Result<Reply, Refusal> {
    allowed.settle::<ReactivateAgent, _, _, _>(|| agents.reactivate(&allowed, &of)).await
}

pub async fn approve(
    State(agents): State<Agents>,
    allowed: Allowed<ApproveAgent>,
    Segment(of): Segment<AgentRef>,
) -> Result<Reply, Refusal> {
    allowed.settle::<ApproveAgent, _, _, _>(|| agents.approve(&allowed, &of)).await
}

pub async fn reject(
    State(agents): State<Agents>,
    allowed: Allowed<RejectAgent>,
    Segment(of): Segment<AgentRef>,
    Input(because): Input<RejectAgent>,
) -> Result<Reply, Refusal> {
    let reason = because.reason.as_deref();
    allowed.settle::<RejectAgent, _, _, _>(|| agents.reject(&allowed, &of, reason)).await
}
