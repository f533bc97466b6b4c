//! Agents of groups: owned by one, reached through one, shown to one.

use serde_json::{Value, json};

use crate::support::TestServer;

fn names(page: &Value) -> Vec<String> {
    let mut names: Vec<String> = page["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["name"].as_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

testing::on_both_databases! {
    async fn group_reaches_the_groups_agents_and_visibility_shows_them(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let home = server.home().await;
        let group = owner.post("/api/v1/groups", json!({ "name": "Operations" })).await.ok(201);
        let make = async |body: Value| owner.post("/api/v1/agents", body).await.ok(201);
        let owned = make(json!({ "name": "owned", "owner": group["id"], "visibility": "private" })).await;
        assert_eq!((&owned["owner"]["kind"], &owned["owner"]["id"]), (&json!("group"), &group["id"]));
        assert_eq!(owned["group"], group["id"]);
        make(json!({ "name": "grouped", "group": group["id"], "visibility": "private" })).await;
        make(json!({ "name": "shown", "group": group["id"], "visibility": "group" })).await;
        make(json!({ "name": "open", "visibility": "organization" })).await;
        make(json!({ "name": "secret", "visibility": "private" })).await;
        let (insider, inside) = server.person(home, &[]).await;
        let (outsider, outside) = server.person(home, &[]).await;
        let members = format!("/api/v1/groups/{}/members", group["id"].as_str().unwrap());
        owner.post(&members, json!({ "member": insider.id })).await.ok(201);
        for person in [&insider, &outsider] {
            server.grant(home, web::PrincipalId::User(person.id), "agents:read:own").await;
        }
        assert_eq!(names(&inside.get("/api/v1/agents").await.ok(200)), ["open", "shown"]);
        assert_eq!(names(&outside.get("/api/v1/agents").await.ok(200)), ["open"]);
        outside.get("/api/v1/agents/default:shown").await.refused(404, "not_found");
        inside.get("/api/v1/agents/default:shown").await.ok(200);
        inside.get("/api/v1/agents/default:grouped").await.refused(404, "not_found");
        for person in [&insider, &outsider] {
            server.grant(home, web::PrincipalId::User(person.id), "agents:read:group").await;
            server.grant(home, web::PrincipalId::User(person.id), "agents:update:group").await;
        }
        assert_eq!(names(&inside.get("/api/v1/agents").await.ok(200)), ["grouped", "open", "owned", "shown"]);
        assert_eq!(names(&outside.get("/api/v1/agents").await.ok(200)), ["open"]);
        // Seeing is not changing: visibility widens reading only.
        let patch = json!({ "description": "mine" });
        inside.patch("/api/v1/agents/default:owned", patch.clone()).await.ok(200);
        inside.patch("/api/v1/agents/default:open", patch.clone()).await.refused(403, "permission_denied");
        outside.patch("/api/v1/agents/default:owned", patch).await.refused(404, "not_found");
        let filtered = format!("/api/v1/agents?group={}", group["id"].as_str().unwrap());
        assert_eq!(names(&owner.get(&filtered).await.ok(200)), ["grouped", "owned", "shown"]);
        server.finish().await;
    }

    async fn a_group_that_answers_for_agents_is_not_ended(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let group = owner.post("/api/v1/groups", json!({ "name": "Operations" })).await.ok(201);
        let path = format!("/api/v1/groups/{}", group["id"].as_str().unwrap());
        owner.post("/api/v1/agents", json!({ "name": "worker", "owner": group["id"] })).await.ok(201);
        assert_eq!(owner.delete(&path).await.refused(409, "group_in_use")["agents"], 1);
        let foreign = json!({ "name": "other", "owner": "grp_01h455vb4pex5vsknk084sn02q" });
        owner.post("/api/v1/agents", foreign).await.refused(422, "validation_failed");
        let foreign = json!({ "name": "other", "group": "grp_01h455vb4pex5vsknk084sn02q" });
        owner.post("/api/v1/agents", foreign).await.refused(422, "validation_failed");
        let me = owner.get("/api/v1/auth/me").await.ok(200);
        let patch = json!({ "owner": me["principal"]["id"], "group": null });
        let moved = owner.patch("/api/v1/agents/default:worker", patch).await.ok(200);
        assert_eq!((&moved["owner"]["kind"], &moved["group"]), (&json!("user"), &json!(null)));
        owner.delete(&path).await.ok(200);
        server.finish().await;
    }

    async fn a_leaving_members_agents_may_pass_to_a_group(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let group = owner.post("/api/v1/groups", json!({ "name": "Operations" })).await.ok(201);
        let (ada, her) = server.person(server.home().await, &["member"]).await;
        her.post("/api/v1/agents", json!({ "name": "hers" })).await.ok(201);
        let body = json!({ "agents_to": group["id"] }).to_string();
        owner.send(reqwest::Method::DELETE, &format!("/api/v1/members/{}", ada.id), Some(body)).await.ok(200);
        let passed = owner.get("/api/v1/agents/default:hers").await.ok(200);
        assert_eq!((&passed["owner"]["id"], &passed["status"]), (&group["id"], &json!("active")));
        assert_eq!(owner.get("/api/v1/agents?orphaned=true").await.ok(200)["items"], json!([]));
        server.finish().await;
    }
}
