//! Agents that an organization wants approved: they wait, and get no tokens until somebody lets them in.

use serde_json::json;

use crate::support::{TestAgent, TestServer};

testing::on_both_databases! {
    async fn a_pending_agent_gets_no_tokens_until_it_is_approved(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        // One from before acts on.
        let old = server.agent(&owner, "old", &["agents:read:all"]).await;
        let asks = json!({ "settings": { "new_agents_need_approval": true } });
        owner.patch("/api/v1/orgs/home", asks).await.ok(200);
        let agent = owner.post("/api/v1/agents", json!({ "name": "newcomer", "permissions": ["agents:read:all"] })).await.ok(201);
        assert_eq!(agent["status"], "pending");
        let path = format!("/api/v1/agents/{}", agent["id"].as_str().unwrap());
        let secret = json!({ "kind": "secret", "label": "one" });
        owner.post(&format!("{path}/credentials"), secret.clone()).await.refused(409, "agent_not_active");
        owner.post(&format!("{path}/suspend"), json!({})).await.refused(409, "agent_not_active");
        owner.post(&format!("{path}/reactivate"), json!({})).await.refused(409, "agent_not_suspended");
        // A kill is no way around it.
        owner.post(&format!("{path}/kill"), json!({})).await.ok(200);
        assert_eq!(owner.get(&path).await.ok(200)["status"], "pending");
        let list = owner.get("/api/v1/agents?status=pending").await.ok(200);
        assert_eq!(list["items"][0]["id"], agent["id"]);
        let (_, member) = server.person(server.home().await, &["member"]).await;
        member.post(&format!("{path}/approve"), json!({})).await.refused(403, "permission_denied");
        server.stranger().await.post(&format!("{path}/approve"), json!({})).await.refused(404, "not_found");
        assert_eq!(owner.post(&format!("{path}/approve"), json!({})).await.ok(200)["status"], "active");
        owner.post(&format!("{path}/approve"), json!({})).await.refused(409, "agent_not_pending");
        let made = owner.post(&format!("{path}/credentials"), secret).await.ok(201);
        let text = |name: &str| made[name].as_str().unwrap().to_owned();
        let id = agent["id"].as_str().unwrap().to_owned();
        let approved = TestAgent { id, credential: text("id"), secret: text("client_secret") };
        server.as_agent(&approved).await.get("/api/v1/agents").await.ok(200);
        server.as_agent(&old).await.get("/api/v1/agents").await.ok(200);
        server.finish().await;
    }

    async fn a_rejected_agent_is_gone_for_good(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let asks = json!({ "settings": { "new_agents_need_approval": true } });
        owner.patch("/api/v1/orgs/home", asks).await.ok(200);
        let agent = owner.post("/api/v1/agents", json!({ "name": "newcomer", "roles": ["member"] })).await.ok(201);
        let path = format!("/api/v1/agents/{}", agent["id"].as_str().unwrap());
        let gone = owner.post(&format!("{path}/reject"), json!({ "reason": "unasked" })).await.ok(200);
        assert_eq!(gone["status"], "decommissioned");
        owner.post(&format!("{path}/approve"), json!({})).await.refused(409, "agent_decommissioned");
        owner.post("/api/v1/agents", json!({ "name": "newcomer" })).await.refused(409, "agent_exists");
        let tamper = server.database.tamper().await;
        assert_eq!(tamper.number("SELECT count(*) FROM grants WHERE principal_kind = 'agent'").await, 0);
        server.finish().await;
    }

    async fn nobody_approves_beyond_what_they_hold(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let asks = json!({ "settings": { "new_agents_need_approval": true } });
        owner.patch("/api/v1/orgs/home", asks).await.ok(200);
        let agent = owner.post("/api/v1/agents", json!({ "name": "mighty", "roles": ["owner"] })).await.ok(201);
        let home = server.home().await;
        let (person, approver) = server.person(home, &["member"]).await;
        server.grant(home, web::PrincipalId::User(person.id), "agents:approve:all").await;
        let path = format!("/api/v1/agents/{}/approve", agent["id"].as_str().unwrap());
        approver.post(&path, json!({})).await.refused(403, "authority_exceeded");
        server.finish().await;
    }

    async fn of_a_hundred_decisions_one_holds(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let asks = json!({ "settings": { "new_agents_need_approval": true } });
        owner.patch("/api/v1/orgs/home", asks).await.ok(200);
        let agent = owner.post("/api/v1/agents", json!({ "name": "newcomer" })).await.ok(201);
        let path = format!("/api/v1/agents/{}", agent["id"].as_str().unwrap());
        let racers: Vec<_> = (0..100)
            .map(|number| {
                let (owner, path) = (owner.clone(), path.clone());
                let verb = if number % 2 == 0 { "approve" } else { "reject" };
                telemetry::spawn("test", async move {
                    owner.post(&format!("{path}/{verb}"), json!({})).await.status.as_u16()
                })
            })
            .collect();
        let mut won = 0;
        for racer in racers {
            let status = racer.await.unwrap();
            assert!(matches!(status, 200 | 409), "{status}");
            won += i32::from(status == 200);
        }
        assert_eq!(won, 1);
        server.finish().await;
    }
}
