//! Which file a thing comes from: other files leave it alone, its own may remove it, and changes by hand are told.

use serde_json::{Value, json};

use super::{APPLY, DRIFT, EVERYTHING, PLAN, apply, changes, document, facts_of, plan};
use crate::support::TestServer;

const ONE: &str = "roles:\n  - {name: shared, permissions: ['agents:read:all']}\n";

testing::on_both_databases! {
    async fn other_files_leave_a_thing_alone_unless_forced(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        apply(&owner, &document("first", ONE)).await.ok(200);
        // As it is, it may stand in two files; it stays the first one's.
        assert_eq!(changes(&apply(&owner, &document("second", ONE)).await.ok(200)), Vec::<String>::new());
        let other = ONE.replace("agents:read:all", "groups:read:all");
        let planned = plan(&owner, &document("second", &other)).await;
        assert_eq!((changes(&planned), &planned["conflicts"][0]["managed_by"]), (Vec::new(), &json!("first")));
        let refused = apply(&owner, &document("second", &other)).await.refused(409, "managed_elsewhere");
        assert_eq!(refused["conflicts"][0]["key"], "shared");
        let role = owner.get("/api/v1/roles/shared").await.ok(200);
        assert_eq!(role["permissions"], json!(["agents:read:all"]));
        let forced = json!({ "document": document("second", &other), "force": true });
        assert_eq!(changes(&owner.post(APPLY, forced).await.ok(200)), ["update roles/shared"]);
        let planned = plan(&owner, &document("first", ONE)).await;
        assert_eq!(planned["conflicts"][0]["managed_by"], "second");
        server.finish().await;
    }

    async fn pruning_removes_what_the_file_made_and_nothing_else(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        apply(&owner, &document("acme", EVERYTHING)).await.ok(200);
        apply(&owner, &document("other", "roles:\n  - {name: others, permissions: []}\n")).await.ok(200);
        owner.post("/api/v1/roles", json!({ "name": "by-hand", "permissions": [] })).await.ok(201);
        let empty = document("acme", "roles:\n  - {name: by-hand, permissions: []}\n");
        let kept = apply(&owner, &empty).await.ok(200);
        assert_eq!((changes(&kept), kept["warnings"].as_array().map(Vec::len)), (Vec::new(), Some(7)));
        assert_eq!(kept["adopted"][0]["key"], "by-hand");
        let prune = json!({ "document": empty, "prune": true });
        let removed = [
            "delete schedules/nightly", "delete agents/ops/reporter", "delete collections/reports",
            "delete state_namespaces/notes", "delete functions/ops/greet", "delete groups/Operations",
            "delete roles/note-taker",
        ];
        assert_eq!(changes(&owner.post(PLAN, prune.clone()).await.ok(200)), removed);
        // Agents are retired for good and go on belonging to their group, so the group stays: all of it stays.
        let refused = owner.post(APPLY, prune.clone()).await;
        if refused.status.as_u16() != 200 {
            let refused = refused.refused(409, "group_in_use");
            assert_eq!(owner.get("/api/v1/agents/ops:reporter").await.ok(200)["status"], "active", "{refused:#}");
            let moved = json!({ "owner": owner.get("/api/v1/auth/me").await.ok(200)["principal"]["id"], "group": null });
            owner.patch("/api/v1/agents/ops:reporter", moved).await.ok(200);
            assert_eq!(changes(&owner.post(APPLY, prune.clone()).await.ok(200)), removed);
        }
        assert_eq!(owner.get("/api/v1/agents/ops:reporter").await.ok(200)["status"], "decommissioned");
        for role in ["others", "by-hand"] {
            owner.get(&format!("/api/v1/roles/{role}")).await.ok(200);
        }
        assert_eq!(facts_of(&server, "schedule.deleted").await, 1);
        assert_eq!(changes(&owner.post(APPLY, prune).await.ok(200)), Vec::<String>::new());
        server.finish().await;
    }

    async fn changes_by_hand_are_drift_until_the_file_is_applied_again(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let text = document("acme", EVERYTHING);
        apply(&owner, &text).await.ok(200);
        let drift = owner.get(DRIFT).await.ok(200);
        assert_eq!((&drift["items"], &drift["in_step"]), (&json!([]), &json!(7)));
        owner.patch("/api/v1/roles/note-taker", json!({ "permissions": ["agents:read:all"] })).await.ok(200);
        owner.delete("/api/v1/collections/reports").await.ok(200);
        // Removed and made again by hand it is another thing.
        owner.delete("/api/v1/state/notes").await.ok(200);
        owner.post("/api/v1/state", json!({ "name": "notes" })).await.ok(201);
        let drift = owner.get(&format!("{DRIFT}?manager=acme")).await.ok(200);
        let told = |item: &Value| format!("{} {}", item["drift"].as_str().unwrap(), item["key"].as_str().unwrap());
        let items: Vec<String> = drift["items"].as_array().expect("items").iter().map(told).collect();
        assert_eq!(items, ["changed note-taker", "gone notes", "gone reports"]);
        assert_eq!(drift["items"][0]["fields"][0]["gained"], json!(["agents:read:all"]));
        assert_eq!(owner.get(&format!("{DRIFT}?manager=other")).await.ok(200)["items"], json!([]));
        let expected = ["update roles/note-taker", "update state_namespaces/notes", "create collections/reports"];
        assert_eq!(changes(&apply(&owner, &text).await.ok(200)), expected);
        assert_eq!(owner.get(DRIFT).await.ok(200)["in_step"], 7);
        server.finish().await;
    }
}
