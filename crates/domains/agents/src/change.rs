//! Changing an agent.

use authority::Permission;
use db::Change;
use serde_json::{Map, Value, json};
use types::GroupId;
use web::{Allowance, Decided, Patched, PrincipalId};

use crate::model::{Agent, AgentType, DeploymentEnv, FIRST_VERSION, Owner, Status, Visibility};
use crate::register::small_enough;
use crate::service::entry;
use crate::store::{self, AgentRef};
use crate::{AgentError, Agents, facts};

/// A merge patch (RFC 7396).
#[derive(Clone, Debug, Default)]
pub struct Patch {
    pub display_name: Patched<String>,
    pub description: Patched<String>,
    pub kind: Patched<AgentType>,
    pub version: Patched<String>,
    pub capabilities: Patched<Vec<String>>,
    pub owner: Patched<Owner>,
    pub group: Patched<GroupId>,
    pub deployment_env: Patched<DeploymentEnv>,
    pub visibility: Patched<Visibility>,
    pub tags: Patched<Vec<String>>,
    pub metadata: Patched<Map<String, Value>>,
    pub external_id: Patched<String>,
    pub roles: Patched<Vec<String>>,
    pub permissions: Patched<Vec<Permission>>,
}

impl Patch {
    /// Says nothing of any field.
    pub fn is_empty(&self) -> bool {
        let Self {
            display_name,
            description,
            kind,
            version,
            capabilities,
            owner,
            group,
            deployment_env,
            visibility,
            tags,
            metadata,
            external_id,
            roles,
            permissions,
        } = self;
        display_name.is_kept()
            && description.is_kept()
            && kind.is_kept()
            && version.is_kept()
            && capabilities.is_kept()
            && owner.is_kept()
            && group.is_kept()
            && deployment_env.is_kept()
            && visibility.is_kept()
            && tags.is_kept()
            && metadata.is_kept()
            && external_id.is_kept()
            && roles.is_kept()
            && permissions.is_kept()
    }
}

impl Agents {
    pub(crate) async fn update(
        &self,
        by: &Allowance,
        of: &AgentRef,
        patch: &Patch,
    ) -> Result<Decided<Agent>, AgentError> {
        let agent = self.find(by, of).await?;
        by.expect_revision(agent.revision)?;
        self.revise(by, agent, patch, None).await
    }

    /// Changes an agent and, if asked, lets it act or stops it – in one change.
    pub async fn revise(
        &self,
        by: &Allowance,
        mut agent: Agent,
        patch: &Patch,
        active: Option<bool>,
    ) -> Result<Decided<Agent>, AgentError> {
        let inner = self.inner();
        if agent.status == Status::Decommissioned {
            return Err(AgentError::Decommissioned);
        }
        let turned = match (active, agent.status) {
            (None, _) | (Some(true), Status::Active) | (Some(false), Status::Suspended | Status::Pending) => {
                None
            }
            (Some(false), _) => Some((&facts::AGENT_SUSPENDED, json!({ "reason": null }), Status::Suspended)),
            (Some(true), Status::Suspended) => Some((&facts::AGENT_REACTIVATED, json!({}), Status::Active)),
            (Some(true), other) => return Err(AgentError::NotSuspended(other.name())),
        };
        let stops = matches!(turned, Some((_, _, Status::Suspended)));
        let wakes = matches!(turned, Some((_, _, Status::Active)));
        let mut head = None;
        if wakes || patch.owner.set().is_some_and(|owner| *owner != agent.owner) {
            head = Some(self.may_wield(by, &agent).await?);
        }
        let fields = apply(&mut agent, patch);
        small_enough(&agent.metadata)?;
        let grounds = self.grounds(by, &agent).await?;
        // Who gives the agent away must be allowed to own it, too.
        by.check(&agent.object())?;
        self.touch(&mut agent);
        let fact = by
            .fact(&facts::AGENT_UPDATED)
            .target("agent", agent.id, &agent.display_name)
            .data(json!({ "fields": fields }));
        let entry = if stops { entry(&agent).died() } else { entry(&agent) };
        let mut change = Change::new(by.scope(), inner.ledger.seal(fact).await?).authority(entry);
        change = grounds.relied_on(change);
        if let Some((kind, data, status)) = turned {
            agent.status = status;
            let fact = by.fact(kind).target("agent", agent.id, &agent.display_name).data(data);
            change = change.fact(inner.ledger.seal(fact).await?);
        }
        if wakes {
            let org = inner.people.standing_org(by).await?;
            change = change.guard("orgs", org.id, org.revision);
        }
        change = change.statement(store::update(&agent));
        if !patch.roles.is_kept() || !patch.permissions.is_kept() {
            let grants = inner.access.gifts(&by.scope(), &agent.roles, &agent.permissions).await?;
            let head = self.giving(by, &grants).await?;
            let change = change
                .statement(access::take_all(agent.org, PrincipalId::Agent(agent.id)))
                .statements(self.gifts(&agent, &grants, by));
            return Ok(Decided::new(head.advanced(change), agent));
        }
        if let Some(head) = head {
            change = head.relied_on(change);
        }
        Ok(Decided::new(change, agent))
    }
}

/// Writes what the patch says into the agent; answers the names of the fields. What is unset stands as if it had not been
/// given at registration.
fn apply(agent: &mut Agent, patch: &Patch) -> Vec<&'static str> {
    let mut fields = Vec::new();
    let name = agent.name.to_string();
    macro_rules! take {
        ($($field:ident or $unset:expr;)+) => {$(
            if patch.$field.write(&mut agent.$field, || $unset) {
                fields.push(stringify!($field));
            }
        )+};
    }
    take! {
        display_name or name;
        description or String::new();
        kind or AgentType::default();
        version or FIRST_VERSION.to_owned();
        capabilities or Vec::new();
        deployment_env or DeploymentEnv::default();
        visibility or Visibility::default();
        tags or Vec::new();
        roles or Vec::new();
        permissions or Vec::new();
    }
    // There is no default owner, so the schema refuses null.
    if let Some(owner) = patch.owner.set() {
        agent.owner = *owner;
        fields.push("owner");
    }
    match patch.group {
        Patched::Kept => {}
        Patched::Unset => agent.group = None,
        Patched::Set(group) => agent.group = Some(group),
    }
    if !patch.group.is_kept() {
        fields.push("group");
    }
    if agent.group.is_none() {
        agent.group = agent.owner.group();
    }
    match &patch.external_id {
        Patched::Kept => {}
        Patched::Unset => agent.external_id = None,
        Patched::Set(id) => agent.external_id = Some(id.clone()),
    }
    if !patch.external_id.is_kept() {
        fields.push("external_id");
    }
    if let Some(changes) = patch.metadata.set() {
        web::merge_patch(&mut agent.metadata, changes);
    } else if !patch.metadata.is_kept() {
        agent.metadata.clear();
    }
    if !patch.metadata.is_kept() {
        fields.push("metadata");
    }
    fields
}
