//! What an agent did, from the record.

use audit::FactView;
use authority::Required;
use axum::extract::State;
use problem::{INVALID_CURSOR, Problem};
use serde::Deserialize;
use utoipa::ToSchema;
use web::{Allowance, Allowed, Object, Page, Params, Refusal, Reply, Segment, Spec, operation, refuses};

use crate::model::Agent;
use crate::store::{self, AgentRef};
use crate::{AgentError, Agents};

const READ_AGENTS: Required = Required::parse("agents:read");

operation! {
    /// Lists what an agent did, newest first; also where it acted for somebody else.
    pub AgentActivity[ActivityFilter] -> Page<FactView> =
        Spec::get("agents.activity", "/api/v1/agents/{agent}/activity")
            .needs("audit:read").errors(refuses![INVALID_CURSOR]);
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ActivityFilter {
    /// 1 to 200; 50 if left out.
    pub limit: Option<i64>,
    pub cursor: Option<String>,
}

pub async fn list(
    State(agents): State<Agents>,
    allowed: Allowed<AgentActivity>,
    Segment(of): Segment<AgentRef>,
    Params(filter): Params<AgentActivity>,
) -> Result<Reply, Refusal> {
    let inner = agents.inner();
    let agent = store::find(&inner.db, &allowed.scope(), &of).await?.ok_or(AgentError::Unknown)?;
    may_name(&allowed, &agent)?;
    let page = inner.audit.of_agent(&allowed, agent.id, filter.limit, filter.cursor.as_deref()).await?;
    Ok(Reply::of::<AgentActivity>(&page)?)
}

/// Whoever may see the agent, or reads the whole record anyway; for everybody else there is no such agent. Which facts are
/// shown is the record's to decide.
fn may_name(by: &Allowance, agent: &Agent) -> Result<(), Problem> {
    let any_fact = Object { selector: agent.id.to_string().into(), ..Object::default() };
    by.check_for(&READ_AGENTS, &agent.object()).or_else(|_| by.check(&any_fact))
}
