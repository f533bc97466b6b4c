//! The facade of this domain and what its parts share.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use access::Access;
use cluster::{Cache, Dead, Feed, Heard, OnDead};
use crypto::mac::MacKey;
use db::{Db, SystemScope};
use dns::Records;
use ledger::Ledger;
use secrets::Keyring;
use types::{OrgId, UserId, World};

use crate::{Dependents, Org, OrgSettings, PeopleError, Person, store};

pub(crate) const SIGN_IN: SystemScope = SystemScope::new("sign-in look-ups");
/// Organizations and people as the instance sees them; every use checks who asks.
pub(crate) const INSTANCE: SystemScope = SystemScope::new("organizations of the instance");

#[derive(Clone, Debug)]
pub struct PeopleSettings {
    /// Without trailing slash; the host of links and cookies.
    pub public_url: String,
    /// Where the owner link is written (0600).
    pub data_dir: PathBuf,
    pub owner_email: Option<String>,
    /// A session ends this long after sign-in, whatever happens.
    pub session_lifetime: Duration,
    /// A session ends when nobody used it for this long.
    pub session_idle: Duration,
}

/// Organizations, people and sessions; clones share it.
#[derive(Clone)]
pub struct People(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) db: Db,
    pub(crate) ledger: Ledger,
    pub(crate) keyring: Keyring,
    pub(crate) world: World,
    pub(crate) access: Access,
    pub(crate) feed: Feed,
    pub(crate) records: Arc<dyn Records>,
    pub(crate) settings: PeopleSettings,
    pub(crate) session_key: MacKey,
    pub(crate) link_key: MacKey,
    pub(crate) dependents: OnceLock<Arc<dyn Dependents>>,
    orgs: Cache<OrgId, Org>,
    persons: Cache<UserId, Person>,
}

impl People {
    #[expect(clippy::too_many_arguments, reason = "boot hands every room its parts by name")]
    pub fn new(
        db: Db,
        ledger: Ledger,
        keyring: &Keyring,
        world: World,
        access: Access,
        feed: &Feed,
        records: Arc<dyn Records>,
        settings: PeopleSettings,
    ) -> Self {
        let inner = Arc::new(Inner {
            db,
            ledger,
            keyring: keyring.clone(),
            world,
            access,
            feed: feed.clone(),
            records,
            settings,
            session_key: keyring.derive("sessions"),
            link_key: keyring.derive("owner links"),
            dependents: OnceLock::new(),
            orgs: Cache::new(feed.clone(), 10_000),
            persons: Cache::new(feed.clone(), 100_000),
        });
        feed.listen(inner.clone());
        Self(inner)
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.0
    }

    pub async fn org(&self, id: OrgId) -> Result<Option<Arc<Org>>, PeopleError> {
        let load = || store::org_by_id(&self.0.db, SIGN_IN, id);
        Ok(self.0.orgs.get(id, load).await?)
    }

    /// What the organization decided about itself; the defaults if it is gone.
    pub async fn settings(&self, id: OrgId) -> Result<OrgSettings, PeopleError> {
        Ok(self.org(id).await?.map(|org| org.settings.clone()).unwrap_or_default())
    }

    /// The organization that `/o/{slug}` names.
    pub async fn org_by_slug(&self, slug: &str) -> Result<Option<Org>, PeopleError> {
        Ok(store::org_by_slug(&self.0.db, SIGN_IN, slug).await?)
    }

    /// The person, if it is a member of the organization; read from the database, never behind another node.
    pub async fn member(&self, org: OrgId, id: UserId) -> Result<Option<Person>, PeopleError> {
        Ok(store::person_in(&self.0.db, SIGN_IN, org, id).await?)
    }

    pub async fn person(&self, id: UserId) -> Result<Option<Arc<Person>>, PeopleError> {
        let load = || store::person_by_id(&self.0.db, SIGN_IN, id);
        Ok(self.0.persons.get(id, load).await?)
    }
}

impl OnDead for Inner {
    fn heard(&self, entry: &Heard) -> Dead {
        match entry.kind.as_str() {
            "user" => self.persons.forget(&types::Id::from_uuid(entry.key)),
            "org" => {
                let org = types::Id::from_uuid(entry.key);
                self.orgs.forget(&org);
                if entry.dead {
                    self.keyring.forget(org);
                }
            }
            _ => {}
        }
        Dead::default()
    }
}
