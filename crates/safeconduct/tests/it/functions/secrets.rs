//! `context.secrets`: what a run is given, and who hears of it.

use serde_json::json;

use super::{FUNCTIONS, made, run};
use crate::secrets::{SECRETS, secret};
use crate::state::somebody;
use crate::support::TestServer;

const VALUE: &str = "tangerine \"submarine\" 42";
const CODE: &str = r#"
import os, sys
seen = dict(os.environ)
def handler(input, context):
    value = context.secrets["API_KEY"]
    print("printed", value)
    print("warned", value, file=sys.stderr)
    context.log("logged", value=[value])
    if input == "raise":
        raise ValueError("with " + value)
    return {"length": len(value), "value": value, "names": sorted(context.secrets),
            "outside": value in str(seen) or value in str(dict(os.environ)) or value in str(sys.argv)}
"#;

testing::on_both_databases! {
    async fn a_run_is_given_its_secrets_and_the_ledger_hears_of_each(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        secret(&owner, "API_KEY", VALUE, json!([])).await;
        secret(&owner, "BOUND", "never for code", json!(["api.example.com"])).await;
        let body = json!({ "namespace": "ops", "name": "given", "code": CODE, "secrets": ["BOUND", "API_KEY", "API_KEY"] });
        let function = made(&owner, body).await;
        let ran = run(&owner, &function, json!({})).await;
        let expected = json!({ "length": VALUE.len(), "value": "[secret API_KEY]", "names": ["API_KEY"], "outside": false });
        assert_eq!(ran["output"], expected, "{ran:#}");
        let id = ran["id"].as_str().unwrap();
        let logs = owner.get(&format!("/api/v1/runs/{id}/logs")).await;
        logs.ok(200);
        assert!(!logs.text.contains("tangerine") && logs.text.matches("[secret API_KEY]").count() == 3, "{}", logs.text);
        let failed = run(&owner, &function, json!("raise")).await;
        assert_eq!(failed["error"]["message"], "with [secret API_KEY]", "{failed:#}");
        assert!(!failed.to_string().contains("tangerine"), "{failed:#}");
        // One fact for each run and secret; what no request needed was not read.
        server.house().ledger.drain().await.unwrap();
        let facts = owner.get("/api/v1/audit/events?kind=secret.read").await.ok(200);
        assert_eq!(facts["items"].as_array().unwrap().len(), 2, "{facts:#}");
        let fact = owner.get(&format!("/api/v1/audit/events/{}", facts["items"][1]["id"].as_str().unwrap())).await.ok(200);
        assert!(fact.to_string().contains(id), "the run stands in the fact: {fact:#}");
        assert!(fact.to_string().contains("\"given_to\":\"code\""), "{fact:#}");
        server.finish().await;
    }

    async fn another_value_is_for_runs_that_begin_from_then_on(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        secret(&owner, "API_KEY", "12345", json!([])).await;
        let code = "def handler(input, context):\n    return context.secrets['API_KEY']\n";
        let function = made(&owner, json!({ "name": "turn", "code": code, "secrets": ["API_KEY"] })).await;
        assert_eq!(run(&owner, &function, json!({})).await["output"], "12345", "too short to take out of texts");
        owner.put(&format!("{SECRETS}/API_KEY"), json!({ "value": "54321" })).await.ok(200);
        assert_eq!(run(&owner, &function, json!({})).await["output"], "54321");
        server.finish().await;
    }

    async fn an_author_who_lost_the_right_gives_no_run_the_secret(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        secret(&owner, "API_KEY", VALUE, json!([])).await;
        let (_, author) = somebody(&server, &["functions:create:all", "functions:update:all"]).await;
        let body = json!({ "namespace": "ops", "name": "lost", "code": CODE, "secrets": ["API_KEY"] });
        author.post(FUNCTIONS, body.clone()).await.refused(422, "validation_failed");
        // By a role that can be taken away again.
        let role = json!({ "name": "key-users", "permissions": ["secrets/API_KEY:use:all", "secrets:read:all"] });
        let role = owner.post("/api/v1/roles", role).await.ok(201);
        let me = author.get("/api/v1/auth/me").await.ok(200);
        let grant = json!({ "principal": me["principal"]["id"], "role": role["name"] });
        let granted = owner.post("/api/v1/grants", grant).await.ok(201);
        let function = made(&author, body).await;
        assert_eq!(run(&owner, &function, json!({})).await["status"], "succeeded");
        // Who is suspended has lost it for as long.
        let user = format!("/api/v1/system/users/{}", me["principal"]["id"].as_str().unwrap());
        owner.post(&format!("{user}/suspend"), json!({})).await.ok(200);
        assert_eq!(run(&owner, &function, json!({})).await["error"]["kind"], "secret_unavailable");
        owner.post(&format!("{user}/reactivate"), json!({})).await.ok(200);
        assert_eq!(run(&owner, &function, json!({})).await["status"], "succeeded");
        owner.delete(&format!("/api/v1/grants/{}", granted["id"].as_str().unwrap())).await.ok(200);
        let refused = run(&owner, &function, json!({})).await;
        assert_eq!((&refused["status"], &refused["error"]["kind"]), (&json!("failed"), &json!("secret_unavailable")), "{refused:#}");
        // Whoever holds it may let it run again under their own name.
        let again = owner.post(&format!("{FUNCTIONS}/{function}/versions"), json!({})).await.ok(201);
        assert_eq!(again["version"]["secrets"], json!(["API_KEY"]));
        assert_eq!(run(&owner, &function, json!({})).await["status"], "succeeded");
        server.finish().await;
    }
}
