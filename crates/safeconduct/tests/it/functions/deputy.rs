//! The confused deputy: a function that somebody writes and somebody else runs widens nobody's rights.

use serde_json::{Value, json};

use super::{FUNCTIONS, made, run};
use crate::support::{Caller, TestServer};

/// Does with its token what the input says, and tells what came of it.
const DEPUTY: &str = r#"
import json, urllib.request, urllib.error
def ask(context, method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": "Bearer " + context.access_token, "Content-Type": "application/json"}
    request = urllib.request.Request(context.api_url + path, data=data, headers=headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)
def handler(input, context):
    return [ask(context, *call) for call in input["calls"]]
"#;

/// Status and body of each call that the run made.
async fn deputed(caller: &Caller, function: &str, calls: Value) -> Vec<(u64, Value)> {
    let ran = run(caller, function, json!({ "calls": calls })).await;
    let answers = ran["output"].as_array().unwrap_or_else(|| panic!("{ran:#}"));
    answers.iter().map(|answer| (answer[0].as_u64().unwrap(), answer[1].clone())).collect()
}

fn written(permissions: Value) -> Value {
    json!({ "namespace": "ops", "name": "deputy", "code": DEPUTY, "permissions": permissions })
}

testing::on_both_databases! {
    /// An attacker with rights to its own things only gets an owner to run its function.
    async fn a_function_is_no_ladder_to_its_callers_rights(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let (_, attacker) = server.person(server.home().await, &["member"]).await;
        for (name, by) in [("treasure", &owner), ("mine", &attacker)] {
            by.post("/api/v1/agents", json!({ "name": name })).await.ok(201);
        }
        // Nobody names what they do not hold.
        for permission in ["agents:*", "agents:update", "agents:update:all", "credentials:read:all"] {
            let refused = attacker.post(FUNCTIONS, written(json!([permission]))).await;
            refused.refused(403, "authority_exceeded");
        }
        // What is held for one's own may be named, and must not become the caller's own.
        let body = written(json!(["agents:read:all", "agents:write:own", "credentials:read:own", "runs:read:own"]));
        let function = made(&attacker, body).await;
        let calls = json!([
            ["GET", "/api/v1/agents/default:treasure"],
            ["PATCH", "/api/v1/agents/default:treasure", { "description": "taken" }],
            ["POST", "/api/v1/agents/default:treasure/suspend", {}],
            ["GET", "/api/v1/agents/default:treasure/credentials"],
            ["GET", "/api/v1/runs"],
            ["PATCH", "/api/v1/agents/default:mine", { "description": "by deputy" }],
        ]);
        let by_owner = deputed(&owner, &function, calls.clone()).await;
        let statuses: Vec<u64> = by_owner.iter().map(|(status, _)| *status).collect();
        assert_eq!(statuses, [200, 403, 403, 200, 200, 403], "{by_owner:#?}");
        let detail = by_owner[1].1["detail"].as_str().unwrap();
        assert!(detail.contains("The author of the function does not hold agents:update"), "{detail}");
        assert_eq!(by_owner[3].1["items"], json!([]), "the owner's credentials are not the author's to see");
        assert_eq!(by_owner[4].1["items"], json!([]), "nor the owner's runs");
        let treasure = owner.get("/api/v1/agents/default:treasure").await.ok(200);
        assert_eq!((&treasure["description"], &treasure["status"]), (&json!(""), &json!("active")));
        // Run by its author it does what the author may do.
        let by_itself = deputed(&attacker, &function, calls).await;
        let statuses: Vec<u64> = by_itself.iter().map(|(status, _)| *status).collect();
        assert_eq!(statuses, [200, 403, 403, 200, 200, 200], "{by_itself:#?}");
        server.finish().await;
    }

    /// What the author may do is asked at each call, not when the function was saved.
    async fn a_function_loses_what_its_author_loses(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let author = server.agent(&owner, "author", &["functions:write:own", "agents:read:all"]).await;
        let function = made(&server.as_agent(&author).await, written(json!(["agents:read:all"]))).await;
        let calls = json!([["GET", "/api/v1/agents"], ["GET", "/api/v1/agents/default:author"]]);
        let statuses = |answers: Vec<(u64, Value)>| answers.into_iter().map(|(status, _)| status).collect::<Vec<_>>();
        assert_eq!(statuses(deputed(&owner, &function, calls.clone()).await), [200, 200]);
        let path = format!("/api/v1/agents/{}", author.id);
        owner.patch(&path, json!({ "permissions": ["functions:write:own"] })).await.ok(200);
        assert_eq!(statuses(deputed(&owner, &function, calls.clone()).await), [403, 403]);
        owner.patch(&path, json!({ "permissions": ["agents:read:own"] })).await.ok(200);
        let own_only = deputed(&owner, &function, calls).await;
        let names: Vec<&Value> = own_only[0].1["items"].as_array().unwrap().iter().map(|one| &one["name"]).collect();
        assert_eq!(names, ["author"], "lists are narrowed as single reads are");
        owner.post(&format!("{path}/suspend"), json!({})).await.ok(200);
        let ran = run(&owner, &function, json!({ "calls": [] })).await;
        assert_eq!((&ran["status"], &ran["error"]["kind"]), (&json!("failed"), &json!("authority_lost")), "{ran:#}");
        // Taken over by somebody who stands, it works again.
        let version = json!({ "code": DEPUTY });
        owner.post(&format!("{FUNCTIONS}/{function}/versions"), version).await.ok(201);
        let taken_over = deputed(&owner, &function, json!([["GET", "/api/v1/agents"]])).await;
        assert_eq!(taken_over[0].0, 200, "{taken_over:#?}");
        server.finish().await;
    }

    /// Otherwise whoever holds a session that is not fresh would write a function that needs no confirmation.
    async fn a_run_confirms_nothing(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        owner.post("/api/v1/agents", json!({ "name": "victim" })).await.ok(201);
        let function = made(&owner, written(json!(["agents:update", "tokens:rotate_keys", "agents:read"]))).await;
        let calls = json!([
            ["POST", "/api/v1/agents/default:victim/kill", {}],
            ["POST", "/api/v1/signing-keys/rotate", {}],
        ]);
        for (status, body) in deputed(&owner, &function, calls).await {
            assert_eq!((status, &body["code"]), (403, &json!("step_up_required")), "{body:#}");
        }
        assert_eq!(owner.get("/api/v1/agents/default:victim").await.ok(200)["status"], "active");
        server.finish().await;
    }

    /// Code that writes code would have its caller answer for it, and credentials outlive every run.
    async fn a_run_leaves_no_code_no_credential_and_no_session_behind(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let agent = server.agent(&owner, "worker", &[]).await;
        let permissions = json!(["functions:create", "functions:update", "credentials:create", "credentials:update"]);
        let function = made(&owner, written(permissions)).await;
        let me = owner.get("/api/v1/auth/me").await.ok(200);
        let session = format!("/api/v1/auth/sessions/{}", me["session"]["id"].as_str().unwrap());
        let credentials = format!("/api/v1/agents/{}/credentials", agent.id);
        let calls = json!([
            ["POST", FUNCTIONS, { "name": "worm", "code": DEPUTY }],
            ["POST", format!("{FUNCTIONS}/{function}/versions"), { "code": DEPUTY }],
            ["POST", credentials, { "kind": "secret", "label": "kept" }],
            ["POST", format!("{credentials}/{}/rotate", agent.credential), {}],
            ["GET", "/api/v1/auth/sessions"],
            ["DELETE", session],
        ]);
        let answers = deputed(&owner, &function, calls).await;
        for (status, body) in &answers {
            assert_eq!((*status, &body["code"]), (403, &json!("permission_denied")), "{body:#}");
        }
        assert_eq!(answers.len(), 6);
        owner.get("/api/v1/auth/me").await.ok(200);
        let tamper = server.database.tamper().await;
        assert_eq!(tamper.number("SELECT count(*) FROM function_versions").await, 1);
        assert_eq!(tamper.number("SELECT count(*) FROM credentials").await, 1);
        server.finish().await;
    }
}
