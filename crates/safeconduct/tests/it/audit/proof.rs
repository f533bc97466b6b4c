//! Proofs and verification; and what happens after somebody rewrote a row.

use serde_json::{Value, json};

use crate::support::TestServer;

fn bytes(value: &Value) -> [u8; 32] {
    let text = value.as_str().expect("hexadecimal");
    let mut bytes = [0; 32];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[at * 2..at * 2 + 2], 16).expect("hexadecimal");
    }
    bytes
}

testing::on_both_databases! {
    async fn a_fact_is_proven_by_its_own_bytes(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let agent = owner.post("/api/v1/agents", json!({ "name": "reporter" })).await.ok(201);
        server.house().ledger.drain().await.expect("the ledger drains");
        let target = agent["id"].as_str().expect("an id");
        let list = owner.get(&format!("/api/v1/audit/events?target={target}")).await.ok(200);
        let id = list["items"][0]["id"].as_str().expect("an id");
        let fact = owner.get(&format!("/api/v1/audit/events/{id}")).await.ok(200);
        let proof = &fact["proof"];
        let clear = proof["clear"].as_str().expect("the clear part");
        assert_eq!(crypto::hash::sha256(clear.as_bytes()), bytes(&proof["entry"]));
        let private = proof["private"].as_str().expect("the private part");
        let clear: Value = serde_json::from_str(clear).expect("JSON");
        assert_eq!(crypto::hash::sha256(private.as_bytes()), bytes(&clear["private_hash"]));
        assert!(private.contains("\"reporter\""), "{private}");

        let key: merkle::VerifierKey = proof["key"].as_str().expect("a key").parse().expect("a verifier key");
        let note = merkle::Note::parse(proof["checkpoint"].as_str().expect("a note")).expect("a signed note");
        let (checkpoint, _) = merkle::Checkpoint::open(&note, key.name(), &key).expect("the key's own signature");
        let path: Vec<[u8; 32]> = proof["path"].as_array().expect("hashes").iter().map(bytes).collect();
        let index = proof["seq"].as_u64().expect("an index");
        let leaf = merkle::leaf_hash(&bytes(&proof["entry"]));
        merkle::verify_inclusion(&leaf, index, checkpoint.size, &path, &checkpoint.root).expect("it stands in the log");
        assert_eq!(owner.get("/api/v1/audit/checkpoint").await.ok(200)["key"], proof["key"]);

        let growth = owner.get("/api/v1/audit/proof/consistency?first=1&second=2").await.ok(200);
        assert!(growth["path"].is_array());
        owner.get("/api/v1/audit/proof/consistency?first=2&second=1").await.refused(404, "not_found");
        owner.get("/api/v1/audit/proof/consistency?first=1&second=999999").await.refused(404, "not_found");
        owner.get("/api/v1/audit/tile/0/999").await.refused(404, "not_found");
        server.finish().await;
    }

    async fn a_rewritten_row_is_named(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        owner.post("/api/v1/agents", json!({ "name": "reporter" })).await.ok(201);
        server.house().ledger.drain().await.expect("the ledger drains");
        let whole = owner.get("/api/v1/audit/verify").await.ok(200);
        assert_eq!((&whole["verified"], &whole["broken_at_event_id"]), (&json!(true), &json!(null)));
        assert!(whole["checked_count"].as_u64().is_some_and(|count| count >= 3));

        let tamper = server.database.tamper().await;
        tamper.drop_triggers("facts").await;
        tamper.must("UPDATE facts SET outcome = 'denied' WHERE kind = 'agent.created'").await;
        let list = owner.get("/api/v1/audit/events?kind=agent.created").await.ok(200);
        let broken = owner.get("/api/v1/audit/verify").await.ok(200);
        assert_eq!(broken["verified"], false);
        assert_eq!(broken["broken_at_event_id"], list["items"][0]["id"], "{broken:#}");
        assert_eq!(owner.get("/api/v1/audit/verify-log").await.ok(200)["verified"], false);
        tamper.must("UPDATE facts SET outcome = 'success' WHERE kind = 'agent.created'").await;
        assert_eq!(owner.get("/api/v1/audit/verify").await.ok(200)["verified"], true);
        server.finish().await;
    }

    async fn lists_that_were_made_to_hide_are_found_and_mended(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        for name in ["reporter", "writer", "reader"] {
            owner.post("/api/v1/agents", json!({ "name": name })).await.ok(201);
        }
        server.house().ledger.drain().await.expect("the ledger drains");
        let tamper = server.database.tamper().await;
        let verify = || async { owner.get("/api/v1/audit/verify").await.ok(200) };
        let listed = || async { owner.get("/api/v1/audit/events?kind=agent.created").await.ok(200)["items"].clone() };
        let (before, mut rebuilt) = (listed().await, 0);
        assert_eq!(before.as_array().map(Vec::len), Some(3));
        assert_eq!(verify().await["verified"], true);
        for (hides, text) in [
            (true, "DELETE FROM audit_index WHERE kind = 'agent.created'"),
            (true, "UPDATE audit_index SET kind = 'agent.updated' WHERE kind = 'agent.created'"),
            (false, "UPDATE audit_index SET org_seq = org_seq + 100000 WHERE kind = 'agent.created'"),
            (false, "UPDATE audit_index SET outcome = 'denied' WHERE kind = 'agent.created'"),
            (false, "UPDATE audit_index SET jti = NULL, actor_id = NULL WHERE kind = 'agent.created'"),
            (false, "DELETE FROM audit_terms"),
        ] {
            tamper.must(text).await;
            assert_eq!(listed().await == before, !hides, "{text}");
            let found = verify().await;
            assert_eq!(found["verified"], false, "{text}");
            assert!(found["reason"].as_str().is_some_and(|reason| reason.contains("index")), "{found}");
            server.house().ledger.drain().await.expect("the ledger drains");
            assert_eq!(verify().await["verified"], true, "{text}");
            assert_eq!(listed().await, before, "{text}");
            rebuilt += 1;
            let facts = owner.get("/api/v1/audit/events?kind=audit.lists_rebuilt").await.ok(200);
            assert_eq!(facts["items"].as_array().map(Vec::len), Some(rebuilt), "{text}");
            let found_again = owner.get("/api/v1/audit/events?q=writer").await.ok(200);
            assert_ne!(found_again["items"], json!([]), "{text}");
        }
        server.finish().await;
    }
}

#[tokio::test]
async fn the_catalogue_names_every_kind_that_operations_declare() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    let catalogue = owner.get("/api/v1/events/catalogue").await.ok(200);
    let names: Vec<&str> = catalogue["items"]
        .as_array()
        .expect("items")
        .iter()
        .filter_map(|kind| kind["name"].as_str())
        .collect();
    for spec in safeconduct::routes(server.house()).specs() {
        for kind in spec.facts.iter().chain(spec.further_facts) {
            assert!(names.contains(&kind.name), "{} of {}", kind.name, spec.id);
        }
    }
    server.finish().await;
}

#[tokio::test]
async fn only_operators_check_the_whole_log() {
    let server = TestServer::sqlite().await;
    let (_, owner) = server.person(server.home().await, &["owner"]).await;
    let problem = owner.get("/api/v1/audit/verify-log").await.refused(403, "permission_denied");
    assert_eq!(problem["permission"], "system:audit");
    server.finish().await;
}
