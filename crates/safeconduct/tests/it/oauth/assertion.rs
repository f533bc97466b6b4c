//! `private_key_jwt`: each assertion proves once, for one issuer, under the client's own key.

use std::collections::BTreeMap;

use crypto::jws::{Algorithm, SigningKey};
use crypto::mac::MacKey;
use serde_json::json;

use super::papers::{ASSERTION, Papers, Signer, assert, compact, facts};
use crate::support::TestServer;

testing::on_both_databases! {
    async fn of_a_hundred_that_replay_one_assertion_one_gets_a_token(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let papers = Papers::of(&owner, "worker", &["agents:read:all"]).await;
        let signer = Signer::of(&owner, &papers.agent, Algorithm::ES256).await;
        let assertion = signer.assertion(&server, "once");
        let racers: Vec<_> = (0..100)
            .map(|_| {
                let (caller, assertion) = (server.anonymous(), assertion.clone());
                telemetry::spawn("racer", async move { assert(&caller, &assertion).await.status.as_u16() })
            })
            .collect();
        let mut counts = BTreeMap::<u16, usize>::new();
        for racer in racers {
            *counts.entry(racer.await.unwrap()).or_default() += 1;
        }
        assert_eq!(counts, BTreeMap::from([(200, 1), (401, 99)]));
        assert_eq!(facts(&server).await["token.issued"], 1);
        server.finish().await;
    }

    async fn a_refused_request_uses_its_assertion_up(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let papers = Papers::of(&owner, "worker", &["agents:read:all"]).await;
        let signer = Signer::of(&owner, &papers.agent, Algorithm::EdDSA).await;
        let assertion = signer.assertion(&server, "once");
        let form = [
            ("grant_type", "client_credentials"),
            ("client_assertion_type", ASSERTION),
            ("client_assertion", assertion.as_str()),
            ("scope", "agents:delete"),
        ];
        server.anonymous().form("/oauth2/token", &form).await.oauth_error(400, "invalid_scope");
        assert(&server.anonymous(), &assertion).await.oauth_error(401, "invalid_client");
        server.finish().await;
    }
}

#[tokio::test]
async fn every_algorithm_proves_and_one_use_counts_at_every_endpoint() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    for algorithm in Algorithm::ALL {
        let papers = Papers::of(&owner, &algorithm.name().to_lowercase(), &["tokens:read:all"]).await;
        let signer = Signer::of(&owner, &papers.agent, algorithm).await;
        let assertion = signer.assertion(&server, "one");
        assert(&server.anonymous(), &assertion).await.ok(200);
        let form =
            [("token", "x"), ("client_assertion_type", ASSERTION), ("client_assertion", assertion.as_str())];
        let again = server.anonymous().form("/oauth2/introspect", &form).await;
        again.oauth_error(401, "invalid_client");
        let fresh = signer.assertion(&server, "two");
        let form =
            [("token", "x"), ("client_assertion_type", ASSERTION), ("client_assertion", fresh.as_str())];
        assert_eq!(
            server.anonymous().form("/oauth2/introspect", &form).await.ok(200),
            json!({ "active": false })
        );
        assert(&server.anonymous(), &fresh).await.oauth_error(401, "invalid_client");
    }
    server.finish().await;
}

#[tokio::test]
async fn assertions_for_others_or_by_others_prove_nothing() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    let papers = Papers::of(&owner, "worker", &["agents:read:all"]).await;
    let other = Papers::of(&owner, "other", &["agents:read:all"]).await;
    let signer = Signer::of(&owner, &papers.agent, Algorithm::ES256).await;
    let thief = SigningKey::generate(Algorithm::ES256).unwrap();
    let sign = |key: &SigningKey, typ: &str, changed: &[(&str, serde_json::Value)]| {
        let mut claims = signer.claims(&server, &format!("{changed:?}{typ}"));
        for (name, value) in changed {
            claims[*name] = value.clone();
        }
        key.compact(typ, claims.to_string().as_bytes())
    };
    let url = server.url();
    let now = server.house().world.now().seconds();
    for (assertion, why) in [
        (sign(&thief, "JWT", &[]), "another key"),
        (
            sign(&signer.key, "JWT", &[("iss", json!(other.agent)), ("sub", json!(other.agent))]),
            "another client",
        ),
        (sign(&signer.key, "JWT", &[("iss", json!(other.agent))]), "iss and sub differ"),
        (sign(&signer.key, "JWT", &[("aud", json!("https://other.example"))]), "another server"),
        (sign(&signer.key, "JWT", &[("aud", json!(format!("{url}/o/elsewhere")))]), "another issuer here"),
        (sign(&signer.key, "JWT", &[("aud", json!([url, "https://evil.example"]))]), "two audiences"),
        (sign(&signer.key, "JWT", &[("exp", json!(now - 31))]), "expired"),
        (sign(&signer.key, "JWT", &[("exp", json!(now + 3600))]), "too long"),
        (sign(&signer.key, "at+jwt", &[]), "another kind of JWT"),
    ] {
        let answer = assert(&server.anonymous(), &assertion).await;
        assert_eq!(answer.status, 401, "{why}: {}", answer.text);
        answer.oauth_error(401, "invalid_client");
    }
    assert(&server.anonymous(), &sign(&signer.key, "JWT", &[("aud", json!(format!("{url}/oauth2/token")))]))
        .await
        .ok(200);
    server.finish().await;
}

#[tokio::test]
async fn headers_choose_neither_algorithm_nor_key() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    let papers = Papers::of(&owner, "worker", &["agents:read:all"]).await;
    let signer = Signer::of(&owner, &papers.agent, Algorithm::ES256).await;
    let thief = SigningKey::generate(Algorithm::ES256).unwrap();
    let public = serde_json::to_string(signer.key.public()).unwrap();
    let by_hmac = |input: &[u8]| MacKey::new(&public).tag(&[input]).to_vec();
    let by_thief = |input: &[u8]| thief.sign(input);
    let kid = signer.key.kid();
    let forged = [
        (json!({ "alg": "none", "typ": "JWT" }), None),
        (json!({ "alg": "HS256", "kid": kid }), Some(&by_hmac as &dyn Fn(&[u8]) -> Vec<u8>)),
        (json!({ "alg": "RS256", "kid": kid }), Some(&by_thief)),
        (json!({ "alg": "ES256", "kid": kid }), Some(&by_thief)),
        (json!({ "alg": "ES256", "kid": thief.kid() }), Some(&by_thief)),
        (json!({ "alg": "ES256", "kid": "../../../dev/null" }), Some(&by_thief)),
        (json!({ "alg": "ES256", "jwk": thief.public() }), Some(&by_thief)),
        (json!({ "alg": "ES256", "kid": kid, "jku": "https://evil.example/jwks.json" }), Some(&by_thief)),
        (json!({ "alg": "ES256", "kid": kid, "x5u": "https://evil.example/cert.pem" }), Some(&by_thief)),
        (json!({ "alg": "ES256", "kid": kid, "crit": ["exp"] }), Some(&by_thief)),
    ];
    for (number, (header, sign)) in forged.into_iter().enumerate() {
        let claims = signer.claims(&server, &number.to_string());
        let assertion = compact(&header, &claims, |input| sign.map(|sign| sign(input)).unwrap_or_default());
        assert(&server.anonymous(), &assertion).await.oauth_error(401, "invalid_client");
    }
    server.finish().await;
}

#[tokio::test]
async fn a_revoked_key_signs_no_more() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    let papers = Papers::of(&owner, "worker", &["agents:read:all"]).await;
    let signer = Signer::of(&owner, &papers.agent, Algorithm::EdDSA).await;
    assert(&server.anonymous(), &signer.assertion(&server, "before")).await.ok(200);
    let path = format!("/api/v1/agents/{}/credentials", papers.agent);
    let listed = owner.get(&path).await.ok(200);
    let key = listed["items"].as_array().unwrap().iter().find(|one| one["kind"] == "public_key").unwrap();
    owner.delete(&format!("{path}/{}", key["id"].as_str().unwrap())).await.ok(200);
    assert(&server.anonymous(), &signer.assertion(&server, "after")).await.oauth_error(401, "invalid_client");
    server.finish().await;
}
