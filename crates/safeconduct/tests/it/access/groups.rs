//! What a group holds its members hold: from the next request on here, within a second on another node.

use std::time::{Duration, Instant};

use serde_json::json;
use testing::TestDatabase;
use web::PrincipalId;

use crate::support::{Caller, Start, TestServer};

/// What the caller may do now.
async fn held(caller: &Caller) -> String {
    caller.get("/api/v1/permissions/me").await.ok(200)["permissions"].to_string()
}

testing::on_both_databases! {
    async fn members_hold_what_their_groups_hold(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let home = server.home().await;
        let (person, caller) = server.person(home, &[]).await;
        let me = PrincipalId::User(person.id);
        assert_eq!(held(&caller).await, "[]");

        let group = server.group(home, &[me]).await;
        assert_eq!(held(&caller).await, "[]");
        server.grant(home, group, "agents:read:all").await;
        assert_eq!(held(&caller).await, r#"["agents:read:all"]"#);
        caller.get("/api/v1/agents").await.ok(200);

        // A second group, and a right of one's own beside it.
        let other = server.group(home, &[]).await;
        server.grant(home, other, "functions:read:all").await;
        server.grant(home, me, "runs:read:own").await;
        server.join(home, other, me).await;
        assert_eq!(held(&caller).await, r#"["agents:read:all","functions:read:all","runs:read:own"]"#);

        server.leave(home, group, me).await;
        assert_eq!(held(&caller).await, r#"["functions:read:all","runs:read:own"]"#);
        caller.get("/api/v1/agents").await.refused(403, "permission_denied");
        server.dissolve(home, other).await;
        assert_eq!(held(&caller).await, r#"["runs:read:own"]"#);
        server.finish().await;
    }

    async fn a_group_of_another_organization_gives_nothing(database: TestDatabase) {
        let server = TestServer::start(database).await;
        server.stranger().await;
        let elsewhere = server.house().people.org_by_slug("elsewhere").await.expect("a read").expect("an org").id;
        let home = server.home().await;
        let (person, caller) = server.person(home, &[]).await;
        // The same person is in a group of another organization: nothing of it holds here.
        let group = server.group(elsewhere, &[PrincipalId::User(person.id)]).await;
        server.grant(elsewhere, group, "agents:read:all").await;
        assert_eq!(held(&caller).await, "[]");
        server.finish().await;
    }
}

/// Waits until `caller` holds exactly `expected`; answers how long it took.
async fn until_held(caller: &Caller, expected: &str, since: Instant) -> Duration {
    loop {
        if held(caller).await == expected {
            return since.elapsed();
        }
        assert!(since.elapsed() < Duration::from_secs(10), "still not {expected}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_node_hears_of_groups_and_roles_within_a_second() {
    let database = TestDatabase::postgres().await;
    let directory = tempfile::tempdir().expect("a directory");
    let key = "ab".repeat(32);
    let second = Start::on(&database, directory.path());
    let first = TestServer::start_with(database, &[("keys.encryption_key", &key)]).await;
    let second = second.set("keys.encryption_key", &key).set("database.pool_size", "4");
    let second = second.run().expect("the second node");
    let home = first.home().await;
    let (person, here) = first.person(home, &[]).await;
    let me = PrincipalId::User(person.id);
    let there = Caller { cookie: here.cookie.clone(), ..second.anonymous() };
    assert_eq!(held(&there).await, "[]");

    let mut longest = Duration::ZERO;
    let group = first.group(home, &[me]).await;
    let started = Instant::now();
    first.grant(home, group, "agents:read:all").await;
    assert_eq!(held(&here).await, r#"["agents:read:all"]"#);
    longest = longest.max(until_held(&there, r#"["agents:read:all"]"#, started).await);

    let started = Instant::now();
    first.leave(home, group, me).await;
    assert_eq!(held(&here).await, "[]");
    longest = longest.max(until_held(&there, "[]", started).await);

    let started = Instant::now();
    first.join(home, group, me).await;
    longest = longest.max(until_held(&there, r#"["agents:read:all"]"#, started).await);

    let started = Instant::now();
    first.dissolve(home, group).await;
    longest = longest.max(until_held(&there, "[]", started).await);

    // The same for roles: given, changed under their holder, taken.
    let owner = first.owner().await;
    let role = json!({ "name": "shifting", "permissions": ["agents:read:all"] });
    owner.post("/api/v1/roles", role).await.ok(201);
    let started = Instant::now();
    let given = json!({ "principal": person.id, "role": "shifting" });
    let given = owner.post("/api/v1/grants", given).await.ok(201);
    longest = longest.max(until_held(&there, r#"["agents:read:all"]"#, started).await);
    let started = Instant::now();
    owner.patch("/api/v1/roles/shifting", json!({ "permissions": ["runs:read:own"] })).await.ok(200);
    assert_eq!(held(&here).await, r#"["runs:read:own"]"#);
    longest = longest.max(until_held(&there, r#"["runs:read:own"]"#, started).await);
    let started = Instant::now();
    owner.delete(&format!("/api/v1/grants/{}", given["id"].as_str().expect("an id"))).await.ok(200);
    longest = longest.max(until_held(&there, "[]", started).await);
    assert!(longest < Duration::from_secs(1), "the slowest change took {longest:?} to the second node");
    assert_eq!(second.stop(), Some(0));
    first.finish().await;
}
