//! Counters, lists, and batches.

use serde_json::{Value, json};

use super::{NOTES, STATE, facts, keys, member, notes, somebody};
use crate::support::{Caller, TestServer};

const COUNT: &str = "/api/v1/state/notes/increment";
const APPEND: &str = "/api/v1/state/notes/append";
const BATCH: &str = "/api/v1/state/notes/batch";

testing::on_both_databases! {
    async fn counters_count(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        notes(&owner, json!({})).await;
        let count = async |key: &str, body: Value| owner.post(&format!("{COUNT}/{key}"), body).await;
        assert_eq!(count("a/b", json!({})).await.ok(200)["value"], 1);
        assert_eq!(count("a/b", json!({ "by": -5 })).await.ok(200)["value"], -4);
        let keyed = owner.with("idempotency-key", "once");
        for _ in 0..2 {
            assert_eq!(keyed.post(&format!("{COUNT}/a/b"), json!({})).await.ok(200)["value"], -3);
        }
        for (value, by) in [(json!("x"), 1), (json!(1.5), 1), (json!(null), 1), (json!(i64::MAX), 1), (json!(u64::MAX), 1)] {
            owner.put(&format!("{NOTES}/odd"), json!({ "value": value })).await.ok(200);
            count("odd", json!({ "by": by })).await.refused(409, "value_kind");
            assert_eq!(owner.get(&format!("{NOTES}/odd")).await.ok(200)["value"], value);
        }
        count("odd", json!({ "by": 1.5 })).await.refused(422, "validation_failed");
        let (_, reader) = somebody(&server, &["state:read:all"]).await;
        reader.post(&format!("{COUNT}/a/b"), json!({})).await.refused(403, "permission_denied");
        // What is counted keeps what it was put with.
        owner.put(&format!("{NOTES}/kept"), json!({ "value": 1, "tags": ["t"], "visibility": "organization" })).await.ok(200);
        let kept = count("kept", json!({})).await.ok(200);
        assert_eq!((&kept["tags"], &kept["visibility"]), (&json!(["t"]), &json!("organization")));
        server.finish().await;
    }

    async fn lists_grow_at_their_end(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        notes(&owner, json!({})).await;
        let append = async |body: Value| owner.post(&format!("{APPEND}/log"), body).await;
        assert_eq!(append(json!({ "items": [1, null] })).await.ok(200)["value"], json!([1, null]));
        assert_eq!(append(json!({ "items": [[3]], "keep": 2 })).await.ok(200)["value"], json!([null, [3]]));
        append(json!({ "items": [] })).await.refused(422, "validation_failed");
        append(json!({ "items": ["x".repeat(256 * 1024)] })).await.refused(422, "validation_failed");
        owner.put(&format!("{NOTES}/log"), json!({ "value": {} })).await.ok(200);
        append(json!({ "items": [1] })).await.refused(409, "value_kind");
        assert_eq!(owner.get(&format!("{NOTES}/log")).await.ok(200)["value"], json!({}));
        server.finish().await;
    }

    async fn a_batch_is_done_whole(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        notes(&owner, json!({ "quota_entries": 4 })).await;
        owner.put(&format!("{NOTES}/old"), json!({ "value": 1 })).await.ok(200);
        let batch = json!({ "operations": [
            { "op": "put", "key": "z", "value": { "a": 1 }, "if_absent": true, "tags": ["t"] },
            { "op": "increment", "key": "n", "by": 3 },
            { "op": "append", "key": "list", "items": [1, 2] },
            { "op": "delete", "key": "old", "if_revision": 1 },
            { "op": "put", "key": "null", "value": null },
        ]});
        let done = owner.post(BATCH, batch.clone()).await.ok(200);
        assert_eq!(keys(&json!({ "items": done["entries"] })), ["z", "n", "list", "old", "null"]);
        assert_eq!(done["entries"][1]["value"], 3);
        assert_eq!(keys(&owner.get(NOTES).await.ok(200)), ["list", "n", "null", "z"]);
        assert_eq!(owner.get(&format!("{NOTES}/list")).await.ok(200)["value"], json!([1, 2]));
        let before = (facts(&server, "state.entry_written").await, facts(&server, "state.entry_deleted").await);
        assert_eq!(before, (5, 1));

        let good = json!({ "op": "put", "key": "good", "value": 1 });
        for (bad, status, code) in [
            (json!({ "op": "put", "key": "z", "value": 1, "if_absent": true }), 412, "stale_revision"),
            (json!({ "op": "put", "key": "z", "value": 1, "if_revision": 99 }), 412, "stale_revision"),
            (json!({ "op": "delete", "key": "nowhere" }), 404, "not_found"),
            (json!({ "op": "increment", "key": "z" }), 409, "value_kind"),
            (json!({ "op": "put", "key": "another", "value": 1 }), 409, "namespace_full"),
            (json!({ "op": "put", "key": "good", "value": 1 }), 422, "validation_failed"),
            (json!({ "op": "put", "key": "../x", "value": 1 }), 422, "validation_failed"),
            (json!({ "op": "put", "key": "x" }), 422, "validation_failed"),
            (json!({ "op": "append", "key": "x" }), 422, "validation_failed"),
            (json!({ "op": "delete", "key": "z", "value": 1 }), 422, "validation_failed"),
            (json!({ "op": "put", "key": "x", "value": 1, "if_absent": true, "if_revision": 1 }), 422, "validation_failed"),
        ] {
            let answer = owner.post(BATCH, json!({ "operations": [good, bad] })).await;
            answer.refused(status, code);
        }
        let many: Vec<Value> = (0..101).map(|n| json!({ "op": "increment", "key": format!("k{n}") })).collect();
        owner.post(BATCH, json!({ "operations": many })).await.refused(422, "validation_failed");
        owner.post(BATCH, json!({ "operations": [] })).await.refused(422, "validation_failed");
        assert_eq!(keys(&owner.get(NOTES).await.ok(200)), ["list", "n", "null", "z"]);
        let after = (facts(&server, "state.entry_written").await, facts(&server, "state.entry_deleted").await);
        assert_eq!(after, before);
        server.finish().await;
    }

    async fn a_batch_asks_for_each_act(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        notes(&owner, json!({})).await;
        let (_, ada) = member(&server).await;
        owner.put(&format!("{NOTES}/private"), json!({ "value": 1 })).await.ok(200);
        owner.put(&format!("{NOTES}/shown"), json!({ "value": 1, "visibility": "organization" })).await.ok(200);
        let with = async |caller: &Caller, act: Value| {
            let mine = json!({ "op": "put", "key": "mine", "value": 1 });
            caller.post(BATCH, json!({ "operations": [mine, act] })).await
        };
        with(&ada, json!({ "op": "increment", "key": "private" })).await.refused(404, "not_found");
        with(&ada, json!({ "op": "increment", "key": "shown" })).await.refused(403, "permission_denied");
        with(&ada, json!({ "op": "delete", "key": "shown" })).await.refused(403, "permission_denied");
        ada.get(&format!("{NOTES}/mine")).await.refused(404, "not_found");
        // Writing is not removing.
        let (_, writer) = somebody(&server, &["state:read:own", "state:write:own"]).await;
        writer.put(&format!("{NOTES}/written"), json!({ "value": 1 })).await.ok(200);
        let delete = json!({ "op": "delete", "key": "written" });
        let problem = with(&writer, delete.clone()).await.refused(403, "permission_denied");
        assert_eq!(problem["permission"], "state:delete");
        assert_eq!(with(&owner, delete).await.ok(200)["entries"].as_array().map(Vec::len), Some(2));
        server.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_acts_are_one_change() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    notes(&owner, json!({ "history_depth": 2 })).await;
    let many: Vec<Value> = (0..100).map(|n| json!({ "op": "increment", "key": format!("k{n}") })).collect();
    for _ in 0..3 {
        owner.post(BATCH, json!({ "operations": many })).await.ok(200);
    }
    let shown = owner.get(&format!("{STATE}/notes")).await.ok(200);
    assert_eq!((&shown["entries"], &shown["bytes"]), (&json!(100), &json!(100)));
    let tamper = server.database.tamper().await;
    assert_eq!(tamper.number("SELECT count(*) FROM state_entries WHERE value = '3'").await, 100);
    assert_eq!(tamper.number("SELECT count(*) FROM state_history").await, 200);
    server.finish().await;
}
