//! The operator's rules: from files, for every organization, read anew when they change.

use policies::Reloaded;
use serde_json::json;
use testing::TestDatabase;

use crate::support::TestServer;

#[tokio::test]
async fn files_hold_for_everybody_and_broken_ones_replace_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let put = |text: &str| std::fs::write(directory.path().join("rules.rego"), text).unwrap();
    put("package safeconduct\ndeny contains \"no kills here\" if input.operation == \"agents.kill\"");
    let place = directory.path().display().to_string();
    let server = TestServer::start_with(TestDatabase::sqlite(), &[("policies.directory", &place)]).await;
    let (owner, stranger) = (server.owner().await, server.stranger().await);
    for caller in [&owner, &stranger] {
        caller.post("/api/v1/agents", json!({ "name": "one" })).await.ok(201);
        let refused =
            caller.post("/api/v1/agents/default:one/kill", json!({})).await.refused(403, "policy_denied");
        assert_eq!(refused["reasons"], json!(["no kills here"]));
    }
    let policies = &server.house().policies;
    assert_eq!(policies.reload_files(true), Reloaded::Changed);
    put("package safeconduct\ndeny contains \"no ki");
    assert_eq!(policies.reload_files(true), Reloaded::Refused);
    owner.post("/api/v1/agents/default:one/kill", json!({})).await.refused(403, "policy_denied");
    put("package safeconduct\ndeny contains \"no reads\" if input.operation == \"agents.list\"");
    assert_eq!(policies.reload_files(true), Reloaded::Changed);
    owner.post("/api/v1/agents/default:one/kill", json!({})).await.ok(200);
    owner.get("/api/v1/agents").await.refused(403, "policy_denied");
    server.finish().await;
}
