//! Decisions about agents: registering, changing, suspending, retiring.

use std::collections::BTreeMap;
use std::sync::Arc;

use access::{Access, Gift, Head, NewGrants, depart, give};
use audit::Audit;
use authority::Permission;
use cluster::{Cache, Dead, Feed, Heard, Nodes, OnDead};
use crypto::mac::MacKey;
use db::{AuthorityEntry, Change, Db, FactRow, SystemScope};
use ledger::{FactKind, Ledger};
use problem::Problem;
use secrets::Keyring;
use serde_json::{Map, Value, json};
use types::{AgentId, CredentialId, GroupId, Id, Name, World};
use web::{Allowance, Decided, Details, Patched, PrincipalId};

use crate::model::{
    Agent, AgentType, Credential, DeploymentEnv, FIRST_VERSION, Owner, Standing, Status, Visibility,
};
use crate::seen::Seen;
use crate::store::{self, AgentRef};
use crate::{AgentError, facts};

const INDEX: SystemScope = SystemScope::new("agent index");

#[derive(Clone, Debug)]
pub struct AgentsSettings {
    /// Host part of handles: `name.namespace@<slug>.agents.<host>`.
    pub host: String,
}

/// The registry; clones share it.
#[derive(Clone)]
pub struct Agents(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) db: Db,
    pub(crate) ledger: Ledger,
    pub(crate) world: World,
    pub(crate) access: Access,
    pub(crate) people: people::People,
    pub(crate) audit: Audit,
    pub(crate) nodes: Nodes,
    pub(crate) peppers: BTreeMap<u32, MacKey>,
    pub(crate) seen: Seen,
    settings: AgentsSettings,
    standings: Cache<AgentId, Standing>,
    credentials: Cache<CredentialId, Credential>,
    keys: Cache<AgentId, Vec<Arc<Credential>>>,
}

/// The pepper that new secrets are tagged under.
pub const PEPPER: u32 = 1;

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
    pub roles: Vec<String>,
    pub permissions: Vec<Permission>,
}

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
    pub roles: Patched<Vec<String>>,
    pub permissions: Patched<Vec<Permission>>,
}

impl Agents {
    #[expect(clippy::too_many_arguments, reason = "boot hands every room its parts by name")]
    pub fn new(
        db: Db,
        ledger: Ledger,
        keyring: &Keyring,
        world: World,
        access: Access,
        people: people::People,
        audit: Audit,
        feed: &Feed,
        nodes: Nodes,
        settings: AgentsSettings,
    ) -> Self {
        let inner = Arc::new(Inner {
            seen: Seen::new(db.clone()),
            peppers: BTreeMap::from([(PEPPER, keyring.pepper(PEPPER))]),
            standings: Cache::new(feed.clone(), 200_000),
            credentials: Cache::new(feed.clone(), 200_000),
            keys: Cache::new(feed.clone(), 50_000),
            db,
            ledger,
            world,
            access,
            people,
            audit,
            nodes,
            settings,
        });
        feed.listen(inner.clone());
        Self(inner)
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.0
    }

    /// Whether and as whom an agent stands; in memory.
    pub async fn standing(&self, id: AgentId) -> Result<Option<Arc<Standing>>, Problem> {
        let load = store::standing(&self.0.db, INDEX, id);
        Ok(self.0.standings.get(id, load).await?)
    }

    /// The same from the database, never behind another node.
    pub async fn standing_now(&self, id: AgentId) -> Result<Option<Standing>, Problem> {
        Ok(store::standing(&self.0.db, INDEX, id).await?)
    }

    /// A credential by its id; in memory.
    pub async fn credential(&self, id: CredentialId) -> Result<Option<Arc<Credential>>, Problem> {
        let load = store::credential_by_id(&self.0.db, INDEX, id);
        Ok(self.0.credentials.get(id, load).await?)
    }

    /// The public keys that an agent may sign assertions with; in memory.
    pub async fn keys_of(&self, agent: AgentId) -> Result<Arc<Vec<Arc<Credential>>>, Problem> {
        let load = async {
            let all = store::active_credentials(&self.0.db, INDEX, agent).await?;
            let keys = all.into_iter().filter(|one| one.kind() == crate::CredentialKind::PublicKey);
            Ok::<_, db::DbError>(Some(keys.map(Arc::new).collect::<Vec<_>>()))
        };
        Ok(self.0.keys.get(agent, load).await?.unwrap_or_default())
    }

    /// The key that a secret of this pepper version is tagged under.
    pub fn pepper(&self, version: u32) -> Option<&MacKey> {
        self.0.peppers.get(&version)
    }

    /// Notes that a credential (and so its agent) was used; written behind, now and then.
    pub fn used(&self, credential: &Credential, ip: Option<std::net::IpAddr>) {
        self.0.seen.note(credential, self.0.world.now(), ip);
    }

    /// Writes down what was noted; the flusher calls it every few seconds and at the end.
    pub async fn flush_seen(&self) {
        self.0.seen.flush().await;
    }

    /// The agent, if the caller may do its operation to it.
    pub async fn find(&self, by: &Allowance, of: &AgentRef) -> Result<Agent, AgentError> {
        let found = store::find(&self.0.db, &by.scope(), of).await?.ok_or(AgentError::Unknown)?;
        let attributes = || found.attributes();
        by.check_with(&found.object(), Details { attributes: Some(&attributes), arguments: None })?;
        let mut one = [found];
        self.name_rights(by, &mut one).await?;
        let [agent] = one;
        Ok(agent)
    }

    /// Fills in which roles and permissions each agent was given; `access` keeps them.
    pub(crate) async fn name_rights(&self, by: &Allowance, agents: &mut [Agent]) -> Result<(), AgentError> {
        let ids: Vec<_> = agents.iter().map(|agent| agent.id.uuid()).collect();
        let mut names = self.0.access.names_of_all(&by.scope(), &ids).await?;
        for agent in agents {
            (agent.roles, agent.permissions) = names.remove(&agent.id.uuid()).unwrap_or_default();
        }
        Ok(())
    }

    pub(crate) async fn create(&self, by: &Allowance, wanted: &Wanted) -> Result<Decided<Agent>, AgentError> {
        let inner = self.inner();
        let mut agent = self.draft(by, wanted).await?;
        small_enough(&agent.metadata)?;
        by.check(&agent.object())?;
        let org = inner.people.standing_org(by).await?;
        if org.settings.new_agents_need_approval {
            agent.status = Status::Pending;
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
            .authority(entry(&agent, false));
        metrics::counter!("safeconduct_agents_created_total").increment(1);
        Ok(Decided::new(grounds.relied_on(head.relied_on(change)), agent))
    }

    pub(crate) async fn update(
        &self,
        by: &Allowance,
        of: &AgentRef,
        patch: &Patch,
    ) -> Result<Decided<Agent>, AgentError> {
        let inner = self.inner();
        let mut agent = self.find(by, of).await?;
        by.expect_revision(agent.revision)?;
        if agent.status == Status::Decommissioned {
            return Err(AgentError::Decommissioned);
        }
        let mut head = None;
        if patch.owner.set().is_some_and(|owner| *owner != agent.owner) {
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
        let mut change = Change::new(by.scope(), inner.ledger.seal(fact).await?)
            .statement(store::update(&agent))
            .authority(entry(&agent, false));
        change = grounds.relied_on(change);
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

    pub(crate) async fn suspend(
        &self,
        by: &Allowance,
        of: &AgentRef,
        reason: Option<&str>,
    ) -> Result<Decided<Agent>, AgentError> {
        let mut agent = self.find(by, of).await?;
        by.expect_revision(agent.revision)?;
        match agent.status {
            Status::Active => agent.status = Status::Suspended,
            Status::Decommissioned => return Err(AgentError::Decommissioned),
            other => return Err(AgentError::NotActive(other.name())),
        }
        let change =
            self.turn(by, &mut agent, &facts::AGENT_SUSPENDED, json!({ "reason": reason }), true).await?;
        Ok(Decided::new(change, agent))
    }

    pub(crate) async fn reactivate(
        &self,
        by: &Allowance,
        of: &AgentRef,
    ) -> Result<Decided<Agent>, AgentError> {
        let mut agent = self.find(by, of).await?;
        by.expect_revision(agent.revision)?;
        let head = self.may_wield(by, &agent).await?;
        match agent.status {
            Status::Suspended => agent.status = Status::Active,
            Status::Decommissioned => return Err(AgentError::Decommissioned),
            other => return Err(AgentError::NotSuspended(other.name())),
        }
        let org = self.inner().people.standing_org(by).await?;
        let grounds = self.grounds(by, &agent).await?;
        let change = self.turn(by, &mut agent, &facts::AGENT_REACTIVATED, json!({}), false).await?;
        let change = grounds.relied_on(head.relied_on(change)).guard("orgs", org.id, org.revision);
        Ok(Decided::new(change, agent))
    }

    /// Final: credentials are revoked, tokens die, the record stays.
    pub(crate) async fn decommission(
        &self,
        by: &Allowance,
        of: &AgentRef,
    ) -> Result<Decided<Agent>, AgentError> {
        let inner = self.inner();
        let mut agent = self.find(by, of).await?;
        by.expect_revision(agent.revision)?;
        if agent.status == Status::Decommissioned {
            return Err(AgentError::Decommissioned);
        }
        agent.status = Status::Decommissioned;
        let credentials = store::active_credentials(&inner.db, by.scope(), agent.id).await?;
        let data = json!({ "credentials": credentials.len() });
        let mut change = self.turn(by, &mut agent, &facts::AGENT_DECOMMISSIONED, data, true).await?;
        let cause = change.first_fact();
        for credential in &credentials {
            let fact = by
                .fact(&facts::CREDENTIAL_REVOKED)
                .target("credential", credential.id, &credential.label)
                .data(json!({ "agent": agent.id }))
                .cause(cause);
            change = change.fact(inner.ledger.seal(fact).await?);
        }
        let change = change.statement(store::revoke_all(&agent, agent.updated_at));
        let change = depart(change, agent.org, PrincipalId::Agent(agent.id), agent.updated_at);
        Ok(Decided::new(change, agent))
    }

    /// The change that gives `agent` its new status.
    pub(crate) async fn turn(
        &self,
        by: &Allowance,
        agent: &mut Agent,
        kind: &'static FactKind,
        data: Value,
        dead: bool,
    ) -> Result<Change, AgentError> {
        self.touch(agent);
        let fact = by.fact(kind).target("agent", agent.id, &agent.display_name).data(data);
        let fact: FactRow = self.inner().ledger.seal(fact).await?;
        Ok(Change::new(by.scope(), fact).statement(store::update(agent)).authority(entry(agent, dead)))
    }

    pub(crate) fn touch(&self, agent: &mut Agent) {
        agent.updated_at = self.inner().world.now();
        agent.revision += 1;
    }

    fn gifts(&self, agent: &Agent, grants: &NewGrants, by: &Allowance) -> Vec<db::Statement> {
        let giver = by.caller().principal().to_string();
        let to = PrincipalId::Agent(agent.id);
        let world = &self.inner().world;
        let give = |gift: &Gift| give(world, agent.org, to, gift, &giver, agent.updated_at);
        grants.gifts.iter().map(give).collect()
    }

    /// Nobody grants what they do not hold; the head stands for everything that this relied on.
    async fn giving(&self, by: &Allowance, grants: &NewGrants) -> Result<Head, AgentError> {
        let giver = self.inner().access.giver(by).await?;
        giver.holds(grants.authority())?;
        Ok(giver.head)
    }

    /// Whoever can act as an agent has its rights: a secret for it, its ownership, its return to work are given only by
    /// those who hold as much here and now. The agent itself does, but not with a token that was narrowed: its credential
    /// would give everything back. Guard the head that comes back.
    pub(crate) async fn may_wield(&self, by: &Allowance, agent: &Agent) -> Result<Head, AgentError> {
        let access = &self.inner().access;
        if by.caller().principal() == PrincipalId::Agent(agent.id) && by.caller().is_whole() {
            return Ok(access.head(&by.scope()).await?);
        }
        let giver = access.giver(by).await?;
        giver.holds(&access.authority_now(&by.scope(), PrincipalId::Agent(agent.id)).await?)?;
        Ok(giver.head)
    }

    /// The owner and the group of an agent, as they stand now: whoever writes the agent relies on them.
    pub(crate) async fn grounds(&self, by: &Allowance, agent: &Agent) -> Result<Grounds, AgentError> {
        let owner = self.owner(by, agent.owner, "/owner").await?;
        let group = match agent.group.filter(|group| agent.owner != Owner::Group(*group)) {
            None => None,
            Some(group) => Some(self.owner(by, Owner::Group(group), "/group").await?),
        };
        Ok(Grounds { owner, group })
    }

    pub(crate) async fn owner(
        &self,
        by: &Allowance,
        owner: Owner,
        field: &'static str,
    ) -> Result<(Owner, i64), AgentError> {
        let db = &self.inner().db;
        let (found, reason) = match owner {
            Owner::User(user) => (
                store::member(db, &by.scope(), user.uuid()).await?,
                "must be an active person of the organization",
            ),
            Owner::Group(group) => {
                (store::group(db, &by.scope(), group).await?, "must be a group of the organization")
            }
        };
        let revision = found.ok_or_else(|| AgentError::Invalid { field, reason: reason.to_owned() })?;
        Ok((owner, revision))
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

/// Rows that an agent hangs on, with the revisions that a decision saw.
pub(crate) struct Grounds {
    owner: (Owner, i64),
    group: Option<(Owner, i64)>,
}

impl Grounds {
    pub(crate) fn relied_on(self, change: Change) -> Change {
        let guard = |change: Change, (owner, revision): (Owner, i64)| match owner {
            Owner::User(user) => change.guard("users", user, revision),
            Owner::Group(group) => change.guard("groups", group, revision),
        };
        self.group.into_iter().fold(guard(change, self.owner), guard)
    }
}

impl OnDead for Inner {
    fn heard(&self, entry: &Heard) -> Dead {
        match entry.kind.as_str() {
            "agent" => {
                let agent = AgentId::from_uuid(entry.key);
                self.standings.forget(&agent);
                self.keys.forget(&agent);
                if entry.dead {
                    self.credentials.forget_all();
                }
            }
            "credential" => {
                self.credentials.forget(&CredentialId::from_uuid(entry.key));
                self.keys.forget_all();
            }
            _ => {}
        }
        Dead::default()
    }
}

pub(crate) fn entry(agent: &Agent, dead: bool) -> AuthorityEntry {
    AuthorityEntry { org: agent.org, kind: "agent", key: agent.id.uuid(), dead }
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

/// Of what is stored, not of what a request brings: patches add up.
const LARGEST_METADATA: usize = 16 * 1024;

fn small_enough(metadata: &Map<String, Value>) -> Result<(), AgentError> {
    let size = serde_json::to_vec(metadata).map_or(usize::MAX, |bytes| bytes.len());
    if size <= LARGEST_METADATA {
        return Ok(());
    }
    let reason = format!("has {size} bytes; at most {LARGEST_METADATA} are kept");
    Err(AgentError::Invalid { field: "/metadata", reason })
}

impl Agents {
    /// For `credentials`: the agent that a credential operation is about, readable by the caller at all.
    pub(crate) async fn owner_of_credentials(
        &self,
        by: &Allowance,
        of: &AgentRef,
    ) -> Result<Agent, AgentError> {
        store::find(&self.0.db, &by.scope(), of).await?.ok_or(AgentError::Unknown)
    }
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
