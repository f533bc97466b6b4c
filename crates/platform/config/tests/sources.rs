//! Every source, its place in the order, and each way in which it can be wrong.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use proptest::prelude::*;
use safeconduct_config::{
    Ack, Config, ConfigError, Environment, KEYS, LogFormat, Mode, SandboxBackend, SigningAlgorithm, Source,
    Sources, UidRange,
};

#[test]
fn defaults_start_a_server_on_loopback() {
    let config = load("", &[("HOME", "/home/ada")], &[]).unwrap();
    assert_eq!(config.mode, Mode::Development);
    assert_eq!(config.server.listen.to_string(), "127.0.0.1:7717");
    assert_eq!(config.server.operations_listen.to_string(), "127.0.0.1:7718");
    assert!(config.server.public_url.is_none());
    assert!(config.database.url.is_none());
    assert_eq!((config.database.pool_size, config.database.system_pool_size), (20, 2));
    assert_eq!(config.database.connect_timeout, Duration::from_secs(5));
    assert_eq!(config.tokens.agent_lifetime, Duration::from_secs(600));
    assert_eq!(config.tokens.signing_algorithm, SigningAlgorithm::Es256);
    assert_eq!(config.ledger.ack, Ack::Durable);
    assert_eq!(config.functions.timeout, Duration::from_secs(300));
    assert_eq!(config.functions.memory_mb, 512);
    assert_eq!(config.sandbox.backend, SandboxBackend::Jail);
    assert_eq!(config.sandbox.uid_range, UidRange { first: 2_000_000, last: 2_065_535 });
    assert_eq!(config.log.format, LogFormat::Pretty);
}

#[test]
fn the_data_directory_follows_xdg_and_root_has_its_own() {
    let dir = |variables: &[(&str, &str)]| load("", variables, &[]).unwrap().data.dir.display().to_string();
    assert_eq!(dir(&[("HOME", "/home/ada")]), "/home/ada/.local/share/safeconduct");
    assert_eq!(dir(&[("HOME", "/home/ada"), ("XDG_DATA_HOME", "/data")]), "/data/safeconduct");
    assert_eq!(
        dir(&[("HOME", "/home/ada"), ("XDG_DATA_HOME", "data")]),
        "/home/ada/.local/share/safeconduct"
    );
    let environment = Environment::of([("HOME", "/root"), ("XDG_DATA_HOME", "/data")]).as_root();
    let config = Config::load(&Sources { environment, ..Sources::default() }).unwrap();
    assert_eq!(config.data.dir.to_str(), Some("/var/lib/safeconduct"));
    assert_eq!(config.encryption_key_file().to_str(), Some("/var/lib/safeconduct/encryption.key"));
}

#[test]
fn without_any_home_the_data_directory_is_asked_for() {
    let faults = refused(load("", &[], &[]));
    assert_eq!(faults, ["data.dir (default): must not be empty"]);
    assert!(load("", &[], &[("data.dir", "/srv/papers")]).is_ok());
}

#[test]
fn flags_win_over_environment_over_file_over_defaults() {
    let file = "[server]\nlisten = \"127.0.0.1:1\"\n";
    let variable = ("SAFECONDUCT_SERVER__LISTEN", "127.0.0.1:2");
    let flag = ("server.listen", "127.0.0.1:3");
    for (config, port, source) in [
        (load("", &[HOME], &[]), 7717, "default"),
        (load(file, &[HOME], &[]), 1, "safeconduct.toml"),
        (load(file, &[HOME, variable], &[]), 2, "SAFECONDUCT_SERVER__LISTEN"),
        (load(file, &[HOME, variable], &[flag]), 3, "flag"),
    ] {
        let config = config.unwrap();
        assert_eq!(config.server.listen.port(), port);
        let explained = config.explain().iter().find(|line| line.key == "server.listen").unwrap();
        assert_eq!(explained.value, format!("127.0.0.1:{port}"));
        assert!(explained.source.to_string().ends_with(source), "{}", explained.source);
        assert!(!explained.meaning.is_empty());
    }
}

#[test]
fn a_file_may_hold_every_kind_of_value() {
    let file = r#"
        mode = "development"
        [server]
        trusted_proxies = ["10.0.0.0/8", "192.0.2.7"]
        public_url = "https://papers.example.com/base/"
        insecure_listen = true
        [tokens]
        agent_lifetime_seconds = 60
        [sandbox]
        uid_range = "300000-365535"
        [owner]
        email = "ada@example.com"
    "#;
    let config = load(file, &[HOME], &[]).unwrap();
    assert_eq!(config.server.trusted_proxies.len(), 2);
    assert!(config.server.trusted_proxies[1].contains(&"192.0.2.7".parse::<std::net::IpAddr>().unwrap()));
    assert_eq!(config.server.public_url.unwrap().as_str(), "https://papers.example.com/base");
    assert!(config.server.insecure_listen);
    assert_eq!(config.tokens.agent_lifetime, Duration::from_secs(60));
    assert_eq!(config.sandbox.uid_range.first, 300_000);
    assert_eq!(config.owner.email.unwrap().as_str(), "ada@example.com");
}

#[test]
fn an_unknown_key_is_named_wherever_it_stands() {
    let unknown = |place: &str, key: &str, hint: &str| format!("{place}: no such key as `{key}`{hint}");
    let faults = refused(load(
        "colour = 1\n[server]\nlissten = \"127.0.0.1:1\"\n[servr]\nlisten = 1\n",
        &[
            HOME,
            ("SAFECONDUCT_SERVER_LISTEN", "x"),
            ("SAFECONDUCT_LOG__LEVEL_FILE", "x"),
            ("SAFECONDUCT_MOOD", "x"),
        ],
        &[("listen", "x"), ("tokens.agent_lifetime", "60")],
    ));
    let meant = |key: &str| format!("; did you mean `{key}`?");
    let list = "; `safeconduct config explain` lists them all";
    let mut expected = vec![
        unknown("safeconduct.toml", "colour", list),
        unknown("safeconduct.toml", "server.lissten", &meant("server.listen")),
        unknown("safeconduct.toml", "servr.listen", &meant("server.listen")),
        unknown("SAFECONDUCT_LOG__LEVEL_FILE", "log.level_file", list),
        unknown("SAFECONDUCT_MOOD", "mood", &meant("mode")),
        unknown("SAFECONDUCT_SERVER_LISTEN", "server_listen", &meant("server.listen")),
        unknown("flag", "listen", &meant("server.listen")),
        unknown("flag", "tokens.agent_lifetime", &meant("tokens.agent_lifetime_seconds")),
    ];
    let mut faults: Vec<String> =
        faults.iter().map(|fault| fault[fault.find("safeconduct.toml").unwrap_or(0)..].to_owned()).collect();
    expected.sort();
    faults.sort();
    assert_eq!(faults, expected);
}

#[test]
fn a_bad_value_is_named_with_its_key_and_what_was_expected() {
    for (key, value, reason) in [
        ("mode", "prod", "expected one of `development`, `production`"),
        ("server.listen", "7717", "expected an address and a port"),
        ("server.listen", "localhost:7717", "expected an address and a port"),
        ("server.public_url", "papers.example.com", "expected an address such as"),
        ("server.public_url", "https://", "expected an address such as"),
        ("server.public_url", "https://:80", "expected an address such as"),
        ("server.public_url", "https://a.example/?q=1", "expected an address such as"),
        ("server.public_url", "https://ada@a.example", "expected an address such as"),
        ("server.insecure_listen", "yes", "expected `true` or `false`"),
        ("server.trusted_proxies", "10.0.0.0/8,proxy", "expected networks or addresses"),
        ("database.pool_size", "0", "from 1 to 1000"),
        ("database.pool_size", "-1", "from 1 to 1000"),
        ("database.connect_timeout_seconds", "5s", "from 1 to 600 (seconds)"),
        ("tokens.signing_algorithm", "HS256", "expected one of `ES256`, `EdDSA`, `RS256`"),
        ("tokens.agent_lifetime_seconds", "3601", "from 10 to 3600"),
        ("owner.email", "ada", "expected an e-mail address"),
        ("owner.email", "ada @example.com", "expected an e-mail address"),
        ("ledger.ack", "maybe", "expected one of `durable`, `fast`"),
        ("sandbox.backend", "docker", "expected one of `jail`, `none`"),
        ("sandbox.uid_range", "0-65535", "expected a range of user ids"),
        ("sandbox.uid_range", "300000-200000", "expected a range of user ids"),
        ("limits.reads", "4294967296", "from 0 to 4294967295"),
        ("log.level", "", "must not be empty"),
        ("database.url", "mysql://db", "expected `postgres://"),
    ] {
        let faults = refused(load("", &[HOME], &[(key, value)]));
        assert!(
            faults.iter().any(|fault| fault.starts_with(key) && fault.contains(reason)),
            "{key}={value}: {faults:?}"
        );
    }
}

#[test]
fn all_faults_are_told_at_once() {
    let faults =
        refused(load("[log]\nlevel = 1.5\n", &[HOME, ("SAFECONDUCT_MODE", "x")], &[("server.listen", "x")]));
    assert_eq!(faults.len(), 3, "{faults:?}");
}

#[test]
fn a_file_that_is_missing_or_broken_is_named() {
    let sources = Sources { file: Some("/nowhere/safeconduct.toml".into()), ..Sources::default() };
    assert!(refused(Config::load(&sources))[0].starts_with("/nowhere/safeconduct.toml: "));
    for broken in ["[server", "listen = ", "[server]\nlisten = 1\nlisten = 2\n"] {
        assert!(
            refused(load(broken, &[HOME], &[]))[0].contains("safeconduct.toml: TOML parse error"),
            "{broken}"
        );
    }
    let deep = refused(load("[server.listen]\nport = 1\n", &[HOME], &[]));
    assert!(deep[0].contains("expected a value, not a table"), "{deep:?}");
}

#[test]
fn secrets_come_from_files_and_are_never_shown() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("url");
    std::fs::write(&file, "postgres://app:hunter2hunter2@db/papers\n").unwrap();
    let variables = [HOME, ("SAFECONDUCT_DATABASE__URL_FILE", file.to_str().unwrap())];
    let rest =
        [("database.system_url", "postgres://s@db/papers"), ("database.owner_url", "postgres://o@db/papers")];
    let config = load("", &variables, &rest).unwrap();
    assert_eq!(config.database.url.as_ref().unwrap().reveal(), "postgres://app:hunter2hunter2@db/papers");
    let explained = config.explain().iter().find(|line| line.key == "database.url").unwrap();
    assert_eq!(explained.source, Source::SecretFile("SAFECONDUCT_DATABASE__URL_FILE".to_owned()));
    assert!(config.explain().iter().all(|line| !line.value.contains("hunter2")));

    let both = [variables[0], variables[1], ("SAFECONDUCT_DATABASE__URL", "postgres://app@db/papers")];
    assert!(refused(load("", &both, &rest))[0].contains("keep one of them"));
    let missing = [HOME, ("SAFECONDUCT_DATABASE__URL_FILE", "/nowhere/url")];
    assert!(refused(load("", &missing, &rest))[0].contains("/nowhere/url cannot be read"));
}

#[test]
fn a_bad_secret_is_not_repeated_in_the_error() {
    let error = load("", &[HOME], &[("database.url", "mysql://app:hunter2hunter2@db")]).err().unwrap();
    assert!(!error.to_string().contains("hunter2"));
}

#[test]
fn what_contradicts_itself_is_refused() {
    let half = refused(load("", &[HOME], &[("database.url", "postgres://app@db/papers")]));
    assert_eq!(half.len(), 2, "{half:?}");
    let twice = [("keys.encryption_key", "k"), ("keys.encryption_key_file", "/k")];
    assert!(refused(load("", &[HOME], &twice))[0].contains("keep one of them"));
    let bare = [("blobs.bucket", "papers"), ("blobs.prefix", "safeconduct")];
    let missing = refused(load("", &[HOME], &bare));
    let keys: Vec<&str> = missing.iter().filter_map(|fault| Some(fault.split_once(": ")?.0)).collect();
    assert_eq!(keys, ["blobs.endpoint", "blobs.access_key_id", "blobs.secret_access_key", "blobs.prefix"]);
    let same = [("server.listen", "127.0.0.1:7718")];
    assert!(refused(load("", &[HOME], &same))[0].starts_with("server.operations_listen: "));
    assert!(
        load("", &[HOME], &[("server.listen", "127.0.0.1:0"), ("server.operations_listen", "127.0.0.1:0")])
            .is_ok()
    );
}

#[test]
fn production_refuses_plain_listening() {
    let production = ("mode", "production");
    assert!(refused(load("", &[HOME], &[production]))[0].starts_with("server.listen: in production"));
    assert!(load("", &[HOME], &[production, ("server.trusted_proxies", "10.0.0.1")]).is_ok());
    assert!(load("", &[HOME], &[production, ("server.insecure_listen", "true")]).is_ok());
}

#[test]
fn production_refuses_placeholders_and_short_secrets() {
    let strong = "postgres://app:vK3qLw9zT2xR@db/papers";
    let start = |app: &str, key: &str| {
        let flags = [
            ("mode", "production"),
            ("server.insecure_listen", "true"),
            ("database.url", app),
            ("database.system_url", strong),
            ("database.owner_url", "postgres://owner@db/papers"),
            ("keys.encryption_key", key),
        ];
        load("", &[HOME], &flags)
    };
    let key = "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=";
    assert!(start(strong, key).is_ok());
    for password in
        ["changeme-please-now", "password123!", "secret", "aaaaaaaaaaaaaaaa", "PLACEHOLDER-7-PLACEHOLDER"]
    {
        let faults = refused(start(&format!("postgres://app:{password}@db/papers"), key));
        assert_eq!(faults, ["database.url: is a known placeholder; production needs a secret of your own"]);
    }
    let faults = refused(start("postgres://app:vK3qLw9@db/papers", "q83vEjRWeJCrze8SNFZ4"));
    assert!(faults[0].starts_with("database.url: is too short"), "{faults:?}");
    assert!(faults[1].starts_with("keys.encryption_key: is too short"), "{faults:?}");
    let development = [("keys.encryption_key", "changeme")];
    assert!(load("", &[HOME], &development).is_ok(), "a workbench may use what it likes");
}

#[test]
fn variables_of_the_client_and_empty_ones_are_left_alone() {
    let variables =
        [HOME, ("SAFECONDUCT_PROFILE", "work"), ("SAFECONDUCT_SERVER__LISTEN", ""), ("SAFE", "x")];
    let config = load("", &variables, &[]).unwrap();
    assert_eq!(config.server.listen.port(), 7717);
}

#[test]
fn each_key_has_a_variable_of_its_own_and_is_explained() {
    let mut variables: Vec<String> = KEYS.iter().map(|key| key.variable()).collect();
    assert!(variables.contains(&"SAFECONDUCT_TOKENS__AGENT_LIFETIME_SECONDS".to_owned()));
    assert!(variables.contains(&"SAFECONDUCT_MODE".to_owned()));
    let count = variables.len();
    variables.sort();
    variables.dedup();
    assert_eq!(variables.len(), count);
    let config = load("", &[HOME], &[]).unwrap();
    let explained: Vec<&str> = config.explain().iter().map(|line| line.key).collect();
    assert_eq!(explained, KEYS.iter().map(|key| key.name).collect::<Vec<_>>());
}

proptest! {
    #[test]
    fn no_file_upsets_the_reader(text in any::<String>(), key in "[a-z_.]{0,20}", value in any::<String>()) {
        let _ = load(&text, &[HOME], &[(&key, &value)]);
    }

    #[test]
    fn no_value_upsets_any_key(at in 0..KEYS.len(), value in ".{0,40}") {
        if let Err(error) = load("", &[HOME], &[(KEYS[at].name, &value)]) {
            prop_assert!(error.to_string().contains(KEYS[at].name.split('.').next().unwrap()));
        }
    }
}

const HOME: (&str, &str) = ("HOME", "/home/ada");

fn load(file: &str, variables: &[(&str, &str)], flags: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("safeconduct.toml");
    std::fs::write(&path, file).unwrap();
    Config::load(&Sources {
        file: (!file.is_empty()).then_some(path),
        environment: Environment::of(variables.iter().copied()),
        flags: flags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
    })
}

fn refused(result: Result<Config, ConfigError>) -> Vec<String> {
    result.err().unwrap().faults.iter().map(ToString::to_string).collect()
}
