//! Putting, reading, changing and removing entries, and what refuses it.

use serde_json::json;

use super::{NOTES, STATE, facts, keys, notes, somebody};
use crate::support::TestServer;

testing::on_both_databases! {
    async fn an_entry_is_put_read_changed_and_removed(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        notes(&owner, json!({ "default_visibility": "organization" })).await;
        let path = format!("{NOTES}/cases/2026/1");
        let body = json!({
            "value": { "status": "open", "n": [1, 2.5, null] }, "description": "A case", "tags": ["case", "x"],
            "relevance_score": 0.7,
        });
        let put = owner.put(&path, body).await;
        assert_eq!(put.header("etag"), "\"1\"");
        let put = put.ok(200);
        assert_eq!((&put["key"], &put["namespace"]), (&json!("cases/2026/1"), &json!("notes")));
        assert_eq!(put["relevance_score"], 0.7);
        assert_eq!(put["visibility"], "organization");
        assert_eq!(put["size"], r#"{"n":[1,2.5,null],"status":"open"}"#.len());
        assert_eq!(owner.get(&path).await.ok(200), put);
        // Members of an object are merged; what is not said stays.
        let patch = json!({ "value": { "n": null, "by": "ada" }, "tags": ["done"], "relevance_score": null });
        let patched = owner.patch(&path, patch).await.ok(200);
        assert_eq!(patched["value"], json!({ "status": "open", "by": "ada" }));
        assert_eq!((&patched["tags"], &patched["description"]), (&json!(["done"]), &json!("A case")));
        assert_eq!((&patched["relevance_score"], &patched["revision"]), (&json!(0.0), &json!(2)));
        // A second put is the whole entry.
        let whole = owner.put(&path, json!({ "value": null })).await.ok(200);
        assert_eq!((&whole["value"], &whole["tags"], &whole["id"]), (&json!(null), &json!([]), &put["id"]));
        let gone = owner.delete(&path).await.ok(200);
        assert_eq!((&gone["revision"], gone.get("value")), (&json!(3), None));
        for answer in [owner.get(&path).await, owner.delete(&path).await, owner.patch(&path, json!({})).await] {
            answer.refused(404, "not_found");
        }
        // What comes after is above whatever was: an old ETag never fits.
        assert_eq!(owner.put(&path, json!({ "value": 1 })).await.ok(200)["revision"], 5);
        assert_eq!(facts(&server, "state.entry_written").await, 4);
        assert_eq!(facts(&server, "state.entry_deleted").await, 1);
        server.finish().await;
    }

    async fn the_fact_tells_the_hash_and_not_the_value(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        notes(&owner, json!({})).await;
        let put = owner.put(&format!("{NOTES}/a"), json!({ "value": "tangerine-submarine" })).await.ok(200);
        assert_eq!(put["sha256"], hex::encode(crypto::hash::sha256(b"\"tangerine-submarine\"")));
        let ledger = &server.house().ledger;
        ledger.drain().await.unwrap();
        let scope = db::OrgScope::proven(server.home().await);
        let newest = ledger.newest(&scope).await.unwrap();
        let (_, events) = ledger.run(&scope, newest, newest, 1).await.unwrap().unwrap();
        let event = serde_json::to_value(&events[0]).unwrap();
        assert_eq!(event["kind"], "state.entry_written");
        assert_eq!((&event["data"]["sha256"], &event["data"]["size"]), (&put["sha256"], &json!(21)));
        assert_eq!((&event["data"]["key"], &event["data"]["namespace"]), (&json!("a"), &json!("notes")));
        assert!(!event.to_string().contains("tangerine"), "{event:#}");
        server.finish().await;
    }

    async fn writes_compare_before_they_set(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        notes(&owner, json!({})).await;
        let path = format!("{NOTES}/a");
        let (absent, first) = (owner.with("if-none-match", "*"), owner.with("if-match", "\"1\""));
        for early in [&first, &owner.with("if-match", "*")] {
            early.put(&path, json!({ "value": 0 })).await.refused(412, "stale_revision");
        }
        absent.put(&path, json!({ "value": 1 })).await.ok(200);
        let problem = absent.put(&path, json!({ "value": 2 })).await.refused(412, "stale_revision");
        assert_eq!(problem["current_revision"], 1);
        first.put(&path, json!({ "value": 3 })).await.ok(200);
        for stale in [
            first.put(&path, json!({ "value": 4 })).await,
            first.patch(&path, json!({ "value": 4 })).await,
            first.delete(&path).await,
            first.post(&format!("{STATE}/notes/increment/a"), json!({})).await,
        ] {
            assert_eq!(stale.refused(412, "stale_revision")["current_revision"], 2);
        }
        let both = owner.with("if-match", "\"2\"").with("if-none-match", "*");
        both.put(&path, json!({ "value": 5 })).await.refused(400, "malformed_request");
        owner.with("if-none-match", "\"2\"").delete(&path).await.refused(400, "malformed_request");
        assert_eq!(owner.get(&path).await.ok(200)["value"], 3);
        owner.with("if-match", "*").delete(&path).await.ok(200);
        server.finish().await;
    }

    async fn what_does_not_fit_is_refused_and_changes_nothing(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let schema = json!({ "type": "object", "required": ["n"], "properties": { "n": { "type": "integer" } } });
        notes(&owner, json!({ "schema": schema, "strict": true })).await;
        let path = format!("{NOTES}/a");
        for wrong in [
            json!({}),
            json!({ "value": { "n": 1 }, "else": 1 }),
            json!({ "value": { "n": 1 }, "relevance_score": 1.1 }),
            json!({ "value": { "n": 1 }, "visibility": "public" }),
            json!({ "value": { "n": 1 }, "visibility": "group" }),
            json!({ "value": { "n": 1 }, "group": "grp_01h455vb4pex5vsknk084sn02q" }),
            json!({ "value": { "n": 1 }, "expires_at": "2001-01-01T00:00:00Z" }),
            json!({ "value": { "n": 1 }, "tags": ["a,b"] }),
            json!({ "value": { "n": 1 }, "tags": [""] }),
            json!({ "value": { "n": 1, "text": "x".repeat(256 * 1024) } }),
        ] {
            owner.put(&path, wrong).await.refused(422, "validation_failed");
        }
        let deep = format!(r#"{{"value": {{"n": {}1{}}}}}"#, "[".repeat(100), "]".repeat(100));
        owner.send(reqwest::Method::PUT, &path, Some(deep)).await.refused(422, "validation_failed");
        let problem = owner.put(&path, json!({ "value": { "n": "x" } })).await.refused(422, "input_invalid");
        assert_eq!(problem["errors"][0]["field"], "/value/n");
        owner.get(&path).await.refused(404, "not_found");
        owner.put(&path, json!({ "value": { "n": 1 } })).await.ok(200);
        owner.patch(&path, json!({ "value": { "n": null } })).await.refused(422, "input_invalid");
        owner.put("/api/v1/state/nowhere/entries/a", json!({ "value": 1 })).await.refused(404, "not_found");
        assert_eq!(owner.get(&path).await.ok(200)["value"], json!({ "n": 1 }));
        assert_eq!(facts(&server, "state.entry_written").await, 1);
        // Not strict: kept, and marked.
        owner.patch(&format!("{STATE}/notes"), json!({ "strict": false })).await.ok(200);
        assert_eq!(owner.put(&path, json!({ "value": 7 })).await.ok(200)["valid"], false);
        assert_eq!(owner.put(&path, json!({ "value": { "n": 7 } })).await.ok(200)["valid"], true);
        server.finish().await;
    }

    async fn a_full_namespace_takes_no_more_and_lets_go(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        notes(&owner, json!({ "quota_entries": 2, "quota_bytes": 20 })).await;
        let put = async |key: &str, text: &str| {
            owner.put(&format!("{NOTES}/{key}"), json!({ "value": text })).await
        };
        put("a", "12345678").await.ok(200);
        put("b", "12345678").await.ok(200);
        put("c", "").await.refused(409, "namespace_full");
        put("b", "123456789").await.refused(409, "namespace_full");
        let shown = owner.get(&format!("{STATE}/notes")).await.ok(200);
        assert_eq!((&shown["entries"], &shown["bytes"]), (&json!(2), &json!(20)));
        put("b", "1").await.ok(200);
        put("a", "123456789").await.ok(200);
        // A smaller quota refuses what grows, not what shrinks.
        owner.patch(&format!("{STATE}/notes"), json!({ "quota_bytes": 5 })).await.ok(200);
        put("a", "12").await.ok(200);
        put("a", "123").await.refused(409, "namespace_full");
        owner.delete(&format!("{NOTES}/a")).await.ok(200);
        let shown = owner.get(&format!("{STATE}/notes")).await.ok(200);
        assert_eq!((&shown["entries"], &shown["bytes"]), (&json!(1), &json!(3)));
        server.finish().await;
    }

    async fn permissions_name_namespaces_and_keys(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        notes(&owner, json!({})).await;
        owner.post(STATE, json!({ "name": "other" })).await.ok(201);
        let permissions = ["state/notes/**:read:all", "state/notes/ada/*:write:all", "state/notes/%C3%A9:write:all"];
        let (_, ada) = somebody(&server, &permissions).await;
        ada.put(&format!("{NOTES}/ada/one"), json!({ "value": 1 })).await.ok(200);
        ada.put(&format!("{NOTES}/%C3%A9"), json!({ "value": 1 })).await.ok(200);
        ada.put(&format!("{NOTES}/bert/one"), json!({ "value": 1 })).await.refused(403, "permission_denied");
        owner.put(&format!("{NOTES}/bert/one"), json!({ "value": 1 })).await.ok(200);
        ada.put(&format!("{NOTES}/bert/one"), json!({ "value": 2 })).await.refused(403, "permission_denied");
        ada.delete(&format!("{NOTES}/ada/one")).await.refused(403, "permission_denied");
        assert_eq!(keys(&ada.get(NOTES).await.ok(200)), ["ada/one", "bert/one", "é"]);
        owner.put("/api/v1/state/other/entries/a", json!({ "value": 1 })).await.ok(200);
        ada.get("/api/v1/state/other/entries/a").await.refused(404, "not_found");
        assert_eq!(keys(&ada.get("/api/v1/state/other/entries").await.ok(200)), [""; 0]);
        // A list shows what single reads would, whatever the key holds.
        let (_, narrow) = somebody(&server, &["state/notes/%C3%A9:read:all"]).await;
        assert_eq!(keys(&narrow.get(NOTES).await.ok(200)), ["é"]);
        server.finish().await;
    }
}
