//! Running: at once, later, twice under one key – and on whose authority.

use serde_json::{Value, json};

use super::{FUNCTIONS, function, made, queue, run};
use crate::support::{Caller, TestServer};

const ECHO: &str = "def handler(input, context):\n    print('hello')\n    return {'got': input}\n";

/// Waits for the end of a run.
pub(crate) async fn ended(caller: &Caller, run: &str) -> Value {
    loop {
        let found = caller.get(&format!("/api/v1/runs/{run}")).await.ok(200);
        if !["queued", "leased", "running"].contains(&found["status"].as_str().unwrap()) {
            return found;
        }
        tokio::task::yield_now().await;
    }
}

async fn facts_of(server: &TestServer, run: &str) -> Vec<Vec<Option<String>>> {
    let id: types::RunId = run.parse().unwrap();
    let tamper = server.database.tamper().await;
    let run = tamper.uuid(types::Id::uuid(id));
    let text = format!("SELECT kind, actor_id, target_id, jti FROM facts WHERE run = {run} ORDER BY id");
    tamper.rows(&text).await
}

testing::on_both_databases! {
    async fn a_cold_call_loads_the_module_anew(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let code = "import os\nLOADED = os.urandom(8).hex()\ndef handler(input, context):\n    return LOADED\n";
        let body = json!({ "namespace": "ops", "name": "tells", "code": code });
        let warm = crate::functions::made(&owner, body).await;
        let loaded = async |function: &str| {
            let ended = crate::functions::run(&owner, function, json!({})).await;
            assert_eq!(ended["status"], "succeeded", "{ended:#}");
            ended["output"].clone()
        };
        assert_eq!(loaded(&warm).await, loaded(&warm).await, "forked from one that has loaded it");
        let publish = json!({ "code": code, "mode": "cold" });
        let next = owner.post(&format!("/api/v1/functions/{warm}/versions"), publish).await.ok(201);
        assert_eq!(next["version"]["mode"], "cold");
        assert_ne!(loaded(&warm).await, loaded(&warm).await, "each has loaded it by itself");
        let kept = json!({ "code": format!("{code}#") });
        let next = owner.post(&format!("/api/v1/functions/{warm}/versions"), kept).await.ok(201);
        assert_eq!(next["version"]["mode"], "cold", "what is left out stays");
        let wrong = json!({ "code": code, "mode": "tepid" });
        owner.post(&format!("/api/v1/functions/{warm}/versions"), wrong).await.refused(422, "validation_failed");
        server.finish().await;
    }

    async fn a_run_answers_with_its_output_and_leaves_one_fact(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let id = function(&owner, "echo", ECHO).await;
        let agent = server.agent(&owner, "worker", &["functions/ops/echo:execute:all", "runs:read:own"]).await;
        let caller = server.as_agent(&agent).await;
        let ran = run(&caller, "ops:echo", json!({ "a": [1, 2.5, "ü"] })).await;
        assert_eq!(ran["status"], "succeeded", "{ran:#}");
        assert_eq!(ran["output"], json!({ "got": { "a": [1, 2.5, "ü"] } }));
        assert_eq!(ran["principal"], json!({ "kind": "agent", "id": agent.id }));
        assert_eq!((&ran["function"], &ran["attempts"], &ran["trigger"]), (&json!(id), &json!(1), &json!("api")));
        assert!(ran["usage"]["peak_memory"].as_u64().unwrap() > 0);
        let facts = facts_of(&server, ran["id"].as_str().unwrap()).await;
        let claims = crate::support::claims(caller.bearer.as_deref().unwrap());
        let jti: types::TokenId = claims["jti"].as_str().unwrap().parse().unwrap();
        let jti = types::Id::uuid(jti).simple().to_string();
        assert_eq!(facts, [vec![Some("run.succeeded".into()), Some(agent.id.clone()), Some(id.clone()), Some(jti)]]);
        server.stranger().await.post(&format!("{FUNCTIONS}/{id}/execute"), json!({})).await.refused(404, "not_found");
        server.finish().await;
    }

    async fn a_queued_run_is_accepted_at_once_and_ends_later(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let id = function(&owner, "echo", ECHO).await;
        let run = queue(&owner, &id, json!({ "n": 1 })).await;
        let found = ended(&owner, &run).await;
        assert_eq!((&found["status"], &found["output"]), (&json!("succeeded"), &json!({ "got": { "n": 1 } })));
        assert_eq!(found["input"], json!({ "n": 1 }));
        assert_eq!(facts_of(&server, &run).await.len(), 1);
        server.finish().await;
    }

    async fn one_key_means_one_run(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let id = function(&owner, "echo", ECHO).await;
        let path = format!("{FUNCTIONS}/{id}/execute");
        let keyed = owner.with("idempotency-key", "first");
        let first = keyed.post(&path, json!({ "input": { "n": 1 } })).await;
        let again = keyed.post(&path, json!({ "input": { "n": 1 } })).await;
        assert_eq!(first.ok(200), again.ok(200), "the first answer, with its output");
        assert_eq!(again.header("idempotency-replayed"), "true");
        keyed.post(&path, json!({ "input": { "n": 2 } })).await.refused(422, "idempotency_mismatch");
        let queued = owner.with("idempotency-key", "second").with("prefer", "respond-async");
        let first = queued.post(&path, json!({})).await.ok(202);
        assert_eq!(queued.post(&path, json!({})).await.ok(202), first);
        ended(&owner, first["id"].as_str().unwrap()).await;
        let runs = owner.get("/api/v1/runs").await.ok(200);
        assert_eq!(runs["items"].as_array().unwrap().len(), 2);
        server.finish().await;
    }

    async fn a_long_run_is_accepted_when_the_caller_waits_no_more(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let id = function(&owner, "slow", "import time\ndef handler(input, context):\n    time.sleep(600)\n").await;
        let impatient = owner.with("prefer", "wait=1");
        let run = impatient.post(&format!("{FUNCTIONS}/{id}/execute"), json!({})).await.ok(202);
        assert_eq!(run["status"], "running");
        let tamper = server.database.tamper().await;
        assert_eq!(tamper.number("SELECT max_attempts FROM runs").await, 3, "from now on it is promised");
        owner.post(&format!("/api/v1/runs/{}/cancel", run["id"].as_str().unwrap()), json!({})).await.ok(200);
        server.finish().await;
    }
}

#[tokio::test]
async fn input_and_output_are_held_against_their_schemas() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    let schema = json!({
        "type": "object", "required": ["rows"], "additionalProperties": false,
        "properties": { "rows": { "type": "array", "items": { "type": "integer" } } },
    });
    let id = made(&owner, json!({
        "namespace": "ops", "name": "sum", "code": "def handler(input, context):\n    return sum(input['rows'])\n",
        "input_schema": schema, "output_schema": { "type": "integer", "maximum": 10 },
    }))
    .await;
    let path = format!("{FUNCTIONS}/{id}/execute");
    assert_eq!(run(&owner, &id, json!({ "rows": [1, 2] })).await["output"], 3);
    let body = json!({ "input": { "rows": [1, "x", null], "more": 1 } });
    let problem = owner.post(&path, body).await.refused(422, "input_invalid");
    let fields: std::collections::BTreeSet<&str> =
        problem["errors"].as_array().unwrap().iter().map(|error| error["field"].as_str().unwrap()).collect();
    assert_eq!(fields, ["/input", "/input/rows/1", "/input/rows/2"].into());
    owner.post(&path, json!({})).await.refused(422, "input_invalid");
    let failed = run(&owner, &id, json!({ "rows": [7, 8] })).await;
    assert_eq!((&failed["status"], &failed["error"]["kind"]), (&json!("failed"), &json!("output_invalid")));
    assert_eq!(failed["error"]["violations"][0]["field"], "/output");
    assert!(failed.get("output").is_none());
    let runs = owner.get("/api/v1/runs").await.ok(200);
    assert_eq!(runs["items"].as_array().unwrap().len(), 2, "what was refused never was a run");
    server.finish().await;
}

#[tokio::test]
async fn what_went_in_and_what_came_out_come_back_exactly_or_not_at_all() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    let id = function(&owner, "echo", ECHO).await;
    let input = json!({ "least": i64::MIN, "most": u64::MAX, "fraction": 1.112_536_929_253_600_7e-5 });
    let echoed = run(&owner, &id, input.clone()).await;
    assert_eq!(echoed["output"]["got"], input, "{echoed:#}");
    let path = format!("{FUNCTIONS}/{id}/execute");
    let body = r#"{"input": {"rows": [18446744073709551616]}}"#;
    let problem =
        owner.send(reqwest::Method::POST, &path, Some(body.to_owned())).await.refused(400, "malformed_json");
    assert!(problem["detail"].as_str().unwrap().contains("18446744073709551616"), "{problem:#}");

    for (name, code, said) in [
        ("large", "10**40", "more than 64 bits"),
        ("deep", "__import__('functools').reduce(lambda a, _: [a], range(101), 0)", "100"),
        ("abyss", "__import__('functools').reduce(lambda a, _: [a], range(300), 0)", "recursion limit"),
        ("twice", "{1: 0, '1': 0}", "named twice"),
    ] {
        let code = format!("def handler(input, context):\n    return {code}\n");
        let id = function(&owner, name, &code).await;
        let failed = run(&owner, &id, json!({})).await;
        assert_eq!(failed["error"]["kind"], "output_invalid", "{name}: {failed:#}");
        assert!(failed["error"]["message"].as_str().unwrap().contains(said), "{failed:#}");
        assert!(failed.get("output").is_none());
    }
    server.finish().await;
}

#[tokio::test]
async fn only_who_may_execute_runs_and_a_lost_right_stops_what_waits() {
    let server =
        TestServer::start_with(testing::TestDatabase::sqlite(), &[("functions.max_concurrent", "1")]).await;
    let owner = server.owner().await;
    let echo = function(&owner, "echo", ECHO).await;
    let slow =
        function(&owner, "slow", "import time\ndef handler(input, context):\n    time.sleep(600)\n").await;
    let reader = server.agent(&owner, "reader", &["functions:read:all", "runs:read:all"]).await;
    let refused =
        server.as_agent(&reader).await.post(&format!("{FUNCTIONS}/{echo}/execute"), json!({})).await;
    assert_eq!(refused.refused(403, "permission_denied")["permission"], "functions:execute");

    let blocker = queue(&owner, &slow, json!({})).await;
    let agent = server.agent(&owner, "worker", &["functions:execute:all", "functions:read:all"]).await;
    let waiting = queue(&server.as_agent(&agent).await, &echo, json!({})).await;
    let patch = json!({ "permissions": ["functions:read:all"] });
    owner.patch(&format!("/api/v1/agents/{}", agent.id), patch).await.ok(200);
    owner.post(&format!("/api/v1/runs/{blocker}/cancel"), json!({})).await.ok(200);
    let ended = ended(&owner, &waiting).await;
    assert_eq!((&ended["status"], &ended["error"]["kind"]), (&json!("failed"), &json!("permission_denied")));
    server.finish().await;
}

#[tokio::test]
async fn the_runs_of_a_killed_agent_end_with_it() {
    let server =
        TestServer::start_with(testing::TestDatabase::sqlite(), &[("functions.max_concurrent", "1")]).await;
    let owner = server.owner().await;
    let slow =
        function(&owner, "slow", "import time\ndef handler(input, context):\n    time.sleep(600)\n").await;
    let agent = server.agent(&owner, "doomed", &["functions:execute:all"]).await;
    let caller = server.as_agent(&agent).await;
    let running = queue(&caller, &slow, json!({})).await;
    while owner.get(&format!("/api/v1/runs/{running}")).await.ok(200)["status"] != "running" {
        tokio::task::yield_now().await;
    }
    let waiting = queue(&caller, &slow, json!({})).await;
    let receipt = owner.post(&format!("/api/v1/agents/{}/kill", agent.id), json!({})).await.ok(200);
    assert_eq!(receipt["runs"], 1, "{receipt:#}");
    for run in [running, waiting] {
        assert_eq!(ended(&owner, &run).await["status"], "cancelled");
        assert_eq!(facts_of(&server, &run).await.len(), 1);
    }
    server.finish().await;
}

#[tokio::test]
async fn large_outputs_are_streamed_as_content_of_strangers() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    let id = function(&owner, "large", "def handler(input, context):\n    return 'x' * input['n']\n").await;
    let ran = run(&owner, &id, json!({ "n": 3_000_000 })).await;
    assert_eq!((&ran["status"], &ran["output_size"]), (&json!("succeeded"), &json!(3_000_002)));
    assert!(ran.get("output").is_none());
    let path = format!("/api/v1/runs/{}/output", ran["id"].as_str().unwrap());
    let output = owner.get(&path).await;
    assert_eq!((output.status.as_u16(), output.text.len()), (200, 3_000_002));
    assert!(output.header("content-security-policy").starts_with("sandbox"));
    let small = run(&owner, &id, json!({ "n": 3 })).await;
    let path = format!("/api/v1/runs/{}/output", small["id"].as_str().unwrap());
    assert_eq!(owner.get(&path).await.ok(200), "xxx");
    server.stranger().await.get(&path).await.refused(404, "not_found");
    let failed = run(&owner, &id, json!({})).await;
    let path = format!("/api/v1/runs/{}/output", failed["id"].as_str().unwrap());
    owner.get(&path).await.refused(404, "not_found");
    server.finish().await;
}
