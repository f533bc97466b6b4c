//! What a run's own token lets it do: what its function named and its caller holds, no more, for as long as it runs.

use serde_json::{Value, json};

use super::{made, queue, run};
use crate::support::{Caller, TestServer, claims};

/// Calls the API with nothing but the standard library and tells what came of it.
const CALLS: &str = r#"
import json, urllib.request, urllib.error
def ask(context, path):
    request = urllib.request.Request(context.api_url + path, headers={"Authorization": "Bearer " + context.access_token})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)
def handler(input, context):
    return {
        "answers": [ask(context, path) for path in input["paths"]],
        "token": context.access_token, "run": context.run_id, "agent": context.agent_id, "user": context.user_id,
        "org": context.org_id, "trigger": context.trigger_type, "attempt": context.attempt,
    }
"#;

testing::on_both_databases! {
    async fn a_run_acts_with_its_callers_rights_narrowed(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let body = json!({ "namespace": "ops", "name": "calls", "code": CALLS, "permissions": ["agents:read", "runs:read"] });
        let id = made(&owner, body).await;
        let agent = server.agent(&owner, "worker", &["functions:execute:all", "agents:read:all"]).await;
        let paths = json!({ "paths": ["/api/v1/agents", "/api/v1/functions", "/api/v1/runs"] });
        let ran = run(&server.as_agent(&agent).await, &id, paths).await;
        let output = &ran["output"];
        let statuses: Vec<&Value> = output["answers"].as_array().unwrap().iter().map(|answer| &answer[0]).collect();
        // The function may read agents; functions it did not name; runs its caller does not hold.
        assert_eq!(statuses, [&json!(200), &json!(403), &json!(403)], "{ran:#}");
        assert_eq!(output["answers"][0][1]["items"][0]["name"], "worker");
        assert_eq!((&output["run"], &output["agent"], &output["user"]), (&ran["id"], &json!(agent.id), &Value::Null));
        assert_eq!((&output["trigger"], &output["attempt"]), (&json!("API"), &json!(1)));

        let claims = claims(output["token"].as_str().unwrap());
        assert_eq!((&claims["sub"], &claims["run"]), (&json!(agent.id), &ran["id"]));
        assert_eq!((&claims["act"]["sub"], &claims["scope"]), (&json!(id), &json!("agents:read:all")));
        server.finish().await;
    }

    async fn the_fact_of_the_run_names_its_token_and_chain(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let body = json!({ "namespace": "ops", "name": "calls", "code": CALLS, "permissions": ["agents:read"] });
        let id = made(&owner, body).await;
        let ran = run(&owner, &id, json!({ "paths": ["/api/v1/agents"] })).await;
        let claims = claims(ran["output"]["token"].as_str().unwrap());
        server.house().ledger.drain().await.unwrap();
        let run = ran["id"].as_str().unwrap();
        let facts = loop {
            // The index follows the ledger by a moment.
            let facts = owner.get(&format!("/api/v1/audit/events?run={run}")).await.ok(200);
            if !facts["items"].as_array().unwrap().is_empty() {
                break facts;
            }
            tokio::task::yield_now().await;
        };
        let fact = &facts["items"][0];
        assert_eq!(fact["kind"], "run.succeeded");
        assert_eq!(fact["data"]["token"], claims["jti"], "{fact:#}");
        assert_eq!(fact["data"]["token_scope"], claims["scope"]);
        assert_eq!(fact["target"]["id"], id);
        server.finish().await;
    }

    /// Whoever reads an output or a log that holds the token must not act as the caller with it.
    async fn a_token_ends_with_its_run_however_that_ends(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let agent = server.agent(&owner, "worker", &["functions:execute:all", "agents:read:all"]).await;
        let caller = server.as_agent(&agent).await;
        for (name, end, status) in [
            ("succeeds", "return context.access_token", "succeeded"),
            ("fails", "raise ValueError(context.access_token)", "failed"),
            ("outlasts", "print(context.access_token[:1500])\n    print(context.access_token[1500:])\n    while True: pass", "timed_out"),
        ] {
            let code = format!("def handler(input, context):\n    {end}\n");
            let body = json!({
                "namespace": "ops", "name": name, "code": code, "timeout_seconds": 1, "permissions": ["agents:read"],
            });
            let function = made(&owner, body).await;
            let ran = run(&caller, &function, json!({})).await;
            assert_eq!(ran["status"], status, "{ran:#}");
            let token = match status {
                "succeeded" => ran["output"].as_str().unwrap().to_owned(),
                "failed" => ran["error"]["message"].as_str().unwrap().to_owned(),
                _ => {
                    let path = format!("/api/v1/runs/{}/logs", ran["id"].as_str().unwrap());
                    let log = owner.get(&path).await.ok(200);
                    log["items"].as_array().unwrap().iter().filter_map(|line| line["text"].as_str()).collect()
                }
            };
            assert_eq!(claims(&token)["run"], ran["id"]);
            let thief = Caller { bearer: Some(token.clone()), ..server.anonymous() };
            thief.get("/api/v1/agents").await.refused(401, "invalid_token");
            let said = caller.form("/oauth2/introspect", &[("token", &token)]).await.ok(200);
            assert_eq!(said, json!({ "active": false }));
        }
        server.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_token_of_an_attempt_ends_with_the_attempt() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    let code = r#"
import time
def handler(input, context):
    for part in context.access_token.split("."):
        print(part)
    if context.attempt == 1:
        raise ValueError("again")
    print("second", flush=True)
    time.sleep(600)
"#;
    let retry = json!({ "max_attempts": 2, "initial_seconds": 0 });
    let body = json!({
        "namespace": "ops", "name": "twice", "code": code, "retry": retry, "permissions": ["agents:read"],
    });
    let function = made(&owner, body).await;
    let run = queue(&owner, &function, json!({})).await;
    let path = format!("/api/v1/runs/{run}");
    let said = loop {
        let log = owner.get(&format!("{path}/logs")).await.ok(200);
        let lines: Vec<String> = log["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|line| line["text"].as_str().unwrap().to_owned())
            .collect();
        if lines.last().is_some_and(|last| last == "second") {
            break lines;
        }
        tokio::task::yield_now().await;
    };
    assert!(said[3].starts_with("Attempt 1 of 2 ended"), "{said:?}");
    let thief = |token: String| Caller { bearer: Some(token), ..server.anonymous() };
    let (first, second) = (said[..3].join("."), said[4..7].join("."));
    thief(second.clone()).get("/api/v1/agents").await.ok(200);
    thief(first).get("/api/v1/agents").await.refused(401, "invalid_token");
    owner.post(&format!("{path}/cancel"), json!({})).await.ok(200);
    thief(second).get("/api/v1/agents").await.refused(401, "invalid_token");
    server.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_of_runs_that_are_over_are_not_among_those_that_a_kill_ends() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    let agent = server.agent(&owner, "worker", &["functions:execute:all", "agents:read:all"]).await;
    let caller = server.as_agent(&agent).await;
    let body = |name: &str, code: &str| json!({ "namespace": "ops", "name": name, "code": code });
    let short = made(&owner, body("short", "def handler(input, context):\n    return 1\n")).await;
    let long =
        made(&owner, body("long", "import time\ndef handler(input, context):\n    time.sleep(600)\n")).await;
    for _ in 0..3 {
        run(&caller, &short, json!({})).await;
    }
    let running = queue(&caller, &long, json!({})).await;
    while owner.get(&format!("/api/v1/runs/{running}")).await.ok(200)["status"] != "running" {
        tokio::task::yield_now().await;
    }
    let receipt =
        owner.post(&format!("/api/v1/agents/{}/kill", agent.id), json!({ "reason": "test" })).await.ok(200);
    // Its own token and, once it is made, that of the run that is not over.
    let tokens = receipt["tokens"]["count"].as_u64().unwrap();
    assert!((1..=2).contains(&tokens), "{receipt:#}");
    server.finish().await;
}

/// Tries the door of its jail with everything that it might have got hold of.
const KNOCKS: &str = r#"
import json, urllib.request, urllib.error
def ask(context, path, headers, body):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(context.api_url + path, data=data, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, ""
    except urllib.error.HTTPError as error:
        body = json.load(error)
        return error.code, body.get("code") or body.get("error")
def handler(input, context):
    own = {"Authorization": "Bearer " + context.access_token}
    kind = {"Content-Type": "application/json"}
    return [ask(context, path, {**kind, **(own if headers == "own" else headers)}, body)
            for path, headers, body in input["knocks"]]
"#;

testing::on_both_databases! {
    async fn only_a_run_of_that_jail_comes_in_by_its_door(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let agent = server.agent(&owner, "worker", &["agents:*", "functions:execute:all"]).await;
        let agents_own = server.as_agent(&agent).await.bearer.unwrap();
        let body = json!({
            "namespace": "ops", "name": "knocks", "code": KNOCKS, "permissions": ["agents:read", "agents:create"],
        });
        let function = made(&owner, body).await;
        let password = json!({ "email": "owner@example.com", "password": "correct horse battery staple" });
        let knocks = json!([
            ["/api/v1/agents", "own", null],
            ["/api/v1/agents", {}, null],
            ["/health", {}, null],
            ["/api/v1/auth/password", {}, password],
            ["/oauth2/token", {}, null],
            ["/api/v1/auth/password", "own", password],
            ["/api/v1/auth/link/token", "own", { "token": "x" }],
            ["/api/v1/auth/refresh", "own", { "refresh_token": "x" }],
            ["/oauth2/token", "own", {}],
            ["/o/home/oauth2/introspect", "own", {}],
            ["/.well-known/jwks.json", "own", null],
            ["/api/v1/agents", { "Authorization": format!("Bearer {agents_own}") }, null],
            ["/api/v1/agents", { "Cookie": "safeconduct_session=x" }, null],
            ["/api/v1/agents", "own", { "name": "made-inside" }],
        ]);
        let ran = run(&owner, &function, json!({ "knocks": knocks })).await;
        let answers: Vec<(u64, &str)> = ran["output"]
            .as_array()
            .unwrap_or_else(|| panic!("{ran:#}"))
            .iter()
            .map(|answer| (answer[0].as_u64().unwrap(), answer[1].as_str().unwrap()))
            .collect();
        let nobody = (401, "unauthenticated");
        // With its own token it is somebody, who does not sign in.
        let sign_in = (403, "permission_denied");
        let expected = [
            (200, ""), nobody, nobody, nobody, nobody, (403, "step_up_required"), sign_in, sign_in, sign_in, sign_in,
            (200, ""), (401, "invalid_token"), nobody, (201, ""),
        ];
        assert_eq!(answers, expected, "{ran:#}");
        let tamper = server.database.tamper().await;
        let run: types::RunId = ran["id"].as_str().unwrap().parse().unwrap();
        let run = tamper.uuid(types::Id::uuid(run));
        let facts = tamper.rows(&format!("SELECT kind FROM facts WHERE run = {run} AND kind = 'agent.created'")).await;
        assert_eq!(facts.len(), 1, "what a run does through its door names the run");
        server.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_function_without_permissions_has_a_token_for_nothing() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    let id = made(&owner, json!({ "namespace": "ops", "name": "calls", "code": CALLS })).await;
    let paths = json!({ "paths": ["/api/v1/agents", "/api/v1/functions", "/api/v1/auth/me"] });
    let ran = run(&owner, &id, paths).await;
    let statuses: Vec<&Value> =
        ran["output"]["answers"].as_array().unwrap().iter().map(|one| &one[0]).collect();
    assert_eq!(statuses, [&json!(403), &json!(403), &json!(200)], "{ran:#}");
    assert_eq!(ran["output"]["answers"][2][1]["permissions"], json!([]), "{ran:#}");
    server.finish().await;
}
