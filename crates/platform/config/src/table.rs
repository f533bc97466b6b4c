//! The table. A key exists only if a part of the server reads it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use types::Secret;

use crate::declare::{Key, Preset, settings};
use crate::environment::{data_dir, uv};
use crate::layers::Layers;
use crate::value::{
    Ack, Bounds, DecisionRecord, Email, LogFormat, MailSecurity, Mode, PackagesAllowed, PublicUrl,
    SandboxBackend, Setting, SigningAlgorithm, UidRange,
};
use crate::{ConfigError, Environment, Explained};

settings! {
    mode = "development", "`development`, or `production`, which refuses what is unsafe outside a workbench";

    server: Server, "Listeners and the address that others know." {
        listen: SocketAddr = text("127.0.0.1:7717"), "Address of the API, the console and everything published";
        public_url: Option<PublicUrl> = text(""), "Address under which others reach the server; the bound address if not set";
        operations_listen: SocketAddr = text("127.0.0.1:7718"), "Address of metrics and detailed health; never public";
        insecure_listen: bool = text("false"), "Accept plain HTTP in production without a proxy in front";
        trusted_proxies: Vec<IpNet> = text(""), "Networks whose X-Forwarded-* headers are believed";
    }

    data: Data, "Where files live." {
        dir: PathBuf = Preset::Of(data_dir), "Directory of the embedded database, blobs, keys and the lock";
    }

    blobs: BlobStore, "Where large contents are kept: files in the data directory unless `bucket` names one, which several servers need." {
        bucket: Option<String> = text(""), "Bucket of S3, or of what speaks like it; files in the data directory if not set";
        endpoint: Option<PublicUrl> = text(""), "Where it answers, such as `https://s3.eu-west-1.amazonaws.com`; needed beside `bucket`";
        region: String = text("us-east-1"), "Region that requests are signed for";
        prefix: Option<String> = text(""), "Before the name of each object, such as `safeconduct/`, so that others can use the bucket too";
        access_key_id: Option<String> = text(""), "Who asks; needed beside `bucket`";
        secret_access_key: Option<Secret<String>> = text(""), "Its secret; needed beside `bucket`";
        path_style: bool = text("true"), "The bucket's name stands in the path; off for S3 itself, where it stands in the host";
        ca_file: Option<PathBuf> = text(""), "Certificates (PEM) that are trusted for it besides the machine's own";
    }

    database: Database, "The database: SQLite in the data directory unless `url` names a PostgreSQL." {
        url: Option<Secret<String>> = text(""), "PostgreSQL as role safeconduct_app; SQLite if not set";
        system_url: Option<Secret<String>> = text(""), "PostgreSQL as role safeconduct_system; needed beside `url`";
        owner_url: Option<Secret<String>> = text(""), "PostgreSQL as role safeconduct_owner, for migrations; needed beside `url`";
        pool_size: u32 = text("20"), "Connections as safeconduct_app", [1, 1000];
        system_pool_size: u32 = text("2"), "Connections as safeconduct_system", [1, 100];
        connect_timeout as "connect_timeout_seconds": Duration = text("5"), "How long to wait for a connection", [1, 600];
        idle_timeout as "idle_timeout_seconds": Duration = text("30"), "How long an unused connection is kept", [1, 86400];
    }

    bus: Bus, "What the nodes of an installation share and may forget: counts of failed sign-ins." {
        url: Option<Secret<String>> = text(""), "Redis (`redis://`, `rediss://`) or NATS with JetStream (`nats://`, `tls://`); each node by itself if not set";
        prefix: String = text("safeconduct"), "Before each name there, so that installations can share a server: letters, digits, `-` and `_`";
    }

    keys: Keys, "The key that wraps all others." {
        encryption_key: Option<Secret<String>> = text(""), "Key-encryption key itself: 32 bytes in base64 or hexadecimal";
        encryption_key_file: Option<PathBuf> = text(""), "File of the key-encryption key; `encryption.key` in the data directory if neither is set";
        signing_key_file: Option<PathBuf> = text(""), "Signing key of your own for the home organization's tokens: PKCS#8 or private JWK, 0600; the server makes and turns its own if not set";
    }

    vault: Vault, "HashiCorp Vault or OpenBao, where secrets of sign-in providers may lie." {
        address: Option<PublicUrl> = text(""), "Where it answers; none is used if not set";
        token: Option<Secret<String>> = text(""), "The server's token there";
        token_file: Option<PathBuf> = text(""), "File of the token, which somebody else renews";
        role_id: Option<String> = text(""), "AppRole of the server; it signs in and renews by itself";
        secret_id_file: Option<PathBuf> = text(""), "File of the secret id; needed beside `role_id`";
        approle_mount: String = text("approle"), "Where AppRole is mounted";
        namespace: Option<String> = text(""), "Namespace, of those that have them";
        ca_file: Option<PathBuf> = text(""), "Certificates (PEM) that are trusted for it besides the machine's own";
        mount: String = text("secret"), "Key-value engine of what organizations refer to";
        org_path: String = text("safeconduct/orgs/{org}"), "Path there below which an organization's references must lead; `{org}` is its id";
    }

    tokens: Tokens, "Access tokens." {
        signing_algorithm: SigningAlgorithm = text("ES256"), "`ES256`, `EdDSA` or `RS256`";
        agent_lifetime as "agent_lifetime_seconds": Duration = text("600"), "Lifetime of an agent's token", [10, 3600];
        person_lifetime as "person_lifetime_seconds": Duration = text("900"), "Lifetime of a person's token", [10, 3600];
        clock_skew as "clock_skew_seconds": Duration = text("30"), "By how much foreign clocks may differ", [0, 300];
        strict_scopes: bool = text("false"), "Refuse a token request that asks for more than is held, instead of narrowing it";
    }

    dns: Dns, "Who is asked about names of the world, such as for the proof of an e-mail domain." {
        servers: Vec<SocketAddr> = text(""), "Resolvers with their ports; those of the machine's resolv.conf if empty";
    }

    egress: Egress, "Calls of addresses that others chose, such as identity providers." {
        allow_private: Vec<IpNet> = text(""), "Private networks that addresses set through the API may lead to; public ones always may";
        ca_file: Option<PathBuf> = text(""), "Certificates (PEM) that are trusted besides the machine's own";
    }

    owner: Owner, "The first owner." {
        email: Option<Email> = text(""), "Whom the link for the first owner is meant for";
    }

    sessions: Sessions, "Sessions of people." {
        lifetime as "lifetime_seconds": Duration = text("2592000"), "When a session ends, whatever happens", [300, 31536000];
        idle as "idle_seconds": Duration = text("604800"), "When a session ends that nobody uses", [60, 31536000];
    }

    sign_in: SignIn, "Ways for people to prove who they are." {
        providers_file: Option<PathBuf> = text(""), "JSON file of the instance's sign-in providers; read at each start, and what it names cannot be changed by the API";
        state_lifetime as "state_seconds": Duration = text("600"), "How long a sign-in that was begun may take", [60, 3600];
        code_lifetime as "code_seconds": Duration = text("600"), "How long a code sent by e-mail is valid", [60, 3600];
        workos_url: PublicUrl = text("https://api.workos.com"), "Where the API of WorkOS stands";
        return_to: Vec<PublicUrl> = text(""), "Addresses besides the server's own that a sign-in may return to";
    }

    smtp: Smtp, "The mail server that letters leave by." {
        host: Option<String> = text(""), "Name of the server; without it letters are written to `<data>/mail` in development, and none are sent in production";
        port: u32 = text("587"), "Its port", [1, 65535];
        security: MailSecurity = text("starttls"), "`starttls`, `tls` from the first byte on, or `none` (on loopback only)";
        username: Option<String> = text(""), "Login";
        password: Option<Secret<String>> = text(""), "Password of the login";
        from: Option<Email> = text(""), "Sender's address; needed beside `host`";
        ca_file: Option<PathBuf> = text(""), "Certificates (PEM) that are trusted besides the machine's own";
    }

    ledger: Ledger, "The record of every act." {
        ack: Ack = text("durable"), "`durable` answers after the disk has the fact; `fast` before, and a crash may lose the last ones";
        checkpoint_interval as "checkpoint_interval_seconds": Duration = text("1"), "How often a grown tree is signed", [1, 3600];
        checkpoint_file: Option<PathBuf> = text(""), "File outside the database to which each signed checkpoint is appended";
    }

    functions: Functions, "Limits of one call, where a function states none." {
        timeout as "timeout_seconds": Duration = text("300"), "Wall-clock time", [1, 86400];
        memory_mb: u64 = text("512"), "Memory, in MB", [16, 1048576];
        cpu_milli: u64 = text("1000"), "Processor time per second of wall-clock time, in thousandths of a core", [10, 1024000];
        storage_mb: u64 = text("1024"), "Private files, in MB", [1, 1048576];
        python: Option<PathBuf> = text(""), "Python interpreter; the first python3 on the path if not set";
        max_concurrent: u32 = text("64"), "Calls that run at the same time on this node", [1, 100000];
        question_wait as "question_wait_seconds": Duration = text("60"), "How long a call that asks something keeps its process and its place; then it is begun again when it is answered", [0, 3600];
        workers_only: bool = text("false"), "This server accepts runs and works on none: `safeconduct worker` does (PostgreSQL)";
        drain as "drain_seconds": Duration = text("60"), "How long a worker that is asked to stop goes on with what it has begun", [0, 86400];
    }

    packages: Packages, "Python packages of functions: resolved and installed by uv, in a jail." {
        allow: PackagesAllowed = text("approved"), "`approved`: functions name packages that their organization approved; `all`: any that it did not refuse";
        index_url: PublicUrl = text("https://pypi.org/simple"), "Simple repository (PEP 503, PEP 691) that wheels come from";
        file_hosts: Vec<String> = text("files.pythonhosted.org"), "Hosts besides the index's own that its files may be on, also at private addresses; others have to be public";
        directory: Option<PathBuf> = text(""), "Directory of wheels that they come from instead: nothing is fetched";
        uv: Option<PathBuf> = Preset::Of(uv), "uv; the first on the path, or the one that `scripts/setup.sh uv` installed, if not set";
        environment_mb: u64 = text("512"), "Largest environment, in MB; building one takes twice as much memory", [1, 1048576];
        environment_files: u64 = text("20000"), "Files of an environment at the most", [10, 30000];
        build_timeout as "build_timeout_seconds": Duration = text("300"), "How long resolving may take, and installing", [1, 86400];
        keep as "keep_seconds": Duration = text("604800"), "How long an environment stays that no run uses; it is built again from its lock", [3600, 315360000];
    }

    sandbox: Sandbox, "Where functions run." {
        backend: SandboxBackend = text("jail"), "`jail`, or `none`: functions can be kept here, but not run";
        uid_range: UidRange = text("2000000-2065535"), "Host user ids for sandboxed code when the server runs as root";
    }

    hooks: Hooks, "Incoming webhooks." {
        unproven_bytes: u64 = text("67108864"), "Bytes of bodies that are read at once before their senders are believed; at least one body of `limits.body_bytes`", [1024, 1099511627776];
        unproven_bytes_per_address: u64 = text("16777216"), "The same from one address (of IPv6, one /64)", [1024, 1099511627776];
    }

    policies: Policies, "Rules that stand behind the permissions." {
        directory: Option<PathBuf> = text(""), "Rego files (`*.rego`, `data.json`) that hold for every organization; read anew on SIGHUP and when they change; the built-in ones, which refuse nothing, if not set";
    }

    config: Configuration, "A file of configuration that the server keeps the home organization to." {
        file: Option<PathBuf> = text(""), "YAML or JSON, as for `safeconduct config`; checked at each start, which it stops if it is wrong. `${NAME}` is read from the environment, `${file:path}` from beside it";
        auto_apply: bool = text("false"), "Whether each start applies the file; else it says what applying would change";
        key: Option<Secret<String>> = text(""), "API key in whose name it is applied: it must hold what the file needs, each permission by name; needed beside `auto_apply`";
        prune: bool = text("false"), "Whether what the file made and does not name any more is removed";
    }

    decisions: Decisions, "What is kept of policies' decisions." {
        record: DecisionRecord = text("denied"), "`denied`: refusals as facts, allowed ones counted; `full`: every question too, sealed, to rehearse drafts with";
    }

    limits: Limits, "What one caller may ask of the server; 0 lifts a rate." {
        body_bytes: u64 = text("1048576"), "Largest request body", [1024, 1073741824];
        window as "window_seconds": Duration = text("60"), "Window that the rates below count in", [1, 3600];
        reads: u32 = text("6000"), "Reading requests per principal and window";
        writes: u32 = text("1200"), "Changing requests per principal and window";
        tokens: u32 = text("6000"), "Token and introspection requests per address and window";
        sign_ins: u32 = text("20"), "Sign-in attempts per address and window";
        heavy: u32 = text("60"), "Expensive requests (exports, verification, kills) per principal and window";
    }

    log: Log, "The log on standard error." {
        level: String = text("info"), "`error`, `warn`, `info`, `debug`, `trace`, or directives such as `info,safeconduct=debug`";
        format: LogFormat = text("pretty"), "`pretty` for people, `json` for programs";
    }

    retention: Retention, "How long bookkeeping is kept; the ledger has its own rules." {
        idempotency as "idempotency_seconds": Duration = text("86400"), "Answers kept for repeated requests", [60, 2592000];
        decisions as "decisions_seconds": Duration = text("2592000"), "Decisions kept in full", [60, 31536000];
        unreferenced_blobs as "unreferenced_blobs_seconds": Duration = text("86400"), "Blobs that nothing refers to", [60, 2592000];
    }
}

impl Config {
    /// The file of the key-encryption key, unless the key itself was given.
    pub fn encryption_key_file(&self) -> PathBuf {
        self.keys.encryption_key_file.clone().unwrap_or_else(|| self.data.dir.join("encryption.key"))
    }
}

const fn text(text: &'static str) -> Preset {
    Preset::Text(text)
}

const fn key<T: Setting>(name: &'static str, meaning: &'static str, default: Preset, bounds: Bounds) -> Key {
    let check = |text: &str, bounds: Bounds| T::read(text, bounds).map(|value| value.show());
    Key { name, meaning, secret: T::SECRET, default, bounds, check }
}
