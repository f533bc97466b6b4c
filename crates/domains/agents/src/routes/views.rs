//! An agent as the outside sees it.

use authority::Permission;
use serde::Serialize;
use serde_json::{Map, Value};
use types::{AgentId, GroupId, Name, Timestamp};
use utoipa::ToSchema;

use crate::model::{Agent, AgentType, DeploymentEnv, Status, Visibility};

#[derive(Serialize, ToSchema)]
pub struct AgentView {
    pub id: AgentId,
    pub namespace: Name,
    pub name: Name,
    pub handle: String,
    pub display_name: String,
    pub description: String,
    #[serde(rename = "type")]
    pub kind: AgentType,
    pub version: String,
    pub capabilities: Vec<String>,
    pub owner: OwnerView,
    pub group: Option<GroupId>,
    pub deployment_env: DeploymentEnv,
    pub status: Status,
    pub visibility: Visibility,
    pub tags: Vec<String>,
    #[schema(value_type = Object)]
    pub metadata: Map<String, Value>,
    pub roles: Vec<String>,
    #[schema(value_type = Vec<String>)]
    pub permissions: Vec<Permission>,
    pub created_by: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub last_seen_at: Option<Timestamp>,
    pub revision: i64,
}

#[derive(Serialize, ToSchema)]
pub struct OwnerView {
    /// `user` or `group`.
    pub kind: &'static str,
    pub id: String,
}

impl From<Agent> for AgentView {
    fn from(agent: Agent) -> Self {
        Self {
            id: agent.id,
            namespace: agent.namespace,
            name: agent.name,
            handle: agent.handle,
            display_name: agent.display_name,
            description: agent.description,
            kind: agent.kind,
            version: agent.version,
            capabilities: agent.capabilities,
            owner: OwnerView { kind: agent.owner.kind(), id: agent.owner.to_string() },
            group: agent.group,
            deployment_env: agent.deployment_env,
            status: agent.status,
            visibility: agent.visibility,
            tags: agent.tags,
            metadata: agent.metadata,
            roles: agent.roles,
            permissions: agent.permissions,
            created_by: agent.created_by,
            created_at: agent.created_at,
            updated_at: agent.updated_at,
            last_seen_at: agent.last_seen_at,
            revision: agent.revision,
        }
    }
}
