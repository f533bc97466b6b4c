//! SQL of agents; of their credentials and kills in the files below.

mod credentials;
mod kills;

use authority::Required;
use db::{Db, DbError, OrgScope, Row, Select, Statement, SystemScope, Value, sql};
use serde_json::json;
use types::{AgentId, GroupId, Id, Name, OrgId, Timestamp, UserId, Uuid};
use web::{Allowance, Columns, Search, SelectorColumn};

use crate::model::{Agent, Owner, Standing, Status};

pub(crate) use credentials::*;
pub(crate) use kills::*;

const AGENT: &str = "SELECT agents.id, agents.org, namespace, name, handle, display_name, description, kind, version, \
    capabilities, owner_kind, owner, group_id, deployment_env, status, visibility, tags, metadata, external_id, created_by, \
    created_at, updated_at, revision, last_used.at FROM agents \
    LEFT JOIN last_used ON last_used.org = agents.org AND last_used.id = agents.id";

pub(crate) const AGENT_COLUMNS: Columns = Columns {
    selector: SelectorColumn::Path("namespace || '/' || name"),
    owner: Some("owner"),
    is: Some("agents.id"),
    named: None,
    group: Some("group_id"),
    visible: Some("visibility"),
};

fn agent(mut row: Row) -> Result<Agent, DbError> {
    Ok(Agent {
        id: row.id()?,
        org: row.id()?,
        namespace: row.parse()?,
        name: row.parse()?,
        handle: row.next()?,
        display_name: row.next()?,
        description: row.next()?,
        kind: row.parse()?,
        version: row.next()?,
        capabilities: row.json()?,
        owner: owner(&mut row)?,
        group: row.optional_id()?,
        deployment_env: row.parse()?,
        status: row.parse()?,
        visibility: row.parse()?,
        tags: row.json()?,
        metadata: row.json()?,
        external_id: row.next()?,
        roles: Vec::new(),
        permissions: Vec::new(),
        created_by: row.next()?,
        created_at: row.next()?,
        updated_at: row.next()?,
        revision: row.next()?,
        last_seen_at: row.next()?,
    })
}

fn owner(row: &mut Row) -> Result<Owner, DbError> {
    let (kind, id): (String, Uuid) = (row.next()?, row.next()?);
    Owner::of(&kind, id).ok_or_else(|| DbError::Internal(format!("an owner of kind {kind}")))
}

/// How a path names an agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AgentRef {
    Id(AgentId),
    Named { namespace: Name, name: Name },
}

impl std::str::FromStr for AgentRef {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        if let Ok(id) = text.parse() {
            return Ok(Self::Id(id));
        }
        let (namespace, name) = text.split_once(':').ok_or(())?;
        let parse = |text: &str| text.parse::<Name>().map_err(drop);
        Ok(Self::Named { namespace: parse(namespace)?, name: parse(name)? })
    }
}

pub(crate) async fn find(db: &Db, scope: &OrgScope, of: &AgentRef) -> Result<Option<Agent>, DbError> {
    let select = Select::new(AGENT).and("agents.org = {}", scope.org().uuid());
    let select = match of {
        AgentRef::Id(id) => select.and("agents.id = {}", id.uuid()),
        AgentRef::Named { namespace, name } => {
            select.and("namespace = {}", namespace.as_str()).and("name = {}", name.as_str())
        }
    };
    db.read_one(scope, select).await?.map(agent).transpose()
}

/// The agents that a person answers for and that are not retired.
pub(crate) async fn owned_by(db: &Db, scope: &OrgScope, owner: UserId) -> Result<Vec<Agent>, DbError> {
    let select = Select::new(AGENT)
        .and("agents.org = {}", scope.org().uuid())
        .and("owner = {}", owner.uuid())
        .and("status <> {}", "decommissioned")
        .order("agents.id");
    db.read(scope, select).await?.into_iter().map(agent).collect()
}

/// What a list of agents may be narrowed by; texts as the caller wrote them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    pub(crate) owner: Option<Uuid>,
    pub(crate) group: Option<Uuid>,
    pub(crate) kind: Option<&'static str>,
    pub(crate) status: Option<&'static str>,
    pub(crate) env: Option<&'static str>,
    pub(crate) visibility: Option<&'static str>,
    pub(crate) capability: Option<String>,
    pub(crate) q: Option<String>,
    pub(crate) orphaned: bool,
}

fn filtered(head: &'static str, by: &Allowance, filter: &Filter) -> Select {
    let capability = filter.capability.as_ref().map(|text| format!("%{}%", like(&json!(text).to_string())));
    let q = filter.q.as_ref().map(|text| format!("%{}%", like(&text.to_lowercase())));
    let select = Select::new(head)
        .and("agents.org = {}", by.org().uuid())
        .and_some("owner = {}", filter.owner)
        .and_some("group_id = {}", filter.group)
        .and_some("kind = {}", filter.kind)
        .and_some("status = {}", filter.status)
        .and_some("deployment_env = {}", filter.env)
        .and_some("visibility = {}", filter.visibility)
        .and_some("capabilities LIKE {} ESCAPE '!'", capability)
        .and_some("lower(handle || ' ' || display_name) LIKE {} ESCAPE '!'", q);
    let select = match filter.orphaned {
        true => select.and_all(ORPHANED, []),
        false => select,
    };
    by.narrow(select, &AGENT_COLUMNS)
}

/// Nobody who belongs to the organization answers for it.
const ORPHANED: &str = "status <> 'decommissioned' AND NOT EXISTS (SELECT 1 FROM memberships \
    WHERE memberships.org = agents.org AND memberships.user_id = agents.owner) \
    AND NOT EXISTS (SELECT 1 FROM groups WHERE groups.org = agents.org AND groups.id = agents.owner)";

/// Newest first.
pub(crate) async fn list(
    db: &Db,
    by: &Allowance,
    filter: &Filter,
    before: Option<AgentId>,
    limit: i64,
) -> Result<Vec<Agent>, DbError> {
    let select = filtered(AGENT, by, filter)
        .and_some("agents.id < {}", before.map(Id::uuid))
        .order("agents.id DESC")
        .limit(limit);
    db.read(by.scope(), select).await?.into_iter().map(agent).collect()
}

/// A page of agents that are not retired and how many there are in all. The condition may name columns of `agents`.
pub(crate) async fn search(
    db: &Db,
    by: &Allowance,
    required: &Required,
    search: &Search,
) -> Result<(Vec<Agent>, i64), DbError> {
    let of = |head| {
        let select =
            Select::new(head).and("agents.org = {}", by.org().uuid()).and("status <> {}", "decommissioned");
        by.narrow_for(required, search.filtered(select), &AGENT_COLUMNS)
    };
    let count = db.read_one(by.scope(), of("SELECT count(*) FROM agents")).await?;
    let rows = db.read(by.scope(), search.paged(of(AGENT), "agents.id")).await?;
    Ok((rows.into_iter().map(agent).collect::<Result<_, _>>()?, count.map_or(Ok(0), |mut row| row.next())?))
}

pub(crate) async fn count(db: &Db, by: &Allowance, filter: &Filter) -> Result<i64, DbError> {
    let rows = db.read_one(by.scope(), filtered("SELECT count(*) FROM agents", by, filter)).await?;
    rows.map_or(Ok(0), |mut row| row.next())
}

fn like(text: &str) -> String {
    text.replace('!', "!!").replace('%', "!%").replace('_', "!_")
}

fn text(value: &impl serde::Serialize) -> Value {
    // Lists and maps of strings always serialise.
    serde_json::to_string(value).unwrap_or_default().into()
}

pub(crate) fn insert(agent: &Agent) -> Statement {
    let columns = "INSERT INTO agents (org, id, namespace, name, handle, display_name, description, kind, version, \
        capabilities, owner, deployment_env, status, visibility, tags, metadata, created_by, created_at, \
        updated_at, revision, owner_kind, group_id, external_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, \
        $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23)";
    let params = vec![
        agent.org.uuid().into(),
        agent.id.uuid().into(),
        agent.namespace.as_str().into(),
        agent.name.as_str().into(),
        agent.handle.as_str().into(),
        agent.display_name.as_str().into(),
        agent.description.as_str().into(),
        agent.kind.name().into(),
        agent.version.as_str().into(),
        text(&agent.capabilities),
        agent.owner.uuid().into(),
        agent.deployment_env.name().into(),
        agent.status.name().into(),
        agent.visibility.name().into(),
        text(&agent.tags),
        text(&agent.metadata),
        agent.created_by.as_str().into(),
        agent.created_at.into(),
        agent.updated_at.into(),
        agent.revision.into(),
        agent.owner.kind().into(),
        agent.group.map(Id::uuid).into(),
        agent.external_id.clone().into(),
    ];
    sql(columns, params).unique_or(&problem::AGENT_EXISTS)
}

/// Writes everything that may change; `agent.revision` is the new one.
pub(crate) fn update(agent: &Agent) -> Statement {
    let columns = "UPDATE agents SET display_name = $3, description = $4, version = $5, capabilities = $6, owner = $7, \
        deployment_env = $8, status = $9, visibility = $10, tags = $11, metadata = $12, updated_at = $13, \
        kind = $14, owner_kind = $16, group_id = $17, external_id = $18, revision = $15 WHERE org = $1 AND id = $2 AND revision = $15 - 1";
    let params = vec![
        agent.org.uuid().into(),
        agent.id.uuid().into(),
        agent.display_name.as_str().into(),
        agent.description.as_str().into(),
        agent.version.as_str().into(),
        text(&agent.capabilities),
        agent.owner.uuid().into(),
        agent.deployment_env.name().into(),
        agent.status.name().into(),
        agent.visibility.name().into(),
        text(&agent.tags),
        text(&agent.metadata),
        agent.updated_at.into(),
        agent.kind.name().into(),
        agent.revision.into(),
        agent.owner.kind().into(),
        agent.group.map(Id::uuid).into(),
        agent.external_id.clone().into(),
    ];
    sql(columns, params).fresh().unique_or(&problem::AGENT_EXISTS)
}

/// An agent for the index of standings; any organization's.
pub(crate) async fn standing(db: &Db, scope: SystemScope, id: AgentId) -> Result<Option<Standing>, DbError> {
    let text = "SELECT org, status, display_name, namespace, name, owner_kind, owner, deployment_env, revision \
                FROM agents WHERE id = $1";
    let Some(mut row) = db.read_one(scope, sql(text, vec![id.uuid().into()])).await? else { return Ok(None) };
    Ok(Some(Standing {
        id,
        org: row.id()?,
        status: row.parse::<Status>()?,
        display: row.next::<String>()?.into(),
        namespace: row.next::<String>()?.into(),
        name: row.next::<String>()?.into(),
        owner: owner(&mut row)?,
        env: row.parse()?,
        revision: row.next()?,
    }))
}

/// Whether the person belongs to the organization and is active; with the row's revision.
pub(crate) async fn member(db: &Db, scope: &OrgScope, user: Uuid) -> Result<Option<i64>, DbError> {
    let text = "SELECT revision FROM users WHERE id = $1 AND status = 'active' \
                AND EXISTS (SELECT 1 FROM memberships WHERE org = $2 AND user_id = users.id AND suspended_at IS NULL)";
    let params = vec![user.into(), scope.org().uuid().into()];
    db.read_one(scope, sql(text, params)).await?.map(|mut row| row.next()).transpose()
}

/// Revision of a group of the organization.
pub(crate) async fn group(db: &Db, scope: &OrgScope, group: GroupId) -> Result<Option<i64>, DbError> {
    let text = "SELECT revision FROM groups WHERE org = $1 AND id = $2";
    let params = vec![scope.org().uuid().into(), group.uuid().into()];
    db.read_one(scope, sql(text, params)).await?.map(|mut row| row.next()).transpose()
}

/// Bookkeeping: when and from where something was last used.
pub(crate) fn touch(org: OrgId, id: Uuid, at: Timestamp, ip: Option<String>) -> Statement {
    let text = "INSERT INTO last_used (org, id, at, ip) VALUES ($1, $2, $3, $4) \
                ON CONFLICT (org, id) DO UPDATE SET at = $3, ip = $4";
    sql(text, vec![org.uuid().into(), id.into(), at.into(), ip.into()])
}
