//! Simulation, and what would have been decided otherwise.

use serde_json::json;

use super::{bundle, in_force};
use crate::support::TestServer;

const DRAFT: &str = "package safeconduct.agents\n\ndeny contains \"production stays\" if input.resource.namespace == \"prod\"\n\n\
                     deny contains \"never at night\" if input.context.time.hour < 6\n";

testing::on_both_databases! {
    async fn a_simulation_names_the_rules_that_spoke_and_does_nothing(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let agent = server.agent(&owner, "asker", &["agents:read:all"]).await;
        let ask = |extra: serde_json::Value| {
            let mut question = json!({
                "principal": agent.id, "permission": "agents:read", "resource": { "selector": "prod/billing" },
                "context": { "time": { "hour": 12 } }, "bundle": bundle(DRAFT),
            });
            for (name, value) in extra.as_object().unwrap() {
                question[name] = value.clone();
            }
            question
        };
        let answer = owner.post("/api/v1/policies/simulate", ask(json!({}))).await.ok(200);
        assert_eq!((&answer["allowed"], &answer["permitted"], &answer["outcome"]), (&json!(false), &json!(true), &json!("denied")));
        assert_eq!(answer["rules"], json!([{
            "package": "safeconduct.agents", "rule": "deny", "path": "rules.rego", "line": 3, "says": ["production stays"],
        }]));
        assert_eq!(answer["input"]["principal"]["name"], "asker");
        let night = ask(json!({ "resource": { "selector": "lab/x" }, "context": { "time": { "hour": 3 } } }));
        let answer = owner.post("/api/v1/policies/simulate", night).await.ok(200);
        assert_eq!(answer["rules"][0]["line"], 5);
        let allowed = owner.post("/api/v1/policies/simulate", ask(json!({ "resource": { "selector": "lab/x" } }))).await.ok(200);
        assert_eq!(allowed["allowed"], true);
        let more = owner.post("/api/v1/policies/simulate", ask(json!({ "permission": "agents:delete", "resource": { "selector": "lab/x" } }))).await.ok(200);
        assert_eq!((&more["allowed"], &more["permitted"]), (&json!(false), &json!(false)));
        // What is in force, and a version by name.
        let version = in_force(&owner, "package safeconduct.agents\nrequire_approval contains \"on-call\" if input.action == \"agents:delete\"").await;
        for policy in [None, Some(&version)] {
            let mut question = json!({ "permission": "agents:delete", "resource": { "selector": "lab/x" } });
            if let Some(policy) = policy {
                question["policy"] = json!(policy);
            }
            let answer = owner.post("/api/v1/policies/simulate", question).await.ok(200);
            assert_eq!(answer["outcome"], "approval_required");
            assert_eq!(answer["approvers"], json!(["on-call"]));
        }
        owner.post("/api/v1/policies/simulate", ask(json!({ "policy": version }))).await.refused(422, "validation_failed");
        owner.post("/api/v1/policies/simulate", ask(json!({ "principal": "nobody" }))).await.refused(422, "validation_failed");
        owner.post("/api/v1/policies/simulate", ask(json!({ "bundle": bundle("package x") }))).await.refused(422, "invalid_policy");
        server.house().ledger.drain().await.unwrap();
        let denied = owner.get("/api/v1/audit/events?kind=decision.denied").await.ok(200);
        assert_eq!(denied["items"], json!([]), "nothing was decided");
        server.finish().await;
    }

    async fn recorded_decisions_are_put_to_a_draft(database: TestDatabase) {
        let server = TestServer::start_with(database, &[("decisions.record", "full")]).await;
        let owner = server.owner().await;
        let strange = server.stranger().await;
        in_force(&owner, "package safeconduct.agents\ndeny contains \"no kills\" if { input.operation == \"agents.kill\"; input.resource.known }").await;
        for namespace in ["prod", "lab"] {
            owner.post("/api/v1/agents", json!({ "namespace": namespace, "name": "one" })).await.ok(201);
            owner.get(&format!("/api/v1/agents/{namespace}:one")).await.ok(200);
        }
        owner.post("/api/v1/agents/lab:one/kill", json!({})).await.refused(403, "policy_denied");
        let question = json!({ "days": 7, "bundle": bundle("package safeconduct.agents\ndeny contains \"hidden\" if { input.operation == \"agents.get\"; input.resource.namespace == \"prod\" }") });
        let answer = owner.post("/api/v1/policies/what-if", question.clone()).await.ok(200);
        assert_eq!(answer["changed"], 2, "{answer:#}");
        let items = answer["items"].as_array().unwrap().iter();
        let mut told: Vec<String> = items
            .map(|item| ["operation", "object", "before", "after", "reasons_after"].map(|name| item[name].to_string()).join(" "))
            .collect();
        told.sort();
        assert_eq!(told, [
            "\"agents.get\" \"prod/one\" \"allowed\" \"denied\" [\"hidden\"]",
            "\"agents.kill\" \"lab/one\" \"denied\" \"allowed\" []",
        ]);
        assert!(answer["examined"].as_u64().unwrap() >= 6, "{answer:#}");
        // What is in force changes nothing; another organization has other decisions; what is old is not examined.
        let same = json!({ "bundle": bundle("package safeconduct.agents\ndeny contains \"no kills\" if { input.operation == \"agents.kill\"; input.resource.known }") });
        assert_eq!(owner.post("/api/v1/policies/what-if", same).await.ok(200)["changed"], 0);
        assert_eq!(strange.post("/api/v1/policies/what-if", question.clone()).await.ok(200)["examined"], 0);
        owner.post("/api/v1/policies/what-if", json!({})).await.refused(422, "validation_failed");
        let limited = json!({ "limit": 2, "bundle": question["bundle"] });
        let answer = owner.post("/api/v1/policies/what-if", limited).await.ok(200);
        assert_eq!((&answer["examined"], &answer["more"]), (&json!(2), &json!(true)));
        server.clock.advance(std::time::Duration::from_secs(31 * 24 * 3600));
        server.house().policies.sweep().await;
        let rows = server.database.tamper().await.number("SELECT count(*) FROM decisions").await;
        assert_eq!(rows, 0, "kept for 30 days");
        server.finish().await;
    }

    async fn questions_are_kept_sealed(database: TestDatabase) {
        let server = TestServer::start_with(database, &[("decisions.record", "full")]).await;
        let owner = server.owner().await;
        in_force(&owner, "package safeconduct.functions\ndeny contains \"never\" if input.operation == \"nothing\"").await;
        let code = "def handler(input, context):\n    return 1\n";
        owner.post("/api/v1/functions", json!({ "name": "f", "code": code })).await.ok(201);
        owner.post("/api/v1/functions/default:f/execute", json!({ "input": { "word": "conspicuous" } })).await.ok(200);
        server.house().policies.flush().await;
        let tamper = server.database.tamper().await;
        assert!(tamper.number("SELECT count(*) FROM decisions WHERE operation = 'functions.execute'").await >= 2);
        let questions = tamper.rows("SELECT question FROM decisions").await;
        assert!(!format!("{questions:?}").contains("conspicuous"));
        server.finish().await;
    }
}
