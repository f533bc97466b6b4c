//! Keys that somebody might try.

use serde_json::json;

use super::{NOTES, STATE, facts, notes};
use crate::support::TestServer;

testing::on_both_databases! {
    async fn a_key_is_one_key_however_it_is_written(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        notes(&owner, json!({ "history_depth": 1 })).await;
        let long = format!("{}/{}", "é".repeat(255), "x".repeat(513));
        assert_eq!(long.len(), 1024);
        for (written, key) in [
            ("a/b", "a/b"),
            ("a%2Fc", "a/c"),
            ("%D0%BA%D0%BB%D1%8E%D1%87/%E9%8D%B5", "ключ/鍵"),
            ("100%25/_%25", "100%/_%"),
            ("a%252Fb", "a%2Fb"),
            ("%2E%2E%2E", "..."),
            ("a%3Fb%23c", "a?b#c"),
            ("it's%20%22quoted%22", "it's \"quoted\""),
            ("*", "*"),
            ("a%5Cb", "a\\b"),
            (long.as_str(), long.as_str()),
        ] {
            let path = format!("{NOTES}/{written}");
            let put = owner.put(&path, json!({ "value": key })).await.ok(200);
            assert_eq!(put["key"], key);
            assert_eq!(owner.get(&path).await.ok(200)["value"], key, "{key}");
            let history = owner.get(&format!("{STATE}/notes/history/{written}")).await.ok(200);
            assert_eq!(history["items"][0]["value"], key);
            let counted = owner.post(&format!("{STATE}/notes/increment/{written}"), json!({})).await;
            counted.refused(409, "value_kind");
        }
        assert_eq!(owner.get(&format!("{STATE}/notes")).await.ok(200)["entries"], 11);
        server.finish().await;
    }
}

#[tokio::test]
async fn what_is_no_key_is_refused() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    notes(&owner, json!({})).await;
    let long = "x".repeat(1025);
    for written in ["a//b", "a/", "%2Fa", "a%2F..%2Fb", "a%2F.", "a%00", "a%0Ab", "a%7F", &long] {
        let path = format!("{NOTES}/{written}");
        owner.put(&path, json!({ "value": 1 })).await.refused(422, "validation_failed");
        owner.get(&path).await.refused(422, "validation_failed");
    }
    for key in ["", "..", "a/../b", "/a", "a\u{0}", &long] {
        let batch = json!({ "operations": [{ "op": "put", "key": key, "value": 1 }] });
        owner.post(&format!("{STATE}/notes/batch"), batch).await.refused(422, "validation_failed");
    }
    // No UTF-8; nowhere at all.
    let odd = owner.put(&format!("{NOTES}/%FF"), json!({ "value": 1 })).await;
    assert!(odd.status.is_client_error() && odd.json()["code"].is_string(), "{}", odd.text);
    owner
        .put("/api/v1/state/%2E%2E%2Fnotes/entries/a", json!({ "value": 1 }))
        .await
        .refused(404, "not_found");
    assert_eq!(facts(&server, "state.entry_written").await, 0);
    server.finish().await;
}
