//! Two nodes that count failed sign-ins together, over Redis and over NATS; and what they do when the bus is gone.

use std::time::{Duration, Instant};

use serde_json::json;
use testing::{BusKind, BusServer, TestDatabase};

use super::second_node::node;
use crate::support::{Answer, Caller, Process};

const PUBLIC: &str = "http://127.0.0.1:7717";

async fn guess(at: &Process, login: &str) -> Answer {
    let body = json!({ "input": { "login": login, "password": "wrong-wrong-wrong" } });
    at.anonymous().with("origin", PUBLIC).post("/api/v1/auth/password/login", body).await
}

async fn until(mut holds: impl AsyncFnMut() -> bool, what: &str) {
    let end = Instant::now() + Duration::from_secs(30);
    while !holds().await {
        assert!(Instant::now() < end, "{what}");
    }
}

async fn bus_of(at: &Process) -> String {
    at.anonymous().get("/health").await.ok(200)["bus"].as_str().expect("a word").to_owned()
}

async fn recorded(owner: &Caller, kind: &str) -> bool {
    let facts = owner.get(&format!("/api/v1/audit/events?kind={kind}")).await.ok(200);
    !facts["items"].as_array().expect("a list").is_empty()
}

async fn nodes_count_together(kind: BusKind, name: &str) {
    let mut server = BusServer::start(kind);
    let database = TestDatabase::postgres().await;
    let (one, two) = (tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory"));
    let start = |directory: &std::path::Path| {
        node(&database, directory, &"cd".repeat(32), PUBLIC).set("bus.url", server.url()).run()
    };
    let first = start(one.path()).expect("the first node");
    let owner = first.owner(one.path()).await;
    let second = start(two.path()).expect("the second node");
    let provider = json!({ "instance": true, "name": "password", "kind": "password" });
    owner.post("/api/v1/auth-providers", provider).await.ok(201);
    assert_eq!((bus_of(&first).await, bus_of(&second).await), (name.to_owned(), name.to_owned()));

    for _ in 0..6 {
        guess(&first, "ada@example.com").await.refused(401, "sign_in_refused");
    }
    guess(&second, "ada@example.com").await.refused(429, "rate_limited");
    guess(&second, "eve@example.com").await.refused(401, "sign_in_refused");

    server.kill();
    for _ in 0..6 {
        guess(&second, "bob@example.com").await.refused(401, "sign_in_refused");
    }
    guess(&second, "bob@example.com").await.refused(429, "rate_limited");
    assert_eq!(bus_of(&second).await, "down");
    until(async || recorded(&owner, "bus.lost").await, "the loss is recorded").await;
    server.resume();
    until(async || bus_of(&second).await == name, "the bus is found again").await;
    until(async || recorded(&owner, "bus.back").await, "the return is recorded").await;
    assert_eq!(second.stop(), Some(0));
    assert_eq!(first.stop(), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_that_share_redis_count_failed_sign_ins_together() {
    nodes_count_together(BusKind::Redis, "redis").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_that_share_nats_count_failed_sign_ins_together() {
    nodes_count_together(BusKind::Nats, "nats").await;
}
