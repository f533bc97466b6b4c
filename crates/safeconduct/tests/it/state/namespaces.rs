//! Making, reading, changing and removing namespaces.

use serde_json::json;

use super::{NOTES, STATE, facts, member, notes, somebody};
use crate::support::TestServer;

testing::on_both_databases! {
    async fn a_namespace_is_made_read_changed_and_removed(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let made = owner.post(STATE, json!({ "name": "a.b_c-9", "description": "First" })).await;
        assert_eq!(made.header("etag"), "\"1\"");
        let made = made.ok(201);
        assert_eq!(made["default_visibility"], "private");
        assert_eq!((&made["quota_entries"], &made["history_depth"]), (&json!(10_000), &json!(0)));
        let id = made["id"].as_str().unwrap();
        for path in [format!("{STATE}/{id}"), format!("{STATE}/a.b_c-9")] {
            assert_eq!(owner.get(&path).await.ok(200), made);
        }
        let patch = json!({ "ttl_seconds": 60, "schema": { "type": "object" }, "description": null });
        let path = format!("{STATE}/{id}");
        let changed = owner.with("if-match", "\"1\"").patch(&path, patch.clone()).await.ok(200);
        assert_eq!((&changed["ttl_seconds"], &changed["description"]), (&json!(60), &json!("")));
        assert_eq!(changed["revision"], 2);
        owner.with("if-match", "\"1\"").patch(&path, patch).await.refused(412, "stale_revision");
        owner.with("if-match", "\"1\"").delete(&path).await.refused(412, "stale_revision");
        let listed = owner.get(&format!("{STATE}?q=B_C")).await.ok(200);
        assert_eq!(listed["items"], json!([changed]));
        assert_eq!(owner.get(&format!("{STATE}?q=%25")).await.ok(200)["items"], json!([]));
        owner.delete(&path).await.ok(200);
        owner.get(&path).await.refused(404, "not_found");
        for (kind, count) in [("created", 1), ("updated", 1), ("deleted", 1)] {
            assert_eq!(facts(&server, &format!("state.namespace_{kind}")).await, count, "{kind}");
        }
        // The name is free again.
        owner.post(STATE, json!({ "name": "a.b_c-9" })).await.ok(201);
        server.finish().await;
    }

    async fn what_is_no_namespace_is_refused(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        notes(&owner, json!({})).await;
        owner.post(STATE, json!({ "name": "notes" })).await.refused(409, "namespace_exists");
        for name in ["", "A", "a/b", "..", "é", "stn_01h455vb4pex5vsknk084sn02q", &"x".repeat(64)] {
            owner.post(STATE, json!({ "name": name })).await.refused(422, "validation_failed");
        }
        for wrong in [
            json!({ "name": "x", "else": 1 }),
            json!({ "name": "x", "ttl_seconds": 0 }),
            json!({ "name": "x", "quota_entries": 0 }),
            json!({ "name": "x", "history_depth": 101 }),
            json!({ "name": "x", "default_visibility": "public" }),
        ] {
            owner.post(STATE, wrong).await.refused(422, "validation_failed");
        }
        let schema = json!({ "name": "x", "schema": { "$ref": "http://127.0.0.1:9/x" } });
        let problem = owner.post(STATE, schema).await.refused(422, "invalid_schema");
        assert_eq!(problem["errors"][0]["field"], "/schema/$ref");
        let problem = owner.patch(&format!("{STATE}/notes"), json!({ "schema": { "type": 7 } })).await;
        problem.refused(422, "invalid_schema");
        // A namespace stays secret, or does not become so.
        let secret = owner.patch(&format!("{STATE}/notes"), json!({ "secret": true })).await;
        secret.refused(422, "validation_failed");
        assert_eq!(facts(&server, "state.namespace_created").await, 1);
        assert_eq!(facts(&server, "state.namespace_updated").await, 0);
        server.finish().await;
    }

    async fn a_namespace_with_entries_stays(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        notes(&owner, json!({ "history_depth": 5 })).await;
        let (_, ada) = member(&server).await;
        ada.put(&format!("{NOTES}/mine"), json!({ "value": 1 })).await.ok(200);
        let problem = owner.delete(&format!("{STATE}/notes")).await.refused(409, "namespace_not_empty");
        assert_eq!(problem["entries"], 1);
        let shown = owner.get(&format!("{STATE}/notes")).await.ok(200);
        assert_eq!((&shown["entries"], &shown["bytes"]), (&json!(1), &json!(1)));
        ada.delete(&format!("{NOTES}/mine")).await.ok(200);
        owner.delete(&format!("{STATE}/notes")).await.ok(200);
        let tamper = server.database.tamper().await;
        for table in ["state_namespaces", "state_usage", "state_entries", "state_history"] {
            assert_eq!(tamper.number(&format!("SELECT count(*) FROM {table}")).await, 0, "{table}");
        }
        server.finish().await;
    }

    async fn namespaces_are_changed_by_their_owners_and_those_who_may(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let (_, ada) = member(&server).await;
        let (_, bert) = member(&server).await;
        let (_, reader) = somebody(&server, &["state:read:own"]).await;
        notes(&ada, json!({})).await;
        for somebody in [&bert, &reader] {
            somebody.get(&format!("{STATE}/notes")).await.ok(200);
            let patch = json!({ "description": "mine" });
            somebody.patch(&format!("{STATE}/notes"), patch).await.refused(403, "permission_denied");
            somebody.delete(&format!("{STATE}/notes")).await.refused(403, "permission_denied");
        }
        reader.post(STATE, json!({ "name": "more" })).await.refused(403, "permission_denied");
        owner.patch(&format!("{STATE}/notes"), json!({ "description": "ours" })).await.ok(200);
        let stranger = server.stranger().await;
        stranger.get(&format!("{STATE}/notes")).await.refused(404, "not_found");
        stranger.delete(&format!("{STATE}/notes")).await.refused(404, "not_found");
        stranger.get(NOTES).await.refused(404, "not_found");
        // Another organization has a namespace of this name of its own.
        notes(&stranger, json!({ "description": "theirs" })).await;
        assert_eq!(owner.get(&format!("{STATE}/notes")).await.ok(200)["description"], "ours");
        ada.delete(&format!("{STATE}/notes")).await.ok(200);
        server.finish().await;
    }
}
