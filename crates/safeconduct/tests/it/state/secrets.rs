//! Secret namespaces: sealed at rest, shown one by one, each time with a fact.

use serde_json::json;

use super::{NOTES, STATE, facts, member, notes, somebody};
use crate::support::TestServer;

testing::on_both_databases! {
    /// Somebody who may set the schema and touch the entry, but not read it, could ask it question after question.
    async fn a_secret_is_not_asked_out_by_way_of_a_schema(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        notes(&owner, json!({ "secret": true })).await;
        owner.put(&format!("{NOTES}/pw"), json!({ "value": "hunter2" })).await.ok(200);
        owner.put(&format!("{NOTES}/list"), json!({ "value": ["hunter2"] })).await.ok(200);
        let (_, prober) = somebody(&server, &["state:update:all", "state:write:all"]).await;
        for schema in [json!({ "pattern": "^h" }), json!({ "pattern": "^x" })] {
            owner.patch(&format!("{STATE}/notes"), json!({ "schema": schema })).await.ok(200);
            prober.patch(&format!("{NOTES}/pw"), json!({ "tags": [] })).await.refused(404, "not_found");
            prober.post(&format!("{STATE}/notes/append/list"), json!({ "items": [1] })).await.refused(404, "not_found");
        }
        let strict = json!({ "schema": { "properties": { "pin": { "type": "integer" } } }, "strict": true });
        owner.patch(&format!("{STATE}/notes"), strict).await.ok(200);
        let unfit = owner.put(&format!("{NOTES}/pw"), json!({ "value": { "pin": "tangerine" } })).await;
        unfit.refused(422, "validation_failed");
        assert!(!unfit.text.contains("pin") && !unfit.text.contains("integer"), "{}", unfit.text);
        server.finish().await;
    }

    async fn a_secret_value_is_sealed_and_shown_with_a_fact(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        notes(&owner, json!({ "secret": true, "history_depth": 3 })).await;
        let path = format!("{NOTES}/token");
        let put = owner.put(&path, json!({ "value": { "pin": "tangerine" } })).await.ok(200);
        assert_eq!((put.get("value"), &put["sha256"]), (None, &json!(null)));
        owner.patch(&path, json!({ "value": { "more": "submarine" } })).await.ok(200);
        assert_eq!(facts(&server, "state.secret_read").await, 0);
        let shown = owner.get(&path).await.ok(200);
        assert_eq!(shown["value"], json!({ "pin": "tangerine", "more": "submarine" }));
        assert_eq!(facts(&server, "state.secret_read").await, 1);
        // Nowhere else.
        for other in [format!("{NOTES}?values=true"), format!("{STATE}/notes/history/token")] {
            let answer = owner.get(&other).await;
            answer.ok(200);
            assert!(!answer.text.contains("tangerine") && !answer.text.contains("\"value\""), "{}", answer.text);
        }
        assert_eq!(owner.get(&format!("{NOTES}?q=tangerine")).await.ok(200)["items"], json!([]));
        let filter = owner.get(&format!("{NOTES}?pointer=/pin&equals=%22tangerine%22")).await;
        filter.refused(422, "validation_failed");
        let count = owner.post(&format!("{STATE}/notes/increment/n"), json!({ "by": 4711 })).await.ok(200);
        assert_eq!(count.get("value"), None);
        let batch = json!({ "operations": [{ "op": "increment", "key": "n" }] });
        assert_eq!(owner.post(&format!("{STATE}/notes/batch"), batch).await.ok(200)["entries"][0].get("value"), None);
        assert_eq!(owner.get(&format!("{NOTES}/n")).await.ok(200)["value"], 4712);
        let tamper = server.database.tamper().await;
        for table in ["state_entries", "state_history"] {
            let open = format!("SELECT count(*) FROM {table} WHERE value IS NOT NULL OR sealed IS NULL");
            assert_eq!(tamper.number(&open).await, 0, "{table}");
        }
        let (_, ada) = member(&server).await;
        ada.get(&path).await.refused(404, "not_found");
        assert_eq!(facts(&server, "state.secret_read").await, 2, "a refused read reads nothing");
        server.finish().await;
    }
}

/// An older sealed value does not open where a newer one stood, nor one of another entry.
#[tokio::test]
async fn sealed_values_open_in_their_place_only() {
    let mut server = TestServer::sqlite().await;
    let owner = server.owner().await;
    notes(&owner, json!({ "secret": true })).await;
    for key in ["a", "b"] {
        owner.put(&format!("{NOTES}/{key}"), json!({ "value": key })).await.ok(200);
    }
    let tamper = server.database.tamper().await;
    let other = "(SELECT sealed FROM state_entries AS other WHERE other.key = 'b')";
    tamper.must(&format!("UPDATE state_entries SET sealed = {other} WHERE key = 'a'")).await;
    owner.get(&format!("{NOTES}/b")).await.ok(200);
    assert_eq!(owner.get(&format!("{NOTES}/a")).await.status.as_u16(), 500);
    // The log says so, too, which `finish` would not let pass.
    let running = server.server.take().unwrap();
    running.stop().await;
}
