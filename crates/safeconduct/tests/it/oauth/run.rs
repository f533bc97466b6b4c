//! Tokens that runs are given: the caller's rights, narrowed to what the function named, with the function as actor.

use std::time::Duration;

use axum::http::Request;
use oauth::{Minted, OnBehalf, RunToken};
use serde_json::json;
use types::{FunctionId, RunId, World};
use web::{Authenticator, Contact};

use super::papers::{Papers, parts, text, with_token};
use crate::support::TestServer;

/// What a queue keeps of the caller behind a token.
async fn on_behalf(server: &TestServer, token: &str) -> OnBehalf {
    let request = Request::builder().header("authorization", format!("Bearer {token}"));
    let (parts, ()) = request.body(()).unwrap().into_parts();
    let contact = Contact::default();
    let caller = server.house().oauth.recognise(&parts, &contact).await.unwrap().unwrap();
    let kept = serde_json::to_string(&OnBehalf::of(&caller)).unwrap();
    serde_json::from_str(&kept).unwrap()
}

struct Call {
    function: FunctionId,
    run: RunId,
    permissions: authority::Authority,
}

impl Call {
    fn of(permissions: &str) -> Self {
        let world = World::system();
        Self { function: world.id(), run: world.id(), permissions: permissions.parse().unwrap() }
    }

    async fn mint(&self, server: &TestServer, on_behalf: &OnBehalf) -> Result<Minted, problem::Problem> {
        let wanted = RunToken {
            org: server.home().await,
            on_behalf,
            function: self.function,
            run: self.run,
            permissions: &self.permissions,
            lifetime: Duration::from_secs(300),
        };
        server.house().oauth.mint_for_run(wanted).await
    }
}

#[tokio::test]
async fn a_run_gets_what_caller_token_and_function_share() {
    let server = TestServer::sqlite().await;
    let papers = Papers::of(&server.owner().await, "worker", &["agents:read:all", "users:read:all"]).await;
    let asked = papers.ask(&server.anonymous(), &[("scope", "agents:read users:read")]).await.ok(200);
    let token = text(&asked, "access_token");
    let call = Call::of("agents:manage runs:read");
    let minted = call.mint(&server, &on_behalf(&server, &token).await).await.unwrap();
    assert_eq!(&*minted.scope, "agents:read");
    let (before, claims) = (parts(&token).1, parts(minted.token.reveal()).1);
    for (name, value) in [
        ("sub", json!(papers.agent)),
        ("client_id", json!(papers.agent)),
        ("crd", json!(papers.credential)),
        ("act", json!({ "sub": call.function })),
        ("run", json!(call.run)),
        ("txn", before["txn"].clone()),
        ("rev", before["rev"].clone()),
        ("jti", json!(minted.jti)),
        ("aud", json!(format!("{}/api", server.url()))),
    ] {
        assert_eq!(claims[name], value, "{name}");
    }
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 300);
    let run = with_token(&server, minted.token.reveal());
    run.get("/api/v1/agents").await.ok(200);
    run.get("/api/v1/users").await.refused(403, "permission_denied");
    server.finish().await;
}

#[tokio::test]
async fn what_a_run_does_names_the_chain_and_the_run() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    let papers = Papers::of(&owner, "worker", &["agents:create:all", "agents:read:all"]).await;
    let (outer, inner) = (Call::of("agents:create agents:read"), Call::of("agents:create"));
    let first = on_behalf(&server, &papers.token(&server).await).await;
    let first = outer.mint(&server, &first).await.unwrap();
    let second = on_behalf(&server, first.token.reveal()).await;
    let second = inner.mint(&server, &second).await.unwrap();
    let claims = parts(second.token.reveal()).1;
    assert_eq!(claims["act"], json!({ "sub": inner.function, "act": { "sub": outer.function } }));
    assert_eq!(claims["txn"], parts(first.token.reveal()).1["txn"]);

    let person = owner.get("/api/v1/auth/me").await.ok(200);
    let body = json!({ "name": "child", "owner": person["principal"]["id"] });
    with_token(&server, second.token.reveal()).post("/api/v1/agents", body).await.ok(201);
    server.house().ledger.drain().await.unwrap();
    let acts = owner.get(&format!("/api/v1/tokens/{}/activity", second.jti)).await.ok(200);
    let act = &acts["items"][0];
    assert_eq!((&act["kind"], &act["run"]), (&json!("agent.created"), &json!(inner.run)));
    let id = text(act, "id").parse().unwrap();
    let scope = db::OrgScope::proven(server.home().await);
    let event = server.house().ledger.event(&scope, id).await.unwrap().unwrap();
    let chain: Vec<_> = event.act.into_iter().filter_map(|actor| actor.id).collect();
    assert_eq!(chain, [inner.function.to_string(), outer.function.to_string()], "outermost first");
    server.finish().await;
}

#[tokio::test]
async fn a_runs_token_dies_with_what_its_caller_stood_on() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    let papers = Papers::of(&owner, "worker", &["agents:read:all"]).await;
    let kept = on_behalf(&server, &papers.token(&server).await).await;
    let call = Call::of("agents:read");
    let running = call.mint(&server, &kept).await.unwrap();
    let running = with_token(&server, running.token.reveal());
    running.get("/api/v1/agents").await.ok(200);
    let credential = format!("/api/v1/agents/{}/credentials/{}", papers.agent, papers.credential);
    owner.delete(&credential).await.ok(200);
    running.get("/api/v1/agents").await.refused(401, "invalid_token");
    let refused = call.mint(&server, &kept).await.err().unwrap();
    assert_eq!(refused.code().name, "invalid_token");
    server.finish().await;
}

#[tokio::test]
async fn a_queued_run_of_a_person_needs_the_session_to_live() {
    let server = TestServer::sqlite().await;
    let owner = server.owner_by_token().await;
    let kept = on_behalf(&server, owner.bearer.as_deref().unwrap()).await;
    let call = Call::of("agents:read");
    let minted = call.mint(&server, &kept).await.unwrap();
    let claims = parts(minted.token.reveal()).1;
    assert!(text(&claims, "client_id").starts_with("cli_"));
    owner.delete(&format!("/api/v1/auth/sessions/{}", text(&claims, "sid"))).await.ok(200);
    assert!(call.mint(&server, &kept).await.is_err());
    with_token(&server, minted.token.reveal()).get("/api/v1/agents").await.refused(401, "invalid_token");
    server.finish().await;
}

#[tokio::test]
async fn a_suspended_agents_queue_is_void_even_after_it_stands_again() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    let papers = Papers::of(&owner, "worker", &["agents:read:all"]).await;
    let kept = on_behalf(&server, &papers.token(&server).await).await;
    let call = Call::of("agents:read");
    let path = format!("/api/v1/agents/{}", papers.agent);
    owner.post(&format!("{path}/suspend"), json!({})).await.ok(200);
    assert!(call.mint(&server, &kept).await.is_err());
    owner.post(&format!("{path}/reactivate"), json!({})).await.ok(200);
    assert!(call.mint(&server, &kept).await.is_err());
    let fresh = on_behalf(&server, &papers.token(&server).await).await;
    assert!(call.mint(&server, &fresh).await.is_ok());
    server.finish().await;
}
