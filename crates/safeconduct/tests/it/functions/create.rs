//! Creating and deleting.

use serde_json::{Value, json};
use web::PrincipalId;

use super::{FUNCTIONS, function, made, run};
use crate::support::TestServer;

testing::on_both_databases! {
    async fn a_function_is_created_with_its_first_version(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let code = "def handler(input, context):\n    return input\n";
        let body = json!({ "namespace": "ops", "name": "echo", "code": code, "tags": ["a"], "timeout_seconds": 5 });
        let answer = owner.post(FUNCTIONS, body.clone()).await;
        let function = answer.ok(201);
        assert_eq!(answer.header("etag"), "\"1\"");
        assert_eq!(function["version"]["number"], 1);
        assert_eq!(function["version"]["code"], code);
        assert_eq!(function["version"]["timeout_seconds"], 5);
        assert_eq!(function["version"]["memory_mb"], 512);
        assert_eq!(function["live_version"], function["version"]["id"]);
        assert_eq!(owner.get(&format!("{FUNCTIONS}/ops:echo")).await.ok(200), function);
        assert_eq!(owner.get(&format!("{FUNCTIONS}/{}", function["id"].as_str().unwrap())).await.ok(200), function);
        owner.post(FUNCTIONS, body).await.refused(409, "function_exists");
        server.stranger().await.get(&format!("{FUNCTIONS}/{}", function["id"].as_str().unwrap())).await
            .refused(404, "not_found");
        server.finish().await;
    }

    async fn a_deleted_function_runs_no_more_and_gives_its_name_back(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let code = "def handler(input, context):\n    return 1\n";
        let first = function(&owner, "once", code).await;
        let ran = run(&owner, &first, json!({})).await;
        let stale = owner.with("if-match", "\"7\"").delete(&format!("{FUNCTIONS}/{first}")).await;
        stale.refused(412, "stale_revision");
        let deleted = owner.delete(&format!("{FUNCTIONS}/ops:once")).await.ok(200);
        assert!(deleted["deleted_at"].is_string());
        for path in [format!("{FUNCTIONS}/{first}"), format!("{FUNCTIONS}/ops:once")] {
            owner.get(&path).await.refused(404, "not_found");
        }
        owner.post(&format!("{FUNCTIONS}/{first}/execute"), json!({})).await.refused(404, "not_found");
        let listed = owner.get(FUNCTIONS).await.ok(200);
        assert_eq!(listed["items"], json!([]));
        // What ran stays on record.
        owner.get(&format!("/api/v1/runs/{}", ran["id"].as_str().unwrap())).await.ok(200);
        assert_ne!(function(&owner, "once", code).await, first);
        server.finish().await;
    }
}

#[tokio::test]
async fn code_that_does_not_parse_is_refused_with_its_place() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    let before = owner.get(FUNCTIONS).await.ok(200);
    for (code, line) in
        [("def handler(input, context):\n    return (1\n", 2), ("x = 1\n\n  y = 2\n", 3), ("def", 1)]
    {
        let body = json!({ "namespace": "ops", "name": "bad", "code": code });
        let problem = owner.post(FUNCTIONS, body).await.refused(422, "syntax_error");
        assert_eq!(problem["line"], line, "{code}: {problem:#}");
        assert!(problem["column"].as_u64().is_some_and(|column| column >= 1));
        assert_eq!(problem["errors"][0]["field"], "/code");
    }
    assert_eq!(owner.get(FUNCTIONS).await.ok(200), before, "nothing was kept");
    server.finish().await;
}

#[tokio::test]
async fn schemas_limits_and_names_are_checked() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    let code = "def handler(input, context):\n    return 1\n";
    let with = |name: &str, value: Value| {
        let mut body = json!({ "namespace": "ops", "name": "x", "code": code });
        body[name] = value;
        body
    };
    let both = json!({
        "namespace": "ops", "name": "x", "code": code,
        "input_schema": { "type": "strin" }, "output_schema": { "$ref": "https://elsewhere.example/schema" },
    });
    let problem = owner.post(FUNCTIONS, both).await.refused(422, "invalid_schema");
    let fields: Vec<&str> =
        problem["errors"].as_array().unwrap().iter().map(|error| error["field"].as_str().unwrap()).collect();
    assert_eq!(fields, ["/input_schema/type", "/output_schema/$ref"]);
    for (name, value) in [
        ("timeout_seconds", json!(0)),
        ("timeout_seconds", json!(301)),
        ("memory_mb", json!(513)),
        ("name", json!("with-dash")),
        ("namespace", json!("9lives")),
        ("entrypoint", json!("a.b")),
        ("runtime", json!("perl")),
        ("permissions", json!(["nonsense"])),
        ("colour", json!("red")),
    ] {
        owner.post(FUNCTIONS, with(name, value)).await.refused(422, "validation_failed");
    }
    server.finish().await;
}

#[tokio::test]
async fn nobody_gives_a_function_what_they_do_not_hold() {
    let server = TestServer::sqlite().await;
    let home = server.home().await;
    let (person, member) = server.person(home, &["member"]).await;
    let code = "def handler(input, context):\n    return 1\n";
    let body = |permissions: &[&str]| json!({ "namespace": "ops", "name": "f", "code": code, "permissions": permissions });
    let problem = member.post(FUNCTIONS, body(&["agents:read", "agents:write:all"])).await;
    let problem = problem.refused(403, "authority_exceeded");
    assert!(problem["detail"].as_str().unwrap().contains("agents:write:all"), "{problem:#}");
    server.grant(home, PrincipalId::User(person.id), "agents:write:all").await;
    let made = member.post(FUNCTIONS, body(&["agents:read", "agents:write:all"])).await.ok(201);
    assert_eq!(made["version"]["permissions"], json!(["agents:read", "agents:write:all"]));
    assert_eq!(made["owner"]["id"], person.id.to_string());
    server.finish().await;
}

#[tokio::test]
async fn members_see_all_functions_and_change_and_run_their_own() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    let (_, member) = server.person(server.home().await, &["member"]).await;
    let code = "def handler(input, context):\n    return 1\n";
    let theirs = function(&owner, "theirs", code).await;
    let path = format!("{FUNCTIONS}/{theirs}");
    member.get(&path).await.ok(200);
    let refused = member.delete(&path).await.refused(403, "permission_denied");
    assert_eq!(refused["permission"], "functions:delete");
    member.post(&format!("{path}/versions"), json!({ "code": code })).await.refused(403, "permission_denied");
    member.post(&format!("{path}/execute"), json!({})).await.refused(403, "permission_denied");
    let own = made(&member, json!({ "name": "own", "code": code })).await;
    assert_eq!(run(&member, &own, json!({})).await["status"], "succeeded");
    server.finish().await;
}
