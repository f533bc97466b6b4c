//! Agents, by a schema of our own: who answers for one is named in the directory's words. An agent without an owner is not
//! registered.

use agents::{Agent, AgentRef, AgentType, DeploymentEnv, Owner, Patch, Status, Wanted};
use authority::Required;
use db::Change;
use people::Group;
use problem::Problem;
use serde_json::{Map, Value, json};
use types::{AgentId, GroupId, Id, Name};
use web::{Allowance, Patched, Search};

use super::groups::READ as READ_GROUPS;
use super::{GROUP, Shown, USER, Write, envelope, location, meta, needed, part, put, text};
use crate::error::ScimError;
use crate::patch::read_whole;
use crate::query::{Projection, Query};
use crate::reply::Preconditions;
use crate::schema::{Attribute, Column, ResourceType};
use crate::service::Scim;

pub(crate) const READ: Required = Required::parse("agents:read");

fn agent_id(text: &str) -> Option<types::Uuid> {
    text.parse::<AgentId>().ok().map(Id::uuid)
}

fn owner_id(text: &str) -> Option<types::Uuid> {
    text.parse::<Owner>().ok().map(Owner::uuid)
}

/// The namespace that need not be said.
const DEFAULT: &str = "default";

pub(crate) static AGENT: ResourceType = ResourceType {
    name: "Agent",
    endpoint: "/Agents",
    schema: "urn:safeconduct:params:scim:schemas:core:1.0:Agent",
    about: "An agent that is registered in the organization.",
    common: &[
        Attribute::text("id", "Its id here.").read_only().always().exact().unique().column(Column::Id("agents.id", agent_id)),
        Attribute::text("externalId", "Its id in the directory.").exact().column(Column::Text("agents.external_id")),
        Attribute::complex("meta", "About the resource.", &[
            Attribute::time("created", "When it was registered.").column(Column::Time("agents.created_at")),
            Attribute::time("lastModified", "When it was last changed.").column(Column::Time("agents.updated_at")),
        ])
        .read_only(),
    ],
    attributes: &[
        Attribute::text("name", "`name`, or `namespace:name` outside the namespace `default`; lower case.")
            .required()
            .immutable()
            .unique()
            .column(Column::Text(
                "CASE WHEN agents.namespace = 'default' THEN agents.name ELSE agents.namespace || ':' || agents.name END",
            )),
        Attribute::text("displayName", "The name as it is shown; `name` if it is not given at creation.")
            .required()
            .column(Column::Text("agents.display_name")),
        Attribute::text("description", "What it does.").column(Column::Text("nullif(agents.description, '')")),
        Attribute::text("agentType", "What it is for; `custom` if it is not given at creation.")
            .required()
            .exact()
            .one_of(&["screener", "classifier", "orchestrator", "extractor", "summarizer", "router", "monitor", "custom"])
            .column(Column::Text("agents.kind")),
        Attribute::text("environment", "Where it runs; `development` if it is not given at creation.")
            .required()
            .exact()
            .one_of(&["development", "staging", "production"])
            .column(Column::Text("agents.deployment_env")),
        Attribute::flag("active", "May it act? Without it every token is void and every run ends at once.")
            .required()
            .column(Column::Flag("agents.status = 'active'")),
        Attribute::complex("owner", "The user or group that answers for it.", &[
            Attribute::text(
                "value",
                "An id; or the externalId, userName or address of a user, or the externalId of a group.",
            )
            .required()
            .exact()
            .column(Column::Id("agents.owner", owner_id)),
            Attribute::reference("$ref", "The user or group.", &["User", "Group"]),
        ])
        .required(),
        Attribute::complex("groups", "Groups that it is in; changed there.", &[
            Attribute::text("value", "The group's id.").read_only().exact(),
            Attribute::reference("$ref", "The group.", &["Group"]).read_only(),
            Attribute::text("display", "The group's name.").read_only(),
        ])
        .multi()
        .read_only(),
    ],
    not_kept: &["owner.display", "owner.type"],
};

impl Scim {
    pub(crate) async fn agents(&self, by: &Allowance, query: &Query) -> Result<(Vec<Shown>, i64), Problem> {
        let search = query.search(&AGENT)?;
        let (agents, total) = self.agents.search(by, &READ, &search).await?;
        Ok((self.show_agents(by, &agents, &query.projection(&AGENT)).await?, total))
    }

    pub(crate) async fn agent(
        &self,
        by: &Allowance,
        id: AgentId,
        shown: &Projection,
    ) -> Result<Shown, Problem> {
        let agent = self.living(by, id).await?;
        let mut one = self.show_agents(by, std::slice::from_ref(&agent), shown).await?;
        one.pop().ok_or_else(|| Problem::internal("an agent that cannot be shown"))
    }

    pub(crate) async fn create_agent(
        &self,
        by: &Allowance,
        body: &Value,
    ) -> Result<(Option<Change>, AgentId), Problem> {
        let given = read_whole(&AGENT, body)?;
        let (namespace, name) = names(&given)?;
        let wanted = Wanted {
            namespace: Some(namespace),
            name: Some(name),
            display_name: text(&given, "displayName", 200)?,
            description: text(&given, "description", 4_000)?,
            kind: word::<AgentType>(&given, "agentType")?,
            deployment_env: word::<DeploymentEnv>(&given, "environment")?,
            owner: Some(self.owner(by, &given).await?),
            external_id: text(&given, "externalId", 200)?,
            suspended: given.get("active").and_then(Value::as_bool) == Some(false),
            ..Wanted::default()
        };
        let decided = self.agents.create(by, &wanted).await?;
        Ok((Some(decided.change), decided.answer.id))
    }

    pub(crate) async fn write_agent(
        &self,
        by: &Allowance,
        id: AgentId,
        how: &Write<'_>,
        only: &Preconditions,
    ) -> Result<Option<Change>, Problem> {
        let agent = self.living(by, id).await?;
        only.hold(&version(&agent))?;
        let before = self.show_agent(&agent, &[]);
        let after = how.applied(&AGENT, &before)?;
        let owner = if after.get("owner") == before.get("owner") {
            agent.owner
        } else {
            self.owner(by, &after).await?
        };
        let patch = Patch {
            display_name: differing(
                &agent.display_name,
                needed("displayName", text(&after, "displayName", 200)?)?,
            ),
            description: differing(
                &agent.description,
                text(&after, "description", 4_000)?.unwrap_or_default(),
            ),
            kind: differing(&agent.kind, word(&after, "agentType")?.unwrap_or_default()),
            deployment_env: differing(
                &agent.deployment_env,
                word(&after, "environment")?.unwrap_or_default(),
            ),
            owner: differing(&agent.owner, owner),
            external_id: match text(&after, "externalId", 200)? {
                same if same == agent.external_id => Patched::Kept,
                Some(id) => Patched::Set(id),
                None => Patched::Unset,
            },
            ..Patch::default()
        };
        let active = after.get("active").and_then(Value::as_bool);
        let active = active.filter(|active| *active != (agent.status == Status::Active));
        if active.is_none() && patch.is_empty() {
            return Ok(None);
        }
        Ok(Some(self.agents.revise(by, agent, &patch, active).await?.change))
    }

    pub(crate) async fn delete_agent(
        &self,
        by: &Allowance,
        id: AgentId,
        only: &Preconditions,
    ) -> Result<Option<Change>, Problem> {
        let agent = self.living(by, id).await?;
        only.hold(&version(&agent))?;
        Ok(Some(self.agents.decommission(by, &AgentRef::Id(id)).await?.change))
    }

    /// To a directory an agent that was retired is gone.
    async fn living(&self, by: &Allowance, id: AgentId) -> Result<Agent, Problem> {
        let agent = self.agents.find(by, &AgentRef::Id(id)).await?;
        if agent.status == Status::Decommissioned {
            return Err(Problem::new(&problem::NOT_FOUND, "The agent was retired."));
        }
        Ok(agent)
    }

    /// Who answers for it, in the directory's words.
    async fn owner(&self, by: &Allowance, given: &Map<String, Value>) -> Result<Owner, Problem> {
        let Some(name) = part(given, "owner", "value", 320)? else {
            return Err(ScimError::Owner(String::new()).into());
        };
        if let Ok(owner) = name.parse::<Owner>() {
            return Ok(owner);
        }
        if let Some(user) = self.people.member_named(by, &name).await? {
            return Ok(Owner::User(user));
        }
        let named = Search {
            condition: Some(("groups.external_group_id = {}".to_owned(), vec![name.as_str().into()])),
            limit: 1,
            ..Search::default()
        };
        let (groups, _) = self.people.search_groups(by, &READ_GROUPS, &named).await?;
        match groups.first() {
            Some(Group { id, .. }) => Ok(Owner::Group(*id)),
            None => Err(ScimError::Owner(name).into()),
        }
    }

    async fn show_agents(
        &self,
        by: &Allowance,
        agents: &[Agent],
        shown: &Projection,
    ) -> Result<Vec<Shown>, Problem> {
        let ids: Vec<_> = agents.iter().map(|agent| agent.id.uuid()).collect();
        let wanted = if shown.shows("groups") { ids.as_slice() } else { &[] };
        let groups = self.people.groups_of(by, wanted).await?;
        let show = |agent: &Agent| {
            let own: Vec<(GroupId, &str)> = groups
                .iter()
                .filter(|(principal, ..)| *principal == agent.id.uuid())
                .map(|(_, group, name)| (*group, name.as_str()))
                .collect();
            let mut resource = self.show_agent(agent, &own);
            shown.cut(&AGENT, &mut resource);
            Shown { version: version(agent), resource }
        };
        Ok(agents.iter().map(show).collect())
    }

    fn show_agent(&self, agent: &Agent, groups: &[(GroupId, &str)]) -> Map<String, Value> {
        let id = agent.id.to_string();
        let mut resource = envelope(&AGENT, id.clone(), agent.external_id.as_deref());
        let name = match agent.namespace.as_str() {
            DEFAULT => agent.name.to_string(),
            namespace => format!("{namespace}:{}", agent.name),
        };
        put(&mut resource, "name", Some(&name));
        put(&mut resource, "displayName", Some(&agent.display_name));
        put(&mut resource, "description", Some(&agent.description));
        put(&mut resource, "agentType", Some(agent.kind.name()));
        put(&mut resource, "environment", Some(agent.deployment_env.name()));
        resource.insert("active".into(), (agent.status == Status::Active).into());
        let (of, owner) = match agent.owner {
            Owner::User(id) => (&USER, id.to_string()),
            Owner::Group(id) => (&GROUP, id.to_string()),
        };
        let reference = location(of, &self.base, &owner);
        resource.insert("owner".into(), json!({ "value": owner, "$ref": reference }));
        self.put_groups(&mut resource, groups);
        let changed = Some(agent.updated_at);
        let made = meta(&AGENT, &self.base, &id, &version(agent), agent.created_at, changed);
        resource.insert("meta".into(), made);
        resource
    }
}

fn version(agent: &Agent) -> String {
    format!("W/\"{}\"", agent.revision)
}

fn differing<T: PartialEq>(old: &T, new: T) -> Patched<T> {
    if *old == new { Patched::Kept } else { Patched::Set(new) }
}

/// `name` or `namespace:name`.
fn names(given: &Map<String, Value>) -> Result<(Name, Name), ScimError> {
    let whole = needed("name", text(given, "name", 130)?)?;
    let (namespace, name) = whole.split_once(':').unwrap_or((DEFAULT, &whole));
    let read = |text: &str| text.parse::<Name>().map_err(|error| ScimError::value("name", error.to_string()));
    Ok((read(namespace)?, read(name)?))
}

fn word<T: std::str::FromStr>(given: &Map<String, Value>, name: &str) -> Result<Option<T>, ScimError> {
    let Some(word) = text(given, name, 64)? else { return Ok(None) };
    let known = AGENT.attribute(name).map(|attribute| attribute.canonical.join(", ")).unwrap_or_default();
    word.parse().map(Some).map_err(|_| ScimError::value(name, format!("is one of {known}")))
}
