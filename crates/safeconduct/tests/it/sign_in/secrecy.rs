//! What a provider is entrusted with – a client's secret, the password of a service account, an API key – is used, and
//! stands nowhere: not in a row, not in a file, an export, a fact or the log.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use testing::{Directory, OidcProvider};

use crate::support::{Start, every_row, find, look_through};

const PROVIDERS: &str = "/api/v1/auth-providers";
/// What the certified provider and slapd of the tests know us by.
const CLIENT_SECRET: &str = "app secret/with+odd:signs";
const BIND_PASSWORD: &str = "service-password";
/// What they do not: the refusal is logged with more words.
const WRONG_SECRET: &str = "tangerine-lantern-seventeen";
const API_KEY: &str = "sk_test_marmalade_submarine_nine";

/// The forms in which a text travels and is kept.
fn forms(secret: &str) -> Vec<Vec<u8>> {
    let encoded = serde_urlencoded::to_string([("", secret)]).expect("a form encodes");
    let encoded = encoded.trim_start_matches('=').to_owned();
    let basic = STANDARD.encode(format!("app:{encoded}"));
    let base64 = [STANDARD.encode(secret), STANDARD_NO_PAD.encode(secret), URL_SAFE_NO_PAD.encode(secret)];
    let mut forms = vec![secret.to_owned(), encoded, basic, hex::encode(secret), hex::encode_upper(secret)];
    forms.extend(base64);
    forms.into_iter().map(String::into_bytes).collect()
}

testing::on_both_databases! {
    async fn what_a_provider_is_entrusted_with_is_sealed_in_its_row_and_told_nowhere(database: TestDatabase) {
        let (directory, peer) = (Directory::start(), OidcProvider::start());
        let logs = tempfile::tempdir().unwrap();
        let log = logs.path().join("log");
        let mut start = Start::of(&database).set("log.level", "trace").set("egress.allow_private", "127.0.0.0/8");
        start.wrapper = vec!["sh".into(), "-c".into(), format!("exec \"$0\" \"$@\" 2>'{}'", log.display())];
        let server = start.run().unwrap();
        let owner = server.owner(database.directory()).await;
        let make = async |name: &str, kind: &str, settings: Value| {
            let body = json!({ "name": name, "display_name": "Conspicuous", "kind": kind, "settings": settings });
            let made = owner.post(PROVIDERS, body).await.ok(201);
            assert_eq!(made["has_secrets"], true, "{made}");
            format!("{PROVIDERS}/{}", made["id"].as_str().unwrap())
        };
        let oidc = json!({ "issuer": peer.issuer, "client_id": "app", "client_secret": CLIENT_SECRET });
        let oidc = make("corp", "oidc", oidc).await;
        let ldap = make("dir", "ldap", json!({
            "url": format!("ldap://127.0.0.1:{}", directory.port), "start_tls": false, "base": "dc=example,dc=test",
            "bind_dn": "uid=service,dc=example,dc=test", "bind_password": BIND_PASSWORD,
        })).await;
        make("work", "workos", json!({ "client_id": "client_1", "api_key": API_KEY })).await;
        // Each is used, told the truth by its peer, changed for a wrong one, and refused.
        for (path, field) in [(&oidc, "client_secret"), (&ldap, "bind_password")] {
            let good = owner.post(&format!("{path}/test"), json!({})).await.ok(200);
            assert_eq!(good["works"], true, "{good}");
            let row = "SELECT count(*) FROM auth_providers WHERE secrets IS NOT NULL";
            assert_eq!(database.tamper().await.number(row).await, 3);
            owner.patch(path, json!({ "settings": { field: WRONG_SECRET } })).await.ok(200);
            let wrong = owner.post(&format!("{path}/test"), json!({})).await.ok(200);
            assert_eq!(wrong["works"], false, "{wrong}");
        }
        let answers = [
            owner.get(PROVIDERS).await.text,
            owner.get("/api/v1/audit/events?limit=200").await.text,
            owner.get("/api/v1/audit/export?format=jsonl").await.text,
            owner.get("/api/v1/audit/export?format=bundle").await.text,
        ];
        assert!(answers[1].contains("auth_provider.updated") && answers[2].contains("auth_provider.updated"), "{answers:?}");
        let rows = every_row(&database.tamper().await).await;
        assert_eq!(server.stop(), Some(0));

        let forms: Vec<Vec<u8>> =
            [CLIENT_SECRET, BIND_PASSWORD, WRONG_SECRET, API_KEY].into_iter().flat_map(forms).collect();
        let hold = |place: &str, bytes: &[u8]| {
            for form in &forms {
                assert_eq!(find(bytes, form), None, "{} in {place}", String::from_utf8_lossy(form));
            }
        };
        for answer in &answers {
            hold("an answer", answer.as_bytes());
        }
        // The look reaches the row: what is no secret stands there as it is.
        assert!(rows.contains("Conspicuous") && rows.contains("uid=service,dc=example,dc=test"));
        hold("a row", rows.as_bytes());
        let logged = std::fs::read(&log).unwrap();
        assert!(find(&logged, b"/test").is_some(), "the tests were logged");
        hold("the log", &logged);
        look_through(database.directory(), &mut |path, bytes| hold(&path.display().to_string(), bytes));
    }
}
