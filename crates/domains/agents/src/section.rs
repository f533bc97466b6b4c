//! Agents in files of configuration: what they are registered with, and what they hold. Never their credentials, nor
//! whether they may act just now.

use authority::Permission;
use manifest::{Refers, Section};
use problem::{Problem, VALIDATION_FAILED};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use types::{AgentId, GroupId, Name};
use utoipa::ToSchema;
use web::{Allowance, Errand, Patched, Undone};

use crate::change::Patch;
use crate::model::{Agent, AgentType, DeploymentEnv, FIRST_VERSION, Owner, Status, Visibility};
use crate::register::Wanted;
use crate::routes::agents::{CreateAgent, DecommissionAgent, ListAgents, UpdateAgent};
use crate::store::{AgentRef, Filter};
use crate::{Agents, store};

/// Agents of one organization at the most that a file deals with.
const MOST: i64 = 10_000;

/// The section `agents`.
pub struct AgentsSection(pub Agents);

/// An agent.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ConfigAgent)]
pub struct AgentEntry {
    #[serde(default = "default_namespace")]
    namespace: Name,
    name: Name,
    /// The name, if left out.
    #[schema(min_length = 1, max_length = 200)]
    display_name: Option<String>,
    #[serde(default)]
    #[schema(max_length = 4000)]
    description: String,
    #[serde(rename = "type", default)]
    kind: AgentType,
    /// Semantic version.
    #[serde(default = "first_version")]
    #[schema(max_length = 64, pattern = r"^\d+\.\d+\.\d+([-+][0-9A-Za-z.+-]+)?$")]
    version: String,
    /// Descriptive `resource:action`; they grant nothing.
    #[serde(default)]
    #[schema(max_items = 100)]
    capabilities: Vec<String>,
    /// `group:<name>`, or the id of a person or group. Whoever applies the file, if left out; then it stays who it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 210)]
    owner: Option<String>,
    /// The name or id of a group; if left out, it stays as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 200)]
    group: Option<String>,
    #[serde(default)]
    deployment_env: DeploymentEnv,
    #[serde(default)]
    visibility: Visibility,
    #[serde(default)]
    #[schema(max_items = 50)]
    tags: Vec<String>,
    #[serde(default)]
    #[schema(value_type = Object)]
    metadata: Map<String, Value>,
    #[serde(default)]
    #[schema(max_items = 20)]
    roles: Vec<String>,
    #[serde(default)]
    #[schema(value_type = Vec<String>, max_items = 200)]
    permissions: Vec<Permission>,
}

fn default_namespace() -> Name {
    #[expect(clippy::expect_used, reason = "a fixed word of the grammar")]
    "default".parse().expect("a name")
}

fn first_version() -> String {
    FIRST_VERSION.to_owned()
}

const BY_NAME: &str = "group:";

impl Section for AgentsSection {
    type Entry = AgentEntry;

    const NAME: &'static str = "agents";
    const LOOSE: &'static [&'static str] = &["owner", "group"];

    fn key(entry: &AgentEntry) -> String {
        format!("{}/{}", entry.namespace, entry.name)
    }

    fn settled(&self, mut entry: AgentEntry) -> AgentEntry {
        entry.roles.sort();
        entry.roles.dedup();
        entry.permissions.sort_by_key(ToString::to_string);
        entry.permissions.dedup();
        without_nulls(&mut entry.metadata);
        let display_name = entry.display_name.or_else(|| Some(entry.name.to_string()));
        AgentEntry { display_name, ..entry }
    }

    fn refers(entry: &AgentEntry) -> Vec<Refers> {
        let role = |(at, name): (usize, &String)| Refers {
            field: format!("/roles/{at}"),
            section: "roles",
            key: name.clone(),
        };
        let group =
            |field: &str, name: &str| Refers { field: field.into(), section: "groups", key: name.into() };
        let by_name = |text: &&str| text.parse::<GroupId>().is_err();
        let owner = entry.owner.as_deref().and_then(|owner| owner.strip_prefix(BY_NAME));
        let own = entry.group.as_deref().filter(by_name);
        let groups =
            owner.map(|name| group("/owner", name)).into_iter().chain(own.map(|name| group("/group", name)));
        entry.roles.iter().enumerate().map(role).chain(groups).collect()
    }

    async fn standing(&self, errand: &Errand) -> Result<Vec<(String, AgentEntry)>, Problem> {
        let (by, inner) = (errand.admit::<ListAgents>().await?, self.0.inner());
        let mut agents = store::list(&inner.db, &by, &Filter::default(), None, MOST).await?;
        agents.retain(|agent| agent.status != Status::Decommissioned);
        self.0.name_rights(&by, &mut agents).await?;
        let groups = inner.people.named_groups(&by).await?;
        Ok(agents.into_iter().map(|agent| told(agent, &groups)).collect())
    }

    async fn make(&self, errand: &Errand, entry: &AgentEntry) -> Result<String, Undone> {
        let decide = |by| async move {
            let wanted = Wanted {
                namespace: Some(entry.namespace.clone()),
                name: Some(entry.name.clone()),
                handle: None,
                display_name: entry.display_name.clone(),
                description: Some(entry.description.clone()),
                kind: Some(entry.kind),
                version: Some(entry.version.clone()),
                capabilities: entry.capabilities.clone(),
                owner: self.owner_of(&by, entry).await?,
                group: self.group_of(&by, entry).await?,
                deployment_env: Some(entry.deployment_env),
                visibility: Some(entry.visibility),
                tags: entry.tags.clone(),
                metadata: entry.metadata.clone(),
                external_id: None,
                roles: entry.roles.clone(),
                permissions: entry.permissions.clone(),
                suspended: false,
            };
            self.0.create(&by, &wanted).await.map_err(Problem::from)
        };
        Ok(errand.act::<CreateAgent, _, _, _>(decide).await?.id.to_string())
    }

    async fn alter(
        &self,
        errand: &Errand,
        id: &str,
        before: &AgentEntry,
        after: &AgentEntry,
    ) -> Result<(), Undone> {
        let of = named(id)?;
        let decide = |by| async move {
            let owner = match before.owner == after.owner {
                true => None,
                false => self.owner_of(&by, after).await?,
            };
            let group = match before.group == after.group {
                true => None,
                false => self.group_of(&by, after).await?,
            };
            let metadata = match before.metadata == after.metadata {
                true => Patched::Kept,
                false => Patched::Set(merge(&before.metadata, &after.metadata)),
            };
            let patch = Patch {
                display_name: Patched::between_options(&before.display_name, &after.display_name),
                description: Patched::between(&before.description, &after.description),
                kind: Patched::between(&before.kind, &after.kind),
                version: Patched::between(&before.version, &after.version),
                capabilities: Patched::between(&before.capabilities, &after.capabilities),
                owner: owner.map_or(Patched::Kept, Patched::Set),
                group: group.map_or(Patched::Kept, Patched::Set),
                deployment_env: Patched::between(&before.deployment_env, &after.deployment_env),
                visibility: Patched::between(&before.visibility, &after.visibility),
                tags: Patched::between(&before.tags, &after.tags),
                metadata,
                external_id: Patched::Kept,
                roles: Patched::between(&before.roles, &after.roles),
                permissions: Patched::between(&before.permissions, &after.permissions),
            };
            self.0.update(&by, &of, &patch).await.map_err(Problem::from)
        };
        errand.act::<UpdateAgent, _, _, _>(decide).await.map(drop)
    }

    async fn remove(&self, errand: &Errand, id: &str) -> Result<(), Undone> {
        let of = named(id)?;
        let decide = |by| async move { self.0.decommission(&by, &of).await };
        errand.act::<DecommissionAgent, _, _, _>(decide).await.map(drop)
    }
}

impl AgentsSection {
    async fn owner_of(&self, by: &Allowance, entry: &AgentEntry) -> Result<Option<Owner>, Problem> {
        let Some(owner) = &entry.owner else { return Ok(None) };
        match owner.strip_prefix(BY_NAME) {
            Some(name) => Ok(Some(Owner::Group(self.group_named(by, name, "/owner").await?))),
            None => owner.parse().map(Some).map_err(|_| {
                invalid("/owner", "must be `group:` and a name, or the id of a person or a group")
            }),
        }
    }

    async fn group_of(&self, by: &Allowance, entry: &AgentEntry) -> Result<Option<GroupId>, Problem> {
        let Some(group) = &entry.group else { return Ok(None) };
        match group.parse() {
            Ok(id) => Ok(Some(id)),
            Err(_) => self.group_named(by, group, "/group").await.map(Some),
        }
    }

    async fn group_named(&self, by: &Allowance, name: &str, field: &str) -> Result<GroupId, Problem> {
        let groups = self.0.inner().people.named_groups(by).await?;
        let found = groups.into_iter().find(|(_, one)| one == name).map(|(id, _)| id);
        found.ok_or_else(|| invalid(field, "names no group that is yours to see"))
    }
}

fn invalid(field: &str, reason: &str) -> Problem {
    Problem::new(&VALIDATION_FAILED, "Mend the fields named in errors.").with_error(field, reason)
}

/// Groups by their names where the caller may see them, else by their ids.
fn told(agent: Agent, groups: &[(GroupId, String)]) -> (String, AgentEntry) {
    let name_of = |id: GroupId| groups.iter().find(|(one, _)| *one == id).map(|(_, name)| name.clone());
    let owner = match agent.owner {
        Owner::User(user) => user.to_string(),
        Owner::Group(group) => match name_of(group) {
            Some(name) => format!("{BY_NAME}{name}"),
            None => group.to_string(),
        },
    };
    let entry = AgentEntry {
        namespace: agent.namespace,
        name: agent.name,
        display_name: Some(agent.display_name),
        description: agent.description,
        kind: agent.kind,
        version: agent.version,
        capabilities: agent.capabilities,
        owner: Some(owner),
        group: agent.group.map(|group| name_of(group).unwrap_or_else(|| group.to_string())),
        deployment_env: agent.deployment_env,
        visibility: agent.visibility,
        tags: agent.tags,
        metadata: agent.metadata,
        roles: agent.roles,
        permissions: agent.permissions,
    };
    (agent.id.to_string(), entry)
}

/// What a merge patch cannot say.
fn without_nulls(metadata: &mut Map<String, Value>) {
    metadata.retain(|_, value| !value.is_null());
    for value in metadata.values_mut() {
        if let Value::Object(members) = value {
            without_nulls(members);
        }
    }
}

/// The merge patch (RFC 7396) that makes `after` of `before`.
fn merge(before: &Map<String, Value>, after: &Map<String, Value>) -> Map<String, Value> {
    let mut patch: Map<String, Value> = Map::new();
    for name in before.keys().filter(|name| !after.contains_key(*name)) {
        patch.insert(name.clone(), Value::Null);
    }
    for (name, value) in after.iter().filter(|(name, value)| before.get(*name) != Some(*value)) {
        let change = match (before.get(name), value) {
            (Some(Value::Object(before)), Value::Object(after)) => Value::Object(merge(before, after)),
            (_, value) => value.clone(),
        };
        patch.insert(name.clone(), change);
    }
    patch
}

fn named(id: &str) -> Result<AgentRef, Problem> {
    Ok(AgentRef::Id(id.parse::<AgentId>().map_err(Problem::internal)?))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_merge_patch_makes_the_one_of_the_other() {
        let of = |value: Value| value.as_object().cloned().unwrap();
        let before = of(json!({ "a": 1, "b": { "x": 1, "y": { "z": 1 } }, "c": [1], "d": 1 }));
        let after = of(json!({ "b": { "y": { "w": 2 } }, "c": [2], "d": 1, "e": { "f": 1 } }));
        let mut patched = before.clone();
        web::merge_patch(&mut patched, &merge(&before, &after));
        assert_eq!(patched, after);
        assert!(merge(&after, &after).is_empty());
    }
}
