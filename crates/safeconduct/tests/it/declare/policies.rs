//! The policy in force, in files.

use serde_json::json;

use super::{APPLY, DRIFT, EXPORT, apply, changes, document, facts, facts_of, lines, plan};
use crate::state::somebody;
use crate::support::TestServer;

const STAYS: &str = r#"policies:
  - description: Nobody is killed on a Friday
    modules:
      - path: agents.rego
        text: |
          package safeconduct.agents

          deny contains "it stays" if input.operation == "agents.kill"
    data: {weekday: friday}
"#;

testing::on_both_databases! {
    async fn a_policy_is_put_in_force_changed_and_taken_out(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        owner.post("/api/v1/agents", json!({ "name": "kept" })).await.ok(201);
        let text = document("acme", STAYS);
        assert_eq!(changes(&plan(&owner, &text).await), ["create policies/in-force"]);
        apply(&owner, &text).await.ok(200);
        assert_eq!(facts_of(&server, "policy.activated").await, 1);
        owner.post("/api/v1/agents/default:kept/kill", json!({})).await.refused(403, "policy_denied");
        assert_eq!(changes(&apply(&owner, &text).await.ok(200)), Vec::<String>::new());

        let exported = owner.get(EXPORT).await.ok(200);
        let exported = exported["document"].as_str().unwrap();
        assert_eq!(changes(&plan(&owner, exported).await), Vec::<String>::new(), "{exported}");

        let looser = text.replace("agents.kill", "agents.suspend");
        assert_eq!(changes(&apply(&owner, &looser).await.ok(200)), ["update policies/in-force"]);
        assert_eq!(owner.get("/api/v1/policies").await.ok(200)["items"].as_array().unwrap().len(), 2);
        owner.post("/api/v1/agents/default:kept/suspend", json!({})).await.refused(403, "policy_denied");

        // Taken out by hand, it is missed; then the file takes it out.
        let active = owner.get("/api/v1/policies").await.ok(200)["items"][0]["id"].as_str().unwrap().to_owned();
        owner.post(&format!("/api/v1/policies/{active}/deactivate"), json!({})).await.ok(200);
        let drift = owner.get(DRIFT).await.ok(200);
        assert!(drift.to_string().contains("in-force"), "{drift:#}");
        apply(&owner, &looser).await.ok(200);
        let pruned = json!({ "document": document("acme", "roles: []\n"), "prune": true });
        assert_eq!(changes(&owner.post(APPLY, pruned).await.ok(200)), ["delete policies/in-force"]);
        owner.post("/api/v1/agents/default:kept/suspend", json!({})).await.ok(200);
        server.finish().await;
    }

    async fn rules_that_do_not_compile_and_two_sets_of_them_are_refused(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let before = facts(&server).await;
        let broken = document("acme", &format!("roles:\n  - {{name: readers, permissions: []}}\n{}", STAYS.replace("if input", "fi input")));
        let refused = apply(&owner, &broken).await.refused(422, "invalid_policy");
        assert_eq!(lines(&refused["findings"])[0].1, "/spec/policies/0", "{refused:#}");
        let message = refused["findings"][0]["message"].as_str().unwrap();
        assert!(message.starts_with("in-force: agents.rego:3:"), "{refused:#}");
        let twice = format!("{STAYS}{}", STAYS.replace("policies:\n", ""));
        let refused = apply(&owner, &document("acme", &twice)).await.refused(422, "config_invalid");
        assert_eq!(lines(&refused["findings"])[0].1, "/spec/policies/1", "{refused:#}");
        assert_eq!((facts(&server).await, owner.get("/api/v1/roles/readers").await.status.as_u16()), (before, 404));
        server.finish().await;
    }

    /// Whoever applies must be allowed to put policies in force, and must not see those that they may not read.
    async fn policies_need_their_own_rights(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let text = document("acme", STAYS);
        for (held, permission) in [
            (&["policies:read"][..], "policies:create"),
            (&["policies:read", "policies:create"][..], "policies:update"),
        ] {
            let (_, caller) = somebody(&server, &[&["config:read", "config:update"][..], held].concat()).await;
            let refused = apply(&caller, &text).await.refused(403, "permission_denied");
            assert_eq!(refused["permission"], permission, "{refused:#}");
        }
        let (_, reader) = somebody(&server, &["config:read"]).await;
        apply(&server.owner().await, &text).await.ok(200);
        let exported = reader.get(EXPORT).await.ok(200).to_string();
        assert!(!exported.contains("it stays"), "{exported}");
        server.finish().await;
    }
}
