//! Versions: published, listed, never changed.

use serde_json::json;

use super::{FUNCTIONS, function, made, run};
use crate::support::TestServer;

testing::on_both_databases! {
    async fn a_new_version_runs_and_the_old_one_stays(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let id = made(&owner, json!({
            "namespace": "ops", "name": "greet", "code": "def handler(input, context):\n    return 'one'\n",
            "input_schema": { "type": "object" }, "permissions": ["agents:read"], "timeout_seconds": 7,
        })).await;
        let path = format!("{FUNCTIONS}/{id}/versions");
        assert_eq!(run(&owner, &id, json!({})).await["output"], "one");
        let code = "def handler(input, context):\n    return 'two'\n";
        let published = owner.post(&path, json!({ "code": code })).await.ok(201);
        assert_eq!((&published["versions"], &published["version"]["number"]), (&json!(2), &json!(2)));
        assert_eq!(published["version"]["permissions"], json!(["agents:read"]), "as before where nothing is said");
        assert_eq!(published["version"]["timeout_seconds"], 7);
        assert_eq!(published["revision"], 2);
        let second = run(&owner, &id, json!({})).await;
        assert_eq!((&second["output"], &second["version"]), (&json!("two"), &published["live_version"]));

        let versions = owner.get(&path).await.ok(200);
        let numbers: Vec<_> = versions["items"].as_array().unwrap().iter().map(|one| one["number"].clone()).collect();
        assert_eq!(numbers, [2, 1]);
        let first = versions["items"][1]["id"].as_str().unwrap();
        let read = owner.get(&format!("{path}/{first}")).await.ok(200);
        assert!(read["code"].as_str().unwrap().contains("'one'"));

        // A version of another function, or of nobody, is not found here.
        let other = function(&owner, "other", code).await;
        owner.get(&format!("{FUNCTIONS}/{other}/versions/{first}")).await.refused(404, "not_found");
        owner.get(&format!("{path}/fnv_01h455vb4pex5vsknk084sn02q")).await.refused(404, "not_found");
        server.stranger().await.get(&format!("{path}/{first}")).await.refused(404, "not_found");

        let tamper = server.database.tamper().await;
        let refused = tamper.run("UPDATE function_versions SET entrypoint = 'evil'").await.unwrap_err();
        assert!(refused.contains("insert-only"), "{refused}");
        assert!(tamper.run("DELETE FROM function_versions").await.is_err());
        server.finish().await;
    }

    async fn an_earlier_version_is_made_live_again_and_its_author_answers(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let id = function(&owner, "greet", "def handler(input, context):\n    return 'one'\n").await;
        let path = format!("{FUNCTIONS}/{id}/versions");
        owner.post(&path, json!({ "code": "def handler(input, context):\n    return 'two'\n" })).await.ok(201);
        let versions = owner.get(&path).await.ok(200);
        let (two, one) = (versions["items"][0]["id"].clone(), versions["items"][1]["id"].clone());
        let live = |version: &serde_json::Value| format!("{path}/{}/live", version.as_str().unwrap());
        owner.post(&live(&two), json!({})).await.refused(409, "version_live");
        let back = owner.post(&live(&one), json!({})).await.ok(200);
        assert_eq!((&back["live_version"], &back["versions"], &back["revision"]), (&one, &json!(2), &json!(3)));
        let ran = run(&owner, &id, json!({})).await;
        assert_eq!((&ran["output"], &ran["version"]), (&json!("one"), &one));
        // What comes next counts on, and inherits from what is live.
        let third = owner.post(&path, json!({ "code": "def handler(input, context):\n    return 'three'\n" })).await.ok(201);
        assert_eq!(third["version"]["number"], 3);
        owner.with("if-match", "\"1\"").post(&live(&one), json!({})).await.refused(412, "stale_revision");
        let other = function(&owner, "other", "def handler(input, context):\n    return 0\n").await;
        let foreign = format!("{FUNCTIONS}/{other}/versions/{}/live", one.as_str().unwrap());
        owner.post(&foreign, json!({})).await.refused(404, "not_found");
        let (_, member) = server.person(server.home().await, &["member"]).await;
        let refused = member.post(&live(&one), json!({})).await;
        assert!(matches!(refused.status.as_u16(), 403 | 404), "{}", refused.text);
        server.stranger().await.post(&live(&one), json!({})).await.refused(404, "not_found");
        assert_eq!(run(&owner, &id, json!({})).await["output"], "three");
        let tamper = server.database.tamper().await;
        assert_eq!(tamper.number("SELECT count(*) FROM facts WHERE kind = 'function.made_live'").await, 1);
        server.finish().await;
    }

    async fn racing_publishers_get_numbers_of_their_own(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let id = function(&owner, "raced", "def handler(input, context):\n    return 0\n").await;
        let path = format!("{FUNCTIONS}/{id}/versions");
        let publish = |number: usize| {
            let code = format!("def handler(input, context):\n    return {number}\n");
            owner.post(&path, json!({ "code": code }))
        };
        let mut posts = Vec::new();
        for number in 1..=8 {
            posts.push(publish(number));
        }
        let mut numbers: Vec<i64> = Vec::new();
        for answer in futures::future::join_all(posts).await {
            numbers.push(answer.ok(201)["version"]["number"].as_i64().unwrap());
        }
        numbers.sort_unstable();
        assert_eq!(numbers, (2..=9).collect::<Vec<_>>());
        server.finish().await;
    }
}

/// Permissions that were taken away do not come back by the hand of somebody who could not give them.
#[tokio::test]
async fn an_old_version_runs_again_only_for_who_holds_what_it_may_do() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    let code = "def handler(input, context):\n    return 1\n";
    let body = json!({ "namespace": "ops", "name": "withdrawn", "code": code, "permissions": ["state/notes/**:write:all"] });
    let id = made(&owner, body).await;
    let first = run(&owner, &id, json!({})).await;
    let path = format!("{FUNCTIONS}/{id}/versions");
    // Without code it is the same code.
    let second = owner
        .post(&path, json!({ "permissions": [], "rate": { "starts": 1, "per_seconds": 86_400 } }))
        .await
        .ok(201);
    assert_eq!(
        (&second["version"]["code_sha256"], &second["version"]["number"]),
        (&first_sha(&owner, &path).await, &json!(2))
    );
    let agent = server
        .agent(
            &owner,
            "on-call",
            &["functions:update:all", "functions:execute:all", "functions:read:all", "runs:read:all"],
        )
        .await;
    let agent = server.as_agent(&agent).await;
    let replay = format!("/api/v1/runs/{}/replay", first["id"].as_str().unwrap());
    let live = format!("{path}/{}/live", first["version"].as_str().unwrap());
    for act in [&replay, &live] {
        let refused = agent.post(act, json!({})).await.refused(403, "authority_exceeded");
        assert!(refused["detail"].as_str().unwrap().contains("state/notes/**:write:all"), "{refused:#}");
    }
    // What may start at a time is the function's matter: the old version has no way around it.
    let queued = owner.with("prefer", "respond-async");
    assert_eq!(owner.post(&replay, json!({})).await.ok(200)["status"], "succeeded");
    let over = queued.post(&replay, json!({})).await.ok(202);
    let queues = owner.get("/api/v1/queues").await.ok(200);
    assert_eq!(queues["items"][0]["rated"], 1, "{queues:#}");
    owner.post(&format!("/api/v1/runs/{}/cancel", over["id"].as_str().unwrap()), json!({})).await.ok(200);
    owner.post(&live, json!({})).await.ok(200);
    server.finish().await;
}

async fn first_sha(owner: &crate::support::Caller, path: &str) -> serde_json::Value {
    owner.get(path).await.ok(200)["items"][1]["code_sha256"].clone()
}

#[tokio::test]
async fn a_bad_version_leaves_the_live_one_in_place() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    let id = function(&owner, "steady", "def handler(input, context):\n    return 'one'\n").await;
    let path = format!("{FUNCTIONS}/{id}/versions");
    owner.post(&path, json!({ "code": "def handler(" })).await.refused(422, "syntax_error");
    let body = json!({ "code": "x = 1", "input_schema": { "type": 3 } });
    owner.post(&path, body).await.refused(422, "invalid_schema");
    let stale = owner.with("if-match", "\"9\"").post(&path, json!({ "code": "x = 1" })).await;
    stale.refused(412, "stale_revision");
    assert_eq!(run(&owner, &id, json!({})).await["output"], "one");
    assert_eq!(owner.get(&path).await.ok(200)["items"].as_array().unwrap().len(), 1);
    server.finish().await;
}
