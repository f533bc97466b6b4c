//! The kill switch.

use serde_json::json;
use types::{Id, KillId};

use crate::support::TestServer;

testing::on_both_databases! {
    async fn a_kill_leaves_a_receipt_and_two_facts(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let agent = owner.post("/api/v1/agents", json!({ "name": "rogue" })).await.ok(201);
        let receipt = owner.post("/api/v1/agents/default:rogue/kill", json!({ "reason": "leak" })).await.ok(200);
        assert_eq!(receipt["agent"], agent["id"]);
        assert!(receipt["revision"].as_i64().unwrap() > 0);
        assert_eq!(receipt["nodes"][0]["state"], "applied");
        assert!(receipt["confirmed_at"].is_string());
        let id = receipt["id"].as_str().unwrap();
        assert_eq!(owner.get(&format!("/api/v1/kills/{id}")).await.ok(200), receipt);
        server.stranger().await.get(&format!("/api/v1/kills/{id}")).await.refused(404, "not_found");
        assert_eq!(owner.get("/api/v1/agents/default:rogue").await.ok(200)["status"], "suspended");
        let tamper = server.database.tamper().await;
        for kind in ["agent.killed", "agent.kill_confirmed"] {
            let count = format!("SELECT count(*) FROM facts WHERE kind = '{kind}'");
            assert_eq!(tamper.number(&count).await, 1, "{kind}");
        }
        server.finish().await;
    }

    /// Also while neither is confirmed yet: the later death is not the earlier one's.
    async fn two_kills_of_one_agent_have_a_receipt_each(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        owner.post("/api/v1/agents", json!({ "name": "rogue" })).await.ok(201);
        let tamper = server.database.tamper().await;
        // A node that does not hear keeps the receipts open.
        server.house().feed.pause(true);
        let strike = || {
            let caller = owner.clone();
            telemetry::spawn("kill", async move {
                caller.post("/api/v1/agents/default:rogue/kill", json!({})).await.ok(200)
            })
        };
        let struck = async |number: i64| {
            while tamper.number("SELECT count(*) FROM kills").await < number {
                tokio::task::yield_now().await;
            }
        };
        let first = strike();
        struck(1).await;
        let row = tamper.cell("SELECT id FROM kills").await.unwrap();
        let id = KillId::from_uuid(row.parse().unwrap());
        owner.post("/api/v1/agents/default:rogue/reactivate", json!({})).await.ok(200);
        let second = strike();
        struck(2).await;
        let open = owner.get(&format!("/api/v1/kills/{id}")).await.ok(200);
        server.house().feed.pause(false);
        let (first, second) = (first.await.unwrap(), second.await.unwrap());
        assert_eq!(first["id"], json!(id));
        assert_eq!(open["revision"], first["revision"], "{open:#}");
        assert!(first["revision"].as_i64() < second["revision"].as_i64());
        for receipt in [first, second] {
            let path = format!("/api/v1/kills/{}", receipt["id"].as_str().unwrap());
            assert_eq!(owner.get(&path).await.ok(200), receipt);
        }
        server.finish().await;
    }
}

#[tokio::test]
async fn killing_others_agents_needs_a_fresh_sign_in() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    owner.post("/api/v1/agents", json!({ "name": "rogue" })).await.ok(201);
    server.clock.advance(std::time::Duration::from_secs(301));
    owner.post("/api/v1/agents/default:rogue/kill", json!({})).await.refused(403, "step_up_required");
    assert_eq!(owner.get("/api/v1/agents/default:rogue").await.ok(200)["status"], "active");
    server.finish().await;
}

#[tokio::test]
async fn a_kill_is_confirmed_though_its_caller_hung_up() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    let facts = "SELECT count(*) FROM facts WHERE kind = 'agent.kill_confirmed'";
    let tamper = server.database.tamper().await;
    for number in 0..10 {
        owner.post("/api/v1/agents", json!({ "name": format!("rogue-{number}") })).await.ok(201);
        let (caller, path) = (owner.clone(), format!("/api/v1/agents/default:rogue-{number}/kill"));
        let call = telemetry::spawn("test", async move { caller.post(&path, json!({})).await });
        let killed =
            format!("SELECT count(*) FROM agents WHERE status = 'suspended' AND name = 'rogue-{number}'");
        while tamper.number(&killed).await == 0 {
            tokio::task::yield_now().await;
        }
        call.abort();
        let until = std::time::Instant::now() + std::time::Duration::from_secs(20);
        while tamper.number(facts).await < number + 1 {
            assert!(std::time::Instant::now() < until, "the receipt was lost with its caller");
            tokio::task::yield_now().await;
        }
    }
    server.finish().await;
}
