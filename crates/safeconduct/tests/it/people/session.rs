//! Browser sessions.

use std::time::Duration;

use serde_json::json;

use crate::support::TestServer;

#[tokio::test]
async fn signing_out_ends_the_session_at_once() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    let ended = owner.post("/api/v1/auth/logout", json!({})).await;
    ended.ok(200);
    assert!(ended.header("set-cookie").contains("Max-Age=0"));
    owner.get("/api/v1/auth/me").await.refused(401, "unauthenticated");
    server.finish().await;
}

#[tokio::test]
async fn a_session_ends_by_its_clock() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    server.clock.advance(Duration::from_secs(31 * 24 * 3600));
    owner.get("/api/v1/auth/me").await.refused(401, "unauthenticated");
    server.finish().await;
}

#[tokio::test]
async fn a_session_left_alone_for_too_long_is_over() {
    let server =
        TestServer::start_with(testing::TestDatabase::sqlite(), &[("sessions.idle_seconds", "3600")]).await;
    let owner = server.owner().await;
    for _ in 0..3 {
        server.clock.advance(Duration::from_secs(3000));
        owner.get("/api/v1/auth/me").await.ok(200);
    }
    server.clock.advance(Duration::from_secs(3700));
    owner.get("/api/v1/auth/me").await.refused(401, "unauthenticated");
    server.finish().await;
}

#[tokio::test]
async fn ending_all_sessions_ends_those_in_other_organizations_too() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    owner.post("/api/v1/orgs", json!({ "slug": "acme", "name": "Acme" })).await.ok(201);
    let me = owner.get("/api/v1/auth/me").await.ok(200);
    let people = &server.house().people;
    let person = people.member(server.home().await, me["principal"]["id"].as_str().unwrap().parse().unwrap());
    let person = person.await.unwrap().expect("the owner");
    let acme = people.org_by_slug("acme").await.unwrap().expect("acme");
    let there = server.by_token(acme.id, &person).await;
    let (_, somebody) = server.person(acme.id, &["member"]).await;
    there.get("/api/v1/auth/me").await.ok(200);
    let ended = owner.delete("/api/v1/auth/sessions").await.ok(200);
    assert_eq!(ended["ended"], 2, "{ended:#}");
    owner.get("/api/v1/auth/me").await.refused(401, "unauthenticated");
    there.get("/api/v1/auth/me").await.refused(401, "invalid_token");
    somebody.get("/api/v1/auth/me").await.ok(200);
    server.finish().await;
}

#[tokio::test]
async fn writes_from_other_sites_are_refused_and_reads_of_nobody_elses_session_are_possible() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    let mut forged = server.anonymous().with("origin", "http://evil.example");
    forged.headers.push(("cookie", owner.cookie.clone().unwrap()));
    let body = json!({ "name": "forged" });
    forged.post("/api/v1/agents", body).await.refused(403, "cross_site_request");

    let (_, other) = server.person(server.home().await, &["member"]).await;
    let mine = owner.get("/api/v1/auth/sessions").await.ok(200);
    let id = mine["items"][0]["id"].as_str().unwrap().to_owned();
    other.delete(&format!("/api/v1/auth/sessions/{id}")).await.refused(404, "not_found");
    owner.delete(&format!("/api/v1/auth/sessions/{id}")).await.ok(200);
    owner.get("/api/v1/auth/me").await.refused(401, "unauthenticated");
    server.finish().await;
}

#[tokio::test]
async fn acts_that_need_a_fresh_sign_in_are_refused_after_five_minutes() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    owner.post("/api/v1/agents", json!({ "name": "reporter" })).await.ok(201);
    let path = "/api/v1/agents/default:reporter/credentials";
    let body = json!({ "kind": "secret", "label": "one" });
    owner.post(path, body.clone()).await.ok(201);
    server.clock.advance(Duration::from_secs(301));
    owner.post(path, body).await.refused(403, "step_up_required");
    server.finish().await;
}
