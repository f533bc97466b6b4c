//! Agents with papers: credentials of both kinds, assertions, tokens – genuine and forged.

use std::collections::BTreeMap;
use std::os::unix::fs::OpenOptionsExt;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use crypto::jws::{Algorithm, SigningKey};
use serde_json::{Value, json};
use testing::TestDatabase;
use types::{TokenId, World};

use crate::support::{Answer, Caller, TestAgent, TestServer};

pub(super) const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// An agent with a secret.
#[derive(Clone)]
pub(super) struct Papers {
    pub(super) agent: String,
    pub(super) credential: String,
    pub(super) secret: String,
    /// Path of the token endpoint and its siblings: `` or `/o/{slug}`.
    pub(super) base: String,
}

impl Papers {
    pub(super) async fn of(owner: &Caller, name: &str, permissions: &[&str]) -> Self {
        let TestAgent { id, credential, secret } = TestAgent::of(owner, name, permissions).await;
        Self { agent: id, credential, secret, base: String::new() }
    }

    /// Asks for a token by post, with further parameters.
    pub(super) async fn ask(&self, caller: &Caller, more: &[(&str, &str)]) -> Answer {
        let mut form = vec![
            ("grant_type", "client_credentials"),
            ("client_id", self.agent.as_str()),
            ("client_secret", self.secret.as_str()),
        ];
        form.extend_from_slice(more);
        caller.form(&format!("{}/oauth2/token", self.base), &form).await
    }

    pub(super) async fn token(&self, server: &TestServer) -> String {
        text(&self.ask(&server.anonymous(), &[]).await.ok(200), "access_token")
    }

    /// The agent itself, calling with a fresh token.
    pub(super) async fn caller(&self, server: &TestServer) -> Caller {
        with_token(server, &self.token(server).await)
    }

    pub(super) fn basic(&self) -> String {
        format!("Basic {}", STANDARD.encode(format!("{}:{}", self.agent, self.secret)))
    }

    /// `introspect` or `revoke`, asked by this agent.
    pub(super) async fn about(&self, caller: &Caller, endpoint: &str, token: &str) -> Answer {
        let caller = caller.with("authorization", self.basic());
        caller.form(&format!("{}/oauth2/{endpoint}", self.base), &[("token", token)]).await
    }
}

pub(super) fn with_token(server: &TestServer, token: &str) -> Caller {
    Caller { bearer: Some(token.to_owned()), ..server.anonymous() }
}

pub(super) fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_else(|| panic!("{name} in {value:#}")).to_owned()
}

/// Header and claims of a compact token, as they are written.
pub(super) fn parts(token: &str) -> (Value, Value) {
    let mut parts = token.split('.').map(|part| URL_SAFE_NO_PAD.decode(part).unwrap());
    let mut next = || serde_json::from_slice(&parts.next().unwrap()).unwrap();
    (next(), next())
}

/// Any header and claims with any signature.
pub(super) fn compact(header: &Value, claims: &Value, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let input = format!("{}.{}", part(header), part(claims));
    let signature = URL_SAFE_NO_PAD.encode(sign(input.as_bytes()));
    format!("{input}.{signature}")
}

/// A key that an agent signs assertions with.
pub(super) struct Signer {
    pub(super) key: SigningKey,
    pub(super) agent: String,
}

impl Signer {
    pub(super) async fn of(owner: &Caller, agent: &str, algorithm: Algorithm) -> Self {
        let key = SigningKey::generate(algorithm).unwrap();
        let path = format!("/api/v1/agents/{agent}/credentials");
        let body = json!({ "kind": "public_key", "label": "key", "public_key": key.public() });
        owner.post(&path, body).await.ok(201);
        Self { key, agent: agent.to_owned() }
    }

    pub(super) fn claims(&self, server: &TestServer, jti: &str) -> Value {
        let now = server.house().world.now().seconds();
        json!({
            "iss": self.agent, "sub": self.agent, "aud": server.url(), "iat": now, "exp": now + 60, "jti": jti,
        })
    }

    pub(super) fn assertion(&self, server: &TestServer, jti: &str) -> String {
        self.key.compact("JWT", self.claims(server, jti).to_string().as_bytes())
    }
}

/// Asks for a token with an assertion.
pub(super) async fn assert(caller: &Caller, assertion: &str) -> Answer {
    let form = [
        ("grant_type", "client_credentials"),
        ("client_assertion_type", ASSERTION),
        ("client_assertion", assertion),
    ];
    caller.form("/oauth2/token", &form).await
}

/// A server whose home issuer signs with a key that the test holds, so that tokens can be forged with a good signature.
pub(super) struct Forge {
    pub(super) server: TestServer,
    pub(super) key: SigningKey,
}

impl Forge {
    pub(super) async fn start() -> Self {
        let database = TestDatabase::sqlite();
        let key = SigningKey::generate(Algorithm::ES256).unwrap();
        let path = database.directory().join("signing.der");
        let mut options = std::fs::OpenOptions::new();
        let mut file = options.write(true).create_new(true).mode(0o600).open(&path).unwrap();
        std::io::Write::write_all(&mut file, key.to_pkcs8().reveal()).unwrap();
        let path = path.display().to_string();
        let server = TestServer::start_with(database, &[("keys.signing_key_file", &path)]).await;
        Self { server, key }
    }

    /// The same claims with some changed, under the genuine key and a new `jti`.
    pub(super) fn reissue(&self, token: &str, changed: &[(&str, Value)]) -> String {
        let (_, mut claims) = parts(token);
        claims["jti"] = json!(World::system().id::<TokenId>());
        for (name, value) in changed {
            claims[*name] = value.clone();
        }
        claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        self.key.compact("at+jwt", claims.to_string().as_bytes())
    }
}

/// How many facts of each kind there are.
pub(super) async fn facts(server: &TestServer) -> BTreeMap<String, i64> {
    let rows = server.database.tamper().await.rows("SELECT kind, count(*) FROM facts GROUP BY kind").await;
    let pair = |row: Vec<Option<String>>| {
        let [kind, count] = <[_; 2]>::try_from(row).unwrap();
        (kind.unwrap(), count.unwrap().parse().unwrap())
    };
    rows.into_iter().map(pair).collect()
}

impl Answer {
    /// An error in the form of RFC 6749 §5.2.
    #[track_caller]
    pub(super) fn oauth_error(&self, status: u16, error: &str) -> String {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        let body = self.json();
        assert_eq!(body["error"], error, "{body}");
        assert_eq!(self.header("cache-control"), "no-store");
        assert_eq!(self.header("www-authenticate").is_empty(), status != 401, "{body}");
        let description = text(&body, "error_description");
        assert!(
            description.bytes().all(|byte| matches!(byte, 0x20..=0x7e) && !b"\"\\".contains(&byte)),
            "{description}"
        );
        description
    }
}
