//! What becomes of an organization after its grace: rows and facts gone, keys destroyed, leaves kept, the log still true.

use std::time::Duration;

use serde_json::json;
use testing::{Engine, Tamper};
use types::Id;

use crate::support::TestServer;

/// Tables with a column `org` whose rows outlive their organization, and why.
const KEPT: &[(&str, &str)] = &[
    ("leaves", "the log's order, as hashes"),
    ("authority_log", "what died, and when; ids only"),
    ("slugs", "so that a slug is never given out again"),
    ("purges", "one row, which names the fact that says why the others are gone"),
    ("blobs", "swept with their files when nobody refers to them"),
    ("facts", "erased by the ledger's own path"),
    ("audit_index", "erased by the ledger's own path"),
    ("audit_terms", "erased by the ledger's own path"),
    ("purge_permits", "empty outside a purge"),
];

pub(crate) async fn tables_of_organizations(tamper: &Tamper) -> Vec<String> {
    let text = match tamper.engine() {
        Engine::Sqlite => {
            "SELECT m.name FROM sqlite_schema m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND c.name = 'org' \
             ORDER BY m.name"
        }
        Engine::Postgres => {
            "SELECT c.relname::text FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid \
             JOIN pg_namespace n ON n.oid = c.relnamespace WHERE a.attname = 'org' AND n.nspname = 'public' \
             AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY 1"
        }
    };
    tamper.rows(text).await.into_iter().flatten().flatten().collect()
}

testing::on_both_databases! {
    async fn every_table_of_organizations_is_emptied_or_kept_for_a_reason(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let tamper = server.database.tamper().await;
        let known: Vec<&str> = people::TABLES.iter().copied().chain(KEPT.iter().map(|(table, _)| *table)).collect();
        for table in tables_of_organizations(&tamper).await {
            assert!(known.contains(&table.as_str()), "{table} is neither in people::TABLES nor kept for a reason");
        }
        server.finish().await;
    }

    async fn after_the_grace_nothing_is_left_but_leaves(database: TestDatabase) {
        // Somebody comes back after 29 days: the grace is meant here, not the rest of a session.
        let server = TestServer::start_with(database, &[("sessions.idle_seconds", "31536000")]).await;
        let operator = server.owner().await;
        let org = server.house().people.found_org(&"leaving".parse().unwrap(), "Leaving").await.unwrap();
        let (_, owner) = server.person(org.id, &["owner"]).await;
        let agent = server.agent(&owner, "worker", &["agents:read:all"]).await;
        let client = server.anonymous().with("authorization", agent.basic());
        let grant = [("grant_type", "client_credentials")];
        client.form("/o/leaving/oauth2/token", &grant).await.ok(200);
        let code = "def handler(input, context):\n    return {\"ok\": True}\n";
        let function = owner.post("/api/v1/functions", json!({ "namespace": "ops", "name": "act", "code": code })).await;
        let execute = format!("/api/v1/functions/{}/execute", function.ok(201)["id"].as_str().unwrap());
        owner.post(&execute, json!({ "input": {} })).await.ok(200);
        owner.with("idempotency-key", "one").post("/api/v1/agents/default:worker/kill", json!({})).await.ok(200);
        let delete = json!({ "slug": "leaving" }).to_string();
        owner.send(reqwest::Method::DELETE, "/api/v1/orgs/leaving", Some(delete)).await.ok(200);

        server.clock.advance(Duration::from_secs(29 * 24 * 3600));
        server.house().people.erase_left().await;
        owner.get("/api/v1/auth/me").await.ok(200);
        server.clock.advance(Duration::from_secs(2 * 24 * 3600));
        let (_, late) = server.person(org.id, &["owner"]).await;
        late.get("/api/v1/auth/me").await.ok(200);
        server.house().agents.flush_seen().await;
        // First everybody is out …
        server.house().people.erase_left().await;
        late.get("/api/v1/auth/me").await.refused(401, "unauthenticated");
        let (id, tamper) = (org.id, server.database.tamper().await);
        let mine = |table: &str| format!("SELECT count(*) FROM {table} WHERE org = {}", tamper.uuid(id.uuid()));
        let facts = tamper.number(&mine("facts")).await;
        assert!(facts > 5);
        // … then all of it goes.
        server.house().people.erase_left().await;
        for table in tables_of_organizations(&tamper).await {
            let left = tamper.number(&mine(&table)).await;
            let expected = match table.as_str() {
                "leaves" => facts,
                "slugs" | "purges" => 1,
                "authority_log" | "blobs" => left,
                _ => 0,
            };
            assert_eq!(left, expected, "{table}");
        }
        assert_eq!(tamper.number("SELECT count(*) FROM orgs WHERE slug = 'leaving'").await, 0);
        assert_eq!(tamper.number("SELECT count(*) FROM facts WHERE kind = 'org.erased'").await, 1);
        server.house().people.erase_left().await;

        // The log is as true as before, and the slug stays taken.
        let operator_again = server.owner().await;
        drop(operator);
        let whole = operator_again.get("/api/v1/audit/verify-log").await.ok(200);
        assert_eq!(whole["verified"], true, "{whole:#}");
        let body = json!({ "slug": "leaving", "name": "Somebody else" });
        operator_again.post("/api/v1/orgs", body).await.refused(409, "already_exists");
        server.finish().await;
    }

    async fn facts_that_vanish_without_an_erasure_are_still_found(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let operator = server.owner().await;
        server.stranger().await;
        server.house().ledger.drain().await.unwrap();
        let (tamper, home) = (server.database.tamper().await, server.home().await);
        tamper.drop_triggers("facts").await;
        let theirs = format!("FROM facts WHERE org <> {}", tamper.uuid(home.uuid()));
        // Somebody with every right on the database points at a fact that says nothing of the kind.
        let select = match tamper.engine() {
            Engine::Sqlite => format!("SELECT hex(org) {theirs} LIMIT 1"),
            Engine::Postgres => format!("SELECT replace(org::text, '-', '') {theirs} LIMIT 1"),
        };
        let org = types::Uuid::parse_str(&tamper.cell(&select).await.unwrap()).unwrap();
        let forged = format!(
            "INSERT INTO purges (org, fact, first, last) SELECT {}, id, 1, 100 FROM facts WHERE org = {} LIMIT 1",
            tamper.uuid(org),
            tamper.uuid(home.uuid())
        );
        tamper.must(&forged).await;
        tamper.must(&format!("DELETE {theirs}")).await;
        let whole = operator.get("/api/v1/audit/verify-log").await.ok(200);
        assert_eq!(whole["verified"], false, "{whole:#}");
        server.finish().await;
    }
}
