//! A member of two organizations sees the rows of the one that it stands in, and never the other's.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use web::Method;

use crate::support::{Caller, TestServer};

/// Lists that are about the caller itself or the instance, not about one organization's rows.
const ACROSS: &[&str] = &["orgs.list", "audit.stream", "audit.verify_log"];

/// Something of every kind, made in the caller's organization; every id that appears is kept.
async fn furnish(owner: &Caller) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    let mut note = |value: &Value| gather(value, &mut ids);
    note(&owner.post("/api/v1/agents", json!({ "name": "far-away" })).await.ok(201));
    let secret = json!({ "kind": "secret", "label": "far-away" });
    let path = "/api/v1/agents/default:far-away/credentials";
    note(&owner.post(path, secret).await.ok(201));
    let invitation = json!({ "email": "somebody@far-away.example" });
    note(&owner.post("/api/v1/invitations", invitation).await.ok(201));
    note(&owner.post("/api/v1/groups", json!({ "name": "far-away" })).await.ok(201));
    note(&owner.post("/api/v1/domains", json!({ "name": "far-away.example" })).await.ok(201));
    let code = "def handler(input, context):\n    return {}\n";
    let function = json!({ "namespace": "far", "name": "away", "code": code });
    let function = owner.post("/api/v1/functions", function).await.ok(201);
    note(&function);
    let execute = format!("/api/v1/functions/{}/execute", function["id"].as_str().unwrap());
    note(&owner.post(&execute, json!({ "input": {} })).await.ok(200));
    note(&owner.post("/api/v1/state", json!({ "name": "far-away", "history_depth": 1 })).await.ok(201));
    note(&owner.put("/api/v1/state/far-away/entries/a", json!({ "value": 1 })).await.ok(200));
    ids
}

/// Ids of rows: what starts with a registered prefix. Of people and the organization itself both sides may speak.
fn gather(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => {
            let known = types::PREFIXES.iter().any(|(prefix, _)| {
                !matches!(*prefix, "usr" | "org")
                    && text.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('_'))
            });
            if known && text.len() > 26 {
                into.insert(text.clone());
            }
        }
        Value::Array(items) => items.iter().for_each(|item| gather(item, into)),
        Value::Object(members) => members.values().for_each(|member| gather(member, into)),
        _ => {}
    }
}

testing::on_both_databases! {
    async fn no_list_shows_rows_of_the_other_organization(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let here = server.owner().await;
        here.post("/api/v1/orgs", json!({ "slug": "acme", "name": "Acme" })).await.ok(201);
        // The same person, over there.
        let other = server.owner().await;
        let answer = other.post("/api/v1/auth/switch", json!({ "org": "acme" })).await;
        let cookie = answer.header("set-cookie").split(';').next().unwrap().to_owned();
        let there = Caller { cookie: Some(cookie), ..other };
        let foreign = furnish(&there).await;
        assert!(foreign.len() >= 4, "{foreign:?}");
        server.house().ledger.drain().await.unwrap();

        let routes = safeconduct::routes(server.house());
        let mut looked = 0;
        // The cookie is for the console and our own API.
        let by_token = server.owner_tokens().await.1;
        for spec in routes.specs().filter(|spec| spec.method == Method::Get && !spec.path.contains('{')) {
            if ACROSS.contains(&spec.id) || spec.access == web::Access::Open || spec.id.starts_with("audit.proof") {
                continue;
            }
            let caller = if spec.path.starts_with("/api/v1/") { &here } else { &by_token };
            let answer = caller.get(spec.path).await;
            assert!(answer.status.is_success(), "{}: {}", spec.id, answer.text);
            for id in &foreign {
                assert!(!answer.text.contains(id.as_str()), "{} shows {id} of the other organization", spec.id);
            }
            assert!(!answer.text.contains("far-away"), "{} shows names of the other organization", spec.id);
            looked += 1;
        }
        assert!(looked > 10, "only {looked} lists were looked at");
        // And each of them is there for those who stand there.
        let text = there.get("/api/v1/agents").await.text;
        assert!(text.contains("far-away"));
        for id in &foreign {
            for path in ["agents", "functions", "runs", "kills"] {
                let answer = here.get(&format!("/api/v1/{path}/{id}")).await;
                assert_eq!(answer.status.as_u16(), 404, "{path}/{id}: {}", answer.text);
            }
        }
        server.finish().await;
    }
}

/// The last wall: the application's own role, past all of our code, sees one organization or none.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_application_role_sees_one_organization_or_none() {
    let server = TestServer::start(testing::TestDatabase::postgres().await).await;
    let here = server.owner().await;
    here.post("/api/v1/agents", json!({ "name": "at-home" })).await.ok(201);
    let elsewhere = server.stranger().await;
    furnish(&elsewhere).await;
    let home = server.home().await;
    let app = server.database.as_role("safeconduct_app").await.unwrap();
    let text = "SELECT c.relname::text FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid \
                JOIN pg_namespace n ON n.oid = c.relnamespace WHERE a.attname = 'org' AND n.nspname = 'public' \
                AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname <> 'authority_log' \
                AND has_table_privilege('safeconduct_app', c.oid, 'SELECT') ORDER BY 1";
    let tables: Vec<String> = app.rows(text).await.into_iter().flatten().flatten().collect();
    assert!(tables.len() > 12, "{tables:?}");
    for table in tables.iter().map(String::as_str).chain(["orgs", "users"]) {
        assert_eq!(app.number(&format!("SELECT count(*) FROM {table}")).await, 0, "{table} without a scope");
    }
    app.must(&format!("SELECT set_config('safeconduct.org', '{}', false)", types::Id::uuid(home))).await;
    for table in &tables {
        let foreign = format!("SELECT count(*) FROM {table} WHERE org <> '{}'", types::Id::uuid(home));
        assert_eq!(app.number(&foreign).await, 0, "{table} shows another organization");
    }
    assert_eq!(app.number("SELECT count(*) FROM orgs").await, 1);
    assert_eq!(app.number("SELECT count(*) FROM agents").await, 1);
    server.finish().await;
}
