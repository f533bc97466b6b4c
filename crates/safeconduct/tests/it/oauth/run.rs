//! Tokens that runs are given: the caller's rights, narrowed to what the function named, with the function as actor.

use std::time::Duration;

use axum::http::Request;
use ledger::ActorKind;
use oauth::{Minted, OnBehalf, RunToken};
use serde_json::json;
use types::{FunctionId, Id, RunId, World};
use web::{Authenticator, Contact, PrincipalId};

use super::papers::{Papers, parts, text, with_token};
use crate::support::{Caller, TestServer};

/// What a queue keeps of the caller behind a token.
async fn on_behalf(server: &TestServer, token: &str) -> OnBehalf {
    let request = Request::builder().header("authorization", format!("Bearer {token}"));
    let (parts, ()) = request.body(()).unwrap().into_parts();
    let contact = Contact::default();
    let caller = server.house().oauth.recognise(&parts, &contact).await.unwrap().unwrap();
    let kept = serde_json::to_string(&OnBehalf::of(&caller)).unwrap();
    serde_json::from_str(&kept).unwrap()
}

const LASTING: &str = "import time\ndef handler(input, context):\n    time.sleep(600)\n";

struct Call {
    function: FunctionId,
    author: PrincipalId,
    run: RunId,
    /// Runs that last are begun once.
    fence: i64,
    permissions: authority::Authority,
}

impl Call {
    /// Of a function that the owner wrote.
    async fn of(owner: &Caller, permissions: &str) -> Self {
        let me = owner.get("/api/v1/auth/me").await.ok(200);
        Self::by(owner, &text(&me["principal"], "id"), permissions).await
    }

    /// Of somebody else's; on a run that lasts, since a token is worth nothing after its run.
    async fn by(owner: &Caller, author: &str, permissions: &str) -> Self {
        let function: FunctionId = World::system().id();
        let name = format!("lasts_{}", Id::uuid(function).simple());
        let lasting = crate::functions::function(owner, &name, LASTING).await;
        let run = crate::functions::queue(owner, &lasting, json!({})).await;
        while owner.get(&format!("/api/v1/runs/{run}")).await.ok(200)["status"] != "running" {
            tokio::task::yield_now().await;
        }
        let author = author.parse().unwrap();
        Self {
            function,
            author,
            run: run.parse().unwrap(),
            fence: 1,
            permissions: permissions.parse().unwrap(),
        }
    }

    async fn mint(&self, server: &TestServer, on_behalf: &OnBehalf) -> Result<Minted, problem::Problem> {
        let wanted = RunToken {
            org: server.home().await,
            on_behalf,
            function: self.function,
            author: self.author,
            run: self.run,
            fence: self.fence,
            permissions: &self.permissions,
            lifetime: Duration::from_secs(300),
        };
        server.house().oauth.mint_for_run(wanted).await
    }
}

#[tokio::test]
async fn a_run_gets_what_caller_token_and_function_share() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    let papers = Papers::of(&owner, "worker", &["agents:read:all", "users:read:all"]).await;
    let asked = papers.ask(&server.anonymous(), &[("scope", "agents:read users:read")]).await.ok(200);
    let token = text(&asked, "access_token");
    let call = Call::of(&owner, "agents:manage runs:read").await;
    let minted = call.mint(&server, &on_behalf(&server, &token).await).await.unwrap();
    assert_eq!(&*minted.scope, "agents:read");
    let (before, claims) = (parts(&token).1, parts(minted.token.reveal()).1);
    for (name, value) in [
        ("sub", json!(papers.agent)),
        ("client_id", json!(papers.agent)),
        ("crd", json!(papers.credential)),
        ("act", json!({ "sub": call.function, "author": call.author.to_string() })),
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
    let (outer, inner) =
        (Call::of(&owner, "agents:create agents:read").await, Call::of(&owner, "agents:create").await);
    let first = on_behalf(&server, &papers.token(&server).await).await;
    let first = outer.mint(&server, &first).await.unwrap();
    let second = on_behalf(&server, first.token.reveal()).await;
    let second = inner.mint(&server, &second).await.unwrap();
    let claims = parts(second.token.reveal()).1;
    let author = inner.author.to_string();
    let outer_act = json!({ "sub": outer.function, "author": author });
    assert_eq!(claims["act"], json!({ "sub": inner.function, "author": author, "act": outer_act }));
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
    let chain: Vec<_> = event.act.iter().map(|actor| (actor.kind, actor.id.clone())).collect();
    let function = |id: FunctionId| (ActorKind::Function, Some(id.to_string()));
    assert_eq!(chain, [function(inner.function), function(outer.function)], "outermost first");
    server.finish().await;
}

#[tokio::test]
async fn a_runs_token_dies_with_what_its_caller_stood_on() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    let papers = Papers::of(&owner, "worker", &["agents:read:all"]).await;
    let kept = on_behalf(&server, &papers.token(&server).await).await;
    let call = Call::of(&owner, "agents:read").await;
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
    let call = Call::of(&owner, "agents:read").await;
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
    let call = Call::of(&owner, "agents:read").await;
    let path = format!("/api/v1/agents/{}", papers.agent);
    owner.post(&format!("{path}/suspend"), json!({})).await.ok(200);
    assert!(call.mint(&server, &kept).await.is_err());
    owner.post(&format!("{path}/reactivate"), json!({})).await.ok(200);
    assert!(call.mint(&server, &kept).await.is_err());
    let fresh = on_behalf(&server, &papers.token(&server).await).await;
    assert!(call.mint(&server, &fresh).await.is_ok());
    server.finish().await;
}

testing::on_both_databases! {
    async fn an_author_that_dies_takes_the_tokens_of_its_functions_along(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let author = Papers::of(&owner, "author", &["agents:read:all"]).await;
        let papers = Papers::of(&owner, "worker", &["agents:read:all"]).await;
        let kept = on_behalf(&server, &papers.token(&server).await).await;
        let call = Call::by(&owner, &author.agent, "agents:read").await;
        let minted = call.mint(&server, &kept).await.unwrap();
        let running = with_token(&server, minted.token.reveal());
        running.get("/api/v1/agents").await.ok(200);
        let kill = owner.post(&format!("/api/v1/agents/{}/kill", author.agent), json!({})).await.ok(200);
        assert_eq!(kill["tokens"]["jtis"], json!([minted.jti]), "{kill:#}");
        running.get("/api/v1/agents").await.refused(401, "invalid_token");
        let refused = call.mint(&server, &kept).await.err().unwrap();
        assert_eq!(refused.code().name, "authority_exceeded");
        let harmless = Call::by(&owner, &author.agent, "").await.mint(&server, &kept).await.unwrap();
        assert_eq!(&*harmless.scope, "", "who may do nothing needs nobody's word");
        server.finish().await;
    }

    /// Whatever the scope says: what outlives a run is not made by one.
    async fn no_run_does_what_only_its_caller_may(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner_by_token().await;
        let papers = Papers::of(&owner, "worker", &[]).await;
        let kept = on_behalf(&server, owner.bearer.as_deref().unwrap()).await;
        let routes = safeconduct::routes(server.house());
        let wanted = routes.specs().filter_map(|spec| spec.required().map(|required| required.to_string()));
        let wanted: std::collections::BTreeSet<String> = wanted.filter(|one| !one.starts_with("system")).collect();
        let wanted = wanted.into_iter().collect::<Vec<_>>().join(" ");
        let minted = Call::of(&owner, &wanted).await.mint(&server, &kept).await.unwrap();
        let run = with_token(&server, minted.token.reveal());
        run.get("/api/v1/agents").await.ok(200);
        let tamper = server.database.tamper().await;
        let count = "SELECT (SELECT count(*) FROM credentials) + (SELECT count(*) FROM functions) + \
                     (SELECT count(*) FROM sessions WHERE revoked_at IS NULL)";
        let before = tamper.number(count).await;
        let mut tried = Vec::new();
        for spec in routes.specs().filter(|spec| spec.in_person && spec.access != web::Access::Open) {
            let path = spec.path.replace("{agent}", &papers.agent).replace("{credential}", &papers.credential);
            let session = parts(minted.token.reveal()).1;
            let path = path.replace("{session}", &text(&session, "sid")).replace("{function}", "ops:none");
            let method = reqwest::Method::from_bytes(spec.method.name().as_bytes()).unwrap();
            let body = spec.method.writes().then(|| spec.example.to_owned());
            run.send(method, &path, body).await.refused(403, "permission_denied");
            tried.push(spec.id);
        }
        for id in ["credentials.create", "credentials.rotate", "functions.create", "functions.publish", "sessions.revoke"] {
            assert!(tried.contains(&id), "{id} is for runs, too: {tried:?}");
        }
        assert_eq!(tamper.number(count).await, before);
        owner.get("/api/v1/auth/sessions").await.ok(200);
        server.finish().await;
    }
}
