//! Invariants under a hundred racers, on both databases.

use std::collections::BTreeMap;

use serde_json::json;

use crate::support::{Caller, TestServer};

/// How often each status was answered when all started at once.
async fn race<F>(caller: &Caller, start: impl Fn(Caller, usize) -> F) -> BTreeMap<u16, usize>
where
    F: Future<Output = u16> + Send + 'static,
{
    let racers: Vec<_> =
        (0..100).map(|number| telemetry::spawn("test", start(caller.clone(), number))).collect();
    let mut counts = BTreeMap::new();
    for racer in racers {
        *counts.entry(racer.await.unwrap()).or_default() += 1;
    }
    counts
}

testing::on_both_databases! {
    async fn one_name_is_given_once(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let counts = race(&owner, |caller, _| async move {
            caller.post("/api/v1/agents", json!({ "name": "wanted" })).await.status.as_u16()
        })
        .await;
        assert_eq!(counts, BTreeMap::from([(201, 1), (409, 99)]));
        server.finish().await;
    }

    async fn one_idempotency_key_makes_one_agent(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await.with("idempotency-key", "race");
        let counts = race(&owner, |caller, _| async move {
            caller.post("/api/v1/agents", json!({ "name": "single" })).await.status.as_u16()
        })
        .await;
        // The first answer, replayed or still in flight: never a second agent, never a mismatch.
        assert!(counts.keys().all(|status| matches!(status, 201 | 409)), "{counts:?}");
        let tamper = server.database.tamper().await;
        assert_eq!(tamper.number("SELECT count(*) FROM agents").await, 1);
        assert_eq!(tamper.number("SELECT count(*) FROM facts WHERE kind = 'agent.created'").await, 1);
        server.finish().await;
    }

    async fn a_suspension_is_made_once(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        owner.post("/api/v1/agents", json!({ "name": "worker" })).await.ok(201);
        let counts = race(&owner, |caller, _| async move {
            caller.post("/api/v1/agents/default:worker/suspend", json!({})).await.status.as_u16()
        })
        .await;
        assert_eq!(counts, BTreeMap::from([(200, 1), (409, 99)]));
        server.finish().await;
    }

    async fn no_credential_outlives_the_end_of_its_agent(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        owner.post("/api/v1/agents", json!({ "name": "worker" })).await.ok(201);
        let counts = race(&owner, |caller, number| async move {
            let path = "/api/v1/agents/default:worker";
            let answer = if number == 50 {
                caller.delete(path).await
            } else {
                caller.post(&format!("{path}/credentials"), json!({ "kind": "secret", "label": "x" })).await
            };
            answer.status.as_u16()
        })
        .await;
        assert!(counts.keys().all(|status| matches!(status, 200 | 201 | 409)), "{counts:?}");
        assert_eq!(counts.get(&200), Some(&1));
        let tamper = server.database.tamper().await;
        assert_eq!(tamper.number("SELECT count(*) FROM credentials WHERE status = 'active'").await, 0);
        let revoked = tamper.number("SELECT count(*) FROM credentials").await;
        assert_eq!(tamper.number("SELECT count(*) FROM facts WHERE kind = 'credential.created'").await, revoked);
        server.finish().await;
    }

    async fn one_revision_is_changed_once(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        owner.post("/api/v1/agents", json!({ "name": "worker" })).await.ok(201);
        let matching = owner.with("if-match", "\"1\"");
        let counts = race(&matching, |caller, number| async move {
            let patch = json!({ "description": format!("by {number}") });
            caller.patch("/api/v1/agents/default:worker", patch).await.status.as_u16()
        })
        .await;
        assert_eq!(counts, BTreeMap::from([(200, 1), (412, 99)]));
        server.finish().await;
    }
}
