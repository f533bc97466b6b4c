//! The same person in another organization.

use std::time::Duration;

use serde_json::json;

use crate::support::{Caller, TestServer};

/// The caller with the cookie that an answer set.
fn with_cookie(caller: &Caller, answer: &crate::support::Answer) -> Caller {
    let cookie = answer.header("set-cookie").split(';').next().unwrap().to_owned();
    Caller { cookie: Some(cookie), ..caller.clone() }
}

testing::on_both_databases! {
    async fn a_browser_goes_over_and_leaves_the_old_session_behind(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let home = server.owner().await;
        home.post("/api/v1/orgs", json!({ "slug": "acme", "name": "Acme" })).await.ok(201);
        home.post("/api/v1/agents", json!({ "name": "at-home" })).await.ok(201);
        server.stranger().await;
        home.post("/api/v1/auth/switch", json!({ "org": "elsewhere" })).await.refused(404, "not_found");
        home.post("/api/v1/auth/switch", json!({ "org": "no slug" })).await.refused(422, "validation_failed");
        let answer = home.post("/api/v1/auth/switch", json!({ "org": "acme" })).await;
        assert_eq!(answer.ok(200)["org"]["slug"], "acme");
        let acme = with_cookie(&home, &answer);
        home.get("/api/v1/auth/me").await.refused(401, "unauthenticated");
        let me = acme.get("/api/v1/auth/me").await.ok(200);
        assert_eq!((&me["org"]["slug"], &me["roles"]), (&json!("acme"), &json!(["owner"])));
        // No operator here: that role was given at home.
        acme.post("/api/v1/orgs", json!({ "slug": "more", "name": "More" })).await.refused(403, "permission_denied");
        assert_eq!(acme.get("/api/v1/agents").await.ok(200)["items"], json!([]));
        acme.get("/api/v1/agents/default:at-home").await.refused(404, "not_found");
        let answer = acme.post("/api/v1/auth/switch", json!({ "org": "home" })).await;
        let back = with_cookie(&acme, &answer);
        assert_eq!(back.get("/api/v1/agents").await.ok(200)["items"][0]["name"], "at-home");
        server.finish().await;
    }

    async fn a_command_line_gets_tokens_of_the_other_organization(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let (_, first) = server.owner_tokens().await;
        first.post("/api/v1/orgs", json!({ "slug": "acme", "name": "Acme" })).await.ok(201);
        first.post("/api/v1/auth/switch", json!({ "org": "acme" })).await.refused(403, "permission_denied");
        let tokens = first.post("/api/v1/auth/switch/token", json!({ "org": "acme" })).await.ok(200);
        assert_eq!(tokens["org"]["slug"], "acme");
        first.get("/api/v1/auth/me").await.refused(401, "invalid_token");
        let second = Caller { bearer: tokens["access_token"].as_str().map(str::to_owned), ..server.anonymous() };
        assert_eq!(second.get("/api/v1/auth/me").await.ok(200)["org"]["slug"], "acme");
        let refresh = json!({ "refresh_token": tokens["refresh_token"] });
        server.anonymous().post("/api/v1/auth/refresh", refresh).await.ok(200);
        server.owner().await.post("/api/v1/auth/switch/token", json!({ "org": "acme" })).await
            .refused(403, "permission_denied");
        server.finish().await;
    }
}

#[tokio::test]
async fn switching_neither_prolongs_nor_confirms() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    owner.post("/api/v1/orgs", json!({ "slug": "acme", "name": "Acme" })).await.ok(201);
    let before = owner.get("/api/v1/auth/sessions").await.ok(200);
    server.clock.advance(Duration::from_secs(301));
    let answer = owner.post("/api/v1/auth/switch", json!({ "org": "acme" })).await;
    let started = answer.ok(200);
    assert_eq!(started["session"]["expires_at"], before["items"][0]["expires_at"]);
    let acme = with_cookie(&owner, &answer);
    acme.post("/api/v1/agents", json!({ "name": "worker" })).await.ok(201);
    let body = json!({ "kind": "secret", "label": "one" });
    let credential = acme.post("/api/v1/agents/default:worker/credentials", body).await;
    credential.refused(403, "step_up_required");
    server.finish().await;
}

#[tokio::test]
async fn agents_do_not_switch() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    owner.post("/api/v1/orgs", json!({ "slug": "acme", "name": "Acme" })).await.ok(201);
    let agent = server.agent(&owner, "worker", &["agents:read:all"]).await;
    let agent = server.as_agent(&agent).await;
    for path in ["/api/v1/auth/switch", "/api/v1/auth/switch/token"] {
        agent.post(path, json!({ "org": "acme" })).await.refused(403, "permission_denied");
    }
    server.finish().await;
}
