//! Decisions about policies themselves: writing a version, putting it in force, taking it out.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use access::Access;
use agents::Agents;
use cluster::{Cache, Feed};
use crypto::hash::sha256;
use db::{AuthorityEntry, Change, Db};
use ledger::Ledger;
use rego::Limits;
use secrets::{Keyring, Purpose};
use serde_json::json;
use types::{Id, OrgId, PolicyId, Uuid, World};
use web::{Allowance, Decided};

use crate::files::{Files, FilesError, Reloaded};
use crate::in_force::{InForce, compile};
use crate::model::{PolicyBundle, Version, place, row_of};
use crate::principals::Portrait;
use crate::record::Recorder;
use crate::store::Stored;
use crate::uses::Uses;
use crate::{PolicyError, Things, facts, store};

/// What policies stand on in this process.
pub struct PoliciesGround {
    pub db: Db,
    pub ledger: Ledger,
    pub keyring: Keyring,
    pub world: World,
    pub feed: Feed,
    pub access: Access,
    pub agents: Agents,
    pub things: Arc<dyn Things>,
}

#[derive(Clone, Debug)]
pub struct PoliciesSettings {
    /// The operator's rules; the built-in ones if none.
    pub directory: Option<PathBuf>,
    pub record: Record,
    /// How long decisions are kept.
    pub kept_for: Duration,
    /// `context.env` of every question.
    pub env: &'static str,
    /// Without trailing slash.
    pub public_url: String,
}

/// Which decisions are kept with their questions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Record {
    Denied,
    Full,
}

/// Policies; clones share them.
#[derive(Clone)]
pub struct Policies(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) db: Db,
    pub(crate) ledger: Ledger,
    pub(crate) keyring: Keyring,
    pub(crate) world: World,
    pub(crate) access: Access,
    pub(crate) agents: Agents,
    pub(crate) things: Arc<dyn Things>,
    pub(crate) settings: PoliciesSettings,
    pub(crate) files: Files,
    pub(crate) in_force: InForce,
    pub(crate) principals: Cache<(OrgId, Uuid), Portrait>,
    pub(crate) recorder: Recorder,
    pub(crate) uses: Uses,
}

/// Principals whose portraits are kept.
const PORTRAITS: usize = 100_000;

/// A version, and whether it is in force.
#[derive(Clone)]
pub(crate) struct Shown {
    pub(crate) version: Version,
    pub(crate) active: bool,
}

impl Policies {
    /// # Errors
    /// The operator's files cannot be read or do not compile.
    pub fn new(ground: PoliciesGround, settings: PoliciesSettings) -> Result<Self, FilesError> {
        let PoliciesGround { db, ledger, keyring, world, feed, access, agents, things } = ground;
        let inner = Arc::new(Inner {
            files: Files::open(settings.directory.clone())?,
            in_force: InForce::default(),
            principals: Cache::new(feed.clone(), PORTRAITS),
            recorder: Recorder::new(settings.record),
            uses: Uses::default(),
            db,
            ledger,
            keyring,
            world,
            access,
            agents,
            things,
            settings,
        });
        feed.listen(inner.clone());
        Ok(Self(inner))
    }

    pub(crate) fn inner(&self) -> &Arc<Inner> {
        &self.0
    }

    /// Reads the operator's files if they changed, or in any case.
    pub fn reload_files(&self, anyway: bool) -> Reloaded {
        match self.0.files.reload(anyway) {
            Ok(Reloaded::Changed) => {
                tracing::info!("the policy files were read anew");
                Reloaded::Changed
            }
            Ok(reloaded) => reloaded,
            Err(error) => {
                tracing::warn!(%error, "the policy files are broken; those before stay in force");
                Reloaded::Refused
            }
        }
    }

    /// Writes down what was only noted.
    pub async fn flush(&self) {
        self.0.uses.flush(&self.0.db).await;
        if let Err(error) = self.0.write_decisions().await {
            tracing::warn!(%error, "decisions were not written");
        }
    }

    /// Removes decisions that are older than they are kept.
    pub async fn sweep(&self) {
        let before = self.0.world.now().minus(self.0.settings.kept_for);
        if let Err(error) = self.0.sweep_decisions(before).await {
            tracing::warn!(%error, "old decisions were not swept");
        }
    }

    pub(crate) async fn create(
        &self,
        by: &Allowance,
        description: &str,
        bundle: &PolicyBundle,
    ) -> Result<Decided<Shown>, PolicyError> {
        let inner = &*self.0;
        let compiled = compile(bundle.bundle(), Limits::TENANT).await?;
        let head = store::head(&inner.db, &by.scope()).await?;
        let plain = serde_json::to_vec(bundle).map_err(problem::Problem::internal)?;
        let version = Version {
            id: inner.world.id(),
            org: by.org(),
            number: head.as_ref().map_or(0, |head| head.last_number) + 1,
            description: description.to_owned(),
            sha256: sha256(&plain),
            modules: whole(bundle.modules.len()),
            rules: whole(compiled.rules()),
            author: by.caller().principal().to_string(),
            created_at: inner.world.now(),
        };
        let row = row_of(version.id);
        let aad = place(version.org, "policies", "bundle", &row);
        let sealed = inner.keyring.seal(Purpose::Records, &aad, &plain).await?;
        let data = json!({
            "number": version.number,
            "sha256": hex::encode(version.sha256),
            "modules": version.modules,
            "rules": version.rules,
        });
        let fact = by.fact(&facts::POLICY_CREATED).target("policy", version.id, version.name()).data(data);
        let change = Change::new(by.scope(), inner.ledger.seal(fact).await?)
            .statement(store::advance(by.org(), head.as_ref(), version.number))
            .statement(store::insert(&version, sealed));
        Ok(Decided::new(change, Shown { version, active: false }))
    }

    /// The version, if the caller may do its operation to it.
    pub(crate) async fn find(&self, by: &Allowance, id: PolicyId) -> Result<Stored, PolicyError> {
        let found = store::find(&self.0.db, &by.scope(), id).await?.ok_or(PolicyError::Unknown)?;
        by.check(&found.object())?;
        Ok(found)
    }

    pub(crate) async fn activate(&self, by: &Allowance, id: PolicyId) -> Result<Decided<Shown>, PolicyError> {
        let inner = &*self.0;
        let found = self.find(by, id).await?;
        let head = store::head(&inner.db, &by.scope()).await?.ok_or(PolicyError::Unknown)?;
        if head.active == Some(id) {
            return Err(PolicyError::Active(found.number));
        }
        // It compiled when it was written; what goes in force compiles today.
        let (version, bundle) = inner.open(found).await?;
        compile(bundle.bundle(), Limits::TENANT).await?;
        let data = json!({
            "number": version.number,
            "sha256": hex::encode(version.sha256),
            "replaced": head.active,
        });
        let fact = by.fact(&facts::POLICY_ACTIVATED).target("policy", id, version.name()).data(data);
        let who = by.caller().principal().to_string();
        let statement = store::put_in_force(by.org(), &head, Some(id), inner.world.now(), &who);
        let change = Change::new(by.scope(), inner.ledger.seal(fact).await?)
            .statement(statement)
            .authority(news(by.org(), id));
        Ok(Decided::new(change, Shown { version, active: true }))
    }

    pub(crate) async fn deactivate(
        &self,
        by: &Allowance,
        id: PolicyId,
    ) -> Result<Decided<Shown>, PolicyError> {
        let inner = &*self.0;
        let found = self.find(by, id).await?;
        let head = store::head(&inner.db, &by.scope()).await?.ok_or(PolicyError::Unknown)?;
        if head.active != Some(id) {
            return Err(PolicyError::NotActive(found.number));
        }
        let fact = by.fact(&facts::POLICY_DEACTIVATED).target("policy", id, found.name());
        let fact = fact.data(json!({ "number": found.number }));
        let who = by.caller().principal().to_string();
        let statement = store::put_in_force(by.org(), &head, None, inner.world.now(), &who);
        let change = Change::new(by.scope(), inner.ledger.seal(fact).await?)
            .statement(statement)
            .authority(news(by.org(), id));
        Ok(Decided::new(change, Shown { version: found.version, active: false }))
    }

    /// The draft that a question is put to: a version, or modules that were sent along.
    pub(crate) async fn draft(
        &self,
        by: &Allowance,
        policy: Option<PolicyId>,
        bundle: Option<&PolicyBundle>,
    ) -> Result<Option<PolicyBundle>, PolicyError> {
        match (policy, bundle) {
            (Some(_), Some(_)) => Err(PolicyError::Field {
                field: "/policy",
                reason: "name a version or send a bundle, not both".into(),
            }),
            (Some(id), None) => {
                let found = self.find(by, id).await?;
                Ok(Some(self.0.open(found).await?.1))
            }
            (None, bundle) => Ok(bundle.cloned()),
        }
    }
}

impl Inner {
    pub(crate) async fn open(&self, stored: Stored) -> Result<(Version, PolicyBundle), PolicyError> {
        let Stored { version, bundle } = stored;
        let row = row_of(version.id);
        let aad = place(version.org, "policies", "bundle", &row);
        let plain = self.keyring.open_sealed(Purpose::Records, &aad, &bundle).await?;
        let bundle = serde_json::from_slice(&plain).map_err(problem::Problem::internal)?;
        Ok((version, bundle))
    }
}

/// Every node reads the organization's policy anew.
fn news(org: OrgId, policy: PolicyId) -> AuthorityEntry {
    AuthorityEntry::changed(org, "policy", policy.uuid())
}

fn whole(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
