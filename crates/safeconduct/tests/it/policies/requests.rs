//! Policies in the way of requests: what they refuse, who hears of it, and what they cannot do.

use serde_json::{Value, json};
use web::Access;

use super::in_force;
use crate::support::{Caller, TestServer};

async fn facts(server: &TestServer, owner: &Caller, kind: &str) -> Vec<Value> {
    server.house().ledger.drain().await.expect("the ledger drains");
    let list = owner.get(&format!("/api/v1/audit/events?kind={kind}")).await.ok(200);
    let mut facts = Vec::new();
    for item in list["items"].as_array().expect("items") {
        facts.push(
            owner.get(&format!("/api/v1/audit/events/{}", item["id"].as_str().expect("an id"))).await.ok(200),
        );
    }
    facts
}

testing::on_both_databases! {
    async fn a_denial_names_its_reasons_changes_nothing_and_is_a_fact(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        for (namespace, name) in [("prod", "one"), ("lab", "two")] {
            owner.post("/api/v1/agents", json!({ "namespace": namespace, "name": name })).await.ok(201);
        }
        let policy = in_force(&owner, r#"
            package safeconduct.agents
            deny contains "production agents stay" if { input.operation == "agents.kill"; input.resource.namespace == "prod" }
            deny contains sprintf("not by %s", [input.principal.kind]) if { input.operation == "agents.kill"; input.resource.env == "development"; input.resource.name == "one" }
        "#).await;
        let refused = owner.post("/api/v1/agents/prod:one/kill", json!({})).await.refused(403, "policy_denied");
        assert_eq!(refused["reasons"], json!(["not by user", "production agents stay"]));
        assert_eq!(owner.get("/api/v1/agents/prod:one").await.ok(200)["status"], "active");
        owner.post("/api/v1/agents/lab:two/kill", json!({})).await.ok(200);
        let facts = facts(&server, &owner, "decision.denied").await;
        assert_eq!(facts.len(), 1);
        assert_eq!(facts[0]["outcome"], "denied");
        let text = facts[0].to_string();
        for part in ["agents.kill", "production agents stay", &policy] {
            assert!(text.contains(part), "{part} in {text}");
        }
        server.finish().await;
    }

    /// What a policy is asked about is what will run: as the schema reads it, and whichever way it is asked for.
    async fn arguments_are_judged_as_they_will_be_read(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let schema = json!({ "type": "object", "properties": { "force": { "type": "boolean" } } });
        let body = json!({
            "namespace": "ops", "name": "acts", "code": "def handler(input, context):\n    return input\n", "input_schema": schema,
        });
        let function = owner.post("/api/v1/functions", body).await.ok(201);
        let path = format!("/api/v1/functions/{}/execute", function["id"].as_str().unwrap());
        let before = owner.post(&path, json!({ "input": { "force": true } })).await.ok(200);
        in_force(&owner, "package safeconduct.functions\ndeny contains \"not by force\" if input.arguments.force == true").await;
        for force in [json!(true), json!("true")] {
            owner.post(&path, json!({ "input": { "force": force } })).await.refused(403, "policy_denied");
        }
        let replay = format!("/api/v1/runs/{}/replay", before["id"].as_str().unwrap());
        owner.post(&replay, json!({})).await.refused(403, "policy_denied");
        owner.post(&path, json!({ "input": { "force": "false" } })).await.ok(200);
        server.finish().await;
    }

    /// Every way to an entry asks about the entry.
    async fn entries_are_judged_by_what_they_are_in_batches_and_lists_as_well(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        owner.post("/api/v1/state", json!({ "name": "notes" })).await.ok(201);
        let entries = "/api/v1/state/notes/entries";
        for (key, tags) in [("held", json!(["hold"])), ("free", json!([]))] {
            owner.put(&format!("{entries}/{key}"), json!({ "value": "words", "tags": tags })).await.ok(200);
        }
        in_force(&owner, r#"
            package safeconduct.state
            deny contains "held" if { input.action in {"state:delete", "state:read"}; "hold" in input.resource.tags }
        "#).await;
        owner.get(&format!("{entries}/held")).await.refused(403, "policy_denied");
        owner.delete(&format!("{entries}/held")).await.refused(403, "policy_denied");
        let batch = |key: &str| json!({ "operations": [{ "op": "delete", "key": key }] });
        owner.post("/api/v1/state/notes/batch", batch("held")).await.refused(403, "policy_denied");
        let list = owner.get(&format!("{entries}?values=true")).await.ok(200);
        let shown: Vec<bool> = list["items"].as_array().unwrap().iter().map(|item| item.get("value").is_some()).collect();
        assert_eq!(shown, [true, false], "{list:#}");
        let patched = owner.patch(&format!("{entries}/held"), json!({})).await.ok(200);
        assert_eq!(patched.get("value"), None);
        owner.post("/api/v1/state/notes/batch", batch("free")).await.ok(200);
        server.finish().await;
    }

    async fn approval_is_asked_for_by_name(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        owner.post("/api/v1/agents", json!({ "name": "one" })).await.ok(201);
        in_force(&owner, r#"
            package safeconduct.agents
            require_approval contains approver if { input.operation == "agents.kill"; some approver in ["on-call", "security"] }
        "#).await;
        let refused = owner.post("/api/v1/agents/default:one/kill", json!({})).await.refused(403, "approval_required");
        assert_eq!(refused["approvers"], json!(["on-call", "security"]));
        assert_eq!(facts(&server, &owner, "decision.approval_required").await.len(), 1);
        server.finish().await;
    }

    async fn a_policy_that_cannot_decide_refuses_and_says_so(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        in_force(&owner, r#"
            package safeconduct.functions
            deny contains "slow" if count([1 | some i in numbers.range(1, 9000); some j in numbers.range(1, 9000); i == j]) < 0
        "#).await;
        let refused = owner.get("/api/v1/functions").await.refused(403, "policy_failed");
        assert!(!refused.to_string().contains("instructions"), "the cause is for who keeps the policy: {refused}");
        owner.get("/api/v1/agents").await.ok(200);
        assert_eq!(facts(&server, &owner, "decision.failed").await.len(), 1);
        server.finish().await;
    }

    async fn nobody_is_locked_out_of_mending(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let id = in_force(&owner, "package safeconduct\ndeny contains \"closed\" if true").await;
        owner.get("/api/v1/agents").await.refused(403, "policy_denied");
        owner.get("/api/v1/policies").await.ok(200);
        owner.post(&format!("/api/v1/policies/{id}/deactivate"), json!({})).await.ok(200);
        owner.get("/api/v1/agents").await.ok(200);
        server.finish().await;
    }

    async fn rules_know_who_asks_and_what_for(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let agent = server.agent(&owner, "asker", &["agents:read:all", "functions:read:all"]).await;
        let asker = server.as_agent(&agent).await;
        in_force(&owner, r#"
            package safeconduct.agents
            deny contains json.marshal({
                "kind": input.principal.kind, "name": input.principal.name, "env": input.principal.env,
                "scopes": count(input.token.scopes), "young": input.token.age_seconds < 60, "action": input.action,
                "chain": input.chain, "ip": input.context.ip, "server": input.context.env,
                "hour": is_number(input.context.time.hour), "known": input.resource.known, "own": input.resource.own,
                "tags": input.resource.tags,
            }) if { input.principal.kind == "agent"; input.resource.known }
        "#).await;
        let refused = asker.get("/api/v1/agents/default:asker").await.refused(403, "policy_denied");
        let seen: Value = serde_json::from_str(refused["reasons"][0].as_str().unwrap()).unwrap();
        assert_eq!(seen, json!({
            "kind": "agent", "name": "asker", "env": "development", "scopes": 2, "young": true, "action": "agents:read",
            "chain": [], "ip": "127.0.0.1", "server": "development", "hour": true, "known": true, "own": true, "tags": [],
        }));
        owner.get("/api/v1/agents/default:asker").await.ok(200);
        server.finish().await;
    }

    async fn what_a_function_is_given_can_be_refused(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let code = "def handler(input, context):\n    return input\n";
        owner.post("/api/v1/functions", json!({ "namespace": "ops", "name": "echo", "code": code })).await.ok(201);
        in_force(&owner, r#"
            package safeconduct.functions
            deny contains "too much" if { input.operation == "functions.execute"; input.arguments.amount > 100 }
        "#).await;
        let run = |amount: i64| json!({ "input": { "amount": amount } });
        owner.post("/api/v1/functions/ops:echo/execute", run(500)).await.refused(403, "policy_denied");
        assert_eq!(owner.get("/api/v1/runs").await.ok(200)["items"], json!([]));
        owner.post("/api/v1/functions/ops:echo/execute", run(50)).await.ok(200);
        server.finish().await;
    }

    /// A policy that denies everything refuses every operation but those that mend it – whatever its path.
    async fn no_operation_goes_around_the_policy(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let (owner, by_token) = (server.owner().await, server.owner_tokens().await.1);
        in_force(&owner, "package safeconduct\ndeny contains \"closed\" if true").await;
        let routes = safeconduct::routes(server.house());
        let mut tried = 0;
        for spec in routes.specs() {
            let spared = spec.required().is_some_and(|required| required.resource.to_string() == "policies");
            if spec.access == Access::Open || spared {
                continue;
            }
            let path = spec.path.replace("{*path}", "0/000");
            let path = path.split('/').map(|part| if part.starts_with('{') { "x" } else { part }).collect::<Vec<_>>().join("/");
            let method = reqwest::Method::from_bytes(spec.method.name().as_bytes()).unwrap();
            let scim = path.starts_with("/scim/");
            let caller = if scim || path.starts_with("/access/") { &by_token } else { &owner };
            let answer = caller.send(method, &path, spec.method.writes().then(|| "{}".to_owned())).await;
            // Acts that need a right which even an owner lacks are refused before.
            let said = answer.json();
            let scim_code = |code: &str| {
                scim && said["status"] == "403" && said["detail"].as_str().is_some_and(|detail| detail.contains(code))
            };
            if said["code"] == "permission_denied" || scim_code("(permission_denied)") {
                continue;
            }
            if !scim_code("(policy_denied)") {
                answer.refused(403, "policy_denied");
            }
            tried += 1;
        }
        assert!(tried > 40, "{tried}");
        server.finish().await;
    }
}
