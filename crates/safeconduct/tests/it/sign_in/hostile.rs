//! Issuers that lie, and answers that were made for somebody else.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::routing::{get, post};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use crypto::jwk::Jwk;
use crypto::jws::{Algorithm, SigningKey};
use parking_lot::Mutex;
use serde_json::{Value, json};
use testing::TestDatabase;

use super::browser::{Away, parameter};
use super::{Desk, count};
use crate::support::Answer;

/// An issuer that says whatever it is told to.
pub(crate) struct Issuer {
    pub(crate) url: String,
    pub(crate) key: SigningKey,
    said: Arc<Mutex<Said>>,
    task: tokio::task::JoinHandle<()>,
}

#[derive(Default)]
struct Said {
    discovery: Value,
    keys: Value,
    token: Value,
    userinfo: Value,
    /// Forms that came to the token endpoint.
    forms: Vec<String>,
}

impl Issuer {
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let key = SigningKey::generate(Algorithm::ES256).expect("a key");
        let at = |path: &str| format!("{url}{path}");
        let discovery = json!({
            "issuer": url, "authorization_endpoint": at("/authorize"), "token_endpoint": at("/token"),
            "userinfo_endpoint": at("/userinfo"), "jwks_uri": at("/keys"),
            "authorization_response_iss_parameter_supported": true,
        });
        let public = Jwk { kid: Some(key.kid().to_owned()), ..key.public().clone() };
        let keys = json!({ "keys": [public] });
        let said = Arc::new(Mutex::new(Said { discovery, keys, ..Said::default() }));
        type Shared = State<Arc<Mutex<Said>>>;
        let routes = Router::new()
            .route(
                "/.well-known/openid-configuration",
                get(async |State(said): Shared| said.lock().discovery.to_string()),
            )
            .route("/keys", get(async |State(said): Shared| said.lock().keys.to_string()))
            .route("/userinfo", get(async |State(said): Shared| said.lock().userinfo.to_string()))
            .route(
                "/token",
                post(async |State(said): Shared, form: String| {
                    let mut said = said.lock();
                    said.forms.push(form);
                    said.token.to_string()
                }),
            )
            .with_state(Arc::clone(&said));
        let task = telemetry::spawn("hostile issuer", async move {
            axum::serve(listener, routes).await.expect("the issuer serves");
        });
        Self { url, key, said, task }
    }

    pub(crate) fn describes(&self, name: &str, value: Value) {
        self.said.lock().discovery[name] = value;
    }

    pub(crate) fn has_keys(&self, keys: Value) {
        self.said.lock().keys = json!({ "keys": keys });
    }

    pub(crate) fn answers(&self, id_token: &str) {
        self.said.lock().token = json!({ "id_token": id_token, "access_token": "x", "token_type": "Bearer" });
    }

    pub(crate) fn userinfo(&self, claims: Value) {
        self.said.lock().userinfo = claims;
    }

    fn forms(&self) -> usize {
        self.said.lock().forms.len()
    }

    pub(crate) fn sign(&self, claims: &Value) -> String {
        self.key.compact("JWT", &serde_json::to_vec(claims).expect("claims"))
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn desk_at(issuer: &Issuer, name: &str) -> (Desk, String) {
    let desk = Desk::reaching(TestDatabase::sqlite()).await;
    let id = known(&desk, issuer, name).await;
    (desk, id)
}

async fn known(desk: &Desk, issuer: &Issuer, name: &str) -> String {
    let settings = json!({ "issuer": issuer.url, "client_id": "us", "client_secret": "s" });
    let body = json!({ "name": name, "kind": "oidc", "create_users": true, "settings": settings });
    desk.provider(body).await["id"].as_str().expect("an id").to_owned()
}

fn claims(desk: &Desk, issuer: &Issuer, away: &Away) -> Value {
    let at = desk.server.house().world.now().seconds();
    json!({ "iss": issuer.url, "sub": "42", "aud": "us", "nonce": parameter(&away.url, "nonce"),
        "exp": at + 60, "iat": at, "email": "a@example.com", "name": "A", "groups": [] })
}

/// Comes back with a code and what the issuer is said to be.
async fn back(away: &Away, id: &str, iss: Option<&str>) -> Answer {
    let mut query = vec![("code", "abc"), ("state", away.state.as_str())];
    query.extend(iss.map(|iss| ("iss", iss)));
    let query = serde_urlencoded::to_string(query).expect("a query");
    away.browser.get(&format!("/api/v1/auth/{id}/callback?{query}")).await
}

#[tokio::test]
async fn tokens_that_were_not_made_for_this_sign_in_are_refused() {
    let issuer = Issuer::start().await;
    let (desk, id) = desk_at(&issuer, "corp").await;
    let past = desk.server.house().world.now().seconds() - 3600;
    for (name, value) in [
        ("nonce", json!("another")),
        ("nonce", Value::Null),
        ("aud", json!("somebody-else")),
        ("aud", json!(["us", "somebody-else"])),
        ("azp", json!("somebody-else")),
        ("iss", json!("https://another.example")),
        ("sub", json!("")),
        ("exp", json!(past)),
        ("iat", json!(past + 7200)),
    ] {
        let away = desk.leave("corp").await;
        let mut claims = claims(&desk, &issuer, &away);
        claims[name] = value.clone();
        issuer.answers(&issuer.sign(&claims));
        let answer = back(&away, &id, Some(&issuer.url)).await;
        answer.refused(401, "sign_in_refused");
    }
    // The token of an earlier sign-in, with a code of this one.
    let away = desk.leave("corp").await;
    issuer.answers(&issuer.sign(&claims(&desk, &issuer, &away)));
    assert_eq!(back(&away, &id, Some(&issuer.url)).await.status.as_u16(), 303);
    let later = desk.leave("corp").await;
    back(&later, &id, Some(&issuer.url)).await.refused(401, "sign_in_refused");
    assert!(count(&desk.server, "auth.refused").await >= 1);
    assert_eq!(count(&desk.server, "session.started").await, 2, "the owner and one person");
    desk.server.finish().await;
}

#[tokio::test]
async fn signatures_are_the_issuers_own_or_nothing() {
    let issuer = Issuer::start().await;
    let (desk, id) = desk_at(&issuer, "corp").await;
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let refused = async |forge: &dyn Fn(&Value) -> String| {
        let away = desk.leave("corp").await;
        issuer.answers(&forge(&claims(&desk, &issuer, &away)));
        back(&away, &id, Some(&issuer.url)).await.refused(401, "sign_in_refused");
    };
    refused(&|claims| format!("{}.{}.", encode(&json!({ "alg": "none" })), encode(claims))).await;
    // HMAC with the public key, which everybody has, as the secret.
    let public = serde_json::to_vec(issuer.key.public()).unwrap();
    refused(&|claims| {
        let signed =
            format!("{}.{}", encode(&json!({ "alg": "HS256", "kid": issuer.key.kid() })), encode(claims));
        let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &public);
        let tag = aws_lc_rs::hmac::sign(&key, signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(tag))
    })
    .await;
    let stranger = SigningKey::generate(Algorithm::ES256).unwrap();
    refused(&|claims| stranger.compact("JWT", &serde_json::to_vec(claims).unwrap())).await;
    // A key that the token brings along.
    refused(&|claims| {
        let header = json!({ "alg": "ES256", "jwk": stranger.public() });
        let signed = format!("{}.{}", encode(&header), encode(claims));
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(stranger.sign(signed.as_bytes())))
    })
    .await;
    // An access token is no ID token.
    refused(&|claims| issuer.key.compact("at+jwt", &serde_json::to_vec(claims).unwrap())).await;
    refused(&|claims| {
        let good = issuer.sign(claims);
        format!("{}x", &good[..good.len() - 1])
    })
    .await;
    // A key for encryption does not sign.
    let key = json!(Jwk {
        kid: Some(issuer.key.kid().into()),
        usage: Some("enc".into()),
        ..issuer.key.public().clone()
    });
    issuer.has_keys(json!([key]));
    desk.server.clock.advance(Duration::from_secs(601));
    refused(&|claims| issuer.sign(claims)).await;
    desk.server.finish().await;
}

#[tokio::test]
async fn issuers_are_not_mixed_up() {
    let (honest, evil) = (Issuer::start().await, Issuer::start().await);
    let (desk, honest_id) = desk_at(&honest, "honest").await;
    let evil_id = known(&desk, &evil, "evil").await;
    // Somebody chose the evil one, which had the honest one answer: its code must not reach the evil token endpoint.
    let away = desk.leave("evil").await;
    back(&away, &honest_id, Some(&honest.url)).await.refused(401, "sign_in_refused");
    let away = desk.leave("evil").await;
    back(&away, &evil_id, Some(&honest.url)).await.refused(401, "sign_in_refused");
    // The issuer said that it names itself in its answers: one that does not is not its.
    let away = desk.leave("honest").await;
    back(&away, &honest_id, None).await.refused(401, "sign_in_refused");
    assert_eq!((honest.forms(), evil.forms()), (0, 0), "no code left for a token endpoint");
    // A token of the honest issuer, passed on by the evil one.
    let away = desk.leave("evil").await;
    evil.answers(&honest.sign(&claims(&desk, &honest, &away)));
    back(&away, &evil_id, Some(&evil.url)).await.refused(401, "sign_in_refused");
    // The issuer of a provider was changed while somebody was away.
    let away = desk.leave("honest").await;
    let settings = json!({ "settings": { "issuer": evil.url, "client_secret": "s" } });
    desk.server.owner().await.patch(&format!("/api/v1/auth-providers/{honest_id}"), settings).await.ok(200);
    back(&away, &honest_id, Some(&evil.url)).await.refused(401, "sign_in_refused");
    // Nor may one describe itself as another.
    evil.describes("issuer", json!(honest.url));
    desk.server.clock.advance(Duration::from_secs(601));
    desk.browser().post("/api/v1/auth/evil/begin", json!({})).await.refused(503, "sign_in_unavailable");
    desk.server.finish().await;
}

#[tokio::test]
async fn userinfo_speaks_of_the_same_person_and_adds_only_what_is_missing() {
    let issuer = Issuer::start().await;
    let (desk, id) = desk_at(&issuer, "corp").await;
    let come = async |userinfo: Value| {
        let away = desk.leave("corp").await;
        let mut claims = claims(&desk, &issuer, &away);
        claims.as_object_mut().unwrap().remove("name");
        issuer.answers(&issuer.sign(&claims));
        issuer.userinfo(userinfo);
        back(&away, &id, Some(&issuer.url)).await
    };
    come(json!({ "sub": "43", "name": "Eve" })).await.refused(401, "sign_in_refused");
    come(json!({ "name": "Eve" })).await.refused(401, "sign_in_refused");
    let answer = come(json!({ "sub": "42", "name": "Grace\u{7}", "email": "other@example.com" })).await;
    assert_eq!(answer.status.as_u16(), 303, "{}", answer.text);
    let users = desk.server.owner().await.get("/api/v1/members?q=Grace").await.ok(200);
    assert_eq!(users["items"][0]["display_name"], "Grace");
    desk.server.finish().await;
}

#[tokio::test]
async fn documents_that_lead_elsewhere_are_not_followed() {
    let issuer = Issuer::start().await;
    let (desk, id) = desk_at(&issuer, "corp").await;
    let owner = desk.server.owner().await;
    for (name, value, told) in [
        ("jwks_uri", json!("http://id.example/keys"), "is no https address"),
        ("token_endpoint", json!("ftp://id.example"), "is no https address"),
        ("authorization_endpoint", json!("javascript:alert(1)"), "is no https address"),
        ("jwks_uri", json!("https://169.254.169.254/keys"), "may not be called from here"),
    ] {
        let before = issuer.said.lock().discovery[name].clone();
        issuer.describes(name, value);
        let found = owner.post(&format!("/api/v1/auth-providers/{id}/test"), json!({})).await.ok(200);
        assert!(found["works"] == false && found.to_string().contains(told), "{name}: {found}");
        issuer.describes(name, before);
    }
    desk.server.finish().await;
}

#[tokio::test]
async fn of_a_hundred_that_come_back_with_one_answer_one_is_signed_in() {
    let issuer = Issuer::start().await;
    let (desk, id) = desk_at(&issuer, "corp").await;
    let away = Arc::new(desk.leave("corp").await);
    issuer.answers(&issuer.sign(&claims(&desk, &issuer, &away)));
    let racers: Vec<_> = (0..100)
        .map(|_| {
            let (away, id, url) = (Arc::clone(&away), id.clone(), issuer.url.clone());
            telemetry::spawn("racer", async move { back(&away, &id, Some(&url)).await.status.as_u16() })
        })
        .collect();
    let mut signed_in = 0;
    for racer in racers {
        let status = racer.await.expect("an answer");
        assert!([303, 401, 429].contains(&status), "{status}");
        signed_in += usize::from(status == 303);
    }
    assert_eq!((signed_in, issuer.forms()), (1, 1));
    desk.server.finish().await;
}
