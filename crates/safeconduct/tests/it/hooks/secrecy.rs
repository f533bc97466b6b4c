//! A secret stands in the answer that shows it, and nowhere else.

use serde_json::json;

use super::{HOOKS, SECRET, echo_hook, github, hex, hook, id, knock, path, send_signed, wanted};
use crate::people::erasure::tables_of_organizations;
use crate::support::TestServer;

testing::on_both_databases! {
    async fn secrets_and_bodies_are_sealed_wherever_they_stand(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let made = echo_hook(&owner, github()).await;
        let other = json!({ "path": "other", "authentication": { "kind": "basic", "username": "me" }, "secret": "swordfish-swordfish" });
        let once = owner.with("idempotency-key", "one");
        let other = once.post(HOOKS, wanted(other.clone())).await.ok(201);
        let again = json!({ "path": "other", "authentication": { "kind": "basic", "username": "me" }, "secret": "swordfish-swordfish" });
        once.post(HOOKS, wanted(again)).await.refused(409, "already_created");
        let generated = hook(&owner, json!({ "path": "more", "authentication": { "kind": "hmac", "preset": "standard_webhooks" } })).await;
        let generated = generated["secret"].as_str().unwrap().to_owned();
        assert!(generated.starts_with("whsec_"));
        let rotated = owner.post(&format!("{HOOKS}/{}/rotate", id(&other)), json!({})).await.ok(200);
        let rotated = rotated["secret"].as_str().unwrap().to_owned();
        send_signed(&server, &made, "{\"pin\": \"tangerine\"}").await.ok(200);
        knock(&server, reqwest::Method::POST, &path(&made), &[("x-hub-signature-256", "sha256=00")], "\"submarine\"").await.refused(401, "hook_unauthenticated");
        server.house().ledger.drain().await.unwrap();
        let secrets = [SECRET, "swordfish", generated.as_str(), &rotated, "tangerine", "submarine"];
        for page in [HOOKS.to_owned(), format!("{HOOKS}/{}", id(&other)), "/api/v1/audit/events".to_owned()] {
            let answer = owner.get(&page).await;
            answer.ok(200);
            for secret in secrets {
                assert!(!answer.text.contains(secret), "{page} shows {secret}");
            }
        }
        let tamper = server.database.tamper().await;
        let tables = tables_of_organizations(&tamper).await;
        assert!(tables.iter().any(|table| table == "hooks"));
        for table in tables {
            for row in tamper.rows(&format!("SELECT * FROM {table}")).await {
                for cell in row.into_iter().flatten() {
                    for secret in secrets {
                        let hexed = hex(secret.as_bytes());
                        assert!(!cell.contains(secret) && !cell.contains(&hexed), "{table} holds {secret}");
                    }
                }
            }
        }
        server.finish().await;
    }
}
