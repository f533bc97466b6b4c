//! What the API takes for a token, and what only looks like one.

use crypto::jws::{Algorithm, SigningKey};
use crypto::mac::MacKey;
use serde_json::{Value, json};
use types::World;

use super::papers::{Forge, Papers, compact, parts, with_token};
use crate::support::{Answer, TestServer};

const OPEN: &str = "/api/v1/auth/me";

async fn me(server: &TestServer, token: &str) -> Answer {
    with_token(server, token).get(OPEN).await
}

#[tokio::test]
async fn every_cut_and_every_changed_character_is_refused() {
    let server = TestServer::sqlite().await;
    let papers = Papers::of(&server.owner().await, "worker", &["agents:read:all"]).await;
    let token = papers.token(&server).await;
    me(&server, &token).await.ok(200);
    for end in (1..token.len()).step_by(7) {
        me(&server, &token[..end]).await.refused(401, "invalid_token");
    }
    for at in (0..token.len()).step_by(11) {
        let other = if token.as_bytes()[at] == b'A' { "B" } else { "A" };
        let changed = format!("{}{other}{}", &token[..at], &token[at + 1..]);
        me(&server, &changed).await.refused(401, "invalid_token");
    }
    for other in
        [format!("{token}="), format!("{token}."), format!("{token}.x"), "a.b.c".into(), "x".repeat(20_000)]
    {
        me(&server, &other).await.refused(401, "invalid_token");
    }
    me(&server, &token).await.ok(200);
    server.finish().await;
}

#[tokio::test]
async fn only_one_authorization_header_of_the_bearer_scheme_counts() {
    let server = TestServer::sqlite().await;
    let papers = Papers::of(&server.owner().await, "worker", &[]).await;
    let token = papers.token(&server).await;
    let anonymous = server.anonymous();
    anonymous.with("authorization", format!("bearer {token}")).get(OPEN).await.ok(200);
    anonymous.with("authorization", papers.basic()).get(OPEN).await.refused(401, "unauthenticated");
    anonymous.with("authorization", token.clone()).get(OPEN).await.refused(401, "unauthenticated");
    let twice = with_token(&server, &token).with("authorization", format!("Bearer {token}"));
    twice.get(OPEN).await.refused(401, "invalid_token");
    anonymous.get(&format!("{OPEN}?access_token={token}")).await.refused(401, "unauthenticated");
    server.finish().await;
}

#[tokio::test]
async fn headers_choose_neither_algorithm_nor_key() {
    let Forge { server, key } = Forge::start().await;
    let papers = Papers::of(&server.owner().await, "worker", &["agents:read:all"]).await;
    let (header, claims) = parts(&papers.token(&server).await);
    assert_eq!(header["kid"], key.kid());
    let thief = SigningKey::generate(Algorithm::ES256).unwrap();
    let public = serde_json::to_string(key.public()).unwrap();
    let hmac = |input: &[u8]| MacKey::new(&public).tag(&[input]).to_vec();
    let none = |_: &[u8]| Vec::new();
    let stolen = |input: &[u8]| thief.sign(input);
    let genuine = |input: &[u8]| key.sign(input);
    type Sign<'a> = &'a dyn Fn(&[u8]) -> Vec<u8>;
    let sign: [(Value, Sign<'_>); 12] = [
        (json!({ "alg": "none", "typ": "at+jwt", "kid": key.kid() }), &none),
        (json!({ "alg": "HS256", "typ": "at+jwt", "kid": key.kid() }), &hmac),
        (json!({ "alg": "RS256", "typ": "at+jwt", "kid": key.kid() }), &genuine),
        (json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": key.kid() }), &genuine),
        (json!({ "alg": "ES256", "typ": "at+jwt", "kid": key.kid() }), &stolen),
        (json!({ "alg": "ES256", "typ": "at+jwt", "kid": thief.kid() }), &stolen),
        (json!({ "alg": "ES256", "typ": "at+jwt", "kid": "' OR 1=1 --" }), &genuine),
        (json!({ "alg": "ES256", "typ": "at+jwt" }), &genuine),
        (json!({ "alg": "ES256", "typ": "at+jwt", "kid": key.kid(), "jwk": thief.public() }), &stolen),
        (
            json!({ "alg": "ES256", "typ": "at+jwt", "kid": key.kid(), "jku": "https://evil.example" }),
            &genuine,
        ),
        (json!({ "alg": "ES256", "typ": "JWT", "kid": key.kid() }), &genuine),
        (json!({ "alg": "ES256", "kid": key.kid() }), &genuine),
    ];
    for (header, sign) in sign {
        me(&server, &compact(&header, &claims, sign)).await.refused(401, "invalid_token");
    }
    let plain = json!({ "alg": "ES256", "typ": "at+jwt", "kid": key.kid() });
    me(&server, &compact(&plain, &claims, genuine)).await.ok(200);
    server.finish().await;
}

#[tokio::test]
async fn a_good_signature_does_not_make_any_claims_ours() {
    let forge = Forge::start().await;
    let server = &forge.server;
    let papers = Papers::of(&server.owner().await, "worker", &["agents:read:all"]).await;
    let stranger = server.stranger().await;
    let foreign = Papers { base: "/o/elsewhere".into(), ..Papers::of(&stranger, "worker", &[]).await };
    let (_, theirs) = parts(&foreign.token(server).await);
    let token = papers.token(server).await;
    let (_, ours) = parts(&token);
    let url = server.url();
    let now = server.house().world.now().seconds();
    me(server, &forge.reissue(&token, &[])).await.ok(200);
    for (changed, why) in [
        (vec![("aud", json!(format!("{url}/v1")))], "another audience"),
        (vec![("aud", json!([format!("{url}/api")]))], "a list of audiences"),
        (vec![("iss", json!(format!("{url}/o/elsewhere")))], "issuer mix-up: our key, their issuer"),
        (vec![("iss", json!(format!("{url}/")))], "almost our issuer"),
        (vec![("iss", json!("https://other.example"))], "another server"),
        (
            vec![("iss", theirs["iss"].clone()), ("org", theirs["org"].clone())],
            "our key for their organization",
        ),
        (vec![("org", theirs["org"].clone())], "their organization under our issuer"),
        (vec![("sub", theirs["sub"].clone()), ("client_id", theirs["sub"].clone())], "their agent"),
        (vec![("sub_type", json!("user"))], "a wrong kind of subject"),
        (vec![("exp", json!(now - 1))], "expired"),
        (vec![("nbf", json!(now + 60)), ("iat", json!(now + 60))], "not yet"),
        (vec![("cnf", json!({ "jkt": "x" }))], "bound to a key, which is not checked here yet"),
        (vec![("authorization_details", json!([]))], "narrowed in a way unknown here"),
        (vec![("rev", Value::Null)], "no revision"),
        (vec![("jti", json!("tok_1"))], "no id"),
        (vec![("act", json!({ "sub": theirs["sub"] }))], "an actor of another organization"),
        (vec![("scope", json!("agents read"))], "a scope that is none"),
    ] {
        let answer = me(server, &forge.reissue(&token, &changed)).await;
        assert_eq!(answer.status, 401, "{why}: {}", answer.text);
        answer.refused(401, "invalid_token");
    }
    assert_ne!(ours["iss"], theirs["iss"]);
    forge.server.finish().await;
}

#[tokio::test]
async fn an_actor_in_the_chain_must_hold_the_right_too() {
    let forge = Forge::start().await;
    let server = &forge.server;
    let owner = server.owner().await;
    let worker = Papers::of(&owner, "worker", &["agents:read:all", "users:read:all"]).await;
    let helper = Papers::of(&owner, "helper", &["agents:read:all"]).await;
    let token = worker.token(server).await;
    let function = World::system().id::<types::FunctionId>();
    let me = owner.get("/api/v1/auth/me").await.ok(200);
    let act = |author: Value| json!({ "sub": function, "author": author, "act": { "sub": helper.agent } });
    for nobody in [Value::Null, json!("fn_01h455vb4pex5vsknk084sn02q"), json!("")] {
        let unanswered = forge.reissue(&token, &[("act", act(nobody))]);
        with_token(server, &unanswered).get("/api/v1/agents").await.refused(401, "invalid_token");
    }
    let act = act(me["principal"]["id"].clone());
    let caller = with_token(server, &forge.reissue(&token, &[("act", act)]));
    caller.get("/api/v1/agents").await.ok(200);
    caller.get("/api/v1/users").await.refused(403, "permission_denied");
    owner.post(&format!("/api/v1/agents/{}/suspend", helper.agent), json!({})).await.ok(200);
    caller.get("/api/v1/agents").await.refused(401, "invalid_token");
    with_token(server, &token).get("/api/v1/users").await.ok(200);
    forge.server.finish().await;
}

#[tokio::test]
async fn another_organizations_token_finds_nothing_here() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    let ours = Papers::of(&owner, "worker", &["agents:read:all"]).await;
    let foreign =
        Papers::of(&server.stranger().await, "worker", &["agents:read:all", "agents:manage:all"]).await;
    let caller = Papers { base: "/o/elsewhere".into(), ..foreign }.caller(&server).await;
    assert_eq!(caller.get("/api/v1/agents").await.ok(200)["items"].as_array().unwrap().len(), 1);
    caller.get(&format!("/api/v1/agents/{}", ours.agent)).await.refused(404, "not_found");
    caller.delete(&format!("/api/v1/agents/{}", ours.agent)).await.refused(404, "not_found");
    server.finish().await;
}

#[tokio::test]
async fn acts_that_need_a_step_up_take_no_wildcard_from_a_token() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    let wide = Papers::of(&owner, "wide", &["credentials:*:all", "agents:read:all"]).await;
    let named = Papers::of(&owner, "named", &["credentials:create:all", "agents:read:all"]).await;
    let path = format!("/api/v1/agents/{}/credentials", wide.agent);
    let body = json!({ "kind": "secret", "label": "more" });
    wide.caller(&server).await.post(&path, body.clone()).await.refused(403, "step_up_required");
    let own = format!("/api/v1/agents/{}/credentials", named.agent);
    named.caller(&server).await.post(&own, body.clone()).await.ok(201);
    let asked = wide.ask(&server.anonymous(), &[("scope", "credentials:create agents:read")]).await.ok(200);
    let caller = with_token(&server, asked["access_token"].as_str().unwrap());
    // Narrowed to the name it passes the door, but makes none for itself: that would undo the narrowing. Nor for others.
    caller.post(&path, body.clone()).await.refused(403, "authority_exceeded");
    let plain = Papers::of(&owner, "plain", &["agents:read:all"]).await;
    let others = caller.post(&format!("/api/v1/agents/{}/credentials", plain.agent), body).await;
    others.refused(403, "permission_denied");
    server.finish().await;
}
