//! Active Directory: sign-in against a real domain controller (Samba). Run by `make test-all`.

use serde_json::{Value, json};
use testing::{DomainController, TestDatabase};

use super::{Desk, with_cookie};
use crate::support::Answer;

fn settings(controller: &DomainController) -> Value {
    json!({
        "url": "ldaps://localhost", "ca": controller.authority(), "domain": "corp.example.test",
        "base": "DC=corp,DC=example,DC=test",
        "bind_dn": "reader@corp.example.test", "bind_password": "Pass-word-of-reader-1",
    })
}

async fn bind(desk: &Desk, login: &str, password: &str) -> Answer {
    let body = json!({ "input": { "login": login, "password": password } });
    desk.browser().post("/api/v1/auth/corp/login", body).await
}

/// One controller for all of it: it takes half a minute to come up, and there can be one at a time.
#[tokio::test]
async fn people_of_a_domain_come_in_by_each_name_and_through_groups_of_groups() {
    let controller = DomainController::start();
    let desk = Desk::reaching(TestDatabase::sqlite()).await;
    let body = json!({ "name": "corp", "kind": "active_directory", "create_users": true, "default_roles": ["member"],
        "group_roles": { "platform": ["admin"] }, "settings": settings(&controller) });
    let id = desk.provider(body).await["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/auth-providers/{id}");
    let owner = desk.server.owner().await;
    assert_eq!(owner.post(&format!("{path}/test"), json!({})).await.ok(200)["works"], true);
    let mut people = Vec::new();
    for login in ["ada", "ada@corp.example.test", "CORP\\ada", "ADA"] {
        let answer = bind(&desk, login, "Pass-word-of-ada-1").await;
        people.push(answer.ok(200)["user"]["id"].clone());
        let me = with_cookie(&desk.server, &answer).get("/api/v1/auth/me").await.ok(200);
        // In `sre`, which is in `platform`.
        assert_eq!(me["roles"], json!(["admin", "member"]), "{login}");
    }
    people.dedup();
    assert_eq!(people.len(), 1);
    let bob = bind(&desk, "bob", "Pass-word-of-bob-1").await;
    let me = with_cookie(&desk.server, &bob).get("/api/v1/auth/me").await.ok(200);
    assert_eq!(me["roles"], json!(["member"]));
    for (login, password) in [
        ("gone", "Pass-word-of-gone-1"),
        ("ada", "Pass-word-of-bob-1"),
        ("ada@evil.example", "Pass-word-of-ada-1"),
        ("nobody", "Pass-word-of-ada-1"),
        ("*", "Pass-word-of-ada-1"),
        ("a*", "Pass-word-of-ada-1"),
        ("*)(sAMAccountName=ada", "Pass-word-of-ada-1"),
        ("x\\*", "Pass-word-of-ada-1"),
    ] {
        bind(&desk, login, password).await.refused(401, "sign_in_refused");
        desk.server.clock.advance(std::time::Duration::from_secs(1800));
    }
    // Without a service account people look themselves up.
    let alone = json!({ "settings": { "bind_dn": null, "bind_password": null } });
    let owner = desk.server.owner().await;
    owner.patch(&path, alone).await.ok(200);
    assert_eq!(bind(&desk, "ada", "Pass-word-of-ada-1").await.ok(200)["user"]["id"], people[0]);
    bind(&desk, "gone", "Pass-word-of-gone-1").await.refused(401, "sign_in_refused");
    bind(&desk, "ada", "Pass-word-of-bob-1").await.refused(401, "sign_in_refused");
    owner.patch(&path, json!({ "enabled": false })).await.ok(200);
    bind(&desk, "ada", "Pass-word-of-ada-1").await.refused(403, "provider_disabled");
    desk.server.finish().await;
}
