//! Functions reach state from inside the jail, with their run's token and no more than it holds.

use serde_json::{Value, json};

use super::{NOTES, STATE, notes};
use crate::functions::{made, run};
use crate::support::TestServer;

/// Counts, keeps and reads with nothing but the standard library.
const REMEMBERS: &str = r#"
import json, urllib.request, urllib.error
def ask(context, method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": "Bearer " + context.access_token, "Content-Type": "application/json"}
    request = urllib.request.Request(context.api_url + path, data=data, headers=headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return [answer.status, json.load(answer)]
    except urllib.error.HTTPError as error:
        return [error.code, json.load(error)]
def handler(input, context):
    state = "/api/v1/state/notes"
    return {
        "counted": ask(context, "POST", state + "/increment/runs", {}),
        "put": ask(context, "PUT", state + "/entries/last%2Frun", {"value": {"run": context.run_id}}),
        "read": ask(context, "GET", state + "/entries/last/run"),
        "deleted": ask(context, "DELETE", state + "/entries/last/run"),
        "elsewhere": ask(context, "PUT", "/api/v1/state/other/entries/x", {"value": 1}),
    }
"#;

testing::on_both_databases! {
    async fn a_run_remembers_within_its_permissions(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        notes(&owner, json!({})).await;
        owner.post(STATE, json!({ "name": "other" })).await.ok(201);
        let permissions = ["state/notes/**:read:own", "state/notes/**:write:own"];
        let body = json!({ "namespace": "ops", "name": "remembers", "code": REMEMBERS, "permissions": permissions });
        let id = made(&owner, body).await;
        let agent = server.agent(&owner, "worker", &["functions:execute:all", "state:manage:own"]).await;
        let caller = server.as_agent(&agent).await;
        for count in 1..=2 {
            let output = run(&caller, &id, json!({})).await["output"].clone();
            assert_eq!((&output["counted"][0], &output["counted"][1]["value"]), (&json!(200), &json!(count)), "{output:#}");
            assert_eq!(output["read"][1]["value"], output["put"][1]["value"], "{output:#}");
            assert_eq!(output["read"][1]["owner"], agent.id);
            // The caller might remove it and write elsewhere; the function said that it would not.
            let refused: Vec<&Value> = vec![&output["deleted"][0], &output["elsewhere"][0]];
            assert_eq!(refused, [&json!(403), &json!(404)], "{output:#}");
        }
        assert_eq!(caller.get(&format!("{NOTES}/runs")).await.ok(200)["value"], 2);
        server.finish().await;
    }
}
