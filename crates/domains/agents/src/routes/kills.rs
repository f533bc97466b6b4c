//! The kill switch and its receipts.

use axum::extract::State;
use problem::{AGENT_DECOMMISSIONED, CONFLICT, STEP_UP_REQUIRED};
use serde::Serialize;
use types::{AgentId, KillId, Timestamp};
use utoipa::ToSchema;
use web::{Allowed, Input, Rate, Refusal, Reply, Segment, Spec, leaves, operation, refuses};

use super::status::Because;
use crate::kill::{DeadTokens, Kill, NodeReceipt};
use crate::store::AgentRef;
use crate::{Agents, facts};

operation! {
    /// Kills an agent: suspends it, voids everything that lives by it, and says what died.
    pub KillAgent(Because) -> KillView = Spec::post("agents.kill", "/api/v1/agents/{agent}/kill")
        .needs("agents:update").step_up_sometimes().not_idempotent().rate(Rate::Heavy)
        .facts(leaves![facts::AGENT_KILLED, facts::KILL_CONFIRMED])
        .errors(refuses![AGENT_DECOMMISSIONED, CONFLICT, STEP_UP_REQUIRED])
        .example(r#"{"reason": "leaked secret"}"#);

    /// Shows the receipt of a kill.
    pub GetKill -> KillView = Spec::get("kills.get", "/api/v1/kills/{kill}").needs("agents:read");
}

#[derive(Serialize, ToSchema)]
pub struct KillView {
    pub id: KillId,
    pub agent: AgentId,
    pub reason: Option<String>,
    /// Tokens of an older authority revision are dead everywhere, also where a node is pending.
    pub revision: Option<i64>,
    pub requested_at: Timestamp,
    pub confirmed_at: Option<Timestamp>,
    pub tokens: DeadTokens,
    pub runs: u64,
    pub sessions: u64,
    pub nodes: Vec<NodeReceipt>,
}

impl From<Kill> for KillView {
    fn from(kill: Kill) -> Self {
        let receipt = kill.receipt.unwrap_or_default();
        Self {
            id: kill.id,
            agent: kill.agent,
            reason: kill.reason,
            revision: kill.revision,
            requested_at: kill.requested_at,
            confirmed_at: kill.confirmed_at,
            tokens: receipt.tokens,
            runs: receipt.runs,
            sessions: receipt.sessions,
            nodes: receipt.nodes,
        }
    }
}

pub async fn kill(
    State(agents): State<Agents>,
    allowed: Allowed<KillAgent>,
    Segment(of): Segment<AgentRef>,
    Input(because): Input<KillAgent>,
) -> Result<Reply, Refusal> {
    let kill = agents.kill(&allowed, &of, because.reason.as_deref()).await?;
    Ok(Reply::of::<KillAgent>(&KillView::from(kill))?)
}

pub async fn get(
    State(agents): State<Agents>,
    allowed: Allowed<GetKill>,
    Segment(id): Segment<KillId>,
) -> Result<Reply, Refusal> {
    let kill = agents.kill_receipt(&allowed, id).await?;
    Ok(Reply::of::<GetKill>(&KillView::from(kill))?)
}
