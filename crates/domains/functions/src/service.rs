//! Decisions about functions: creating, publishing, deleting.

use std::collections::BTreeSet;
use std::sync::Arc;

use access::Access;
use authority::Authority;
use blobs::Blobs;
use cluster::Feed;
use crypto::hash::sha256;
use db::{Change, Db};
use egress::Egress;
use ledger::{FactKind, Ledger};
use named_secrets::{NamedSecret, NamedSecrets, SecretName, Use};
use packages::Environments;
use problem::{Problem, VERSION_LIVE};
use runs::Runs;
use sandbox::Sandbox;
use secrets::Keyring;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use types::{FunctionId, FunctionVersionId, Id, OrgId, World};
use web::{Allowance, Decided, Details};

use crate::executor::FunctionExecutor;
use crate::mandate::RunTokens;
use crate::model::{Function, FunctionRef, Mode, Runtime, Version, Visibility, is_identifier};
use crate::outgoing::EgressRule;
use crate::rate::Rate;
use crate::retry::Retry;
use crate::settings::FunctionsSettings;
use crate::slots::Slots;
use crate::versions::{Ready, Versions};
use crate::{FunctionError, facts, pools, requirements, store};

/// What functions are among those who use secrets.
const USER: &str = "function";

/// What functions stand on in this process.
pub struct FunctionsGround {
    pub db: Db,
    pub ledger: Ledger,
    pub keyring: Keyring,
    pub world: World,
    pub feed: Feed,
    pub access: Access,
    pub blobs: Blobs,
    pub tokens: Arc<dyn RunTokens>,
    pub secrets: NamedSecrets,
    pub egress: Egress,
    /// None where this machine has none: everything else works.
    pub sandbox: Option<Sandbox>,
    /// Beside a sandbox.
    pub environments: Option<Environments>,
}

/// Functions and their runs; clones share it.
#[derive(Clone)]
pub struct Functions(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) db: Db,
    pub(crate) ledger: Ledger,
    pub(crate) world: World,
    pub(crate) feed: Feed,
    pub(crate) blobs: Blobs,
    pub(crate) versions: Versions,
    pub(crate) runs: Runs,
    pub(crate) tokens: Arc<dyn RunTokens>,
    pub(crate) secrets: NamedSecrets,
    pub(crate) sandbox: Option<Sandbox>,
    pub(crate) environments: Option<Environments>,
    pub(crate) settings: FunctionsSettings,
    pub(crate) slots: Slots,
    pub(crate) warming: Arc<Semaphore>,
}

/// A function to be; checked by the schema of its operation.
#[derive(Clone)]
pub(crate) struct Wanted {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) tags: Vec<String>,
    pub(crate) visibility: Visibility,
    pub(crate) version: WantedVersion,
}

/// A version to be. What is `None` is as in the live version, or the default.
#[derive(Clone, Default)]
pub(crate) struct WantedVersion {
    pub(crate) runtime: Option<Runtime>,
    pub(crate) mode: Option<Mode>,
    pub(crate) code: Option<String>,
    pub(crate) entrypoint: Option<String>,
    pub(crate) input_schema: Option<Value>,
    pub(crate) output_schema: Option<Value>,
    pub(crate) timeout_seconds: Option<i64>,
    pub(crate) memory_mb: Option<i64>,
    pub(crate) retry: Option<Retry>,
    /// 0 for no limit.
    pub(crate) concurrency: Option<i64>,
    /// Without starts for no limit.
    pub(crate) rate: Option<Rate>,
    pub(crate) permissions: Option<Vec<authority::Permission>>,
    pub(crate) secrets: Option<Vec<SecretName>>,
    pub(crate) egress: Option<Vec<EgressRule>>,
    pub(crate) requirements: Option<Vec<String>>,
}

/// A function with one of its versions.
#[derive(Clone)]
pub(crate) struct Versioned {
    pub(crate) function: Function,
    pub(crate) version: Version,
}

impl Functions {
    /// The executor goes to the engine ([`Runs::new`]), whose handle comes back here.
    pub fn new(
        ground: FunctionsGround,
        settings: FunctionsSettings,
        engine: impl FnOnce(FunctionExecutor) -> Runs,
    ) -> Self {
        let versions = Versions::new(ground.db.clone(), ground.keyring.clone());
        let slots = Slots::default();
        let executor = FunctionExecutor::new(&ground, versions.clone(), settings.clone(), slots.clone());
        let runs = engine(executor);
        let FunctionsGround {
            db, ledger, world, feed, blobs, tokens, secrets, sandbox, environments, ..
        } = ground;
        let warming = Arc::new(Semaphore::new(pools::WARMING));
        let inner = Inner {
            db,
            ledger,
            world,
            feed,
            blobs,
            versions,
            runs,
            tokens,
            secrets,
            sandbox,
            environments,
            settings,
            slots,
            warming,
        };
        Self(Arc::new(inner))
    }

    /// Whether jails of this slot ([`web::Peer::Jail`]) run this organization's functions.
    pub fn is_slot_of(&self, org: OrgId, slot: u16) -> bool {
        self.0.slots.is(org, slot)
    }

    /// Removes environments that no run has used for long.
    pub async fn sweep_environments(&self) {
        let Some(environments) = self.0.environments.clone() else { return };
        // Many files may go.
        if let Err(error) = tokio::task::spawn_blocking(move || environments.sweep()).await {
            tracing::warn!(%error, "environments were not swept");
        }
    }

    pub fn runs(&self) -> &Runs {
        &self.0.runs
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.0
    }

    /// The function, if the caller may do its operation to it.
    pub(crate) async fn find(&self, by: &Allowance, of: &FunctionRef) -> Result<Function, FunctionError> {
        self.find_for(by, of, None).await
    }

    /// The same for an act that is given something.
    pub(crate) async fn find_for(
        &self,
        by: &Allowance,
        of: &FunctionRef,
        arguments: Option<&Value>,
    ) -> Result<Function, FunctionError> {
        let found = self.known(by, of).await?;
        self.admit(by, &found, arguments)?;
        Ok(found)
    }

    /// The function, whoever asks: nothing of it may be told before [`Functions::admit`].
    pub(crate) async fn known(&self, by: &Allowance, of: &FunctionRef) -> Result<Function, FunctionError> {
        store::find(&self.0.db, &by.scope(), of).await?.ok_or(FunctionError::Unknown)
    }

    /// May the caller do its operation to this function, with these arguments?
    pub(crate) fn admit(
        &self,
        by: &Allowance,
        function: &Function,
        arguments: Option<&Value>,
    ) -> Result<(), FunctionError> {
        let attributes = || function.attributes();
        by.check_with(&function.object(), Details { attributes: Some(&attributes), arguments })?;
        if function.deleted_at.is_some() {
            return Err(FunctionError::Unknown);
        }
        Ok(())
    }

    pub(crate) async fn create(
        &self,
        by: &Allowance,
        wanted: &Wanted,
    ) -> Result<Decided<Versioned>, FunctionError> {
        let (inner, now) = (self.inner(), self.0.world.now());
        for (field, text) in [("/namespace", &wanted.namespace), ("/name", &wanted.name)] {
            if !is_identifier(text) {
                let reason = "must start with a letter or `_` and hold at most 63 of a-z, A-Z, 0-9 and `_`";
                return Err(FunctionError::Invalid { field, reason: reason.into() });
            }
        }
        let id: FunctionId = inner.world.id();
        let mut version = self.draft(by, id, 1, &wanted.version, None)?;
        let function = Function {
            id,
            org: by.org(),
            namespace: wanted.namespace.clone(),
            name: wanted.name.clone(),
            description: wanted.description.clone(),
            tags: wanted.tags.clone(),
            visibility: wanted.visibility,
            owner: by.caller().principal(),
            live_version: version.id,
            last_number: 1,
            created_at: now,
            updated_at: now,
            deleted_at: None,
            revision: 1,
        };
        by.check(&function.object())?;
        let held = self.usable(by, &version).await?;
        let sealed = self.accept_code(&version).await?;
        let approvals = self.lock(by, &mut version, None).await?;
        let fact =
            by.fact(&facts::FUNCTION_CREATED).target("function", id, function.full_name()).data(json!({
                "namespace": function.namespace,
                "name": function.name,
                "version": version.id,
                "code_sha256": hex::encode(version.code_sha256),
                "permissions": named(&version.permissions),
                "secrets": version.secrets,
                "egress": told(&version.egress),
                "requirements": named_packages(&version),
                "package_lock": version.lock.as_ref().map(|lock| hex::encode(lock.sha256())),
            }));
        let change = Change::new(by.scope(), inner.ledger.seal(fact).await?)
            .statement(store::insert(&function))
            .statement(store::insert_version(&version, sealed));
        let change = approvals.guard(self.in_use(change, &function, &held));
        Ok(Decided::new(change, Versioned { function, version }))
    }

    pub(crate) async fn publish(
        &self,
        by: &Allowance,
        of: &FunctionRef,
        wanted: &WantedVersion,
    ) -> Result<Decided<Versioned>, FunctionError> {
        let inner = self.inner();
        let mut function = self.find(by, of).await?;
        by.expect_revision(function.revision)?;
        let live = inner.versions.get(&by.scope(), function.live_version).await?;
        let number = function.last_number + 1;
        let mut version = self.draft(by, function.id, number, wanted, Some(&live.version))?;
        let held = self.usable(by, &version).await?;
        let sealed = self.accept_code(&version).await?;
        let approvals = self.lock(by, &mut version, Some(&live.version)).await?;
        self.advance(&mut function);
        function.live_version = version.id;
        function.last_number = number;
        let data = json!({
            "version": version.id,
            "number": number,
            "code_sha256": hex::encode(version.code_sha256),
            "permissions": named(&version.permissions),
            "secrets": version.secrets,
            "egress": told(&version.egress),
            "requirements": named_packages(&version),
            "package_lock": version.lock.as_ref().map(|lock| hex::encode(lock.sha256())),
        });
        let change = self.change(by, &function, &facts::FUNCTION_PUBLISHED, data).await?;
        let change = change.statement(store::insert_version(&version, sealed));
        let change = approvals.guard(self.in_use(change, &function, &held));
        Ok(Decided::new(change, Versioned { function, version }))
    }

    /// Lets calls run another version that is there: back to an earlier one, or forward again. Its author goes on answering
    /// for what it may do; whoever does it holds that as well, or permissions that were taken away would come back by the hand
    /// of somebody who could not give them.
    pub(crate) async fn make_live(
        &self,
        by: &Allowance,
        of: &FunctionRef,
        version: FunctionVersionId,
    ) -> Result<Decided<Versioned>, FunctionError> {
        let mut function = self.find(by, of).await?;
        by.expect_revision(function.revision)?;
        let ready = self.0.versions.get(&by.scope(), version).await?;
        if ready.version.function != function.id {
            return Err(FunctionError::Unknown);
        }
        if function.live_version == version {
            let detail = format!("Version {} is the one that calls run.", ready.version.number);
            return Err(Problem::new(&VERSION_LIVE, detail).into());
        }
        held(&ready.version.permissions, by)?;
        let secrets = self.usable(by, &ready.version).await?;
        let (approvals, _) = self.approved(by, &ready.version.requirements).await?;
        let before = std::mem::replace(&mut function.live_version, version);
        self.advance(&mut function);
        let data = json!({ "version": version, "number": ready.version.number, "before": before });
        let change = self.change(by, &function, &facts::FUNCTION_MADE_LIVE, data).await?;
        let change = approvals.guard(self.in_use(change, &function, &secrets));
        Ok(Decided::new(change, Versioned { function, version: ready.version.clone() }))
    }

    pub(crate) async fn delete(
        &self,
        by: &Allowance,
        of: &FunctionRef,
    ) -> Result<Decided<Versioned>, FunctionError> {
        let mut function = self.find(by, of).await?;
        by.expect_revision(function.revision)?;
        let live = self.0.versions.get(&by.scope(), function.live_version).await?;
        self.advance(&mut function);
        function.deleted_at = Some(function.updated_at);
        let change = self.change(by, &function, &facts::FUNCTION_DELETED, json!({})).await?;
        let change = change.statement(self.0.secrets.let_go(function.org, USER, function.id.uuid()));
        Ok(Decided::new(change, Versioned { function, version: live.version.clone() }))
    }

    /// The secrets that a version names, if the caller may use each. What they may not see is not told apart from what is
    /// not there.
    pub(crate) async fn usable(
        &self,
        by: &Allowance,
        version: &Version,
    ) -> Result<Vec<NamedSecret>, FunctionError> {
        Ok(self.0.secrets.usable(by, &version.secrets, "/secrets").await?)
    }

    /// While it is the live one, its secrets do not go.
    fn in_use(&self, change: Change, function: &Function, secrets: &[NamedSecret]) -> Change {
        let label = function.full_name();
        let user = Use { kind: USER, id: function.id.uuid(), label: &label };
        self.0.secrets.take_into_use(change, user, function.org, secrets)
    }

    fn draft(
        &self,
        by: &Allowance,
        function: FunctionId,
        number: i64,
        wanted: &WantedVersion,
        live: Option<&Version>,
    ) -> Result<Version, FunctionError> {
        let settings = &self.0.settings;
        let most_seconds = i64::try_from(settings.timeout.as_secs()).unwrap_or(i64::MAX);
        let most_memory = i64::try_from(settings.memory_mb).unwrap_or(i64::MAX);
        let permissions = match &wanted.permissions {
            Some(permissions) => permissions.iter().cloned().collect(),
            None => live.map_or_else(Authority::none, |live| live.permissions.clone()),
        };
        held(&permissions, by)?;
        let code = wanted.code.clone().or_else(|| Some(live?.code.clone())).unwrap_or_default();
        Ok(Version {
            id: self.0.world.id(),
            function,
            org: by.org(),
            number,
            runtime: wanted.runtime.or_else(|| Some(live?.runtime)).unwrap_or(Runtime::Python),
            mode: wanted.mode.or_else(|| Some(live?.mode)).unwrap_or(Mode::Fork),
            code_sha256: sha256(code.as_bytes()),
            code,
            entrypoint: entrypoint(wanted, live)?,
            input_schema: wanted.input_schema.clone().or_else(|| live?.input_schema.clone()),
            output_schema: wanted.output_schema.clone().or_else(|| live?.output_schema.clone()),
            timeout_seconds: within(
                "/timeout_seconds",
                wanted.timeout_seconds.or_else(|| Some(live?.timeout_seconds)),
                most_seconds,
            )?,
            memory_mb: within("/memory_mb", wanted.memory_mb.or_else(|| Some(live?.memory_mb)), most_memory)?,
            retry: match wanted.retry {
                Some(retry) => Some(retry).filter(|retry| retry.max_attempts > 1),
                None => live.and_then(|live| live.retry),
            },
            concurrency: match wanted.concurrency {
                Some(most) => Some(most).filter(|most| *most > 0),
                None => live.and_then(|live| live.concurrency),
            },
            rate: match wanted.rate {
                Some(rate) => Some(rate).filter(|rate| rate.starts > 0),
                None => live.and_then(|live| live.rate),
            },
            permissions,
            secrets: match &wanted.secrets {
                Some(names) => names.iter().cloned().collect::<BTreeSet<_>>().into_iter().collect(),
                None => live.map(|live| live.secrets.clone()).unwrap_or_default(),
            },
            egress: match &wanted.egress {
                Some(rules) => rules.clone(),
                None => live.map(|live| live.egress.clone()).unwrap_or_default(),
            },
            requirements: match &wanted.requirements {
                Some(texts) => requirements::parse(texts)?,
                None => live.map(|live| live.requirements.clone()).unwrap_or_default(),
            },
            lock: None,
            author: by.caller().principal().to_string(),
            created_at: self.0.world.now(),
        })
    }

    /// Schemas compile, the code parses; answers the code sealed.
    async fn accept_code(&self, version: &Version) -> Result<Vec<u8>, FunctionError> {
        Ready::new(version.clone())?;
        let sandbox = self.0.sandbox.as_ref();
        let sandbox = sandbox.ok_or_else(|| FunctionError::NoSandbox("no sandbox".into()))?;
        sandbox.check_syntax(&version.code).await?;
        self.0.versions.seal(version).await
    }

    async fn change(
        &self,
        by: &Allowance,
        function: &Function,
        kind: &'static FactKind,
        data: Value,
    ) -> Result<Change, FunctionError> {
        let fact = by.fact(kind).target("function", function.id, function.full_name()).data(data);
        Ok(Change::new(by.scope(), self.0.ledger.seal(fact).await?).statement(store::update(function)))
    }

    fn advance(&self, function: &mut Function) {
        function.updated_at = self.0.world.now();
        function.revision += 1;
    }
}

fn entrypoint(wanted: &WantedVersion, live: Option<&Version>) -> Result<String, FunctionError> {
    let inherited = || live.map(|live| live.entrypoint.clone());
    let name = wanted.entrypoint.clone().or_else(inherited).unwrap_or_default();
    if name.is_empty() || is_identifier(&name) {
        return Ok(name);
    }
    Err(FunctionError::Invalid {
        field: "/entrypoint",
        reason: "must be the name of a function in the code".into(),
    })
}

/// The operator's limit is the default and the most.
fn within(field: &'static str, wanted: Option<i64>, most: i64) -> Result<i64, FunctionError> {
    match wanted {
        None => Ok(most),
        Some(wanted) if wanted <= most => Ok(wanted),
        Some(_) => Err(FunctionError::Invalid { field, reason: format!("is at most {most} on this server") }),
    }
}

/// Nobody lets a version do what they do not hold.
pub(crate) fn held(permissions: &Authority, by: &Allowance) -> Result<(), FunctionError> {
    let author = access::effective(by.caller());
    match permissions.permissions().iter().find(|permission| !author.covers(permission)) {
        Some(more) => Err(FunctionError::Exceeded(more.to_string())),
        None => Ok(()),
    }
}

fn told(rules: &[EgressRule]) -> Vec<String> {
    rules.iter().map(ToString::to_string).collect()
}

/// None where there are none, as before there were packages.
fn named_packages(version: &Version) -> Option<Vec<String>> {
    let named: Vec<String> = version.requirements.iter().map(ToString::to_string).collect();
    (!named.is_empty()).then_some(named)
}

fn named(authority: &Authority) -> Vec<String> {
    authority.permissions().iter().map(ToString::to_string).collect()
}
