//! Live authority by principal, in memory: in force here at once, elsewhere as fast as the feed.
//!
//! A principal's authority is composed of its own grants and of those of its groups, with the roles' permissions as they
//! stand. The feed names what changed: the principal (`user`, `agent`: its grants or its groups), a `group` (its grants),
//! or a `role` (its permissions); whoever is touched is forgotten and composed anew on its next request.

use std::sync::{Arc, OnceLock};

use authority::Authority;
use cluster::{Cache, Dead, Feed, Heard, OnDead};
use crypto::mac::MacKey;
use db::{Db, DbError, SystemScope};
use ledger::Ledger;
use problem::Problem;
use secrets::Keyring;
use types::{ApiKeyId, GroupId, Id, OrgId, Uuid, World};
use web::{PrincipalId, Spec};

use crate::keys::{ApiKey, PEPPER};
use crate::seen::Seen;
use crate::{Known, Principals, store};

/// Principals whose grants are kept in memory.
const MOST: usize = 200_000;
/// API keys, and owners of such, that are kept in memory.
const MOST_KEYS: usize = 50_000;
const PURPOSE: SystemScope = SystemScope::new("permission index");

/// What a principal holds in one organization, and by which groups it is reached.
#[derive(Clone, Debug, Default)]
pub struct Holding {
    pub authority: Arc<Authority>,
    pub groups: Arc<[GroupId]>,
}

/// Roles, grants and the live index; clones share it.
#[derive(Clone)]
pub struct Access(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) db: Db,
    pub(crate) ledger: Ledger,
    pub(crate) world: World,
    pub(crate) feed: Feed,
    pub(crate) pepper: MacKey,
    pub(crate) seen: Seen,
    pub(crate) principals: OnceLock<Arc<dyn Principals>>,
    operations: OnceLock<Vec<&'static Spec>>,
    holdings: Cache<(OrgId, Uuid), Holding>,
    keys: Cache<ApiKeyId, ApiKey>,
    standings: Cache<(OrgId, Uuid), Known>,
}

impl Access {
    pub fn new(db: Db, ledger: Ledger, keyring: &Keyring, world: World, feed: &Feed) -> Self {
        let inner = Arc::new(Inner {
            db,
            ledger,
            world,
            feed: feed.clone(),
            pepper: keyring.pepper(PEPPER),
            seen: Seen::default(),
            principals: OnceLock::new(),
            operations: OnceLock::new(),
            holdings: Cache::new(feed.clone(), MOST),
            keys: Cache::new(feed.clone(), MOST_KEYS),
            standings: Cache::new(feed.clone(), MOST_KEYS),
        });
        feed.listen(inner.clone());
        Self(inner)
    }

    /// Who tells whether a principal stands; set once, at boot.
    pub fn know_principals(&self, principals: Arc<dyn Principals>) {
        // A second one would mean two houses in one process; the first stays.
        let _ = self.0.principals.set(principals);
    }

    /// The operations of this server, which the catalogue of permissions is made of; set once, at boot.
    pub fn know_operations(&self, specs: Vec<&'static Spec>) {
        let _ = self.0.operations.set(specs);
    }

    pub(crate) fn operations(&self) -> &[&'static Spec] {
        self.0.operations.get().map_or(&[], Vec::as_slice)
    }

    /// Writes down when keys were used; called every few seconds and at the end.
    pub async fn flush_seen(&self) {
        self.0.seen.flush(&self.0.db).await;
    }

    /// An API key of any organization, from memory.
    pub(crate) async fn key(&self, id: ApiKeyId) -> Result<Option<Arc<ApiKey>>, Problem> {
        let load = || store::key_by_id(&self.0.db, PURPOSE, id);
        Ok(self.0.keys.get(id, load).await?)
    }

    /// Whether work that stands on this key may go on.
    pub async fn key_stands(&self, id: ApiKeyId) -> Result<bool, Problem> {
        let now = self.0.world.now();
        let Some(key) = self.key(id).await?.filter(|key| key.is_usable(now)) else { return Ok(false) };
        Ok(self.standing(key.org, key.owner).await?.is_some_and(|known| known.active))
    }

    /// Whether a key's owner stands, from memory.
    pub(crate) async fn standing(
        &self,
        org: OrgId,
        principal: PrincipalId,
    ) -> Result<Option<Arc<Known>>, Problem> {
        self.0.standings.get((org, principal.uuid()), || self.known(org, principal)).await
    }

    /// Whether somebody is there and active: what a suspended one may do is still known.
    pub async fn stands(&self, org: OrgId, principal: PrincipalId) -> Result<bool, Problem> {
        Ok(self.standing(org, principal).await?.is_some_and(|known| known.active))
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.0
    }

    /// What the principal holds in this organization right now; nothing if it is unknown there.
    pub async fn holding(&self, org: OrgId, principal: PrincipalId) -> Result<Arc<Holding>, Problem> {
        let load = || async {
            let sources = store::sources_of(&self.0.db, PURPOSE, org, principal.uuid()).await?;
            Ok::<_, DbError>(Some(sources.holding()))
        };
        let found = self.0.holdings.get((org, principal.uuid()), load).await?;
        Ok(found.unwrap_or_default())
    }

    /// The authority alone.
    pub async fn grants(&self, org: OrgId, principal: PrincipalId) -> Result<Arc<Authority>, Problem> {
        Ok(self.holding(org, principal).await?.authority.clone())
    }
}

impl OnDead for Inner {
    fn heard(&self, entry: &Heard) -> Dead {
        match entry.kind.as_str() {
            "user" | "agent" => {
                self.holdings.forget(&(entry.org, entry.key));
                // A person is suspended everywhere at once; who leaves loses every key.
                self.standings.forget_where(|(_, id), _| *id == entry.key);
                self.keys.forget_where(|_, key| key.owner.uuid() == entry.key);
            }
            "api_key" => self.keys.forget(&ApiKeyId::from_uuid(entry.key)),
            "group" => {
                let group = GroupId::from_uuid(entry.key);
                self.holdings
                    .forget_where(|(org, _), held| *org == entry.org && held.groups.contains(&group));
            }
            "role" => self.holdings.forget_where(|(org, _), _| *org == entry.org),
            _ => {}
        }
        Dead::default()
    }
}
