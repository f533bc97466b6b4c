//! De-duplication: one run under a key, final when it has succeeded.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::{deliveries, echo_hook, hook, knock, path, runs, send};
use crate::functions::made;
use crate::support::{Answer, TestServer};

async fn keyed(server: &TestServer, hook: &Value, key: &str, body: &str) -> Answer {
    let headers = [("content-type", "application/json"), ("x-id", key)];
    knock(server, Method::POST, &path(hook), &headers, body.to_owned()).await
}

testing::on_both_databases! {
    async fn a_repeat_gets_the_first_answer(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let made = echo_hook(&owner, json!({ "deduplication": { "header": "X-Id", "ttl_seconds": 600 } })).await;
        let first = keyed(&server, &made, "1", "{\"n\": 1}").await;
        let again = keyed(&server, &made, "1", "{\"n\": 2}").await;
        assert_eq!((first.ok(200), again.ok(200)), (json!({ "got": { "n": 1 } }), json!({ "got": { "n": 1 } })));
        assert_eq!((first.header("safeconduct-duplicate"), again.header("safeconduct-duplicate")), ("", "true"));
        assert_eq!(first.header("safeconduct-run"), again.header("safeconduct-run"));
        assert_eq!(keyed(&server, &made, "2", "{\"n\": 3}").await.ok(200)["got"]["n"], 3);
        assert_eq!(send(&server, &made, json!({ "n": 4 })).await.ok(200)["got"]["n"], 4, "without a key there is no repeat");
        assert_eq!(runs(&server).await, 3);
        let outcomes: Vec<Value> = deliveries(&owner, &made).await.iter().map(|one| one["outcome"].clone()).collect();
        assert_eq!(outcomes, ["accepted", "accepted", "duplicate", "accepted"]);
        server.clock.advance(Duration::from_secs(601));
        assert_eq!(keyed(&server, &made, "1", "{\"n\": 5}").await.ok(200)["got"]["n"], 5, "a key is forgotten in time");
        let inside = hook(&owner, json!({ "path": "inside", "deduplication": { "pointer": "/event/id" }, "response": "async" })).await;
        let first = send(&server, &inside, json!({ "event": { "id": 7 } })).await.ok(202);
        assert_eq!(send(&server, &inside, json!({ "event": { "id": "7" } })).await.ok(202)["run"], first["run"]);
        crate::functions::ended(&server.owner().await, first["run"].as_str().unwrap()).await;
        server.finish().await;
    }

    /// Nobody gets the answer to another's delivery by naming its key, nor keeps the other's from being heard.
    async fn each_who_shows_a_token_repeats_themselves_only(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let made = echo_hook(&owner, json!({ "authentication": { "kind": "token" }, "deduplication": { "pointer": "/id" } })).await;
        let first = server.agent(&owner, "first", &["functions/ops/echo:execute:all"]).await;
        let other = server.agent(&owner, "other", &["functions/ops/echo:execute:all"]).await;
        let (first, other) = (server.as_agent(&first).await, server.as_agent(&other).await);
        let secret = json!({ "id": 1, "secret": "of the first" });
        assert_eq!(first.post(&path(&made), secret.clone()).await.ok(200)["got"], secret);
        let answered = other.post(&path(&made), json!({ "id": 1 })).await;
        assert_eq!((answered.ok(200)["got"].clone(), answered.header("safeconduct-duplicate")), (json!({ "id": 1 }), ""));
        let again = first.post(&path(&made), json!({ "id": 1 })).await;
        assert_eq!((again.ok(200)["got"].clone(), again.header("safeconduct-duplicate")), (secret, "true"));
        server.finish().await;
    }

    async fn what_failed_may_be_sent_again(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let code = "def handler(input, context):\n    if input['fail']:\n        raise ValueError\n    return input\n";
        made(&owner, json!({ "namespace": "ops", "name": "may_fail", "code": code })).await;
        let target = json!({ "function": "ops:may_fail" });
        let made = hook(&owner, json!({ "target": target, "deduplication": { "header": "X-Id" } })).await;
        keyed(&server, &made, "1", "{\"fail\": true}").await.refused(502, "hook_failed");
        keyed(&server, &made, "1", "{\"fail\": true}").await.refused(502, "hook_failed");
        keyed(&server, &made, "1", "{\"fail\": false}").await.ok(200);
        let last = keyed(&server, &made, "1", "{\"fail\": true}").await;
        assert_eq!((last.ok(200), last.header("safeconduct-duplicate")), (json!({ "fail": false }), "true"));
        assert_eq!(runs(&server).await, 3);
        server.finish().await;
    }

    async fn a_hundred_with_one_key_are_one_run(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let more = json!({ "deduplication": { "pointer": "/id" }, "concurrency": 200, "rate_per_minute": 600 });
        let made = echo_hook(&owner, more).await;
        let racers = (0..100).map(|racer| send(&server, &made, json!({ "id": "one", "racer": racer })));
        let answers = futures::future::join_all(racers).await;
        let first = answers[0].ok(200);
        assert!(answers.iter().all(|answer| answer.ok(200) == first));
        let repeats = answers.iter().filter(|answer| answer.header("safeconduct-duplicate") == "true").count();
        assert_eq!((runs(&server).await, repeats), (1, 99));
        server.finish().await;
    }
}
