//! What is another's stays so: in single reads, lists, history, batches, and in what a watcher hears.

use serde_json::json;

use super::{NOTES, STATE, keys, member, notes, somebody};
use crate::support::TestServer;

testing::on_both_databases! {
    async fn who_may_write_and_not_read_is_shown_nothing_of_what_was_there(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        notes(&owner, json!({})).await;
        owner.put(&format!("{NOTES}/log"), json!({ "value": ["old"], "visibility": "private" })).await.ok(200);
        owner.put(&format!("{NOTES}/count"), json!({ "value": 41, "visibility": "private" })).await.ok(200);
        let (_, writer) = somebody(&server, &["state:write:all", "state:update:all"]).await;
        writer.get(&format!("{NOTES}/log")).await.refused(403, "permission_denied");
        let said = [
            writer.patch(&format!("{NOTES}/log"), json!({})).await,
            writer.patch(&format!("{NOTES}/log"), json!({ "tags": ["t"] })).await,
            writer.post(&format!("{STATE}/notes/append/log"), json!({ "items": ["new"] })).await,
            writer.post(&format!("{STATE}/notes/increment/count"), json!({ "by": 1 })).await,
            writer.post(&format!("{STATE}/notes/batch"), json!({ "operations": [{ "op": "increment", "key": "count" }] })).await,
        ];
        for answer in &said {
            answer.ok(200);
            assert!(!answer.text.contains("\"value\"") && !answer.text.contains("old"), "{}", answer.text);
        }
        // What they put there themselves they know.
        let own = writer.put(&format!("{NOTES}/log"), json!({ "value": ["mine"] })).await.ok(200);
        assert_eq!(own["value"], json!(["mine"]));
        assert_eq!(owner.get(&format!("{NOTES}/count")).await.ok(200)["value"], 43);
        server.finish().await;
    }

    async fn private_entries_are_their_owners(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        notes(&owner, json!({ "history_depth": 5 })).await;
        let (_, ada) = member(&server).await;
        let (_, bert) = member(&server).await;
        ada.put(&format!("{NOTES}/hers"), json!({ "value": "mine", "tags": ["t"] })).await.ok(200);
        for path in [format!("{NOTES}/hers"), format!("{STATE}/notes/history/hers")] {
            ada.get(&path).await.ok(200);
            owner.get(&path).await.ok(200);
            bert.get(&path).await.refused(404, "not_found");
        }
        bert.put(&format!("{NOTES}/hers"), json!({ "value": 1 })).await.refused(404, "not_found");
        bert.patch(&format!("{NOTES}/hers"), json!({ "value": 1 })).await.refused(404, "not_found");
        bert.delete(&format!("{NOTES}/hers")).await.refused(404, "not_found");
        bert.post(&format!("{STATE}/notes/append/hers"), json!({ "items": [1] })).await.refused(404, "not_found");
        for query in ["", "?prefix=h", "?tags=t", "?q=mine", "?pointer=&equals=%22mine%22", "?order=relevance", "?count=true"] {
            let page = bert.get(&format!("{NOTES}{query}")).await.ok(200);
            assert_eq!(page["items"], json!([]), "{query}");
            assert!(page.get("total").is_none_or(|total| total == 0), "{query}");
            assert_eq!(keys(&ada.get(&format!("{NOTES}{query}")).await.ok(200)), ["hers"], "{query}");
        }
        assert_eq!(ada.get(&format!("{NOTES}/hers")).await.ok(200)["revision"], 1);
        let stranger = server.stranger().await;
        for path in [format!("{NOTES}/hers"), format!("{STATE}/notes/history/hers"), NOTES.to_owned()] {
            stranger.get(&path).await.refused(404, "not_found");
        }
        server.finish().await;
    }

    async fn what_is_shown_to_a_group_is_shown_to_its_members(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        notes(&owner, json!({})).await;
        let (insider, ada) = member(&server).await;
        let (_, bert) = member(&server).await;
        let group = owner.post("/api/v1/groups", json!({ "name": "Operations" })).await.ok(201);
        let group = group["id"].as_str().unwrap();
        let members = format!("/api/v1/groups/{group}/members");
        owner.post(&members, json!({ "member": insider.to_string() })).await.ok(201);
        let body = |visibility: &str| json!({ "value": 1, "visibility": visibility, "group": group });
        owner.put(&format!("{NOTES}/grouped"), body("group")).await.ok(200);
        owner.put(&format!("{NOTES}/closed"), body("private")).await.ok(200);
        owner.put(&format!("{NOTES}/open"), body("organization")).await.ok(200);
        assert_eq!(keys(&ada.get(NOTES).await.ok(200)), ["grouped", "open"]);
        assert_eq!(keys(&bert.get(NOTES).await.ok(200)), ["open"]);
        ada.get(&format!("{NOTES}/grouped")).await.ok(200);
        bert.get(&format!("{NOTES}/grouped")).await.refused(404, "not_found");
        ada.get(&format!("{NOTES}/closed")).await.refused(404, "not_found");
        // Seeing is not changing.
        ada.patch(&format!("{NOTES}/grouped"), json!({ "value": 2 })).await.refused(403, "permission_denied");
        ada.delete(&format!("{NOTES}/open")).await.refused(403, "permission_denied");
        // The reach `group` is.
        server.grant(server.home().await, insider, "state:manage:group").await;
        ada.patch(&format!("{NOTES}/closed"), json!({ "value": 2 })).await.ok(200);
        let filtered = owner.get(&format!("{NOTES}?group={group}&visibility=private")).await.ok(200);
        assert_eq!(keys(&filtered), ["closed"]);
        let filtered = owner.get(&format!("{NOTES}?owner={insider}")).await.ok(200);
        assert_eq!(keys(&filtered), [""; 0]);
        server.finish().await;
    }
}
