//! The house, wired: every room built once, in the order of its tiers. Wires, decides nothing.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use access::Access;
use agents::{Agents, AgentsSettings};
use audit::Audit;
use blobs::{BlobSettings, Blobs, Bucket, BucketSettings};
use bus::{Bus, BusSettings};
use cluster::{Feed, Nodes};
use config::{Config, SigningAlgorithm};
use crypto::jws::Algorithm;
use db::{Db, PostgresSettings, Settings, SqliteSettings};
use declare::{Declare, DeclareGround};
use dns::Resolver;
use egress::{Egress, EgressSettings};
use files::{Files, FilesGround};
use functions::{Functions, FunctionsGround, FunctionsSettings};
use ledger::{Ack, FactKind, Ledger, LedgerSettings};
use mail::{Post, Relay, Route, Security};
use named_secrets::{NamedSecrets, SecretsGround};
use oauth::{Imported, Keys, Oauth, OauthParts, OauthSettings};
use packages::{Environments, Index, PackagesSettings};
use people::{CookieAuthenticator, CookieForm, People, PeopleSettings};
use policies::{Policies, PoliciesGround, PoliciesSettings};
use runs::{Ground, Runs, RunsSettings};
use sandbox::Sandbox;
use scim::Scim;
use secrets::{KeySource, Keyring, Reach, Vault, VaultLogin, VaultSettings};
use sign_in::{SignIn, SignInParts, SignInSettings};
use state::{StateGround, StateStore};
use telemetry::Tasks;
use triggers::{HookSettings, Triggers, TriggersGround};
use types::{OrgId, Secret, Timestamp, World};
use web::{Door, RateLimits};

use crate::StartError;
use crate::acting::{Standings, TokensOfRuns};
use crate::things::Rosters;

/// Every room, open. Clones share it.
#[derive(Clone)]
pub struct House {
    pub config: Arc<Config>,
    pub world: World,
    pub started_at: Timestamp,
    /// Without trailing slash.
    pub public_url: String,
    /// Ends with the house: whoever starts many houses in one process must not gather their jails.
    sandbox: Option<Sandbox>,
    pub db: Db,
    pub keyring: Keyring,
    pub ledger: Ledger,
    pub feed: Feed,
    pub nodes: Nodes,
    pub access: Access,
    pub people: People,
    pub post: Post,
    pub bus: Bus,
    pub vault: Vault,
    pub sign_in: SignIn,
    pub agents: Agents,
    pub scim: Scim,
    pub oauth: Oauth,
    pub audit: Audit,
    pub blobs: Blobs,
    pub named_secrets: NamedSecrets,
    pub functions: Functions,
    pub policies: Policies,
    pub state: StateStore,
    pub triggers: Triggers,
    pub files: Files,
    pub declare: Declare,
    pub door: Arc<Door>,
    pub cookie: CookieForm,
    pub tasks: Tasks,
}

impl House {
    /// Opens everything. `bound` is the address that the server really listens on.
    /// Without a sandbox functions can be kept, but not run.
    pub async fn open(
        config: Config,
        world: World,
        bound: SocketAddr,
        sandbox: Option<Sandbox>,
    ) -> Result<Self, StartError> {
        let config = Arc::new(config);
        let public_url = public_url(&config, bound);
        let db = Db::open(database(&config)?).await?;
        let keyring = Keyring::open(db.clone(), world.clone(), &key_source(&config)).await?;
        let ledger = Ledger::new(db.clone(), keyring.clone(), world.clone(), ledger_settings(&config));
        let feed = Feed::start(db.clone(), world.clone()).await?;
        let nodes = Nodes::new(db.clone(), feed.clone(), world.clone());
        let access = Access::new(db.clone(), ledger.clone(), &keyring, world.clone(), &feed);
        let people = People::new(
            db.clone(),
            ledger.clone(),
            &keyring,
            world.clone(),
            access.clone(),
            &feed,
            Arc::new(Resolver::new(&config.dns.servers, world.clone())),
            people_settings(&config, &public_url),
        );
        people.home().await?;
        let post = Post::new(&mail_route(&config), world.clone())?;
        let bus = Bus::open(&bus_settings(&config), world.clone()).await?;
        let egress = Egress::new(egress_settings(&config, bound)?)?;
        let vault = open_vault(&config, &egress, &world).await?;
        let parts = SignInParts {
            db: db.clone(),
            ledger: ledger.clone(),
            world: world.clone(),
            keyring: keyring.clone(),
            vault: vault.clone(),
            access: access.clone(),
            people: people.clone(),
            post: post.clone(),
            bus: bus.clone(),
            egress: egress.clone(),
        };
        let sign_in = SignIn::open(parts, sign_in_settings(&config, &public_url))
            .map_err(|error| StartError::Io { path: "the threads that check passwords".to_owned(), error })?;
        if let Some(path) = &config.sign_in.providers_file {
            sign_in.follow_file(path).await?;
        }
        let host =
            public_url.split("://").nth(1).unwrap_or_default().split([':', '/']).next().unwrap_or_default();
        let index = audit::Index::new(&keyring);
        let audit = Audit::new(db.clone(), ledger.clone(), index, feed.clone(), world.clone(), catalogue());
        let agents = Agents::new(
            db.clone(),
            ledger.clone(),
            &keyring,
            world.clone(),
            access.clone(),
            people.clone(),
            audit.clone(),
            &feed,
            nodes.clone(),
            AgentsSettings { host: host.to_owned() },
        );
        access.know_principals(Arc::new(Standings {
            people: people.clone(),
            agents: agents.clone(),
            mark: mark(&config),
        }));
        people.know_dependents(Arc::new(agents.clone()));
        let keys = Keys::new(db.clone(), ledger.clone(), keyring.clone(), world.clone(), &feed);
        let oauth = Oauth::new(
            OauthParts {
                db: db.clone(),
                ledger: ledger.clone(),
                world: world.clone(),
                feed: feed.clone(),
                keyring: keyring.clone(),
                keys,
                access: access.clone(),
                people: people.clone(),
                agents: agents.clone(),
                audit: audit.clone(),
            },
            oauth_settings(&config, &public_url),
        );
        if let Some(path) = &config.keys.signing_key_file {
            oauth.import_signing_key(people.home().await?.id, path).await?;
        }
        let blobs = open_blobs(&config, people.home().await?.id, &egress, &db, &keyring, &world).await?;
        let named_secrets = NamedSecrets::new(SecretsGround {
            db: db.clone(),
            ledger: ledger.clone(),
            keyring: keyring.clone(),
            vault: vault.clone(),
            access: access.clone(),
            world: world.clone(),
        });
        let ground = FunctionsGround {
            db: db.clone(),
            ledger: ledger.clone(),
            keyring: keyring.clone(),
            world: world.clone(),
            feed: feed.clone(),
            access: access.clone(),
            blobs: blobs.clone(),
            tokens: Arc::new(TokensOfRuns(oauth.clone())),
            secrets: named_secrets.clone(),
            egress: egress.clone(),
            environments: environments(&config, sandbox.as_ref(), &egress, &world),
            sandbox: sandbox.clone(),
        };
        let engine = Ground {
            db: db.clone(),
            ledger: ledger.clone(),
            keyring: keyring.clone(),
            blobs: blobs.clone(),
            feed: feed.clone(),
            world: world.clone(),
        };
        if config.functions.workers_only && !db.is_postgres() {
            return Err(StartError::NeedsPostgres("functions.workers_only"));
        }
        let functions = Functions::new(ground, functions_settings(&config), |executor| {
            Runs::new(engine, vec![Arc::new(executor)], runs_settings(&config))
        });
        oauth.know_runs(functions.runs().underway());
        let ground = PoliciesGround {
            db: db.clone(),
            ledger: ledger.clone(),
            keyring: keyring.clone(),
            world: world.clone(),
            feed: feed.clone(),
            access: access.clone(),
            agents: agents.clone(),
            things: Arc::new(Rosters {
                agents: agents.clone(),
                functions: functions.clone(),
                people: people.clone(),
            }),
        };
        let policies = Policies::new(ground, policies_settings(&config, &public_url))?;
        let state = StateStore::new(StateGround {
            db: db.clone(),
            ledger: ledger.clone(),
            keyring: keyring.clone(),
            world: world.clone(),
            feed: feed.clone(),
        });
        let files = Files::open(FilesGround {
            db: db.clone(),
            ledger: ledger.clone(),
            keyring: keyring.clone(),
            world: world.clone(),
            blobs: blobs.clone(),
            access: access.clone(),
            public_url: public_url.clone(),
            largest_body: config.limits.body_bytes,
        });
        let scim = Scim::new(access.clone(), agents.clone(), people.clone(), &public_url);
        let cookie = CookieForm::new(&public_url);
        let door = Door::new(
            db.clone(),
            ledger.clone(),
            keyring.clone(),
            world.clone(),
            vec![
                Arc::new(access.clone()),
                Arc::new(oauth.clone()),
                Arc::new(CookieAuthenticator::new(people.clone(), cookie.clone())),
            ],
            rate_limits(&config),
        );
        let door = Arc::new(door.with_policy(Arc::new(policies.clone())));
        let triggers = Triggers::new(TriggersGround {
            db: db.clone(),
            ledger: ledger.clone(),
            keyring: keyring.clone(),
            world: world.clone(),
            feed: feed.clone(),
            access: access.clone(),
            functions: functions.clone(),
            door: door.clone(),
            hooks: HookSettings {
                public_url: public_url.clone(),
                body_bytes: config.limits.body_bytes,
                unproven_bytes: config.hooks.unproven_bytes,
                unproven_bytes_per_address: config.hooks.unproven_bytes_per_address,
                patience: SYNC,
            },
        });
        let declare = Declare::new(DeclareGround {
            db: db.clone(),
            ledger: ledger.clone(),
            keyring: keyring.clone(),
            world: world.clone(),
            sections: vec![
                Arc::new(access::RolesSection(access.clone())),
                Arc::new(people::GroupsSection(people.clone())),
                Arc::new(functions::FunctionsSection(functions.clone())),
                Arc::new(state::NamespacesSection(state.clone())),
                Arc::new(files::CollectionsSection(files.clone())),
                Arc::new(agents::AgentsSection(agents.clone())),
                Arc::new(triggers::HooksSection(triggers.clone())),
                Arc::new(triggers::SchedulesSection(triggers.clone())),
                Arc::new(policies::PoliciesSection(policies.clone())),
            ],
        });
        let declare = declare.map_err(StartError::Sections)?;
        Ok(Self {
            started_at: world.now(),
            tasks: Tasks::new(),
            config,
            world,
            public_url,
            sandbox,
            db,
            keyring,
            ledger,
            feed,
            nodes,
            access,
            people,
            post,
            bus,
            vault,
            sign_in,
            agents,
            scim,
            oauth,
            audit,
            blobs,
            named_secrets,
            functions,
            policies,
            state,
            triggers,
            files,
            declare,
            door,
            cookie,
        })
    }

    /// Signs with a key of the operator's own from now on, for the home organization or the one named. Answers what to say.
    pub async fn import_signing_key(&self, slug: Option<&str>, path: &Path) -> Result<String, StartError> {
        let org = match slug {
            None => self.people.home().await?,
            Some(slug) => {
                let found = self.people.org_by_slug(slug).await?;
                found.ok_or_else(|| StartError::UnknownOrg(slug.to_owned()))?
            }
        };
        let Imported { kid, algorithm, status, new } = self.oauth.import_signing_key(org.id, path).await?;
        Ok(match new {
            true => format!("The key {kid} ({algorithm}) signs for {} from now on.", org.slug),
            false => format!("The key {kid} ({algorithm}) is here already, and {status}; nothing changed."),
        })
    }

    /// Lets background work end, writes down what was only noted, closes the database.
    pub async fn close(&self) {
        if let Err(unfinished) = self.tasks.shut_down(Duration::from_secs(10)).await {
            tracing::warn!(%unfinished, "some work was cut off");
        }
        self.agents.flush_seen().await;
        self.access.flush_seen().await;
        self.oauth.flush_counts(true).await;
        self.policies.flush().await;
        if let Some(sandbox) = &self.sandbox {
            sandbox.close().await;
        }
        self.db.close().await;
    }

    pub(crate) fn trusted_proxies(&self) -> Arc<[IpAddr]> {
        self.config.server.trusted_proxies.iter().map(ipnet::IpNet::addr).collect()
    }
}

/// Every kind of fact: a line per domain.
fn catalogue() -> Vec<&'static FactKind> {
    let kinds = [
        ledger::KINDS,
        audit::KINDS,
        access::KINDS,
        people::KINDS,
        sign_in::KINDS,
        agents::KINDS,
        oauth::KINDS,
        named_secrets::KINDS,
        functions::KINDS,
        policies::KINDS,
        state::KINDS,
        triggers::KINDS,
        files::KINDS,
        declare::KINDS,
        runs::facts::KINDS,
        bus::KINDS,
    ];
    kinds.into_iter().flatten().copied().collect()
}

/// How people's API keys are marked: by what this installation is for.
fn mark(config: &Config) -> &'static str {
    match config.mode {
        config::Mode::Development => "dev",
        config::Mode::Production => "prd",
    }
}

fn public_url(config: &Config, bound: SocketAddr) -> String {
    match &config.server.public_url {
        Some(url) => url.as_str().trim_end_matches('/').to_owned(),
        None => format!("http://{bound}"),
    }
}

fn database(config: &Config) -> Result<Settings, StartError> {
    let Some(app) = &config.database.url else {
        return Ok(Settings::Sqlite(SqliteSettings { directory: config.data.dir.clone(), readers: 2 }));
    };
    let needed = |key: &'static str, url: &Option<types::Secret<String>>| {
        url.as_ref()
            .map(|url| url.reveal().clone())
            .ok_or(StartError::Missing { key, beside: "database.url" })
    };
    Ok(Settings::Postgres(PostgresSettings {
        app_url: app.reveal().clone(),
        system_url: needed("database.system_url", &config.database.system_url)?,
        owner_url: needed("database.owner_url", &config.database.owner_url)?,
        app_connections: config.database.pool_size as usize,
        // Feed, sequencer, index and leases each may hold one at the same time.
        system_connections: (config.database.system_pool_size as usize).max(4),
        connect_timeout: config.database.connect_timeout,
    }))
}

fn key_source(config: &Config) -> KeySource {
    match &config.keys.encryption_key {
        Some(key) => KeySource::Value(key.clone()),
        None => KeySource::File(config.encryption_key_file()),
    }
}

fn ledger_settings(config: &Config) -> LedgerSettings {
    let ack = match config.ledger.ack {
        config::Ack::Durable => Ack::Durable,
        config::Ack::Fast => Ack::Fast,
    };
    LedgerSettings { ack, export: config.ledger.checkpoint_file.clone(), ..LedgerSettings::default() }
}

fn people_settings(config: &Config, public_url: &str) -> PeopleSettings {
    PeopleSettings {
        public_url: public_url.to_owned(),
        data_dir: config.data.dir.clone(),
        owner_email: config.owner.email.as_ref().map(|email| email.as_str().to_owned()),
        session_lifetime: config.sessions.lifetime,
        session_idle: config.sessions.idle,
    }
}

fn sign_in_settings(config: &Config, public_url: &str) -> SignInSettings {
    SignInSettings {
        public_url: public_url.to_owned(),
        return_to: config.sign_in.return_to.iter().map(|url| url.as_str().to_owned()).collect(),
        state_lifetime: config.sign_in.state_lifetime,
        code_lifetime: config.sign_in.code_lifetime,
        workos_url: config.sign_in.workos_url.as_str().to_owned(),
        clock_skew: config.tokens.clock_skew,
    }
}

fn egress_settings(config: &Config, bound: SocketAddr) -> Result<EgressSettings, StartError> {
    let read = |path: &std::path::PathBuf| {
        std::fs::read(path).map_err(|error| StartError::Io { path: path.display().to_string(), error })
    };
    Ok(EgressSettings {
        allow_private: config.egress.allow_private.clone(),
        own: vec![bound, config.server.operations_listen],
        trusted: config.egress.ca_file.as_ref().map(read).transpose()?,
    })
}

/// How long the start waits for the bus, and for a Vault.
const PATIENCE: Duration = Duration::from_secs(60);

async fn open_vault(config: &Config, egress: &Egress, world: &World) -> Result<Vault, StartError> {
    let vault = &config.vault;
    let Some(address) = &vault.address else { return Ok(Vault::none()) };
    let login = match (&vault.role_id, &vault.secret_id_file, &vault.token_file) {
        (Some(role), Some(secret), _) => VaultLogin::AppRole {
            mount: vault.approle_mount.clone(),
            role: role.clone(),
            secret: secret.clone(),
        },
        (_, _, Some(path)) => VaultLogin::TokenFile(path.clone()),
        _ => VaultLogin::Token(vault.token.clone().unwrap_or_else(|| Secret::new(String::new()))),
    };
    let settings = VaultSettings {
        address: address.as_str().to_owned(),
        namespace: vault.namespace.clone(),
        login,
        authorities: vault.ca_file.as_deref().map(text_of).transpose()?,
        reach: Reach { mount: vault.mount.clone(), path: vault.org_path.clone() },
    };
    Ok(Vault::open(egress.clone(), world.clone(), settings, PATIENCE).await?)
}

fn bus_settings(config: &Config) -> BusSettings {
    BusSettings { url: config.bus.url.clone(), prefix: config.bus.prefix.clone(), patience: PATIENCE }
}

/// Without a relay a workbench writes letters to files; in production none leave, and what needs them says so.
fn mail_route(config: &Config) -> Route {
    let smtp = &config.smtp;
    let (Some(host), Some(from)) = (&smtp.host, &smtp.from) else {
        return match config.mode {
            config::Mode::Development => Route::Directory(config.data.dir.join("mail")),
            config::Mode::Production => Route::Closed,
        };
    };
    Route::Relay(Relay {
        host: host.clone(),
        port: u16::try_from(smtp.port).unwrap_or(u16::MAX),
        security: match smtp.security {
            config::MailSecurity::StartTls => Security::StartTls,
            config::MailSecurity::Tls => Security::Tls,
            config::MailSecurity::None => Security::None,
        },
        username: smtp.username.clone(),
        password: smtp.password.clone(),
        from: from.as_str().to_owned(),
        ca_file: smtp.ca_file.clone(),
    })
}

fn algorithm(config: &Config) -> Algorithm {
    match config.tokens.signing_algorithm {
        SigningAlgorithm::Es256 => Algorithm::ES256,
        SigningAlgorithm::EdDsa => Algorithm::EdDSA,
        SigningAlgorithm::Rs256 => Algorithm::RS256,
    }
}

fn oauth_settings(config: &Config, public_url: &str) -> OauthSettings {
    OauthSettings {
        algorithm: algorithm(config),
        agent_lifetime: config.tokens.agent_lifetime,
        person_lifetime: config.tokens.person_lifetime,
        clock_skew: config.tokens.clock_skew,
        strict_scopes: config.tokens.strict_scopes,
        ..OauthSettings::new(public_url)
    }
}

fn policies_settings(config: &Config, public_url: &str) -> PoliciesSettings {
    PoliciesSettings {
        directory: config.policies.directory.clone(),
        record: match config.decisions.record {
            config::DecisionRecord::Denied => policies::Record::Denied,
            config::DecisionRecord::Full => policies::Record::Full,
        },
        kept_for: config.retention.decisions,
        env: match config.mode {
            config::Mode::Development => "development",
            config::Mode::Production => "production",
        },
        public_url: public_url.to_owned(),
    }
}

async fn open_blobs(
    config: &Config,
    home: OrgId,
    egress: &Egress,
    db: &Db,
    keyring: &Keyring,
    world: &World,
) -> Result<Blobs, StartError> {
    let settings = BlobSettings {
        directory: config.data.dir.join("blobs"),
        keep_unreferenced: config.retention.unreferenced_blobs,
        bucket: match bucket_settings(config, home)? {
            Some(settings) => Some(Bucket::open(egress.clone(), settings).await?),
            None => None,
        },
    };
    Ok(Blobs::open(db.clone(), keyring.clone(), world.clone(), settings).await?)
}

fn bucket_settings(config: &Config, home: OrgId) -> Result<Option<BucketSettings>, StartError> {
    let blobs = &config.blobs;
    let (Some(name), Some(endpoint), Some(key_id), Some(secret)) =
        (&blobs.bucket, &blobs.endpoint, &blobs.access_key_id, &blobs.secret_access_key)
    else {
        return Ok(None);
    };
    Ok(Some(BucketSettings {
        endpoint: endpoint.as_str().to_owned(),
        name: name.clone(),
        region: blobs.region.clone(),
        prefix: blobs.prefix.clone().unwrap_or_default(),
        installation: home.to_string(),
        key_id: key_id.clone(),
        secret: secret.clone(),
        in_path: blobs.path_style,
        authorities: blobs.ca_file.as_deref().map(text_of).transpose()?,
    }))
}

fn text_of(path: &Path) -> Result<String, StartError> {
    std::fs::read_to_string(path).map_err(|error| StartError::Io { path: path.display().to_string(), error })
}

/// How long `execute` waits before it answers 202.
const SYNC: Duration = Duration::from_secs(30);

fn runs_settings(config: &Config) -> RunsSettings {
    RunsSettings {
        slots: config.functions.max_concurrent as usize,
        question_wait: config.functions.question_wait,
        executes: !config.functions.workers_only,
        name: std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default().trim().to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ..RunsSettings::default()
    }
}

fn functions_settings(config: &Config) -> FunctionsSettings {
    FunctionsSettings {
        timeout: config.functions.timeout,
        memory_mb: config.functions.memory_mb,
        cpu_milli: config.functions.cpu_milli,
        storage_mb: config.functions.storage_mb,
        workers_only: config.functions.workers_only,
        all_packages: config.packages.allow == config::PackagesAllowed::All,
        question_wait: config.functions.question_wait,
        sync: SYNC,
    }
}

/// Packages of functions, where functions run.
fn environments(
    config: &Config,
    sandbox: Option<&Sandbox>,
    egress: &Egress,
    world: &World,
) -> Option<Environments> {
    let sandbox = sandbox?.clone();
    let uv = packages::find_uv(config.packages.uv.as_deref());
    match &uv {
        Ok(found) => {
            tracing::info!(uv = found.version, path = %found.path.display(), "packages can be installed")
        }
        Err(reason) => tracing::warn!(reason, "packages cannot be installed"),
    }
    let packages = &config.packages;
    let index = match &packages.directory {
        Some(directory) => Index::Directory(directory.clone()),
        None => Index::Remote(packages::Remote {
            url: packages.index_url.as_str().to_owned(),
            file_hosts: packages.file_hosts.clone(),
        }),
    };
    let settings = PackagesSettings {
        directory: config.data.dir.join("environments"),
        index,
        environment_bytes: packages.environment_mb << 20,
        environment_files: packages.environment_files,
        build_timeout: packages.build_timeout,
        keep: packages.keep,
    };
    let uv = uv.map(|found| found.path);
    Some(Environments::new(
        packages::Ground { sandbox, egress: egress.clone(), world: world.clone(), uv },
        settings,
    ))
}

fn rate_limits(config: &Config) -> RateLimits {
    let limits = &config.limits;
    RateLimits {
        window: limits.window,
        read: limits.reads,
        write: limits.writes,
        sign_in: limits.sign_ins,
        token: limits.tokens,
        heavy: limits.heavy,
    }
}
