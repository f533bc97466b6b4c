//! `client_credentials`: how agents get tokens, and what the tokens say.

use std::time::Duration;

use serde_json::json;

use super::papers::{Papers, Signer, assert, facts, parts, text, with_token};
use crate::support::TestServer;

testing::on_both_databases! {
    async fn an_agent_gets_a_token_by_each_method(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let papers = Papers::of(&owner, "worker", &["agents:read:all", "runs:read:own"]).await;
        let signer = Signer::of(&owner, &papers.agent, crypto::jws::Algorithm::EdDSA).await;
        let anonymous = server.anonymous();
        let form = [("grant_type", "client_credentials")];
        let answers = [
            papers.ask(&anonymous, &[]).await,
            anonymous.with("authorization", papers.basic()).form("/oauth2/token", &form).await,
            assert(&anonymous, &signer.assertion(&server, "one")).await,
        ];
        for answer in &answers {
            let body = answer.ok(200);
            assert_eq!((&body["token_type"], &body["expires_in"]), (&json!("Bearer"), &json!(600)));
            assert_eq!(body["scope"], "agents:read:all runs:read:own");
            assert_eq!((answer.header("cache-control"), answer.header("pragma")), ("no-store", "no-cache"));
            assert_eq!(answer.header("access-control-allow-origin"), "*");
            let me = with_token(&server, &text(&body, "access_token")).get("/api/v1/auth/me").await.ok(200);
            assert_eq!(me["principal"]["id"], papers.agent);
        }
        assert_eq!(facts(&server).await["token.issued"], 3);
        server.finish().await;
    }

    async fn each_issue_is_a_fact_that_names_token_and_credential(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let papers = Papers::of(&server.owner().await, "worker", &["agents:read:all"]).await;
        let (_, claims) = parts(&papers.token(&server).await);
        let tamper = server.database.tamper().await;
        let row = "SELECT actor_id, outcome, target_id, jti, credential, txn FROM facts WHERE kind = 'token.issued'";
        let row: Vec<String> = tamper.rows(row).await.remove(0).into_iter().flatten().collect();
        assert_eq!(row[..3], [papers.agent.clone(), "success".into(), text(&claims, "jti")]);
        let hex = |id: types::Uuid| id.simple().to_string();
        let jti: types::TokenId = text(&claims, "jti").parse().unwrap();
        let credential: types::CredentialId = papers.credential.parse().unwrap();
        let txn: types::TxnId = text(&claims, "txn").parse().unwrap();
        assert_eq!(row[3..], [hex(types::Id::uuid(jti)), hex(types::Id::uuid(credential)), hex(types::Id::uuid(txn))]);
        server.finish().await;
    }
}

#[tokio::test]
async fn tokens_are_rfc_9068_with_revision_and_credential() {
    let server = TestServer::sqlite().await;
    let papers = Papers::of(&server.owner().await, "worker", &["agents:read:all"]).await;
    // The first token makes the signing keys, which is a change of authority itself.
    papers.token(&server).await;
    let revision = server.house().feed.applied();
    let (header, claims) = parts(&papers.token(&server).await);
    let jwks = server.anonymous().get("/.well-known/jwks.json").await.ok(200);
    assert_eq!((&header["typ"], &header["alg"]), (&json!("at+jwt"), &json!("ES256")));
    assert_eq!(header["kid"], jwks["keys"][0]["kid"]);
    let url = server.url();
    for (name, value) in [
        ("iss", json!(url)),
        ("aud", json!(format!("{url}/api"))),
        ("sub", json!(papers.agent)),
        ("client_id", json!(papers.agent)),
        ("sub_type", json!("agent")),
        ("scope", json!("agents:read:all")),
        ("org", json!(server.home().await)),
        ("crd", json!(papers.credential)),
        ("rev", json!(revision)),
    ] {
        assert_eq!(claims[name], value, "{name}");
    }
    let number = |name: &str| claims[name].as_i64().unwrap();
    assert_eq!((number("exp") - number("iat"), number("nbf")), (600, number("iat")));
    server.finish().await;
}

#[tokio::test]
async fn asking_for_more_narrows_and_asking_for_nothing_held_is_refused() {
    let server = TestServer::sqlite().await;
    let papers = Papers::of(&server.owner().await, "worker", &["agents:read:all"]).await;
    let anonymous = server.anonymous();
    let ask = async |scope: &str| papers.ask(&anonymous, &[("scope", scope)]).await;
    assert_eq!(ask("agents:read agents:delete").await.ok(200)["scope"], "agents:read:all");
    assert_eq!(ask("*:*").await.ok(200)["scope"], "agents:read:all");
    for scope in ["agents:delete", "runs:read", "system:read", "openid", "agents:read\tx", &"x".repeat(5000)]
    {
        ask(scope).await.oauth_error(400, "invalid_scope");
    }
    let narrow = text(&ask("agents/ops/*:read").await.ok(200), "access_token");
    let caller = with_token(&server, &narrow);
    let me = caller.get(&format!("/api/v1/agents/{}", papers.agent)).await;
    me.refused(404, "not_found");
    server.finish().await;
}

#[tokio::test]
async fn strict_servers_refuse_instead_of_narrowing() {
    let database = testing::TestDatabase::sqlite();
    let server = TestServer::start_with(database, &[("tokens.strict_scopes", "true")]).await;
    let papers = Papers::of(&server.owner().await, "worker", &["agents:read:all"]).await;
    let anonymous = server.anonymous();
    papers.ask(&anonymous, &[("scope", "agents:read")]).await.ok(200);
    let refused = papers.ask(&anonymous, &[("scope", "agents:read agents:delete")]).await;
    assert!(refused.oauth_error(400, "invalid_scope").contains("agents:delete"));
    server.finish().await;
}

#[tokio::test]
async fn a_rotated_secret_works_through_its_overlap_and_no_longer() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    let papers = Papers::of(&owner, "worker", &[]).await;
    let path = format!("/api/v1/agents/{}/credentials/{}/rotate", papers.agent, papers.credential);
    let new = owner.post(&path, json!({ "overlap_seconds": 300 })).await.ok(201);
    let next = Papers { secret: text(&new, "client_secret"), credential: text(&new, "id"), ..papers.clone() };
    let anonymous = server.anonymous();
    papers.ask(&anonymous, &[]).await.ok(200);
    next.ask(&anonymous, &[]).await.ok(200);
    server.clock.advance(Duration::from_secs(301));
    papers.ask(&anonymous, &[]).await.oauth_error(401, "invalid_client");
    next.ask(&anonymous, &[]).await.ok(200);
    server.finish().await;
}

#[tokio::test]
async fn new_grants_are_in_the_next_token_and_lost_ones_void_in_the_old() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    let papers = Papers::of(&owner, "worker", &["agents:read:all"]).await;
    let before = papers.caller(&server).await;
    before.get("/api/v1/agents").await.ok(200);
    let path = format!("/api/v1/agents/{}", papers.agent);
    owner.patch(&path, json!({ "permissions": ["users:read:all"] })).await.ok(200);
    before.get("/api/v1/agents").await.refused(403, "permission_denied");
    before.get("/api/v1/users").await.refused(403, "permission_denied");
    let answer = papers.ask(&server.anonymous(), &[]).await.ok(200);
    assert_eq!(answer["scope"], "users:read:all");
    server.finish().await;
}
