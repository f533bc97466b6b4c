//! The last wall: PostgreSQL's own role for requests, past all of our code, sees one organization or none.

use serde_json::json;
use testing::{Tamper, TestDatabase};
use types::{Id, OrgId};

use super::furnished::Furnished;
use crate::support::TestServer;

/// Tables that the role may read whole, and why.
const OF_THE_INSTANCE: &[(&str, &str)] = &[
    ("authority_head", "the last revision, a number"),
    ("authority_log", "what died, and when, for every node; ids only"),
    ("checkpoints", "heads of the log, which anybody may keep"),
    ("ledger_readers", "how far readers are, numbers"),
    ("log_head", "the size of the log"),
    ("nodes", "who serves"),
    ("schema_migrations", "which migrations ran"),
    ("tiles", "the log's hashes"),
];

/// Tables that the application's role may read: all, or those behind row-level security.
async fn readable(app: &Tamper, condition: &str) -> Vec<String> {
    let text = format!(
        "SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition \
         AND has_table_privilege('safeconduct_app', c.oid, 'SELECT') AND {condition} ORDER BY 1"
    );
    app.rows(&text).await.into_iter().flatten().flatten().collect()
}

async fn count(tamper: &Tamper, table: &str, condition: &str) -> i64 {
    tamper.number(&format!("SELECT count(*) FROM {table} WHERE {condition}")).await
}

/// Rows that come of what needs a peer, or an organization's past.
async fn by_hand(everything: &Tamper, org: OrgId) {
    let org = everything.uuid(org.uuid());
    for text in [
        format!(
            "INSERT INTO identities (org, issuer, subject, user_id, created_at) SELECT {org}, 'idp', 'ada', id, 0 FROM users LIMIT 1"
        ),
        format!("INSERT INTO used_assertions SELECT {org}, '\\x01'::bytea, 0"),
        format!("INSERT INTO purges SELECT {org}, id, 1, 1 FROM users LIMIT 1"),
    ] {
        everything.must(&text).await;
    }
}

async fn stand_in(app: &Tamper, org: OrgId) {
    app.must(&format!("SELECT set_config('safeconduct.org', '{}', false)", org.uuid())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_application_role_sees_one_organization_or_none() {
    let database = TestDatabase::postgres().await;
    let server = TestServer::start_with(database, &[("decisions.record", "full")]).await;
    let owner = server.owner().await;
    owner.post("/api/v1/agents", json!({ "name": "at-home" })).await.ok(201);
    let (home, away) = (server.home().await, server.elsewhere().await);
    let stranger = server.person(away, &["owner"]).await.1;
    Furnished::new(&server, &stranger, away, "elsewhere", "far-away").await;
    let house = server.house();
    house.policies.flush().await;
    house.agents.flush_seen().await;
    house.ledger.drain().await.unwrap();
    stranger.get("/api/v1/audit/verify?incremental=true").await.ok(200);
    let app = server.database.as_role("safeconduct_app").await.unwrap();
    let everything = server.database.tamper().await;
    by_hand(&everything, away).await;
    let open = readable(&app, "NOT (c.relrowsecurity AND c.relforcerowsecurity)").await;
    let argued: Vec<&str> = OF_THE_INSTANCE.iter().map(|(table, _)| *table).collect();
    assert_eq!(open, argued, "readable tables without row-level security");
    let walled = readable(&app, "c.relrowsecurity AND c.relforcerowsecurity").await;
    for table in &walled {
        assert_eq!(count(&app, table, "true").await, 0, "{table} without a scope");
    }
    let around = "SELECT count(*) FROM pg_class c WHERE c.relispartition AND has_table_privilege('safeconduct_app', c.oid, 'SELECT')";
    assert_eq!(app.number(around).await, 0, "a partition would go around its parent's wall");
    let with_org = "EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'org')";
    let tenant = readable(&app, &format!("c.relrowsecurity AND {with_org}")).await;
    let mut empty = Vec::new();
    for table in &tenant {
        let foreign = format!("org = '{}'", away.uuid());
        if count(&everything, table, &foreign).await == 0 {
            empty.push(table.as_str());
        }
        stand_in(&app, home).await;
        assert_eq!(
            count(&app, table, &format!("org <> '{}'", home.uuid())).await,
            0,
            "{table} shows another's"
        );
        stand_in(&app, away).await;
        let (seen, there) = (count(&app, table, "true").await, count(&everything, table, &foreign).await);
        assert_eq!(seen, there, "{table} shows its own organization less than its rows");
    }
    assert_eq!(empty, Vec::<&str>::new(), "tables in which the other organization has no row prove nothing");
    // The two that have no column `org`: an organization itself, and people by their memberships.
    let others: Vec<&String> = walled.iter().filter(|table| !tenant.contains(table)).collect();
    assert_eq!(others, ["orgs", "users"]);
    stand_in(&app, home).await;
    assert_eq!(count(&app, "orgs", &format!("id <> '{}'", home.uuid())).await, 0);
    let members = format!("id NOT IN (SELECT user_id FROM memberships WHERE org = '{}')", home.uuid());
    assert!(count(&everything, "users", &members).await > 0);
    let foreign = everything.rows(&format!("SELECT id FROM users WHERE {members}")).await;
    for person in foreign.into_iter().flatten().flatten() {
        assert_eq!(count(&app, "users", &format!("id = '{person}'")).await, 0, "a member of the other");
    }
    server.finish().await;
}
