//! Keeping, showing, replacing, removing.

use serde_json::{Value, json};

use super::{SECRETS, secret};
use crate::functions::made;
use crate::support::TestServer;

const VALUE: &str = "tangerine-submarine-42";

testing::on_both_databases! {
    async fn a_secret_is_kept_sealed_and_no_answer_shows_it(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let kept = secret(&owner, "CRM_TOKEN", VALUE, json!(["api.crm.example", "*.crm.example"])).await;
        assert_eq!((&kept["version"], &kept["hosts"][1], &kept["vault"]), (&json!(1), &json!("*.crm.example"), &Value::Null));
        let path = format!("{SECRETS}/CRM_TOKEN");
        let replaced = owner.put(&path, json!({ "value": format!("{VALUE}-new") })).await.ok(200);
        assert_eq!((&replaced["version"], &replaced["hosts"]), (&json!(2), &kept["hosts"]), "hosts stay");
        owner.patch(&path, json!({ "description": "Of the test account." })).await.ok(200);
        for page in [SECRETS.to_owned(), path.clone(), format!("{SECRETS}?q=crm"), "/api/v1/audit/events".to_owned()] {
            let answer = owner.get(&page).await;
            answer.ok(200);
            assert!(!answer.text.contains("tangerine"), "{page}: {}", answer.text);
        }
        assert_eq!(owner.get(&format!("{SECRETS}?q=nothing")).await.ok(200)["items"], json!([]));
        let by_id = format!("{SECRETS}/{}", kept["id"].as_str().unwrap());
        assert_eq!(owner.get(&by_id).await.ok(200)["description"], "Of the test account.");
        let tamper = server.database.tamper().await;
        let row = crate::support::every_row(&tamper).await;
        assert!(!row.contains("tangerine"), "a value stands open in the database");
        owner.delete(&path).await.ok(200);
        owner.get(&path).await.refused(404, "not_found");
        server.house().ledger.drain().await.unwrap();
        for kind in ["secret.created", "secret.replaced", "secret.updated", "secret.deleted"] {
            let facts = owner.get(&format!("/api/v1/audit/events?kind={kind}")).await.ok(200);
            assert_eq!(facts["items"][0]["target"]["name"], "CRM_TOKEN", "{kind}: {facts:#}");
        }
        server.finish().await;
    }

    async fn what_a_live_version_names_does_not_go(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        secret(&owner, "USED", VALUE, json!([])).await;
        let code = "def handler(input, context):\n    return 1\n";
        let body = json!({ "namespace": "ops", "name": "uses", "code": code, "secrets": ["USED"] });
        let function = made(&owner, body).await;
        let path = format!("{SECRETS}/USED");
        let refused = owner.delete(&path).await.refused(409, "secret_in_use");
        assert_eq!(refused["used_by"], json!(["ops/uses"]));
        assert_eq!(owner.get(&path).await.ok(200)["used_by"], json!(["ops/uses"]));
        // A version without it lets it go; going back would need it again.
        let versions = format!("/api/v1/functions/{function}/versions");
        let first = owner.get(&versions).await.ok(200)["items"][0]["id"].as_str().unwrap().to_owned();
        owner.post(&versions, json!({ "secrets": [] })).await.ok(201);
        owner.delete(&path).await.ok(200);
        let back = owner.post(&format!("{versions}/{first}/live"), json!({})).await;
        assert_eq!(back.refused(422, "validation_failed")["errors"][0]["field"], "/secrets/0");
        secret(&owner, "USED", VALUE, json!([])).await;
        owner.post(&format!("{versions}/{first}/live"), json!({})).await.ok(200);
        owner.delete(&path).await.refused(409, "secret_in_use");
        owner.delete(&format!("/api/v1/functions/{function}")).await.ok(200);
        owner.delete(&path).await.ok(200);
        server.finish().await;
    }

    /// Either the version is published, and the secret stays, or the secret goes, and the version is refused.
    async fn a_secret_does_not_go_while_a_version_takes_it_into_use(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let code = "def handler(input, context):\n    return 1\n";
        for round in 0..8 {
            let name = format!("RACED_{round}");
            secret(&owner, &name, VALUE, json!([])).await;
            let path = format!("{SECRETS}/{name}");
            let body = json!({ "namespace": "ops", "name": format!("races_{round}"), "code": code, "secrets": [name] });
            let (made, gone) = tokio::join!(owner.post("/api/v1/functions", body), owner.delete(&path));
            let both = (made.status.as_u16(), gone.status.as_u16());
            assert!(matches!(both, (201, 409) | (422, 200)), "{both:?}: {} {}", made.text, gone.text);
        }
        server.finish().await;
    }
}

#[tokio::test]
async fn what_is_wrong_is_refused_and_named() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    for (body, field) in [
        (json!({ "name": "9X", "value": "v" }), "/name"),
        (json!({ "name": "a-b", "value": "v" }), "/name"),
        (json!({ "name": "A", "value": "" }), "/value"),
        (json!({ "name": "A" }), "/value"),
        (json!({ "name": "A", "value": "v", "hosts": ["a.example", "A.example"] }), "/hosts/1"),
        (json!({ "name": "A", "value": "v", "hosts": ["*.com"] }), "/hosts/0"),
        (json!({ "name": "A", "value": "v", "hosts": ["https://a.example"] }), "/hosts/0"),
        (json!({ "name": "A", "value": "short", "hosts": ["a.example"] }), "/value"),
        (json!({ "name": "A", "value": "v".repeat(70_000) }), "/value"),
        (json!({ "name": "A", "value": "v", "more": 1 }), "/more"),
        (json!({ "name": "A", "vault": { "mount": "secret", "path": "a", "key": "b" } }), "/vault"),
    ] {
        let refused = owner.post(SECRETS, body.clone()).await.refused(422, "validation_failed");
        assert_eq!(refused["errors"][0]["field"], field, "{body}: {refused:#}");
        assert!(!refused.to_string().contains("vvvv"), "the value is not said again");
        assert!(!refused.to_string().contains("\"v\""), "the value is not said again: {refused:#}");
    }
    secret(&owner, "A", "value", json!([])).await;
    owner.post(SECRETS, json!({ "name": "A", "value": "v" })).await.refused(409, "secret_exists");
    let path = format!("{SECRETS}/A");
    owner.patch(&path, json!({ "hosts": ["evil.example"] })).await.refused(422, "validation_failed");
    owner.put(&path, json!({ "hosts": ["evil.example"] })).await.refused(422, "validation_failed");
    owner.with("if-match", "\"9\"").put(&path, json!({ "value": "w" })).await.refused(412, "stale_revision");
    owner.put(&format!("{SECRETS}/NONE"), json!({ "value": "w" })).await.refused(404, "not_found");
    assert_eq!(owner.get(&path).await.ok(200)["version"], 1, "nothing was changed");
    server.finish().await;
}
