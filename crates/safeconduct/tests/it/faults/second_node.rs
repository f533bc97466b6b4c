//! Two nodes on one PostgreSQL: what one kills is dead on the other, and the receipt names both.

use std::time::{Duration, Instant};

use serde_json::json;
use testing::TestDatabase;

use crate::support::{Caller, Start};

pub(super) fn node(
    database: &TestDatabase,
    directory: &std::path::Path,
    key: &str,
    public_url: &str,
) -> Start {
    let mut start = Start::in_directory(directory);
    for (name, role) in [("url", "app"), ("system_url", "system"), ("owner_url", "owner")] {
        let url = database.url(&format!("safeconduct_{role}")).expect("a PostgreSQL database");
        start = start.set(&format!("database.{name}"), url);
    }
    start.set("keys.encryption_key", key).set("database.pool_size", "4").set("server.public_url", public_url)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_on_one_node_is_in_force_on_the_other() {
    let database = TestDatabase::postgres().await;
    let (one, two) = (tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory"));
    let key = "cd".repeat(32);
    let url = "http://127.0.0.1:7717";
    let first = node(&database, one.path(), &key, url).run().expect("the first node");
    // A node that starts while nobody owns the installation makes a link of its own, which voids the first.
    let owner = first.owner(one.path()).await;
    let second = node(&database, two.path(), &key, url).run().expect("the second node");

    let agent = owner
        .post("/api/v1/agents", json!({ "name": "rogue", "permissions": ["agents:read:all"] }))
        .await
        .ok(201);
    let id = agent["id"].as_str().expect("an id");
    let body = json!({ "kind": "secret", "label": "x" });
    let made = owner.post(&format!("/api/v1/agents/{id}/credentials"), body).await.ok(201);
    let secret = made["client_secret"].as_str().expect("a secret");
    let form = [("grant_type", "client_credentials"), ("client_id", id), ("client_secret", secret)];
    // The token comes from the second node and is used there.
    let token = second.anonymous().form("/oauth2/token", &form).await.ok(200);
    let rogue = Caller { bearer: token["access_token"].as_str().map(str::to_owned), ..second.anonymous() };
    rogue.get("/api/v1/auth/me").await.ok(200);

    let killed = Instant::now();
    let receipt =
        owner.post(&format!("/api/v1/agents/{id}/kill"), json!({ "reason": "drill" })).await.ok(200);
    let until = killed + Duration::from_secs(10);
    while rogue.get("/api/v1/auth/me").await.status != 401 {
        assert!(Instant::now() < until, "the token still lives on the second node");
    }
    let nodes = receipt["nodes"].as_array().expect("nodes");
    assert_eq!(nodes.len(), 2, "{receipt:#}");
    assert!(nodes.iter().all(|node| node["state"] == "applied"), "{receipt:#}");
    assert_eq!(receipt["tokens"]["count"], 1, "the token of the second node is counted: {receipt:#}");
    let again = second.anonymous().form("/oauth2/token", &form).await;
    assert!(again.status.is_client_error(), "no new token: {}", again.text);
    assert_eq!(second.stop(), Some(0));
    assert_eq!(first.stop(), Some(0));
}
