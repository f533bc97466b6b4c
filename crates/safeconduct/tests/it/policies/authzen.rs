//! AuthZEN 1.0 in its own form.

use serde_json::{Value, json};

use super::in_force;
use crate::support::{Caller, TestServer};

async fn decides(caller: &Caller, question: Value) -> bool {
    caller.post("/access/v1/evaluation", question).await.ok(200)["decision"].as_bool().expect("a decision")
}

testing::on_both_databases! {
    async fn evaluations_follow_permissions_and_policy(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let (owner, asker) = (server.owner().await, server.owner_tokens().await.1);
        let elsewhere = server.elsewhere().await;
        let (person, _) = server.person(elsewhere, &["owner"]).await;
        let stranger = server.by_token(elsewhere, &person).await;
        let agent = server.agent(&owner, "asker", &["agents:read:all", "functions/ops/*:execute:all", "runs:read:own"]).await;
        let ask = |action: &str, kind: &str, id: &str| json!({
            "subject": { "type": "agent", "id": agent.id }, "action": { "name": action },
            "resource": { "type": kind, "id": id }, "context": { "from": "a gateway" },
        });
        assert!(decides(&asker, ask("read", "agents", "prod/one")).await);
        assert!(decides(&asker, ask("agents:read", "agents", "prod/one")).await);
        assert!(decides(&asker, ask("execute", "functions", "ops/greet")).await);
        assert!(!decides(&asker, ask("execute", "functions", "lab/greet")).await);
        assert!(!decides(&asker, ask("delete", "agents", "prod/one")).await);
        assert!(!decides(&asker, ask("read", "nonsense", "x")).await);
        let mut own = ask("read", "runs", "run_1");
        assert!(!decides(&asker, own.clone()).await);
        own["resource"]["properties"] = json!({ "owner": agent.id });
        assert!(decides(&asker, own).await);
        // Another organization's subject is unknown.
        assert!(!decides(&stranger, ask("read", "agents", "prod/one")).await);
        in_force(&owner, r#"
            package safeconduct.agents
            deny contains "gateways see no production" if { input.context.from == "a gateway"; input.resource.namespace == "prod" }
        "#).await;
        let answer = asker.post("/access/v1/evaluation", ask("read", "agents", "prod/one")).await.ok(200);
        assert_eq!(answer, json!({ "decision": false, "context": { "reason": "policy_denied", "reasons": ["gateways see no production"] } }));
        assert!(decides(&asker, ask("read", "agents", "lab/one")).await);
        owner.post("/api/v1/agents/default:asker/suspend", json!({})).await.ok(200);
        assert!(!decides(&asker, ask("read", "agents", "lab/one")).await);
        server.finish().await;
    }

    async fn many_questions_share_what_they_leave_out(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let (owner, asker) = (server.owner().await, server.owner_tokens().await.1);
        let agent = server.agent(&owner, "asker", &["agents:read:all"]).await;
        let mut body = json!({
            "subject": { "type": "agent", "id": agent.id }, "resource": { "type": "agents", "id": "a/b" },
            "evaluations": [
                { "action": { "name": "delete" } }, { "action": { "name": "read" } }, {}, { "action": { "name": "read" }, "unknown": 1 },
            ],
        });
        let decisions = |answer: Value| -> Vec<bool> {
            answer["evaluations"].as_array().unwrap().iter().map(|one| one["decision"].as_bool().unwrap()).collect()
        };
        let answer = asker.post("/access/v1/evaluations", body.clone()).await.ok(200);
        assert_eq!(answer["evaluations"][2]["context"]["error"]["status"], 400);
        assert_eq!(decisions(answer), [false, true, false, true]);
        for (semantic, expected) in [("deny_on_first_deny", vec![false]), ("permit_on_first_permit", vec![false, true])] {
            body["options"] = json!({ "evaluations_semantic": semantic });
            assert_eq!(decisions(asker.post("/access/v1/evaluations", body.clone()).await.ok(200)), expected, "{semantic}");
        }
        let single = json!({ "subject": body["subject"], "resource": body["resource"], "action": { "name": "read" } });
        assert_eq!(asker.post("/access/v1/evaluations", single).await.ok(200), json!({ "decision": true }));
        server.finish().await;
    }

    async fn searches_find_what_would_be_allowed(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let (owner, stranger) = (server.owner().await, server.stranger().await);
        let asker = server.owner_tokens().await.1;
        let one = server.agent(&owner, "one", &["agents:read:all"]).await;
        server.agent(&owner, "two", &["functions:execute:all"]).await;
        server.agent(&stranger, "theirs", &["agents:read:all"]).await;
        let subject = json!({ "type": "agent", "id": one.id });
        let found = asker.post("/access/v1/search/subject", json!({
            "subject": { "type": "agent" }, "action": { "name": "read" }, "resource": { "type": "agents", "id": "default/two" },
        })).await.ok(200);
        assert_eq!(found["results"], json!([subject]));
        let search = json!({ "subject": subject, "action": { "name": "read" }, "resource": { "type": "agents" } });
        let found = asker.post("/access/v1/search/resource", search.clone()).await.ok(200);
        assert_eq!(found["results"], json!([{ "type": "agents", "id": "default/one" }, { "type": "agents", "id": "default/two" }]));
        let mut paged = search.clone();
        paged["page"] = json!({ "limit": 1 });
        let first = asker.post("/access/v1/search/resource", paged.clone()).await.ok(200);
        assert_eq!(first["results"].as_array().unwrap().len(), 1);
        paged["page"]["token"] = first["page"]["next_token"].clone();
        let second = asker.post("/access/v1/search/resource", paged).await.ok(200);
        assert_eq!(second["results"], json!([{ "type": "agents", "id": "default/two" }]));
        assert_eq!(second["page"]["next_token"], "");
        let actions = asker.post("/access/v1/search/action", json!({ "subject": subject, "resource": { "type": "agents", "id": "default/two" } })).await.ok(200);
        assert_eq!(actions["results"], json!([{ "name": "read" }]));
        server.finish().await;
    }

    async fn a_bad_question_is_a_bad_request(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let asker = server.owner_tokens().await.1;
        for body in [
            json!({}),
            json!({ "subject": { "type": "agent", "id": "x" } }),
            json!({ "subject": { "type": "agent" }, "action": { "name": "read" }, "resource": { "type": "agents", "id": "x" } }),
            json!({ "subject": "me", "action": { "name": "read" }, "resource": { "type": "agents", "id": "x" } }),
        ] {
            asker.post("/access/v1/evaluation", body).await.refused(400, "malformed_request");
        }
        asker.send(reqwest::Method::POST, "/access/v1/evaluation", Some("{".into())).await.refused(400, "malformed_json");
        server.anonymous().post("/access/v1/evaluation", json!({})).await.refused(401, "unauthenticated");
        let home = server.home().await;
        let (person, _) = server.person(home, &[]).await;
        let nobody = server.by_token(home, &person).await;
        nobody.post("/access/v1/evaluation", json!({})).await.refused(403, "permission_denied");
        server.finish().await;
    }
}

#[tokio::test]
async fn the_decision_point_describes_itself() {
    let server = TestServer::sqlite().await;
    let url = server.url();
    let document = server.anonymous().get("/.well-known/authzen-configuration").await.ok(200);
    assert_eq!(document["policy_decision_point"], url);
    for (name, path) in [
        ("access_evaluation_endpoint", "evaluation"),
        ("access_evaluations_endpoint", "evaluations"),
        ("search_subject_endpoint", "search/subject"),
        ("search_resource_endpoint", "search/resource"),
        ("search_action_endpoint", "search/action"),
    ] {
        assert_eq!(document[name], format!("{url}/access/v1/{path}"));
    }
    server.finish().await;
}
