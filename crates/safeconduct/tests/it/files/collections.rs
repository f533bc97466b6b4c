//! Collections: made, found, changed, removed while empty.

use serde_json::json;

use super::{COLLECTIONS, begun, facts, got, names, put, reports, rows, somebody};
use crate::support::TestServer;

testing::on_both_databases! {
    async fn a_collection_lives_from_its_making_to_its_end(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let made = reports(&owner, json!({ "description": "What was found.", "default_visibility": "organization" })).await;
        assert!(made["id"].as_str().unwrap().starts_with("col_"));
        assert_eq!(made["quota_bytes"], 1_073_741_824);
        owner.post(COLLECTIONS, json!({ "name": "reports" })).await.refused(409, "collection_exists");
        owner.post(COLLECTIONS, json!({ "name": "pictures", "content_types": ["image/*"] })).await.ok(201);
        assert_eq!(names(&owner.get(COLLECTIONS).await.ok(200)), ["pictures", "reports"]);
        assert_eq!(names(&owner.get(&format!("{COLLECTIONS}?q=found")).await.ok(200)), ["reports"]);
        let by_id = format!("{COLLECTIONS}/{}", made["id"].as_str().unwrap());
        let path = format!("{COLLECTIONS}/reports");
        assert_eq!(owner.get(&by_id).await.ok(200)["name"], "reports");
        let first = owner.get(&path).await;
        assert_eq!(first.header("etag"), "\"1\"");
        let changed = owner.with("if-match", "\"1\"").patch(&path, json!({ "versions_kept": 3, "description": null })).await;
        let changed = changed.ok(200);
        assert_eq!((&changed["versions_kept"], &changed["description"]), (&json!(3), &json!("")));
        owner.with("if-match", "\"1\"").patch(&path, json!({ "strict": true })).await.refused(412, "stale_revision");
        put(&owner, "a", "a").await.ok(200);
        let refused = owner.delete(&path).await.refused(409, "collection_not_empty");
        assert_eq!((&refused["files"], &refused["uploads"]), (&json!(1), &json!(0)));
        owner.delete(&format!("{path}/files/a")).await.ok(200);
        let upload = begun(&owner, json!({ "name": "b", "size": 10 })).await;
        owner.delete(&path).await.refused(409, "collection_not_empty");
        owner.delete(&format!("/api/v1/uploads/{upload}")).await.ok(200);
        owner.delete(&path).await.ok(200);
        owner.get(&path).await.refused(404, "not_found");
        assert_eq!(got(&owner, &format!("{path}/content/a")).await.status, 404);
        for (kind, count) in [("created", 2), ("updated", 1), ("deleted", 1)] {
            assert_eq!(facts(&server, &format!("files.collection_{kind}")).await, count, "{kind}");
        }
        assert_eq!(rows(&server, "file_usage").await, 1);
        server.finish().await;
    }

    async fn metadata_is_held_against_the_schema(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let schema = json!({ "type": "object", "required": ["case"], "properties": { "case": { "type": "integer" } } });
        reports(&owner, json!({ "schema": schema, "strict": true })).await;
        put(&owner, "a", "a").await.refused(422, "input_invalid");
        put(&owner, "a?metadata=%7B%22case%22%3A%22x%22%7D", "a").await.refused(422, "input_invalid");
        put(&owner, "a?metadata=%5B1%5D", "a").await.refused(422, "validation_failed");
        put(&owner, "a?metadata=%7B", "a").await.refused(422, "validation_failed");
        put(&owner, "a?metadata=%7B%22case%22%3A1%2C%22x%22%3A%22%5Cu0000%22%7D", "a").await.refused(422, "validation_failed");
        let uploads = format!("{COLLECTIONS}/reports/uploads");
        let begin = json!({ "name": "a", "size": 1, "metadata": { "case": "x" } });
        owner.post(&uploads, begin).await.refused(422, "input_invalid");
        assert_eq!(rows(&server, "blobs").await, 0, "what is refused is not read");
        let kept = put(&owner, "a?metadata=%7B%22case%22%3A7%7D", "a").await.ok(200);
        assert_eq!((&kept["metadata"], &kept["valid"]), (&json!({ "case": 7 }), &json!(true)));
        // A new content leaves what is said as it was.
        assert_eq!(put(&owner, "a", "b").await.ok(200)["metadata"], json!({ "case": 7 }));
        let path = format!("{COLLECTIONS}/reports/files/a");
        owner.patch(&path, json!({ "metadata": { "case": null } })).await.refused(422, "input_invalid");
        let merged = owner.patch(&path, json!({ "metadata": { "by": "me" } })).await.ok(200);
        assert_eq!(merged["metadata"], json!({ "case": 7, "by": "me" }));
        owner.patch(&format!("{COLLECTIONS}/reports"), json!({ "strict": false })).await.ok(200);
        let marked = owner.patch(&path, json!({ "metadata": { "case": "x" } })).await.ok(200);
        assert_eq!(marked["valid"], false);
        let bad = json!({ "name": "bad", "schema": { "type": 7 } });
        owner.post(COLLECTIONS, bad).await.refused(422, "invalid_schema");
        server.finish().await;
    }
}

#[tokio::test]
async fn what_is_no_collection_is_refused() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    for body in [
        json!({ "name": "Reports" }),
        json!({ "name": "..." }),
        json!({ "name": "a/b" }),
        json!({ "name": "col_01h455vb4pex5vsknk084sn02q" }),
        json!({ "name": "a", "quota_bytes": 0 }),
        json!({ "name": "a", "versions_kept": 101 }),
        json!({ "name": "a", "content_types": ["*/*"] }),
        json!({ "name": "a", "default_visibility": "public" }),
        json!({ "name": "a", "unknown": 1 }),
    ] {
        owner.post(COLLECTIONS, body.clone()).await.refused(422, "validation_failed");
    }
    assert_eq!(rows(&server, "file_collections").await, 0);
    let (_, reader) = somebody(&server, &["files:read:all"]).await;
    reader.post(COLLECTIONS, json!({ "name": "a" })).await.refused(403, "permission_denied");
    server.finish().await;
}
