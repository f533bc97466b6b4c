//! The status machine.

use serde_json::json;

use crate::support::TestServer;

testing::on_both_databases! {
    async fn active_suspended_active_decommissioned(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        owner.post("/api/v1/agents", json!({ "name": "worker" })).await.ok(201);
        let path = |act: &str| format!("/api/v1/agents/default:worker{act}");
        owner.post(&path("/reactivate"), json!({})).await.refused(409, "agent_not_suspended");
        let suspended = owner.post(&path("/suspend"), json!({ "reason": "odd" })).await.ok(200);
        assert_eq!((&suspended["status"], &suspended["revision"]), (&json!("suspended"), &json!(2)));
        owner.post(&path("/suspend"), json!({})).await.refused(409, "agent_not_active");
        let body = json!({ "kind": "secret", "label": "late" });
        owner.post(&path("/credentials"), body.clone()).await.refused(409, "agent_not_active");
        owner.post(&path("/reactivate"), json!({})).await.ok(200);
        owner.post(&path("/credentials"), body.clone()).await.ok(201);
        owner.post(&path("/credentials"), body).await.ok(201);
        assert_eq!(owner.delete(&path("")).await.ok(200)["status"], "decommissioned");
        let listed = owner.get(&path("/credentials?status=active")).await.ok(200);
        assert_eq!(listed["items"], json!([]));
        for act in ["/suspend", "/reactivate", "/kill"] {
            owner.post(&path(act), json!({})).await.refused(409, "agent_decommissioned");
        }
        owner.patch(&path(""), json!({ "description": "x" })).await.refused(409, "agent_decommissioned");
        owner.delete(&path("")).await.refused(409, "agent_decommissioned");
        assert_eq!(owner.get(&path("")).await.ok(200)["status"], "decommissioned");
        // One fact for each changed resource.
        let tamper = server.database.tamper().await;
        let count = |kind: &str| format!("SELECT count(*) FROM facts WHERE kind = '{kind}'");
        assert_eq!(tamper.number(&count("agent.decommissioned")).await, 1);
        assert_eq!(tamper.number(&count("credential.revoked")).await, 2);
        server.finish().await;
    }
}
