//! `/api/v1/access/graph` and `/api/v1/agents/{agent}/access-advice`: who reaches what, and who holds too much.

use agents::AgentRef;
use authority::Permission;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use types::{AgentId, Timestamp};
use utoipa::ToSchema;
use web::{Allowed, Params, Rate, Refusal, Reply, Segment, Spec, operation};

use crate::Policies;
use crate::advice::Advice;
use crate::graph::Reaching;

operation! {
    /// Lists the agents that reach a permission, how far, and by which roles and grants.
    pub AccessGraph[GraphQuery] -> GraphAnswer = Spec::get("access.graph", "/api/v1/access/graph")
        .needs("permissions:read").rate(Rate::Heavy);

    /// Says what an agent was given and does not use, and the least that covers what it does use.
    pub AccessAdvice[AdviceQuery] -> AdviceAnswer = Spec::get("agents.access_advice", "/api/v1/agents/{agent}/access-advice")
        .needs("agents:read").rate(Rate::Heavy);
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GraphQuery {
    /// `functions:execute`, or with an object: `functions/ops/greet:execute`; `agents:read` if left out.
    #[schema(value_type = Option<String>)]
    pub permission: Option<Permission>,
}

#[derive(Serialize, ToSchema)]
pub struct GraphAnswer {
    #[schema(value_type = String)]
    pub permission: Permission,
    pub items: Vec<ReachingAgent>,
}

#[derive(Serialize, ToSchema)]
pub struct ReachingAgent {
    pub agent: AgentId,
    /// `namespace/name`
    pub path: String,
    pub owner: Option<String>,
    /// Whether it may act at all right now.
    pub active: bool,
    /// `own`, `group` or `all`.
    pub reach: String,
    /// The grants that hold it.
    #[schema(value_type = Vec<String>)]
    pub grants: Vec<Permission>,
    /// The agent's roles, one of which may have given them.
    pub roles: Vec<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AdviceQuery {
    /// How far back uses are looked at; 30 if left out.
    pub days: Option<u32>,
}

#[derive(Serialize, ToSchema)]
pub struct AdviceAnswer {
    pub agent: AgentId,
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
    #[schema(value_type = Vec<String>)]
    pub granted: Vec<Permission>,
    pub used: Vec<PermissionUse>,
    /// Grants that no use needed.
    #[schema(value_type = Vec<String>)]
    pub unused: Vec<Permission>,
    /// Covers every use; never more than was granted.
    #[schema(value_type = Vec<String>)]
    pub suggested: Vec<Permission>,
}

#[derive(Serialize, ToSchema)]
pub struct PermissionUse {
    pub permission: String,
    /// The object's path; empty where no path was named.
    pub selector: String,
    /// `own`, `group`, `all`, or `nothing` where no single object was named.
    pub reach: &'static str,
    pub count: i64,
    #[schema(value_type = String, format = DateTime)]
    pub last_at: Timestamp,
}

pub async fn graph(
    State(policies): State<Policies>,
    allowed: Allowed<AccessGraph>,
    Params(query): Params<AccessGraph>,
) -> Result<Reply, Refusal> {
    let permission = match query.permission {
        Some(permission) => permission,
        None => authority::Required::parse("agents:read").on(authority::Selector::every()),
    };
    let found = policies.who_reaches(&allowed, &permission).await?;
    let items = found.into_iter().map(ReachingAgent::from).collect();
    Ok(Reply::of::<AccessGraph>(&GraphAnswer { permission, items })?)
}

impl From<Reaching> for ReachingAgent {
    fn from(found: Reaching) -> Self {
        Self {
            agent: found.agent,
            path: found.path,
            owner: found.owner,
            active: found.active,
            reach: found.reach.to_string(),
            grants: found.grants,
            roles: found.roles,
        }
    }
}

pub async fn advice(
    State(policies): State<Policies>,
    allowed: Allowed<AccessAdvice>,
    Segment(of): Segment<AgentRef>,
    Params(query): Params<AccessAdvice>,
) -> Result<Reply, Refusal> {
    let advice = policies.advise(&allowed, &of, query.days.unwrap_or(30)).await?;
    Ok(Reply::of::<AccessAdvice>(&advice.into())?)
}

impl From<Advice> for AdviceAnswer {
    fn from(advice: Advice) -> Self {
        let used = advice.used.into_iter().map(|one| PermissionUse {
            permission: one.permission,
            selector: one.selector,
            reach: one.reach.name(),
            count: one.count,
            last_at: one.last,
        });
        Self {
            agent: advice.agent,
            since: advice.since,
            granted: advice.granted,
            used: used.collect(),
            unused: advice.unused,
            suggested: advice.suggested,
        }
    }
}
