//! Registering an agent.

use authority::Permission;
use db::Change;
use serde_json::{Map, Value, json};
use types::{GroupId, Name};
use web::{Allowance, Decided, PrincipalId};

use crate::model::{Agent, AgentType, DeploymentEnv, FIRST_VERSION, Owner, Status, Visibility};
use crate::service::entry;
use crate::{AgentError, Agents, facts, store};

/// What a caller wants registered; checked by the schema of its operation.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    pub namespace: Option<Name>,
    pub name: Option<Name>,
    pub handle: Option<String>,
    pub display_name: Option<String>,
    pub description: Option<String>,
    pub kind: Option<AgentType>,
    pub version: Option<String>,
    pub capabilities: Vec<String>,
    pub owner: Option<Owner>,
    pub group: Option<GroupId>,
    pub deployment_env: Option<DeploymentEnv>,
    pub visibility: Option<Visibility>,
    pub tags: Vec<String>,
    pub metadata: Map<String, Value>,
    pub external_id: Option<String>,
    pub roles: Vec<String>,
    pub permissions: Vec<Permission>,
    /// Registered, but not let act yet.
    pub suspended: bool,
}

impl Agents {
    pub async fn create(&self, by: &Allowance, wanted: &Wanted) -> Result<Decided<Agent>, AgentError> {
        let inner = self.inner();
        let mut agent = self.draft(by, wanted).await?;
        small_enough(&agent.metadata)?;
        by.check(&agent.object())?;
        let org = inner.people.standing_org(by).await?;
        if org.settings.new_agents_need_approval {
            agent.status = Status::Pending;
        } else if wanted.suspended {
            agent.status = Status::Suspended;
        }
        let grounds = self.grounds(by, &agent).await?;
        let grants = inner.access.gifts(&by.scope(), &agent.roles, &agent.permissions).await?;
        let head = self.giving(by, &grants).await?;
        let fact =
            by.fact(&facts::AGENT_CREATED).target("agent", agent.id, &agent.display_name).data(json!({
                "namespace": agent.namespace,
                "name": agent.name,
                "owner": agent.owner.to_string(),
                "deployment_env": agent.deployment_env,
                "roles": agent.roles,
                "permissions": agent.permissions,
                "status": agent.status.name(),
            }));
        let change = Change::new(by.scope(), inner.ledger.seal(fact).await?)
            .guard("orgs", org.id, org.revision)
            .statement(store::insert(&agent))
            .statements(self.gifts(&agent, &grants, by))
            .authority(entry(&agent));
        metrics::counter!("safeconduct_agents_created_total").increment(1);
        Ok(Decided::new(grounds.relied_on(head.relied_on(change)), agent))
    }

    async fn draft(&self, by: &Allowance, wanted: &Wanted) -> Result<Agent, AgentError> {
        let inner = self.inner();
        let (namespace, name) = names(wanted)?;
        let slug = inner.people.org(by.org()).await.map_err(|error| AgentError::Refused(error.into()))?;
        let slug = slug.map_or_else(String::new, |org| org.slug.clone());
        let handle = match &wanted.handle {
            Some(handle) if handle.contains('@') => handle.to_lowercase(),
            _ => format!("{name}.{namespace}@{slug}.agents.{}", inner.settings.host),
        };
        let owner = match (wanted.owner, by.caller().principal()) {
            (Some(owner), _) => owner,
            (None, PrincipalId::User(user)) => Owner::User(user),
            (None, PrincipalId::Agent(agent)) => {
                self.standing(agent).await?.ok_or(AgentError::Unknown)?.owner
            }
        };
        let now = inner.world.now();
        Ok(Agent {
            id: inner.world.id(),
            org: by.org(),
            handle,
            display_name: wanted.display_name.clone().unwrap_or_else(|| name.to_string()),
            description: wanted.description.clone().unwrap_or_default(),
            kind: wanted.kind.unwrap_or_default(),
            version: wanted.version.clone().unwrap_or_else(|| FIRST_VERSION.into()),
            capabilities: wanted.capabilities.clone(),
            owner,
            group: wanted.group.or(owner.group()),
            deployment_env: wanted.deployment_env.unwrap_or_default(),
            status: Status::Active,
            visibility: wanted.visibility.unwrap_or_default(),
            tags: wanted.tags.clone(),
            metadata: wanted.metadata.clone(),
            external_id: wanted.external_id.clone(),
            roles: wanted.roles.clone(),
            permissions: wanted.permissions.clone(),
            created_by: by.caller().principal().to_string(),
            created_at: now,
            updated_at: now,
            last_seen_at: None,
            revision: 1,
            namespace,
            name,
        })
    }
}

/// Given both or one of them, or only the handle `name.namespace@…`.
fn names(wanted: &Wanted) -> Result<(Name, Name), AgentError> {
    let default = || "default".parse::<Name>().map_err(|error| invalid("/namespace", &error));
    if let Some(name) = &wanted.name {
        let namespace = wanted.namespace.clone().map_or_else(default, Ok)?;
        return Ok((namespace, name.clone()));
    }
    let Some(handle) = &wanted.handle else {
        return Err(invalid("/name", &"a name or a handle is needed"));
    };
    let local = handle.split('@').next().unwrap_or_default().to_lowercase();
    let (name, namespace) = match local.split_once('.') {
        Some((name, namespace)) => (name.to_owned(), Some(namespace.replace('.', "-"))),
        None => (local, None),
    };
    let name: Name = name.parse().map_err(|error: types::InvalidName| invalid("/handle", &error))?;
    let namespace = match (&wanted.namespace, namespace) {
        (Some(namespace), _) => namespace.clone(),
        (None, Some(text)) => text.parse().map_err(|error: types::InvalidName| invalid("/handle", &error))?,
        (None, None) => default()?,
    };
    Ok((namespace, name))
}

fn invalid(field: &'static str, reason: &dyn std::fmt::Display) -> AgentError {
    AgentError::Invalid { field, reason: reason.to_string() }
}

/// Of what is stored, not of what a request brings: patches add up.
const LARGEST_METADATA: usize = 16 * 1024;

pub(crate) fn small_enough(metadata: &Map<String, Value>) -> Result<(), AgentError> {
    let size = serde_json::to_vec(metadata).map_or(usize::MAX, |bytes| bytes.len());
    if size <= LARGEST_METADATA {
        return Ok(());
    }
    let reason = format!("has {size} bytes; at most {LARGEST_METADATA} are kept");
    Err(AgentError::Invalid { field: "/metadata", reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_from_the_handle_when_only_it_is_given() {
        let wanted = Wanted { handle: Some("Reporter.ops@acme.example".into()), ..Wanted::default() };
        let (namespace, name) = names(&wanted).unwrap();
        assert_eq!((namespace.as_str(), name.as_str()), ("ops", "reporter"));
        assert!(names(&Wanted::default()).is_err());
        let named = Wanted { name: Some("solo".parse().unwrap()), ..Wanted::default() };
        assert_eq!(names(&named).unwrap().0.as_str(), "default");
    }
}
