//! Roles of an organization's own.

use serde_json::json;
use web::PrincipalId;

use crate::support::TestServer;

testing::on_both_databases! {
    async fn a_role_lives_through_its_changes(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let home = server.home().await;
        let (person, caller) = server.person(home, &[]).await;
        let body = json!({ "name": "reader", "description": "Reads", "permissions": ["agents:read:all", "agents:read:own"] });
        let made = owner.post("/api/v1/roles", body.clone()).await.ok(201);
        assert_eq!(made["permissions"], json!(["agents:read:all"]), "what others cover is left out");
        assert_eq!((&made["built_in"], &made["revision"]), (&json!(false), &json!(1)));
        owner.post("/api/v1/roles", body).await.refused(409, "already_exists");
        let grant = json!({ "principal": person.id, "role": "reader" });
        owner.post("/api/v1/grants", grant).await.ok(201);
        caller.get("/api/v1/agents").await.ok(200);
        caller.get("/api/v1/functions").await.refused(403, "permission_denied");

        // A change is in force for everybody who holds the role, from their next request on.
        let patch = json!({ "permissions": ["functions:read:all"] });
        let by_id = format!("/api/v1/roles/{}", made["id"].as_str().unwrap());
        owner.with("if-match", "\"7\"").patch(&by_id, patch.clone()).await.refused(412, "stale_revision");
        assert_eq!(owner.patch(&by_id, patch).await.ok(200)["revision"], 2);
        caller.get("/api/v1/functions").await.ok(200);
        caller.get("/api/v1/agents").await.refused(403, "permission_denied");

        let refused = owner.delete("/api/v1/roles/reader").await.refused(409, "role_in_use");
        assert_eq!((&refused["count"], &refused["holders"]), (&json!(1), &json!([person.id])));
        let held = owner.get("/api/v1/grants?role=reader&count=true").await.ok(200);
        assert_eq!(held["total"], 1);
        let grant = held["items"][0]["id"].as_str().unwrap();
        owner.delete(&format!("/api/v1/grants/{grant}")).await.ok(200);
        owner.delete("/api/v1/roles/reader").await.ok(200);
        owner.get("/api/v1/roles/reader").await.refused(404, "not_found");
        server.finish().await;
    }

    async fn built_in_roles_stay_as_they_are(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let list = owner.get("/api/v1/roles").await.ok(200);
        let names: Vec<&str> =
            list["items"].as_array().unwrap().iter().map(|role| role["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["operator", "owner", "admin", "curator", "member", "viewer", "auditor"]);
        owner.patch("/api/v1/roles/member", json!({ "permissions": [] })).await.refused(409, "role_built_in");
        owner.delete("/api/v1/roles/member").await.refused(409, "role_built_in");
        for taken in ["owner", "permission"] {
            let body = json!({ "name": taken, "permissions": [] });
            owner.post("/api/v1/roles", body).await.refused(422, "validation_failed");
        }
        server.finish().await;
    }

    async fn lists_page_search_and_show_only_what_may_be_seen(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        for name in ["one", "two", "three"] {
            owner.post("/api/v1/roles", json!({ "name": name, "permissions": [] })).await.ok(201);
        }
        let (mut names, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = owner.get(&format!("/api/v1/roles?limit=4&count=true{cursor}")).await.ok(200);
            assert_eq!(page["total"], 10);
            let items = page["items"].as_array().unwrap();
            names.extend(items.iter().map(|role| role["name"].as_str().unwrap().to_owned()));
            let Some(next) = page["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(names[7..], ["one", "three", "two"]);
        assert_eq!(owner.get("/api/v1/roles?q=TW&count=true").await.ok(200)["total"], 1);

        // Somebody who may read two roles by name sees, counts and finds those.
        let (person, caller) = server.person(server.home().await, &[]).await;
        for role in ["two", "viewer"] {
            server.grant(server.home().await, PrincipalId::User(person.id), &format!("roles/{role}:read:all")).await;
        }
        let seen = caller.get("/api/v1/roles?count=true").await.ok(200);
        assert_eq!(seen["total"], 2);
        assert_eq!(seen["items"][0]["name"], "viewer");
        assert_eq!(caller.get("/api/v1/roles?q=o&count=true").await.ok(200)["total"], 2);
        caller.get("/api/v1/roles/one").await.refused(404, "not_found");
        // Nobody of another organization sees or touches any.
        let stranger = server.stranger().await;
        assert_eq!(stranger.get("/api/v1/roles?q=two&count=true").await.ok(200)["total"], 0);
        stranger.get("/api/v1/roles/two").await.refused(404, "not_found");
        stranger.patch("/api/v1/roles/two", json!({ "permissions": [] })).await.refused(404, "not_found");
        stranger.delete("/api/v1/roles/two").await.refused(404, "not_found");
        server.finish().await;
    }

    async fn bad_roles_are_refused_whole(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        for body in [
            json!({ "name": "Loud", "permissions": [] }),
            json!({ "name": "x", "permissions": ["agents"] }),
            json!({ "name": "x", "permissions": ["martians:read"] }),
            json!({ "name": "x", "permissions": ["titan.courses:read"] }),
            json!({ "name": "x", "permissions": [], "built_in": true }),
        ] {
            owner.post("/api/v1/roles", body).await.refused(422, "validation_failed");
        }
        let tamper = server.database.tamper().await;
        assert_eq!(tamper.number("SELECT count(*) FROM roles").await, 0);
        server.finish().await;
    }
}
