//! Who reaches what, and who holds too much.

use serde_json::{Value, json};

use crate::support::TestServer;

testing::on_both_databases! {
    async fn the_graph_names_agents_and_grants(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let (owner, stranger) = (server.owner().await, server.stranger().await);
        server.agent(&owner, "wide", &["functions:execute:all"]).await;
        server.agent(&owner, "narrow", &["functions/ops/*:execute:own", "agents:read:all"]).await;
        server.agent(&owner, "none", &["agents:read:all"]).await;
        server.agent(&stranger, "theirs", &["functions:execute:all"]).await;
        owner.post("/api/v1/agents/default:wide/suspend", json!({})).await.ok(200);
        let told = |answer: &Value| -> Vec<String> {
            let items = answer["items"].as_array().unwrap().iter();
            items.map(|item| format!("{} {} {}", item["path"].as_str().unwrap(), item["reach"].as_str().unwrap(), item["active"])).collect()
        };
        let ops = owner.get("/api/v1/access/graph?permission=functions/ops/greet:execute").await.ok(200);
        assert_eq!(told(&ops), ["default/narrow own true", "default/wide all false"]);
        assert_eq!(ops["items"][0]["grants"], json!(["functions/ops/*:execute:own"]));
        let lab = owner.get("/api/v1/access/graph?permission=functions/lab/x:execute").await.ok(200);
        assert_eq!(told(&lab), ["default/wide all false"]);
        owner.get("/api/v1/access/graph?permission=nonsense").await.refused(422, "validation_failed");
        let (_, nobody) = server.person(server.home().await, &[]).await;
        nobody.get("/api/v1/access/graph?permission=agents:read").await.refused(403, "permission_denied");
        server.finish().await;
    }

    async fn advice_follows_what_was_used(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let (owner, stranger) = (server.owner().await, server.stranger().await);
        let code = "def handler(input, context):\n    return 1\n";
        owner.post("/api/v1/functions", json!({ "namespace": "ops", "name": "greet", "code": code })).await.ok(201);
        let agent = server.agent(&owner, "busy", &["functions:*:all", "agents:read:all", "state:write:all"]).await;
        let busy = server.as_agent(&agent).await;
        busy.post("/api/v1/functions/ops:greet/execute", json!({})).await.ok(200);
        busy.get("/api/v1/agents/default:busy").await.ok(200);
        // What was refused was not used.
        busy.get("/api/v1/users").await.refused(403, "permission_denied");
        let path = format!("/api/v1/agents/{}/access-advice", agent.id);
        let advice = owner.get(&path).await.ok(200);
        assert_eq!(advice["unused"], json!(["state:write:all"]));
        assert_eq!(advice["suggested"], json!(["agents/default/busy:read:own", "functions/ops/greet:execute:all"]));
        stranger.get(&path).await.refused(404, "not_found");
        // Long ago counts no more.
        server.clock.advance(std::time::Duration::from_secs(40 * 24 * 3600));
        let advice = server.owner().await.get(&format!("{path}?days=30")).await.ok(200);
        assert_eq!(advice["suggested"], json!([]));
        server.finish().await;
    }
}
