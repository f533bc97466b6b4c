//! The registry itself: what stands in memory, and how an agent is found. What is decided about agents has a file each.

use std::collections::BTreeMap;
use std::sync::Arc;

use access::Access;
use audit::Audit;
use authority::Required;
use cluster::{Cache, Dead, Feed, Heard, Nodes, OnDead};
use crypto::mac::MacKey;
use db::{AuthorityEntry, Db, SystemScope};
use ledger::Ledger;
use problem::Problem;
use secrets::Keyring;
use types::{AgentId, CredentialId, Id, World};
use web::{Allowance, Details, Search};

use crate::AgentError;
use crate::model::{Agent, Credential, Standing};
use crate::seen::Seen;
use crate::store::{self, AgentRef};

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
    pub(crate) settings: AgentsSettings,
    standings: Cache<AgentId, Standing>,
    credentials: Cache<CredentialId, Credential>,
    keys: Cache<AgentId, Vec<Arc<Credential>>>,
}

/// The pepper that new secrets are tagged under.
pub const PEPPER: u32 = 1;

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
        let load = || store::standing(&self.0.db, INDEX, id);
        Ok(self.0.standings.get(id, load).await?)
    }

    /// The same from the database, never behind another node.
    pub async fn standing_now(&self, id: AgentId) -> Result<Option<Standing>, Problem> {
        Ok(store::standing(&self.0.db, INDEX, id).await?)
    }

    /// A credential by its id; in memory.
    pub async fn credential(&self, id: CredentialId) -> Result<Option<Arc<Credential>>, Problem> {
        let load = || store::credential_by_id(&self.0.db, INDEX, id);
        Ok(self.0.credentials.get(id, load).await?)
    }

    /// The public keys that an agent may sign assertions with; in memory.
    pub async fn keys_of(&self, agent: AgentId) -> Result<Arc<Vec<Arc<Credential>>>, Problem> {
        let load = || async {
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

    /// A page of agents that are not retired and how many there are. The condition may name columns of `agents`.
    pub async fn search(
        &self,
        by: &Allowance,
        required: &Required,
        search: &Search,
    ) -> Result<(Vec<Agent>, i64), AgentError> {
        Ok(store::search(&self.0.db, by, required, search).await?)
    }

    /// For `credentials`: the agent that a credential operation is about, readable by the caller at all.
    pub(crate) async fn owner_of_credentials(
        &self,
        by: &Allowance,
        of: &AgentRef,
    ) -> Result<Agent, AgentError> {
        store::find(&self.0.db, &by.scope(), of).await?.ok_or(AgentError::Unknown)
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

pub(crate) fn entry(agent: &Agent) -> AuthorityEntry {
    AuthorityEntry::changed(agent.org, "agent", agent.id.uuid())
}
