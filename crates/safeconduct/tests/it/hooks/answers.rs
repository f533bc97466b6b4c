//! What senders are answered: results, mapped or not, later, or why there is none – and nothing of it as us.

use serde_json::{Value, json};

use super::{hook, runs, send};
use crate::functions::{ended, function};
use crate::support::{Caller, TestServer};

/// A hook at the function's own name.
async fn answering(owner: &Caller, name: &str, returns: &str, response: &str) -> Value {
    function(owner, name, &format!("def handler(input, context):\n    {returns}\n")).await;
    let target = json!({ "function": format!("ops:{name}") });
    hook(owner, json!({ "path": name, "target": target, "response": response })).await
}

testing::on_both_databases! {
    async fn a_result_is_answered_as_it_is_or_as_it_says(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let plain = answering(&owner, "plain", "return {'status': 418, 'n': 1}", "sync").await;
        let answer = send(&server, &plain, json!({})).await;
        assert_eq!((answer.ok(200), answer.header("content-type")), (json!({ "status": 418, "n": 1 }), "application/json"));
        let mapped = "return {'status': 201, 'headers': {'ETag': '\"x\"', 'Content-Type': 'text/plain'}, 'body': input.get('challenge')}";
        let mapped = answering(&owner, "mapped", mapped, "mapped").await;
        let answer = send(&server, &mapped, json!({ "challenge": "abc" })).await;
        assert_eq!((answer.status.as_u16(), answer.text.as_str(), answer.header("etag")), (201, "abc", "\"x\""));
        let later = answering(&owner, "later", "return 1", "async").await;
        let answer = send(&server, &later, json!({})).await.ok(202);
        let run = ended(&owner, answer["run"].as_str().unwrap()).await;
        assert_eq!((&run["status"], &run["trigger"]), (&json!("succeeded"), &json!("webhook")));
        server.finish().await;
    }

    async fn a_function_that_fails_is_a_bad_gateway_without_its_affairs(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        for (name, code, response) in [
            ("raises", "raise ValueError('swordfish')", "sync"),
            ("unfit", "return {'status': 'swordfish'}", "mapped"),
            ("splits", "return {'headers': {'X-A': 'swordfish\\r\\nSet-Cookie: a=b'}}", "mapped"),
            ("huge", "return 'swordfish' * (1 << 18)", "sync"),
        ] {
            let made = answering(&owner, name, code, response).await;
            let answer = send(&server, &made, json!({})).await;
            let problem = answer.refused(502, "hook_failed");
            assert!(!answer.text.contains("swordfish") && !answer.text.contains("Traceback"), "{}", answer.text);
            let run = owner.get(&format!("/api/v1/runs/{}", problem["run"].as_str().unwrap())).await.ok(200);
            assert_eq!(run["trigger_id"], made["id"]);
        }
        assert_eq!(runs(&server).await, 4);
        server.finish().await;
    }

    async fn nothing_that_a_function_answers_acts_as_us(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let page = "return {'headers': {'Content-Type': 'text/html', 'Set-Cookie': 'safeconduct_dev=x', \
                    'Access-Control-Allow-Origin': '*', 'Content-Security-Policy': 'script-src *', 'Service-Worker-Allowed': '/', \
                    'Clear-Site-Data': '\"*\"', 'Location': '/console', 'Safeconduct-Run': 'run_x', 'WWW-Authenticate': 'Basic'}, \
                    'body': '<script>fetch(\"/api/v1/auth/me\")</script>'}";
        let made = answering(&owner, "page", page, "mapped").await;
        let answer = send(&server, &made, json!({})).await;
        assert_eq!(answer.status.as_u16(), 200);
        for gone in
            ["set-cookie", "access-control-allow-origin", "service-worker-allowed", "clear-site-data", "location", "www-authenticate"]
        {
            assert!(!answer.headers.contains_key(gone), "{gone}");
        }
        assert!(answer.header("content-security-policy").starts_with("sandbox;"), "{:?}", answer.headers);
        assert_eq!((answer.header("content-disposition"), answer.header("x-content-type-options")), ("attachment", "nosniff"));
        assert_ne!(answer.header("safeconduct-run"), "run_x");
        server.finish().await;
    }
}
