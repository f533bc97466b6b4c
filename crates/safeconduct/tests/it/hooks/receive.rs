//! Knocking: found or not, on whose behalf the run acts, and what it leaves.

use reqwest::Method;
use serde_json::{Value, json};

use super::{HOOKS, echo_hook, github, hook, id, knock, path, runs, send, send_signed, signed};
use crate::functions::made;
use crate::support::{Caller, TestServer, claims};

testing::on_both_databases! {
    async fn a_delivery_runs_the_function_as_the_hook(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let code = "def handler(input, context):\n    return {'token': context.access_token, 'trigger': context.trigger_type, 'got': input}\n";
        let body = json!({ "namespace": "ops", "name": "tells", "code": code, "permissions": ["agents:read", "runs:read"] });
        let function = made(&owner, body).await;
        let made = hook(&owner, json!({ "target": { "function": function }, "permissions": ["agents:read:all"] })).await;
        let answer = send(&server, &made, json!({ "a": 1 })).await;
        let output = answer.ok(200);
        assert_eq!((&output["got"], &output["trigger"]), (&json!({ "a": 1 }), &json!("WEBHOOK")));
        let run = answer.header("safeconduct-run").to_owned();
        let found = owner.get(&format!("/api/v1/runs/{run}")).await.ok(200);
        assert_eq!((&found["trigger"], &found["trigger_id"]), (&json!("webhook"), &made["id"]));
        let claims = claims(output["token"].as_str().unwrap());
        let me = owner.get("/api/v1/auth/me").await.ok(200);
        assert_eq!(claims["sub"], me["principal"]["id"]);
        // The function acts outermost, the hook innermost; `runs:read` is not in the hook's grant.
        assert_eq!((&claims["act"]["sub"], &claims["act"]["act"]["sub"]), (&json!(function), &made["id"]));
        assert_eq!(claims["act"]["act"].get("act"), None);
        assert_eq!(claims["scope"], "agents:read:all");
        server.house().ledger.drain().await.unwrap();
        let fact = loop {
            let facts = owner.get(&format!("/api/v1/audit/events?run={run}")).await.ok(200);
            match facts["items"].as_array().unwrap().first() {
                Some(fact) => break fact.clone(),
                None => tokio::task::yield_now().await,
            }
        };
        assert_eq!((&fact["kind"], &fact["actor"]["id"]), (&json!("run.succeeded"), &me["principal"]["id"]));
        assert!(fact["act"].to_string().contains(id(&made)), "{fact:#}");
        server.finish().await;
    }

    /// Unknown, switched off, another method, another organization: nobody can tell them apart.
    async fn what_does_not_answer_is_not_there(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let made = echo_hook(&owner, github()).await;
        let good = path(&made);
        let never = knock(&server, Method::POST, &good.replace("/in", "/never"), &[], "{}").await;
        let mut problem = never.refused(404, "not_found");
        problem["request_id"] = Value::Null;
        let slug = good.split('/').nth(2).unwrap().to_owned();
        server.elsewhere().await;
        owner.patch(&format!("{HOOKS}/{}", id(&made)), json!({ "active": false })).await.ok(200);
        for (method, unknown) in [
            (Method::POST, good.clone()),
            (Method::GET, good.clone()),
            (Method::POST, good.replace(&slug, "elsewhere")),
            (Method::POST, good.replace(&slug, "nobody")),
            (Method::POST, good.replace("/in", "/in/more")),
            (Method::POST, good.replace("/in", "/IN")),
            (Method::POST, good.replace("/in", "/x/%2e%2e/in")),
            (Method::POST, good.replace("/in", "/%2e%2e%2fhooks%2fin")),
            (Method::POST, good.replace("/in", "/in%00")),
        ] {
            let signature = signed(b"{}");
            let answer = knock(&server, method, &unknown, &[("x-hub-signature-256", &signature)], "{}").await;
            let mut told = answer.refused(404, "not_found");
            told["request_id"] = Value::Null;
            assert_eq!(told, problem, "{unknown}");
        }
        let kept = server.database.tamper().await.number("SELECT count(*) FROM hook_deliveries").await;
        assert_eq!((runs(&server).await, kept), (0, 0));
        owner.patch(&format!("{HOOKS}/{}", id(&made)), json!({ "active": true })).await.ok(200);
        assert_eq!(send_signed(&server, &made, "{}").await.status, 200);
        server.finish().await;
    }

    async fn every_method_may_be_taken(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let methods = json!(["GET", "POST", "PUT", "PATCH", "DELETE"]);
        let made = echo_hook(&owner, json!({ "methods": methods, "path": "orders/{shop}", "input": { "mode": "envelope" } })).await;
        for method in [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            let to = path(&made).replace("{shop}", "a%20b");
            let body = if method == Method::GET { "" } else { "{\"n\": 1}" };
            let headers = [("content-type", "application/json")];
            let got = knock(&server, method.clone(), &format!("{to}?q=1"), &headers, body).await.ok(200)["got"].clone();
            assert_eq!((&got["method"], &got["path_params"]), (&json!(method.as_str()), &json!({ "shop": "a b" })));
            assert_eq!(got["query"], json!({ "q": "1" }));
        }
        server.finish().await;
    }

    /// Whatever a hook set off, ends with it.
    async fn the_token_of_a_running_run_dies_with_its_hook(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        owner.post("/api/v1/state", json!({ "name": "notes" })).await.ok(201);
        let code = r#"
import json, time, urllib.request
def handler(input, context):
    headers = {"Authorization": "Bearer " + context.access_token, "Content-Type": "application/json"}
    data = json.dumps({"value": context.access_token}).encode()
    url = context.api_url + "/api/v1/state/notes/entries/token"
    urllib.request.urlopen(urllib.request.Request(url, data=data, headers=headers, method="PUT"), timeout=20)
    time.sleep(600)
"#;
        let keeps = json!(["state/notes/**:read:own", "state/notes/**:write:own"]);
        made(&owner, json!({ "namespace": "ops", "name": "keeps", "code": code, "permissions": keeps })).await;
        let target = json!({ "function": "ops:keeps" });
        let made = hook(&owner, json!({ "target": target, "permissions": keeps, "response": "async" })).await;
        let accepted = send(&server, &made, json!({})).await.ok(202);
        let entry = "/api/v1/state/notes/entries/token";
        let token = loop {
            let found = owner.get(entry).await;
            if found.status == 200 {
                break found.json()["value"].as_str().unwrap().to_owned();
            }
            tokio::task::yield_now().await;
        };
        let thief = Caller { bearer: Some(token), ..server.anonymous() };
        thief.get(entry).await.ok(200);
        owner.delete(&format!("{HOOKS}/{}", id(&made))).await.ok(200);
        thief.get(entry).await.refused(401, "invalid_token");
        let run = crate::functions::ended(&owner, accepted["run"].as_str().unwrap()).await;
        assert_eq!(run["status"], "cancelled", "{run:#}");
        server.finish().await;
    }
}
