//! The catalogue, what principals hold and why, and outside applications.

use serde_json::{Value, json};
use web::PrincipalId;

use crate::support::TestServer;

testing::on_both_databases! {
    async fn the_catalogue_is_made_of_the_operations(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let catalogue = owner.get("/api/v1/permissions").await.ok(200);
        let operations = catalogue["operations"].as_array().unwrap();
        let specs: Vec<_> = safeconduct::routes(server.house()).specs().collect();
        let needing = specs.iter().filter(|spec| spec.required().is_some());
        assert_eq!(operations.len(), needing.count());
        let create = operations.iter().find(|one| one["id"] == "credentials.create").unwrap();
        assert_eq!((&create["permission"], &create["step_up"]), (&json!("credentials:create"), &json!(true)));
        let items = catalogue["items"].as_array().unwrap();
        for operation in operations {
            let (resource, action) = operation["permission"].as_str().unwrap().split_once(':').unwrap();
            let item = items.iter().find(|item| item["resource"] == resource).unwrap();
            assert!(item["actions"].as_array().unwrap().contains(&json!(action)), "{operation}");
        }
        server.finish().await;
    }

    async fn what_somebody_holds_is_shown_with_where_it_comes_from(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let home = server.home().await;
        let (person, caller) = server.person(home, &["viewer"]).await;
        let me = PrincipalId::User(person.id);
        let group = server.group(home, &[me]).await;
        server.grant(home, me, "audit:read:all").await;
        owner.post("/api/v1/roles", json!({ "name": "keeper", "permissions": ["agents:write:all"] })).await.ok(201);
        owner.post("/api/v1/grants", json!({ "principal": group, "role": "keeper" })).await.ok(201);
        let path = format!("/api/v1/permissions/of/{}", person.id);
        for by in [&owner, &caller] {
            let held = by.get(&path).await.ok(200);
            let permissions = held["permissions"].as_array().unwrap();
            assert!(permissions.contains(&json!("agents:write:all")) && permissions.contains(&json!("audit:read:all")));
            assert!(!permissions.contains(&json!("audit:read:own")), "covered by the wider one");
            assert_eq!(held["groups"], json!([group]));
            let sources = held["sources"].as_array().unwrap();
            let from = |role: Value, group: Value| {
                sources.iter().filter(|one| one["role"] == role && one["group"] == group).count()
            };
            assert_eq!(from(json!("viewer"), Value::Null), 1);
            assert_eq!(from(Value::Null, Value::Null), 1);
            assert_eq!(from(json!("keeper"), json!(group)), 1);
        }
        assert_eq!(owner.get(&format!("/api/v1/permissions/of/{group}")).await.ok(200)["permissions"], json!(["agents:write:all"]));
        let stranger = server.stranger().await;
        stranger.get(&path).await.refused(404, "not_found");
        let (_, nobody) = server.person(home, &[]).await;
        nobody.get(&path).await.refused(403, "permission_denied");
        server.finish().await;
    }

    async fn a_question_is_answered_without_doing_anything(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let (_, member) = server.person(server.home().await, &["member"]).await;
        let ask = |permissions: Value, logic: &str| {
            let (member, body) = (member.clone(), json!({ "permissions": permissions, "logic": logic }));
            async move { member.post("/api/v1/permissions/check", body).await.ok(200)["allowed"] == true }
        };
        assert!(ask(json!(["agents:create:own", "agents:read:all"]), "all").await);
        assert!(!ask(json!(["agents:create:all", "agents:read:all"]), "all").await);
        assert!(ask(json!(["agents:create:all", "agents:read:all"]), "any").await);
        // Without a reach: as far as any.
        assert!(ask(json!(["agents:create"]), "all").await);
        assert!(!ask(json!(["agents:delete"]), "any").await);
        let bad = json!({ "permissions": ["martians:read"] });
        member.post("/api/v1/permissions/check", bad).await.refused(422, "validation_failed");
        server.finish().await;
    }

    async fn what_permissions_would_open_is_told_by_the_grammar(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let (_, viewer) = server.person(server.home().await, &["viewer"]).await;
        let body = json!({ "permissions": ["agents:write:own", "runs:read:all", "functions/ops/*:*:group", "*:read:own"] });
        let opened = viewer.post("/api/v1/permissions/opens", body).await.ok(200);
        let of = |id: &str| opened["items"].as_array().unwrap().iter().find(|one| one["id"] == id).cloned();
        let create = of("agents.create").unwrap();
        assert_eq!((&create["permission"], &create["reach"]), (&json!("agents:create"), &json!("own")));
        assert_eq!(of("runs.list").unwrap()["reach"], "all");
        assert_eq!(of("functions.get").unwrap()["reach"], "own", "the wildcard for every function");
        let push = of("functions.publish").unwrap();
        assert_eq!((&push["reach"], &push["by_name"]), (&Value::Null, &json!(false)), "only what the path names");
        assert_eq!(of("agents.decommission"), None);
        assert_eq!(of("system.users.list"), None, "`*` never reaches the instance");
        let none = json!({ "permissions": [] });
        assert_eq!(viewer.post("/api/v1/permissions/opens", none.clone()).await.ok(200)["items"], json!([]));
        let bad = json!({ "permissions": ["agents:read", "martians:read"] });
        let refused = viewer.post("/api/v1/permissions/opens", bad).await.refused(422, "validation_failed");
        assert!(refused["errors"][0]["reason"].as_str().unwrap().contains("martians"));
        let (_, nobody) = server.person(server.home().await, &[]).await;
        nobody.post("/api/v1/permissions/opens", none).await.refused(403, "permission_denied");
        server.finish().await;
    }

    async fn an_outside_application_brings_resources_along(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let home = server.home().await;
        let (person, caller) = server.person(home, &[]).await;
        let grant = json!({ "principal": person.id, "permission": "titan.courses:enrol:own" });
        owner.post("/api/v1/grants", grant.clone()).await.refused(422, "validation_failed");
        let body = json!({ "prefix": "titan", "resources": [{ "name": "courses", "meaning": "Courses", "actions": ["enrol"] }] });
        owner.post("/api/v1/resource-prefixes", body.clone()).await.ok(201);
        owner.post("/api/v1/resource-prefixes", body).await.refused(409, "already_exists");
        let given = owner.post("/api/v1/grants", grant).await.ok(201);
        let catalogue = owner.get("/api/v1/permissions").await.ok(200);
        let outside = catalogue["items"].as_array().unwrap().iter().find(|one| one["outside"] == true).unwrap();
        assert_eq!((&outside["resource"], &outside["actions"]), (&json!("titan.courses"), &json!(["enrol"])));
        let ask = json!({ "permissions": ["titan.courses:enrol:own"] });
        assert_eq!(caller.post("/api/v1/permissions/check", ask).await.ok(200)["allowed"], true);
        let refused = owner.delete("/api/v1/resource-prefixes/titan").await.refused(409, "prefix_in_use");
        assert_eq!(refused["count"], 1);
        owner.delete(&format!("/api/v1/grants/{}", given["id"].as_str().unwrap())).await.ok(200);
        // Roles and keys count as well, agents too.
        owner.post("/api/v1/roles", json!({ "name": "r", "permissions": ["agents:read:all", "titan.courses:enrol:all"] })).await.ok(201);
        owner.delete("/api/v1/resource-prefixes/titan").await.refused(409, "prefix_in_use");
        owner.patch("/api/v1/roles/r", json!({ "permissions": ["agents:read:all"] })).await.ok(200);
        let change = json!({ "description": "Learning" });
        assert_eq!(owner.patch("/api/v1/resource-prefixes/titan", change).await.ok(200)["revision"], 2);
        let stranger = server.stranger().await;
        stranger.get("/api/v1/resource-prefixes/titan").await.refused(404, "not_found");
        stranger.delete("/api/v1/resource-prefixes/titan").await.refused(404, "not_found");
        owner.delete("/api/v1/resource-prefixes/titan").await.ok(200);
        let bad = json!({ "prefix": "x", "resources": [{ "name": "y", "meaning": "", "actions": ["No"] }] });
        owner.post("/api/v1/resource-prefixes", bad).await.refused(422, "validation_failed");
        server.finish().await;
    }
}
