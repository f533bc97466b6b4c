//! Who may see, change and use which secret.

use serde_json::json;

use super::{SECRETS, secret};
use crate::functions::FUNCTIONS;
use crate::state::somebody;
use crate::support::TestServer;

fn names_it(name: &str) -> serde_json::Value {
    let code = "def handler(input, context):\n    return 1\n";
    json!({ "namespace": "ops", "name": name, "code": code, "secrets": ["DEPLOY_KEY"] })
}

testing::on_both_databases! {
    async fn using_is_a_right_of_its_own_by_name(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        secret(&owner, "DEPLOY_KEY", "a-long-value", json!([])).await;
        secret(&owner, "OTHER", "a-long-value", json!([])).await;
        let writer = ["functions:create:all", "functions:read:all"];
        // What they may not see is not told apart from what is not there.
        let (_, nobody) = somebody(&server, &writer).await;
        let unseen = nobody.post(FUNCTIONS, names_it("f1")).await.refused(422, "validation_failed");
        let missing = json!({ "namespace": "ops", "name": "f2", "code": "def handler(i, c): pass", "secrets": ["NOPE"] });
        let missing = nobody.post(FUNCTIONS, missing).await.refused(422, "validation_failed");
        let reason = |refused: &serde_json::Value| refused["errors"][0]["reason"].as_str().unwrap().to_owned();
        assert_eq!(reason(&unseen).replace("DEPLOY_KEY", "NOPE"), reason(&missing));
        // Seeing it is not using it.
        let (_, reader) = somebody(&server, &[&writer[..], &["secrets:read:all"]].concat()).await;
        reader.post(FUNCTIONS, names_it("f3")).await.refused(403, "permission_denied");
        // Using this one is not using another, nor seeing it.
        let (_, user) = somebody(&server, &[&writer[..], &["secrets/DEPLOY_KEY:use:all"]].concat()).await;
        user.post(FUNCTIONS, names_it("f4")).await.ok(201);
        let other = json!({ "namespace": "ops", "name": "f5", "code": "def handler(i, c): pass", "secrets": ["OTHER"] });
        user.post(FUNCTIONS, other).await.refused(422, "validation_failed");
        user.get(&format!("{SECRETS}/DEPLOY_KEY")).await.refused(403, "permission_denied");
        server.finish().await;
    }

    async fn one_organizations_secrets_are_nothing_to_another(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let (owner, stranger) = (server.owner().await, server.stranger().await);
        let kept = secret(&owner, "DEPLOY_KEY", "a-long-value", json!([])).await;
        for of in ["DEPLOY_KEY", kept["id"].as_str().unwrap()] {
            let path = format!("{SECRETS}/{of}");
            stranger.get(&path).await.refused(404, "not_found");
            stranger.put(&path, json!({ "value": "mine now" })).await.refused(404, "not_found");
            stranger.delete(&path).await.refused(404, "not_found");
        }
        assert_eq!(stranger.get(SECRETS).await.ok(200)["items"], json!([]));
        stranger.post(FUNCTIONS, names_it("f")).await.refused(422, "validation_failed");
        // The same name is another secret there.
        secret(&stranger, "DEPLOY_KEY", "another value", json!([])).await;
        assert_eq!(owner.get(&format!("{SECRETS}/DEPLOY_KEY")).await.ok(200)["version"], 1);
        server.finish().await;
    }

    async fn own_means_own(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        secret(&owner, "THEIRS", "a-long-value", json!([])).await;
        let (_, ada) = somebody(&server, &["secrets:*:own", "functions:create:all"]).await;
        secret(&ada, "DEPLOY_KEY", "a-long-value", json!([])).await;
        let seen = ada.get(SECRETS).await.ok(200);
        assert_eq!(seen["items"].as_array().unwrap().len(), 1, "{seen:#}");
        ada.get(&format!("{SECRETS}/THEIRS")).await.refused(404, "not_found");
        ada.post(FUNCTIONS, names_it("f")).await.ok(201);
        ada.put(&format!("{SECRETS}/DEPLOY_KEY"), json!({ "value": "more" })).await.ok(200);
        server.finish().await;
    }
}
