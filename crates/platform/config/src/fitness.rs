//! Values that can be read but must not be used so: together, or in production.

use types::Secret;

use crate::{Config, Fault, MailSecurity, Mode};

pub(crate) fn faults(config: &Config) -> Vec<Fault> {
    let mut faults = contradictions(config);
    if config.mode == Mode::Production {
        faults.extend(plain_listening(config));
        faults.extend(weak_secrets(config));
    }
    faults
}

fn contradictions(config: &Config) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut unfit = |key, reason: &str| faults.push(Fault::Unfit { key, reason: reason.to_owned() });
    let roles = [
        ("database.url", &config.database.url),
        ("database.system_url", &config.database.system_url),
        ("database.owner_url", &config.database.owner_url),
    ];
    let some_role = roles.iter().any(|(_, url)| url.is_some());
    for (key, url) in roles {
        match url {
            None if some_role => {
                unfit(key, "PostgreSQL needs `url`, `system_url` and `owner_url`, one for each role")
            }
            Some(url) if !is_postgres(url) => {
                unfit(key, "expected `postgres://…`; leave it out for SQLite in the data directory");
            }
            _ => {}
        }
    }
    if config.keys.encryption_key.is_some() && config.keys.encryption_key_file.is_some() {
        unfit("keys.encryption_key", "`keys.encryption_key_file` is set as well; keep one of them");
    }
    if let Some(url) = &config.bus.url
        && !["redis://", "rediss://", "nats://", "tls://"]
            .iter()
            .any(|scheme| url.reveal().starts_with(scheme))
    {
        unfit("bus.url", "expected `redis://…`, `rediss://…`, `nats://…` or `tls://…`");
    }
    let plain = |sign: char| sign.is_ascii_alphanumeric() || matches!(sign, '-' | '_');
    if config.bus.prefix.is_empty() || !config.bus.prefix.chars().all(plain) {
        unfit("bus.prefix", "expected letters, digits, `-` and `_`");
    }
    let vault = &config.vault;
    let logins = [vault.token.is_some(), vault.token_file.is_some(), vault.role_id.is_some()];
    if vault.address.is_some() && logins.into_iter().filter(|is_set| *is_set).count() != 1 {
        unfit(
            "vault.address",
            "needs one of `vault.token`, `vault.token_file` and `vault.role_id` beside it",
        );
    }
    if vault.role_id.is_some() && vault.secret_id_file.is_none() {
        unfit("vault.secret_id_file", "is needed beside `vault.role_id`");
    }
    if !vault.org_path.contains("{org}") {
        unfit(
            "vault.org_path",
            "names `{org}`: without it every organization would reach the secrets of all",
        );
    }
    let blobs = &config.blobs;
    if blobs.bucket.is_some() {
        let needed = [
            ("blobs.endpoint", blobs.endpoint.is_none()),
            ("blobs.access_key_id", blobs.access_key_id.is_none()),
            ("blobs.secret_access_key", blobs.secret_access_key.is_none()),
        ];
        for (key, _) in needed.into_iter().filter(|(_, is_missing)| *is_missing) {
            unfit(key, "is needed beside `blobs.bucket`");
        }
        let plain = |sign: char| sign.is_ascii_alphanumeric() || matches!(sign, '-' | '_' | '.' | '/');
        if blobs.prefix.as_ref().is_some_and(|prefix| !prefix.ends_with('/') || !prefix.chars().all(plain)) {
            unfit("blobs.prefix", "expected letters, digits, `-`, `_`, `.` and `/`, with `/` at the end");
        }
    }
    let own = &config.config;
    let lacks = own.auto_apply || own.prune || own.key.is_some();
    if lacks && own.file.is_none() {
        unfit("config.file", "is needed beside the other settings of `config`");
    }
    if own.auto_apply && own.key.is_none() {
        unfit("config.key", "is needed beside `config.auto_apply`: changes are made in somebody's name");
    }
    if config.smtp.host.is_some() && config.smtp.from.is_none() {
        unfit("smtp.from", "is needed beside `smtp.host`: letters must say from whom they are");
    }
    if config.smtp.security == MailSecurity::None && !config.smtp.host.as_deref().is_none_or(is_loopback) {
        unfit("smtp.security", "codes and links may cross a network under TLS only; use `starttls` or `tls`");
    }
    let (public, inner) = (config.server.listen, config.server.operations_listen);
    if public == inner && public.port() != 0 {
        unfit(
            "server.operations_listen",
            "is the same address as `server.listen`; metrics need one of their own",
        );
    }
    faults
}

fn plain_listening(config: &Config) -> Option<Fault> {
    if config.server.insecure_listen || !config.server.trusted_proxies.is_empty() {
        return None;
    }
    let reason = "in production plain HTTP needs a proxy with TLS in front: name it in `server.trusted_proxies`, \
                  or set `server.insecure_listen`";
    Some(Fault::Unfit { key: "server.listen", reason: reason.to_owned() })
}

/// Shorter passwords than this are guessed.
const LEAST_PASSWORD: usize = 12;
/// 32 bytes in base64 without padding.
const LEAST_KEY: usize = 43;

fn weak_secrets(config: &Config) -> Vec<Fault> {
    let database = [
        ("database.url", &config.database.url),
        ("database.system_url", &config.database.system_url),
        ("database.owner_url", &config.database.owner_url),
    ];
    let passwords = database.into_iter().filter_map(|(key, url)| {
        url.as_ref()
            .and_then(|url| password_of(url.reveal()))
            .and_then(|password| weakness(key, password, LEAST_PASSWORD))
    });
    let encryption_key = config.keys.encryption_key.as_ref();
    let encryption_key =
        encryption_key.and_then(|key| weakness("keys.encryption_key", key.reveal(), LEAST_KEY));
    let mail = config.smtp.password.as_ref();
    let mail = mail.and_then(|password| weakness("smtp.password", password.reveal(), LEAST_PASSWORD));
    let bus = config.bus.url.as_ref().and_then(|url| password_of(url.reveal()));
    let bus = bus.and_then(|password| weakness("bus.url", password, LEAST_PASSWORD));
    let vault = config.vault.token.as_ref();
    let vault = vault.and_then(|token| weakness("vault.token", token.reveal(), LEAST_PASSWORD));
    let bucket = config.blobs.secret_access_key.as_ref();
    let bucket =
        bucket.and_then(|secret| weakness("blobs.secret_access_key", secret.reveal(), LEAST_PASSWORD));
    passwords.chain(encryption_key).chain(mail).chain(bus).chain(vault).chain(bucket).collect()
}

/// What stands in examples and is tried first, without digits and signs.
const PLACEHOLDERS: &[&str] = &[
    "admin",
    "default",
    "demo",
    "example",
    "insecure",
    "pass",
    "password",
    "postgres",
    "safeconduct",
    "secret",
    "test",
];

fn weakness(key: &'static str, secret: &str, least: usize) -> Option<Fault> {
    let letters: String = secret.to_ascii_lowercase().chars().filter(char::is_ascii_lowercase).collect();
    let repeats = secret.chars().all(|character| secret.starts_with(character));
    let known =
        PLACEHOLDERS.contains(&&*letters) || letters.contains("changeme") || letters.contains("placeholder");
    let reason = if repeats || known {
        "is a known placeholder; production needs a secret of your own".to_owned()
    } else if secret.len() < least {
        format!("is too short for production; use at least {least} random characters")
    } else {
        return None;
    };
    Some(Fault::Unfit { key, reason })
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

fn is_postgres(url: &Secret<String>) -> bool {
    ["postgres://", "postgresql://"].iter().any(|scheme| url.reveal().starts_with(scheme))
}

/// `postgres://user:PASSWORD@host/…`, if there is one.
fn password_of(url: &str) -> Option<&str> {
    let authority = url.split_once("://")?.1;
    let authority = authority.split(['/', '?']).next()?;
    authority.rsplit_once('@')?.0.split_once(':').map(|(_, password)| password)
}
