//! `/api/v1/agents`: register, list, read, change, retire.

use authority::Permission;
use axum::extract::State;
use problem::{
    AGENT_DECOMMISSIONED, AGENT_EXISTS, AUTHORITY_EXCEEDED, CONFLICT, INVALID_CURSOR, ORGANIZATION_LEAVING,
    STALE_REVISION,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use types::{AgentId, GroupId, Id, Name};
use utoipa::ToSchema;
use web::{
    Allowed, Input, Page, Params, Patched, Refusal, Reply, Segment, Spec, leaves, operation, page, page_size,
    refuses,
};

use super::views::AgentView;
use crate::change::Patch;
use crate::model::{Agent, AgentType, DeploymentEnv, Owner, Status, Visibility};
use crate::register::Wanted;
use crate::store::{self, AgentRef, Filter};
use crate::{Agents, facts};

operation! {
    /// Registers an agent.
    pub CreateAgent(NewAgent) -> AgentView = Spec::create("agents.create", "/api/v1/agents")
        .needs("agents:create").facts(leaves![facts::AGENT_CREATED])
        .errors(refuses![AGENT_EXISTS, AUTHORITY_EXCEEDED, CONFLICT, ORGANIZATION_LEAVING])
        .example(r#"{"namespace": "ops", "name": "reporter", "display_name": "Reporter", "roles": ["member"]}"#);

    /// Lists agents, newest first.
    pub ListAgents[AgentFilter] -> Page<AgentView> = Spec::get("agents.list", "/api/v1/agents")
        .needs("agents:read").errors(refuses![INVALID_CURSOR]);

    /// Shows an agent; by id or as `namespace:name`.
    pub GetAgent -> AgentView = Spec::get("agents.get", "/api/v1/agents/{agent}").needs("agents:read");

    /// Changes an agent (JSON Merge Patch).
    pub UpdateAgent(AgentPatch) -> AgentView = Spec::patch("agents.update", "/api/v1/agents/{agent}")
        .needs("agents:update").facts(leaves![facts::AGENT_UPDATED])
        .errors(refuses![AGENT_DECOMMISSIONED, AUTHORITY_EXCEEDED, CONFLICT, STALE_REVISION])
        .example(r#"{"description": "Reports on service checks."}"#);

    /// Retires an agent for good: credentials are revoked, tokens die, the record stays.
    pub DecommissionAgent -> AgentView = Spec::delete("agents.decommission", "/api/v1/agents/{agent}")
        .needs("agents:delete").facts(leaves![facts::AGENT_DECOMMISSIONED])
        .further_facts(leaves![facts::CREDENTIAL_REVOKED])
        .errors(refuses![AGENT_DECOMMISSIONED, CONFLICT, STALE_REVISION]);
}

/// What an agent is registered with. A name or a handle is needed, all else has a default.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAgent {
    /// `default` if left out.
    pub namespace: Option<Name>,
    pub name: Option<Name>,
    /// Shaped like an e-mail address; names are derived from `name.namespace@…` if only this is given.
    #[schema(max_length = 254, pattern = "^[A-Za-z0-9._-]+(@[A-Za-z0-9.-]+)?$")]
    pub handle: Option<String>,
    #[schema(min_length = 1, max_length = 200)]
    pub display_name: Option<String>,
    #[schema(max_length = 4000)]
    pub description: Option<String>,
    #[serde(rename = "type")]
    pub kind: Option<AgentType>,
    /// Semantic version.
    #[schema(max_length = 64, pattern = r"^\d+\.\d+\.\d+([-+][0-9A-Za-z.+-]+)?$")]
    pub version: Option<String>,
    /// Descriptive `resource:action`; they grant nothing.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub capabilities: Vec<String>,
    /// The person or group that answers for it; the caller if left out.
    pub owner: Option<Owner>,
    /// What `group` reaches, and whose members a visibility of `group` shows it to; the owner if that is a group.
    pub group: Option<GroupId>,
    pub deployment_env: Option<DeploymentEnv>,
    pub visibility: Option<Visibility>,
    #[serde(default)]
    #[schema(max_items = 50)]
    pub tags: Vec<String>,
    /// At most 16 KB.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub metadata: Map<String, Value>,
    /// Must be held by whoever registers.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub roles: Vec<String>,
    #[serde(default)]
    #[schema(value_type = Vec<String>, max_items = 200)]
    pub permissions: Vec<Permission>,
}

/// RFC 7396: what is left out stays, null gives back the default, `metadata` is merged, lists are replaced. There is always
/// an owner.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AgentPatch {
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 200)]
    pub display_name: Patched<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 4000)]
    pub description: Patched<String>,
    #[serde(default, rename = "type")]
    #[schema(value_type = Option<AgentType>)]
    pub kind: Patched<AgentType>,
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 64, pattern = r"^\d+\.\d+\.\d+([-+][0-9A-Za-z.+-]+)?$")]
    pub version: Patched<String>,
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>, max_items = 100)]
    pub capabilities: Patched<Vec<String>>,
    #[serde(default)]
    #[schema(value_type = Owner)]
    pub owner: Patched<Owner>,
    /// Null takes it out of its group.
    #[serde(default)]
    #[schema(value_type = Option<GroupId>)]
    pub group: Patched<GroupId>,
    #[serde(default)]
    #[schema(value_type = Option<DeploymentEnv>)]
    pub deployment_env: Patched<DeploymentEnv>,
    #[serde(default)]
    #[schema(value_type = Option<Visibility>)]
    pub visibility: Patched<Visibility>,
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>, max_items = 50)]
    pub tags: Patched<Vec<String>>,
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub metadata: Patched<Map<String, Value>>,
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>, max_items = 20)]
    pub roles: Patched<Vec<String>>,
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>, max_items = 200)]
    pub permissions: Patched<Vec<Permission>>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AgentFilter {
    /// User or group.
    pub owner: Option<Owner>,
    pub group: Option<GroupId>,
    #[serde(rename = "type")]
    pub kind: Option<AgentType>,
    pub status: Option<Status>,
    pub env: Option<DeploymentEnv>,
    pub visibility: Option<Visibility>,
    pub capability: Option<String>,
    /// Part of the handle or display name.
    pub q: Option<String>,
    /// Only those whose owner has left.
    pub orphaned: Option<bool>,
    /// 1 to 200; 50 if left out.
    pub limit: Option<i64>,
    pub cursor: Option<String>,
    /// Adds `total`.
    pub count: Option<bool>,
}

pub async fn create(
    State(agents): State<Agents>,
    allowed: Allowed<CreateAgent>,
    Input(new): Input<CreateAgent>,
) -> Result<Reply, Refusal> {
    let wanted = Wanted {
        namespace: new.namespace,
        name: new.name,
        handle: new.handle,
        display_name: new.display_name,
        description: new.description,
        kind: new.kind,
        version: new.version,
        capabilities: new.capabilities,
        owner: new.owner,
        group: new.group,
        deployment_env: new.deployment_env,
        visibility: new.visibility,
        tags: new.tags,
        metadata: new.metadata,
        external_id: None,
        roles: new.roles,
        permissions: new.permissions,
        suspended: false,
    };
    allowed.settle::<CreateAgent, _, _, _>(|| agents.create(&allowed, &wanted)).await
}

pub async fn list(
    State(agents): State<Agents>,
    allowed: Allowed<ListAgents>,
    Params(filter): Params<ListAgents>,
) -> Result<Reply, Refusal> {
    let limit = page_size(filter.limit)?;
    let before = allowed.after::<AgentId>(filter.cursor.as_deref())?;
    let narrowed = Filter {
        owner: filter.owner.map(Owner::uuid),
        group: filter.group.map(Id::uuid),
        kind: filter.kind.map(AgentType::name),
        status: filter.status.map(Status::name),
        env: filter.env.map(DeploymentEnv::name),
        visibility: filter.visibility.map(Visibility::name),
        capability: filter.capability,
        q: filter.q,
        orphaned: filter.orphaned == Some(true),
    };
    let db = &agents.inner().db;
    let mut rows = store::list(db, &allowed, &narrowed, before, limit + 1).await?;
    agents.name_rights(&allowed, &mut rows).await?;
    let cursor = |agent: &Agent| allowed.cursor(&[json!(agent.id)]);
    let mut page = page(rows, limit, cursor, AgentView::from);
    if filter.count == Some(true) {
        page.total = Some(store::count(db, &allowed, &narrowed).await?);
    }
    Ok(Reply::of::<ListAgents>(&page)?)
}

pub async fn get(
    State(agents): State<Agents>,
    allowed: Allowed<GetAgent>,
    Segment(of): Segment<AgentRef>,
) -> Result<Reply, Refusal> {
    let agent = agents.find(&allowed, &of).await?;
    Ok(Reply::of::<GetAgent>(&AgentView::from(agent))?)
}

pub async fn update(
    State(agents): State<Agents>,
    allowed: Allowed<UpdateAgent>,
    Segment(of): Segment<AgentRef>,
    Input(patch): Input<UpdateAgent>,
) -> Result<Reply, Refusal> {
    let patch = Patch {
        display_name: patch.display_name,
        description: patch.description,
        kind: patch.kind,
        version: patch.version,
        capabilities: patch.capabilities,
        owner: patch.owner,
        group: patch.group,
        deployment_env: patch.deployment_env,
        visibility: patch.visibility,
        tags: patch.tags,
        metadata: patch.metadata,
        external_id: Patched::Kept,
        roles: patch.roles,
        permissions: patch.permissions,
    };
    allowed.settle::<UpdateAgent, _, _, _>(|| agents.update(&allowed, &of, &patch)).await
}

pub async fn decommission(
    State(agents): State<Agents>,
    allowed: Allowed<DecommissionAgent>,
    Segment(of): Segment<AgentRef>,
) -> Result<Reply, Refusal> {
    allowed.settle::<DecommissionAgent, _, _, _>(|| agents.decommission(&allowed, &of)).await
}
