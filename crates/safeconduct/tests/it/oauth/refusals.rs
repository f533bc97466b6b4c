//! What the token endpoint refuses, in which words, and what it records of it.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;

use super::papers::{Papers, facts, text};
use crate::support::TestServer;

#[tokio::test]
async fn malformed_requests_get_the_error_of_the_rfc() {
    let server = TestServer::sqlite().await;
    let papers = Papers::of(&server.owner().await, "worker", &["agents:read:all"]).await;
    let anonymous = server.anonymous();
    let (id, secret) = (papers.agent.as_str(), papers.secret.as_str());
    let grant = ("grant_type", "client_credentials");
    let (id, secret) = (("client_id", id), ("client_secret", secret));
    let api = format!("{}/api", server.url());
    let elsewhere = format!("{}/v1", server.url());
    for (form, status, error) in [
        (vec![id, secret], 400, "invalid_request"),
        (vec![("grant_type", "password"), id, secret], 400, "unsupported_grant_type"),
        // Of people at a command line, not of agents.
        (vec![("grant_type", "authorization_code"), id, secret], 401, "invalid_client"),
        (vec![grant, id, secret, ("scope", "agents:read"), ("scope", "runs:read")], 400, "invalid_request"),
        (vec![grant, id, id, secret], 400, "invalid_request"),
        (vec![grant, id, secret, ("client_assertion", "x")], 400, "invalid_request"),
        (vec![grant, secret], 400, "invalid_request"),
        (vec![grant, id], 401, "invalid_client"),
        (vec![grant, id, secret, ("resource", elsewhere.as_str())], 400, "invalid_target"),
        (vec![grant, id, secret, ("resource", api.as_str()), ("resource", "x")], 400, "invalid_target"),
    ] {
        anonymous.form("/oauth2/token", &form).await.oauth_error(status, error);
    }
    let lenient = vec![grant, id, secret, ("resource", api.as_str()), ("scope", ""), ("colour", "blue")];
    anonymous.form("/oauth2/token", &lenient).await.ok(200);
    let as_json = anonymous.post("/oauth2/token", json!({ "grant_type": "client_credentials" })).await;
    as_json.oauth_error(400, "invalid_request");
    anonymous.get("/oauth2/token").await.refused(405, "method_not_allowed");
    server.finish().await;
}

#[tokio::test]
async fn every_unproven_client_reads_the_same_sentence() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    let papers = Papers::of(&owner, "worker", &[]).await;
    let other = Papers::of(&owner, "other", &[]).await;
    let revoked = Papers::of(&owner, "revoked", &[]).await;
    owner
        .delete(&format!("/api/v1/agents/{}/credentials/{}", revoked.agent, revoked.credential))
        .await
        .ok(200);
    let last = papers.secret.chars().last().unwrap();
    let damaged =
        format!("{}{}", &papers.secret[..papers.secret.len() - 1], if last == '0' { '1' } else { '0' });
    let unknown = "agt_01h455vb4pex5vsknk084sn02q".to_owned();
    let mut sentences = BTreeSet::new();
    for (agent, secret) in [
        (&papers.agent, &other.secret),
        (&other.agent, &papers.secret),
        (&papers.agent, &damaged),
        (&papers.agent, &"short".to_owned()),
        (&papers.agent, &papers.secret[..40].to_owned()),
        (&unknown, &papers.secret),
        (&"not an id".to_owned(), &papers.secret),
        (&revoked.agent, &revoked.secret),
    ] {
        let tried = Papers { agent: agent.clone(), secret: secret.clone(), ..papers.clone() };
        sentences.insert(tried.ask(&server.anonymous(), &[]).await.oauth_error(401, "invalid_client"));
    }
    assert_eq!(sentences.len(), 1, "{sentences:?}");
    server.finish().await;
}

testing::on_both_databases! {
    async fn refusals_are_facts_without_the_secret(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let papers = Papers::of(&server.owner().await, "worker", &["agents:read:all"]).await;
        papers.ask(&server.anonymous(), &[("scope", "agents:delete")]).await.oauth_error(400, "invalid_scope");
        let mut wrong = papers.clone();
        wrong.agent = Papers::of(&server.owner().await, "other", &[]).await.agent;
        wrong.ask(&server.anonymous(), &[]).await.oauth_error(401, "invalid_client");
        server.house().ledger.drain().await.unwrap();
        assert!(facts(&server).await["token.refused"] >= 2);
        let tamper = server.database.tamper().await;
        let kinds = tamper.rows("SELECT actor_kind, outcome FROM facts WHERE kind = 'token.refused' ORDER BY 1").await;
        let row = |kind: &str| vec![Some(kind.to_owned()), Some("denied".to_owned())];
        assert_eq!(kinds, [row("agent"), row("anonymous")], "who proved itself is named, who did not is not");
        let ids = tamper.rows("SELECT id FROM facts WHERE kind LIKE 'token.%'").await;
        let scope = db::OrgScope::proven(server.home().await);
        for id in ids.into_iter().flatten().flatten() {
            let id = types::Id::from_uuid(types::Uuid::parse_str(&id).unwrap());
            let event = server.house().ledger.event(&scope, id).await.unwrap().unwrap();
            assert!(!serde_json::to_string(&event).unwrap().contains(&papers.secret[..60]));
        }
        server.finish().await;
    }
}

#[tokio::test]
async fn an_agent_that_is_stopped_reads_why() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    let papers = Papers::of(&owner, "worker", &[]).await;
    let path = format!("/api/v1/agents/{}", papers.agent);
    owner.post(&format!("{path}/suspend"), json!({})).await.ok(200);
    let refused = papers.ask(&server.anonymous(), &[]).await.oauth_error(401, "invalid_client");
    assert!(refused.contains("suspended"), "{refused}");
    owner.post(&format!("{path}/reactivate"), json!({})).await.ok(200);
    papers.ask(&server.anonymous(), &[]).await.ok(200);
    server.finish().await;
}

#[tokio::test]
async fn clients_belong_to_one_issuer() {
    let server = TestServer::sqlite().await;
    let home = Papers::of(&server.owner().await, "worker", &["agents:read:all"]).await;
    let stranger = server.stranger().await;
    let foreign = Papers::of(&stranger, "worker", &["agents:read:all"]).await;
    let anonymous = server.anonymous();
    foreign.ask(&anonymous, &[]).await.oauth_error(401, "invalid_client");
    let there = Papers { base: "/o/elsewhere".into(), ..foreign };
    let token = text(&there.ask(&anonymous, &[]).await.ok(200), "access_token");
    let (_, claims) = super::papers::parts(&token);
    assert_eq!(claims["iss"], format!("{}/o/elsewhere", server.url()));
    Papers { base: "/o/elsewhere".into(), ..home.clone() }
        .ask(&anonymous, &[])
        .await
        .oauth_error(401, "invalid_client");
    for slug in ["/o/home", "/o/nowhere", "/o/No%20Slug"] {
        Papers { base: slug.into(), ..home.clone() }
            .ask(&anonymous, &[])
            .await
            .oauth_error(404, "invalid_request");
    }
    server.finish().await;
}

#[tokio::test]
async fn a_token_outlives_neither_its_time_nor_a_clock_that_jumps_back() {
    let server = TestServer::sqlite().await;
    let papers = Papers::of(&server.owner().await, "worker", &["agents:read:all"]).await;
    let caller = papers.caller(&server).await;
    server.clock.advance(Duration::from_secs(570));
    caller.get("/api/v1/agents").await.ok(200);
    server.clock.advance(Duration::from_secs(40));
    caller.get("/api/v1/agents").await.refused(401, "invalid_token");
    // Back before its birth it is no good either; within the skew it is.
    server.clock.jump_back(Duration::from_secs(610 + 20));
    caller.get("/api/v1/agents").await.ok(200);
    server.clock.jump_back(Duration::from_secs(60));
    caller.get("/api/v1/agents").await.refused(401, "invalid_token");
    papers.caller(&server).await.get("/api/v1/agents").await.ok(200);
    server.finish().await;
}
