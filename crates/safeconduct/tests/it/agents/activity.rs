//! What an agent did.

use serde_json::{Value, json};
use web::PrincipalId;

use crate::support::{Caller, TestServer};

fn kinds(page: &Value) -> Vec<&str> {
    page["items"].as_array().unwrap().iter().map(|fact| fact["kind"].as_str().unwrap()).collect()
}

testing::on_both_databases! {
    async fn activity_is_found_by_id_and_by_name(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let agent = server.agent(&owner, "worker", &["agents:create:all", "agents:read:all"]).await;
        let me = owner.get("/api/v1/auth/me").await.ok(200);
        let body = json!({ "name": "child", "owner": me["principal"]["id"] });
        server.as_agent(&agent).await.post("/api/v1/agents", body).await.ok(201);
        server.house().ledger.drain().await.unwrap();
        let by_name = owner.get("/api/v1/agents/default:worker/activity").await.ok(200);
        assert_eq!(kinds(&by_name), ["agent.created", "token.issued"], "{by_name:#}");
        let path = format!("/api/v1/agents/{}/activity", agent.id);
        assert_eq!(owner.get(&path).await.ok(200), by_name);
        let first = owner.get("/api/v1/agents/default:worker/activity?limit=1").await.ok(200);
        let cursor = first["next_cursor"].as_str().unwrap();
        let next = owner.get(&format!("{path}?limit=1&cursor={cursor}")).await.ok(200);
        assert_eq!((kinds(&first), kinds(&next)), (vec!["agent.created"], vec!["token.issued"]));
        for unknown in ["default:nobody", "agt_01h455vb4pex5vsknk084sn02q", "worker", "a:b:c"] {
            owner.get(&format!("/api/v1/agents/{unknown}/activity")).await.refused(404, "not_found");
        }
        server.finish().await;
    }

    async fn activity_is_for_who_may_see_the_agent_or_the_whole_record(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let agent = server.agent(&owner, "worker", &[]).await;
        server.as_agent(&agent).await;
        // What is shown to the whole organization is no secret in it.
        owner.patch("/api/v1/agents/default:worker", json!({ "visibility": "private" })).await.ok(200);
        server.house().ledger.drain().await.unwrap();
        let org = server.home().await;
        let with = async |permissions: &[&str]| -> Caller {
            let (person, caller) = server.person(org, &[]).await;
            for permission in permissions {
                server.grant(org, PrincipalId::User(person.id), permission).await;
            }
            caller
        };
        let path = "/api/v1/agents/default:worker/activity";
        let auditor = with(&["audit:read:all"]).await.get(path).await.ok(200);
        assert_eq!(kinds(&auditor), ["token.issued"]);
        // Sees the agent, but of the record only what is its own.
        let colleague = with(&["audit:read:own", "agents:read:all"]).await.get(path).await.ok(200);
        assert_eq!(colleague["items"], json!([]));
        // Whether there is such an agent is not told to who may see neither.
        let outsider = with(&["audit:read:own", "agents:read:own"]).await;
        outsider.get(path).await.refused(404, "not_found");
        outsider.get("/api/v1/agents/default:nobody/activity").await.refused(404, "not_found");
        with(&["agents:read:all"]).await.get(path).await.refused(403, "permission_denied");
        server.stranger().await.get(path).await.refused(404, "not_found");
        let by_id = format!("/api/v1/agents/{}/activity", agent.id);
        server.stranger().await.get(&by_id).await.refused(404, "not_found");
        server.finish().await;
    }
}
