//! Versions of an organization's policy: written, shown, put in force, taken out.

use serde_json::json;
use testing::Engine;

use super::{bundle, in_force};
use crate::support::TestServer;

const RULE: &str =
    "package safeconduct.agents\n\ndeny contains \"stays\" if input.operation == \"agents.kill\"\n";

testing::on_both_databases! {
    async fn a_version_is_written_shown_and_put_in_force(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let body = json!({ "description": "first", "bundle": { "modules": [{ "path": "a.rego", "text": RULE }], "data": { "x": 1 } } });
        let made = owner.post("/api/v1/policies", body.clone()).await.ok(201);
        assert_eq!(made["number"], 1);
        assert_eq!(made["active"], false);
        assert_eq!(made["rules"], 1);
        let id = made["id"].as_str().unwrap();
        let shown = owner.get(&format!("/api/v1/policies/{id}")).await.ok(200);
        assert_eq!(shown["bundle"], body["bundle"]);
        let active = owner.post(&format!("/api/v1/policies/{id}/activate"), json!({})).await.ok(200);
        assert_eq!(active["active"], true);
        owner.post(&format!("/api/v1/policies/{id}/activate"), json!({})).await.refused(409, "policy_active");
        let second = in_force(&owner, RULE).await;
        let list = owner.get("/api/v1/policies").await.ok(200);
        let states: Vec<(i64, bool)> = list["items"].as_array().unwrap().iter()
            .map(|item| (item["number"].as_i64().unwrap(), item["active"].as_bool().unwrap())).collect();
        assert_eq!(states, [(2, true), (1, false)]);
        owner.post(&format!("/api/v1/policies/{id}/deactivate"), json!({})).await.refused(409, "policy_not_active");
        owner.post(&format!("/api/v1/policies/{second}/deactivate"), json!({})).await.ok(200);
        let list = owner.get("/api/v1/policies").await.ok(200);
        assert!(list["items"].as_array().unwrap().iter().all(|item| item["active"] == false));
        server.finish().await;
    }

    async fn a_broken_policy_never_replaces_a_working_one(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        owner.post("/api/v1/agents", json!({ "name": "kept" })).await.ok(201);
        let working = in_force(&owner, RULE).await;
        for text in [
            "package safeconduct\ndeny contains ",
            "package elsewhere\nx := 1",
            "package safeconduct\ndeny contains \"x\" if http.send({})",
            "package safeconduct\nx if y\ny if x\ndeny contains \"x\" if x",
            &format!("package safeconduct\ndeny contains \"x\" if {}true{}", "(".repeat(5000), ")".repeat(5000)),
        ] {
            let refused = owner.post("/api/v1/policies", json!({ "bundle": bundle(text) })).await.refused(422, "invalid_policy");
            assert!(!refused["errors"].as_array().unwrap().is_empty(), "{refused:#}");
            let checked = owner.post("/api/v1/policies/validate", bundle(text)).await.ok(200);
            assert_eq!(checked["valid"], false);
            assert_eq!(checked["errors"], refused["errors"]);
        }
        let list = owner.get("/api/v1/policies").await.ok(200);
        assert_eq!(list["items"].as_array().unwrap().len(), 1);
        assert_eq!(list["items"][0]["id"], working);
        assert_eq!(list["items"][0]["active"], true);
        owner.post("/api/v1/agents/default:kept/kill", json!({})).await.refused(403, "policy_denied");
        server.finish().await;
    }

    /// Stored versions are sealed, so what somebody did to one behind our back shows when it is read.
    async fn what_cannot_be_read_replaces_nothing_and_lets_nothing_through(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let tamper = server.database.tamper().await;
        tamper.drop_triggers("policies").await;
        let zero = match tamper.engine() {
            Engine::Sqlite => "x'00'",
            Engine::Postgres => "'\\x00'::bytea",
        };
        let spoil = format!("UPDATE policies SET bundle = {zero} WHERE number = (SELECT max(number) FROM policies)");
        in_force(&owner, RULE).await;
        tamper.must(&spoil).await;
        owner.get("/api/v1/agents").await.refused(403, "policy_failed");
        // Mended by the next version, which then outlives one that cannot be read.
        in_force(&owner, "package safeconduct.agents\ndeny contains \"no lists\" if input.operation == \"agents.list\"").await;
        owner.get("/api/v1/agents").await.refused(403, "policy_denied");
        in_force(&owner, RULE).await;
        tamper.must(&spoil).await;
        owner.get("/api/v1/agents").await.refused(403, "policy_denied");
        server.finish().await;
    }

    async fn another_organization_neither_sees_nor_touches_it(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let (owner, stranger) = (server.owner().await, server.stranger().await);
        let id = in_force(&owner, RULE).await;
        assert_eq!(stranger.get("/api/v1/policies").await.ok(200)["items"], json!([]));
        stranger.get(&format!("/api/v1/policies/{id}")).await.refused(404, "not_found");
        for act in ["activate", "deactivate"] {
            stranger.post(&format!("/api/v1/policies/{id}/{act}"), json!({})).await.refused(404, "not_found");
        }
        let question = json!({ "permission": "agents:read", "policy": id });
        stranger.post("/api/v1/policies/simulate", question).await.refused(404, "not_found");
        // And its rules are not asked there.
        stranger.post("/api/v1/agents", json!({ "name": "theirs" })).await.ok(201);
        stranger.post("/api/v1/agents/default:theirs/kill", json!({})).await.ok(200);
        server.finish().await;
    }

    async fn putting_in_force_needs_step_up_and_the_right(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let made = owner.post("/api/v1/policies", json!({ "bundle": bundle(RULE) })).await.ok(201);
        let path = format!("/api/v1/policies/{}/activate", made["id"].as_str().unwrap());
        let (_, reader) = server.person(server.home().await, &["member"]).await;
        reader.post(&path, json!({})).await.refused(403, "permission_denied");
        let wild = server.agent(&owner, "wild", &["policies:*:all"]).await;
        server.as_agent(&wild).await.post(&path, json!({})).await.refused(403, "step_up_required");
        let named = server.agent(&owner, "named", &["policies:update:all"]).await;
        server.as_agent(&named).await.post(&path, json!({})).await.ok(200);
        server.clock.advance(std::time::Duration::from_secs(600));
        let list = owner.get("/api/v1/policies").await.ok(200);
        let active = list["items"][0]["id"].as_str().unwrap();
        owner.post(&format!("/api/v1/policies/{active}/deactivate"), json!({})).await.refused(403, "step_up_required");
        server.finish().await;
    }

    async fn racers_put_one_in_force_at_a_time(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let mut racers = tokio::task::JoinSet::new();
        for _ in 0..20 {
            let owner = owner.clone();
            racers.spawn(async move {
                owner.post("/api/v1/policies", json!({ "bundle": bundle(RULE) })).await.ok(201)["number"].as_i64()
            });
        }
        let mut numbers: Vec<i64> = racers.join_all().await.into_iter().flatten().collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (1..=20).collect::<Vec<_>>());
        server.finish().await;
    }
}
