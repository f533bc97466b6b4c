//! Functions reach files from inside the jail, with their run's token and no more than it holds.

use serde_json::json;

use super::{CONTENT, got, reports};
use crate::functions::{made, run};
use crate::support::TestServer;

/// Keeps, reads and shares with nothing but the standard library.
const KEEPS: &str = r#"
import json, urllib.request, urllib.error
def ask(context, method, path, body=None, kind="text/csv"):
    headers = {"Authorization": "Bearer " + context.access_token, "Content-Type": kind}
    request = urllib.request.Request(context.api_url + path, data=body, headers=headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return [answer.status, answer.read().decode()]
    except urllib.error.HTTPError as error:
        return [error.code, error.read().decode()]
def handler(input, context):
    reports = "/api/v1/collections/reports"
    return {
        "put": ask(context, "PUT", reports + "/files/runs/out.csv", b"a,b\n1,2\n")[0],
        "read": ask(context, "GET", reports + "/content/runs/out.csv"),
        "found": json.loads(ask(context, "GET", reports + "/files?prefix=runs/")[1])["items"][0]["content_type"],
        "link": ask(context, "POST", reports + "/links/runs/out.csv", b'{"expires_in": 60}', "application/json")[0],
        "deleted": ask(context, "DELETE", reports + "/files/runs/out.csv")[0],
        "elsewhere": ask(context, "PUT", reports + "/files/other.csv", b"x")[0],
    }
"#;

testing::on_both_databases! {
    async fn a_run_keeps_files_within_its_permissions(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        reports(&owner, json!({})).await;
        let permissions = ["files/reports/runs/**:read:own", "files/reports/runs/**:write:own"];
        let body = json!({ "namespace": "ops", "name": "keeps", "code": KEEPS, "permissions": permissions });
        let id = made(&owner, body).await;
        let agent = server.agent(&owner, "worker", &["functions:execute:all", "files:manage:own"]).await;
        let caller = server.as_agent(&agent).await;
        let output = run(&caller, &id, json!({})).await["output"].clone();
        assert_eq!((&output["put"], &output["read"]), (&json!(200), &json!([200, "a,b\n1,2\n"])), "{output:#}");
        assert_eq!(output["found"], "text/csv", "{output:#}");
        // A link outlives the run; the caller might remove it and write elsewhere, the function said that it would not.
        assert_eq!((&output["link"], &output["deleted"], &output["elsewhere"]), (&json!(403), &json!(403), &json!(404)));
        assert_eq!(got(&caller, &format!("{CONTENT}/runs/out.csv")).await.body, b"a,b\n1,2\n");
        server.finish().await;
    }
}
