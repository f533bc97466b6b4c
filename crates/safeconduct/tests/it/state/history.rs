//! What entries were, and who may still see it.

use serde_json::{Value, json};

use super::{NOTES, STATE, member, notes};
use crate::support::TestServer;

const HISTORY: &str = "/api/v1/state/notes/history/a/b";

fn values(page: &Value) -> Vec<&Value> {
    page["items"].as_array().unwrap().iter().map(|item| &item["value"]).collect()
}

testing::on_both_databases! {
    async fn the_last_revisions_are_kept(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        notes(&owner, json!({ "history_depth": 3 })).await;
        let path = format!("{NOTES}/a/b");
        owner.get(HISTORY).await.refused(404, "not_found");
        for value in 1..=5 {
            owner.put(&path, json!({ "value": value })).await.ok(200);
        }
        let page = owner.get(HISTORY).await.ok(200);
        assert_eq!(values(&page), [&json!(5), &json!(4), &json!(3)]);
        assert_eq!(page["items"][0]["revision"], 5);
        let first = owner.get(&format!("{HISTORY}?limit=2")).await.ok(200);
        let cursor = first["next_cursor"].as_str().unwrap();
        let second = owner.get(&format!("{HISTORY}?limit=2&cursor={cursor}")).await.ok(200);
        assert_eq!(values(&second), [&json!(3)]);
        // A shorter depth takes hold with the next write, and removal leaves nothing.
        owner.patch(&format!("{STATE}/notes"), json!({ "history_depth": 0 })).await.ok(200);
        owner.put(&path, json!({ "value": 6 })).await.ok(200);
        assert_eq!(owner.get(HISTORY).await.ok(200)["items"], json!([]));
        owner.patch(&format!("{STATE}/notes"), json!({ "history_depth": 3 })).await.ok(200);
        owner.put(&path, json!({ "value": 7 })).await.ok(200);
        owner.delete(&path).await.ok(200);
        owner.get(HISTORY).await.refused(404, "not_found");
        owner.put(&path, json!({ "value": 8 })).await.ok(200);
        assert_eq!(values(&owner.get(HISTORY).await.ok(200)), [&json!(8)]);
        server.finish().await;
    }

    async fn what_was_private_stays_so(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        notes(&owner, json!({ "history_depth": 9 })).await;
        let (_, ada) = member(&server).await;
        let (_, bert) = member(&server).await;
        let path = format!("{NOTES}/a/b");
        ada.put(&path, json!({ "value": "draft" })).await.ok(200);
        ada.put(&path, json!({ "value": "done", "visibility": "organization" })).await.ok(200);
        assert_eq!(values(&ada.get(HISTORY).await.ok(200)).len(), 2);
        assert_eq!(values(&bert.get(HISTORY).await.ok(200)), [&json!("done")]);
        ada.put(&path, json!({ "value": "closed again" })).await.ok(200);
        bert.get(HISTORY).await.refused(404, "not_found");
        server.finish().await;
    }
}
