//! Lists: pages, filters, and nobody else's rows.

use serde_json::json;

use crate::support::TestServer;

testing::on_both_databases! {
    async fn pages_cover_everything_once(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        for number in 0..7 {
            owner.post("/api/v1/agents", json!({ "name": format!("agent-{number}") })).await.ok(201);
        }
        let (mut names, mut cursor) = (Vec::new(), String::new());
        for _ in 0..4 {
            let page = owner.get(&format!("/api/v1/agents?limit=2&count=true{cursor}")).await.ok(200);
            assert_eq!(page["total"], 7);
            names.extend(page["items"].as_array().unwrap().iter().map(|item| item["name"].to_string()));
            let Some(next) = page["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        let expected: Vec<String> = (0..7).rev().map(|number| format!("\"agent-{number}\"")).collect();
        assert_eq!(names, expected);
        server.finish().await;
    }

    async fn filters_narrow(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let bodies = [
            json!({ "name": "one", "type": "screener", "capabilities": ["tickets:read"], "deployment_env": "production" }),
            json!({ "name": "two", "type": "router", "capabilities": ["tickets:readonly"], "visibility": "private" }),
            json!({ "name": "three", "display_name": "100% Sure_Thing", "type": "router" }),
        ];
        for body in bodies {
            owner.post("/api/v1/agents", body).await.ok(201);
        }
        owner.post("/api/v1/agents/default:one/suspend", json!({})).await.ok(200);
        for (query, expected) in [
            ("type=router", vec!["three", "two"]),
            ("type=router&visibility=private", vec!["two"]),
            ("status=suspended", vec!["one"]),
            ("env=production", vec!["one"]),
            ("capability=tickets:read", vec!["one"]),
            ("q=100%25%20sure_", vec!["three"]),
            ("q=%25", vec!["three"]),
            ("q=%27%3B%20DROP", vec![]),
        ] {
            let page = owner.get(&format!("/api/v1/agents?{query}")).await.ok(200);
            let names: Vec<&str> = page["items"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()).collect();
            assert_eq!(names, expected, "{query}");
        }
        server.finish().await;
    }

    async fn another_organization_sees_nothing_and_touches_nothing(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let agent = owner.post("/api/v1/agents", json!({ "name": "ours" })).await.ok(201);
        let id = agent["id"].as_str().unwrap();
        let stranger = server.stranger().await;
        assert_eq!(stranger.get("/api/v1/agents").await.ok(200)["items"], json!([]));
        for path in [id, "default:ours"] {
            stranger.get(&format!("/api/v1/agents/{path}")).await.refused(404, "not_found");
            stranger.post(&format!("/api/v1/agents/{path}/kill"), json!({})).await.refused(404, "not_found");
        }
        // The same name is free elsewhere.
        stranger.post("/api/v1/agents", json!({ "name": "ours" })).await.ok(201);
        server.finish().await;
    }

    async fn selectors_and_reach_narrow_lists_and_counts(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let home = server.home().await;
        for (namespace, name) in [("ops", "one"), ("ops", "two"), ("lab", "three")] {
            owner.post("/api/v1/agents", json!({ "namespace": namespace, "name": name })).await.ok(201);
        }
        let (person, caller) = server.person(home, &[]).await;
        server.grant(home, web::PrincipalId::User(person.id), "agents/ops/*:read:all").await;
        let page = caller.get("/api/v1/agents?count=true").await.ok(200);
        assert_eq!((page["items"].as_array().unwrap().len(), &page["total"]), (2, &json!(2)));
        caller.get("/api/v1/agents/lab:three").await.refused(404, "not_found");
        caller.get("/api/v1/agents/ops:one").await.ok(200);
        let problem = caller.patch("/api/v1/agents/ops:one", json!({ "description": "x" })).await;
        assert_eq!(problem.refused(403, "permission_denied")["permission"], "agents:update");
        server.grant(home, web::PrincipalId::User(person.id), "agents:update:own").await;
        caller.patch("/api/v1/agents/ops:one", json!({ "description": "x" })).await.refused(403, "permission_denied");
        caller.patch("/api/v1/agents/lab:three", json!({ "description": "x" })).await.refused(404, "not_found");
        server.finish().await;
    }
}

#[tokio::test]
async fn cursors_belong_to_their_list() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    for name in ["one", "two"] {
        owner.post("/api/v1/agents", json!({ "name": name })).await.ok(201);
    }
    let page = owner.get("/api/v1/agents?limit=1").await.ok(200);
    let cursor = page["next_cursor"].as_str().unwrap();
    let mut altered = cursor.to_owned();
    altered.replace_range(0..1, if cursor.starts_with('A') { "B" } else { "A" });
    for bad in [altered.as_str(), "", "!!", &"A".repeat(5000)] {
        owner.get(&format!("/api/v1/agents?cursor={bad}")).await.refused(400, "invalid_cursor");
    }
    owner.get(&format!("/api/v1/users?cursor={cursor}")).await.refused(400, "invalid_cursor");
    let stranger = server.stranger().await;
    stranger.get(&format!("/api/v1/agents?cursor={cursor}")).await.refused(400, "invalid_cursor");
    server.finish().await;
}
