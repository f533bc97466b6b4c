//! Lists and single runs.

use serde_json::json;

use crate::functions::{function, queue, run};
use crate::support::{Caller, TestServer};

async fn ids(caller: &Caller, query: &str) -> Vec<String> {
    let list = caller.get(&format!("/api/v1/runs{query}")).await.ok(200);
    list["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

testing::on_both_databases! {
    async fn runs_are_listed_filtered_and_narrowed(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let one = function(&owner, "one", "def handler(input, context):\n    return 1\n").await;
        let two = function(&owner, "two", "def handler(input, context):\n    raise ValueError\n").await;
        let agent = server.agent(&owner, "worker", &["functions:execute:all", "runs:read:own"]).await;
        let caller = server.as_agent(&agent).await;
        let id = |run: serde_json::Value| run["id"].as_str().unwrap().to_owned();
        let first = id(run(&owner, &one, json!({})).await);
        let second = id(run(&caller, &one, json!({})).await);
        let third = id(run(&owner, &two, json!({})).await);

        assert_eq!(ids(&owner, "").await, [third.clone(), second.clone(), first.clone()]);
        assert_eq!(ids(&owner, "?status=failed").await, std::slice::from_ref(&third));
        assert_eq!(ids(&owner, &format!("?function={one}")).await, [second.clone(), first.clone()]);
        assert_eq!(ids(&owner, &format!("?agent={}", agent.id)).await, std::slice::from_ref(&second));
        assert_eq!(ids(&owner, &format!("?principal={}", agent.id)).await, std::slice::from_ref(&second));
        assert_eq!(ids(&owner, "?trigger=schedule").await, Vec::<String>::new());
        assert_eq!(ids(&owner, "?from=2100-01-01T00:00:00Z").await, Vec::<String>::new());
        assert_eq!(ids(&owner, "?to=2100-01-01T00:00:00Z&limit=1").await, std::slice::from_ref(&third));
        let page = owner.get("/api/v1/runs?limit=2").await.ok(200);
        let cursor = page["next_cursor"].as_str().unwrap();
        assert_eq!(ids(&owner, &format!("?limit=2&cursor={cursor}")).await, std::slice::from_ref(&first));
        assert!(page["items"][0].get("input").is_none(), "no contents in lists");
        owner.get("/api/v1/runs?status=lost").await.refused(422, "validation_failed");
        owner.get("/api/v1/runs?principal=me").await.refused(422, "validation_failed");

        assert_eq!(ids(&caller, "").await, std::slice::from_ref(&second), "its own only");
        caller.get(&format!("/api/v1/runs/{second}")).await.ok(200);
        caller.get(&format!("/api/v1/runs/{first}")).await.refused(404, "not_found");
        let stranger = server.stranger().await;
        assert_eq!(ids(&stranger, "").await, Vec::<String>::new());
        stranger.get(&format!("/api/v1/runs/{first}")).await.refused(404, "not_found");
        server.finish().await;
    }
}

#[tokio::test]
async fn a_queue_position_instead_of_a_refusal() {
    let server =
        TestServer::start_with(testing::TestDatabase::sqlite(), &[("functions.max_concurrent", "1")]).await;
    let owner = server.owner().await;
    let slow =
        function(&owner, "slow", "import time\ndef handler(input, context):\n    time.sleep(600)\n").await;
    let quick = function(&owner, "quick", "def handler(input, context):\n    return 1\n").await;
    let blocker = queue(&owner, &slow, json!({})).await;
    while owner.get(&format!("/api/v1/runs/{blocker}")).await.ok(200)["status"] != "running" {
        tokio::task::yield_now().await;
    }
    let path = format!("/api/v1/functions/{quick}/execute");
    let waiting = owner.with("prefer", "wait=0").post(&path, json!({})).await.ok(202);
    assert_eq!(waiting["status"], "queued");
    owner.post(&format!("/api/v1/runs/{blocker}/cancel"), json!({})).await.ok(200);
    let ended = crate::functions::ended(&owner, waiting["id"].as_str().unwrap()).await;
    assert_eq!(ended["status"], "succeeded");
    server.finish().await;
}
