//! Live authority by principal, in memory: in force here at once, elsewhere as fast as the feed.
//!
//! A principal's authority is composed of its own grants and of those of its groups, with the roles' permissions as they
//! stand. The feed names what changed: the principal (`user`, `agent`: its grants or its groups), a `group` (its grants),
//! or a `role` (its permissions); whoever is touched is forgotten and composed anew on its next request.

use std::sync::{Arc, OnceLock};

use authority::Authority;
use cluster::{Cache, Dead, Feed, Heard, OnDead};
use db::{Db, DbError, SystemScope};
use ledger::Ledger;
use problem::Problem;
use types::{GroupId, Id, OrgId, Uuid, World};
use web::PrincipalId;

use crate::{Principals, store};

/// Principals whose grants are kept in memory.
const MOST: usize = 200_000;
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

#[expect(dead_code, reason = "ledger and world are for the operations that come next")]
pub(crate) struct Inner {
    pub(crate) db: Db,
    pub(crate) ledger: Ledger,
    pub(crate) world: World,
    pub(crate) principals: OnceLock<Arc<dyn Principals>>,
    holdings: Cache<(OrgId, Uuid), Holding>,
}

impl Access {
    pub fn new(db: Db, ledger: Ledger, world: World, feed: &Feed) -> Self {
        let holdings = Cache::new(feed.clone(), MOST);
        let inner = Arc::new(Inner { db, ledger, world, principals: OnceLock::new(), holdings });
        feed.listen(inner.clone());
        Self(inner)
    }

    /// Who tells whether a principal stands; set once, at boot.
    pub fn know_principals(&self, principals: Arc<dyn Principals>) {
        // A second one would mean two houses in one process; the first stays.
        let _ = self.0.principals.set(principals);
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.0
    }

    /// What the principal holds in this organization right now; nothing if it is unknown there.
    pub async fn holding(&self, org: OrgId, principal: PrincipalId) -> Result<Arc<Holding>, Problem> {
        let load = async {
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
            "user" | "agent" => self.holdings.forget(&(entry.org, entry.key)),
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
