//! What a run's own token lets it do: what its function named and its caller holds, no more, for as long as it runs.

use serde_json::{Value, json};

use super::{made, run};
use crate::support::{TestServer, claims};

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
