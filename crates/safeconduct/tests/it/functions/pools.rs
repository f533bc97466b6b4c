//! Interpreters that are kept warm: ready before the first call, seen and given up by operators.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{made, run};
use crate::support::{Caller, TestServer};

const CODE: &str = "def handler(input, context):\n    return input\n";

/// What is warm of a function, once `enough` says so.
async fn warm(owner: &Caller, function: &str, enough: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        let pools = owner.get("/api/v1/pools").await.ok(200);
        let items = pools["items"].as_array().unwrap();
        let found: Vec<Value> = items.iter().filter(|one| one["function"] == function).cloned().collect();
        if enough(&found) {
            return found;
        }
        assert!(Instant::now() < until, "{pools:#}");
    }
}

testing::on_both_databases! {
    async fn a_live_version_is_warm_before_it_is_called_until_it_is_given_up(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let id = made(&owner, json!({ "namespace": "ops", "name": "echo", "code": CODE })).await;
        let first = warm(&owner, &id, |found| found.len() == 1).await.remove(0);
        assert_eq!((&first["calls"], &first["status"], &first["mode"]), (&json!(0), &json!("idle"), &json!("fork")));
        assert_eq!(first["organization"], json!(server.home().await));
        run(&owner, &id, json!({})).await;
        assert_eq!(warm(&owner, &id, |found| !found.is_empty()).await[0]["calls"], 1, "the call found it");

        let next = json!({ "code": format!("{CODE}\n") });
        owner.post(&format!("/api/v1/functions/{id}/versions"), next).await.ok(201);
        warm(&owner, &id, |found| found.len() == 2).await;
        let live = format!("/api/v1/functions/{id}/versions/{}/live", first["version"].as_str().unwrap());
        owner.post(&live, json!({})).await.ok(200);

        let cold = made(&owner, json!({ "namespace": "ops", "name": "cold", "code": CODE, "mode": "cold" })).await;
        run(&owner, &cold, json!({})).await;
        assert!(warm(&owner, &cold, |_| true).await.is_empty(), "nothing is kept of it");

        let other = made(&owner, json!({ "namespace": "ops", "name": "other", "code": CODE })).await;
        warm(&owner, &other, |found| found.len() == 1).await;
        let nobody = server.stranger().await;
        nobody.get("/api/v1/pools").await.refused(403, "permission_denied");
        nobody.post("/api/v1/pools/recycle", json!({})).await.refused(403, "permission_denied");
        owner.post("/api/v1/pools/recycle", json!({ "function": "ops:echo" })).await.refused(422, "validation_failed");
        let recycled = owner.post("/api/v1/pools/recycle", json!({ "function": id })).await.ok(200);
        assert_eq!(recycled, json!({ "recycled": 2 }));
        assert!(warm(&owner, &id, |_| true).await.is_empty());
        assert_eq!(warm(&owner, &other, |_| true).await.len(), 1, "others are not touched");
        owner.post("/api/v1/pools/recycle", json!({})).await.ok(200);
        assert!(warm(&owner, &other, |_| true).await.is_empty());
        assert_eq!(run(&owner, &id, json!({ "still": "runs" })).await["output"]["still"], "runs");

        let tamper = server.database.tamper().await;
        assert_eq!(tamper.number("SELECT count(*) FROM facts WHERE kind = 'pools.recycled'").await, 2);
        server.finish().await;
    }
}
