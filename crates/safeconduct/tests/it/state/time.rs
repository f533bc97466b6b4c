//! Entries end when their time has come, whether swept or not.

use std::time::Duration;

use serde_json::json;

use super::{NOTES, STATE, facts, keys, notes};
use crate::support::TestServer;

testing::on_both_databases! {
    async fn an_expired_entry_is_gone_before_it_is_swept(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        notes(&owner, json!({ "ttl_seconds": 3600, "history_depth": 2 })).await;
        let path = format!("{NOTES}/short");
        let put = owner.put(&path, json!({ "value": 1 })).await.ok(200);
        assert!(put["expires_at"].is_string());
        let later = json!({ "value": 1, "expires_at": "2199-01-01T00:00:00Z" });
        owner.put(&format!("{NOTES}/long"), later).await.ok(200);
        server.clock.advance(Duration::from_secs(3601));
        let owner = server.owner().await;
        for gone in [
            owner.get(&path).await,
            owner.get(&format!("{STATE}/notes/history/short")).await,
            owner.patch(&path, json!({ "value": 2 })).await,
            owner.delete(&path).await,
        ] {
            gone.refused(404, "not_found");
        }
        owner.with("if-match", "\"1\"").put(&path, json!({ "value": 2 })).await.refused(412, "stale_revision");
        assert_eq!(keys(&owner.get(NOTES).await.ok(200)), ["long"]);
        // Somebody may have the key anew, and nothing of the old entry comes along.
        let anew = owner.with("if-none-match", "*").put(&path, json!({ "value": 2 })).await.ok(200);
        assert_ne!(anew["id"], put["id"]);
        assert!(anew["revision"].as_i64() > Some(2), "{anew:#}");
        assert_eq!(facts(&server, "state.entry_expired").await, 1);
        let history = owner.get(&format!("{STATE}/notes/history/short")).await.ok(200);
        assert_eq!(history["items"].as_array().unwrap().len(), 1);
        server.finish().await;
    }

    async fn the_sweeper_removes_what_has_expired(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        notes(&owner, json!({ "history_depth": 2 })).await;
        let soon = json!({ "value": "x", "expires_at": server.house().world.now().plus(Duration::from_secs(60)) });
        for key in ["a", "b"] {
            owner.put(&format!("{NOTES}/{key}"), soon.clone()).await.ok(200);
        }
        owner.put(&format!("{NOTES}/stays"), json!({ "value": "x" })).await.ok(200);
        let state = &server.house().state;
        state.sweep().await;
        assert_eq!(facts(&server, "state.entry_expired").await, 0);
        server.clock.advance(Duration::from_secs(61));
        state.sweep().await;
        state.sweep().await;
        assert_eq!(facts(&server, "state.entry_expired").await, 2);
        let tamper = server.database.tamper().await;
        assert_eq!(tamper.number("SELECT count(*) FROM state_entries").await, 1);
        assert_eq!(tamper.number("SELECT count(*) FROM state_history").await, 1);
        let shown = owner.get(&format!("{STATE}/notes")).await.ok(200);
        assert_eq!((&shown["entries"], &shown["bytes"]), (&json!(1), &json!(3)));
        server.finish().await;
    }

    async fn a_namespace_of_expired_entries_is_empty(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        notes(&owner, json!({ "ttl_seconds": 60, "history_depth": 2 })).await;
        owner.put(&format!("{NOTES}/a"), json!({ "value": 1 })).await.ok(200);
        owner.delete(&format!("{STATE}/notes")).await.refused(409, "namespace_not_empty");
        server.clock.advance(Duration::from_secs(61));
        owner.delete(&format!("{STATE}/notes")).await.ok(200);
        server.finish().await;
    }

    async fn time_is_given_and_taken_by_a_patch(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        notes(&owner, json!({})).await;
        let path = format!("{NOTES}/a");
        assert_eq!(owner.put(&path, json!({ "value": 1 })).await.ok(200)["expires_at"], json!(null));
        let end = server.house().world.now().plus(Duration::from_secs(60));
        let patched = owner.patch(&path, json!({ "expires_at": end })).await.ok(200);
        assert_eq!(patched["expires_at"], json!(end));
        // What counts and grows keeps its end.
        let count = owner.post(&format!("{STATE}/notes/increment/a"), json!({})).await.ok(200);
        assert_eq!(count["expires_at"], json!(end));
        assert_eq!(owner.patch(&path, json!({ "expires_at": null })).await.ok(200)["expires_at"], json!(null));
        server.finish().await;
    }
}
