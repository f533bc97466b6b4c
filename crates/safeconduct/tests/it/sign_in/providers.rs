//! Setting providers up.

use std::time::Duration;

use serde_json::json;
use testing::TestDatabase;

use super::{Desk, count};
use crate::support::{TestServer, config};

const PROVIDERS: &str = "/api/v1/auth-providers";

testing::on_both_databases! {
    async fn providers_are_set_up_changed_and_removed(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let body = json!({ "name": "mail", "kind": "otp", "display_name": "Code by e-mail", "allowed_domains": [" Example.COM"] });
        let made = owner.post(PROVIDERS, body.clone()).await.ok(201);
        assert_eq!((&made["instance"], &made["source"], &made["enabled"]), (&json!(false), &json!("api"), &json!(true)));
        assert_eq!(made["allowed_domains"], json!(["example.com"]));
        owner.post(PROVIDERS, body).await.refused(409, "already_exists");
        let path = format!("{PROVIDERS}/{}", made["id"].as_str().unwrap());
        let changed = owner.patch(&path, json!({ "display_name": "Mail", "enabled": false })).await.ok(200);
        assert_eq!((&changed["display_name"], &changed["revision"]), (&json!("Mail"), &json!(2)));
        owner.with("if-match", "\"1\"").patch(&path, json!({ "enabled": true })).await.refused(412, "stale_revision");
        assert_eq!(owner.get(PROVIDERS).await.ok(200)["items"][0]["display_name"], "Mail");
        assert_eq!(owner.get(&format!("{PROVIDERS}?instance=true")).await.ok(200)["items"], json!([]));
        let tested = owner.post(&format!("{path}/test"), json!({})).await.ok(200);
        assert_eq!((&tested["works"], &tested["findings"][0]["what"]), (&json!(true), &json!("mail")));
        owner.delete(&path).await.ok(200);
        owner.get(&path).await.refused(404, "not_found");
        for (kind, expected) in [("auth_provider.created", 1), ("auth_provider.updated", 1), ("auth_provider.deleted", 1)] {
            assert_eq!(count(&server, kind).await, expected, "{kind}");
        }
        server.finish().await;
    }

    async fn the_instances_are_the_operators(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let made = owner.post(PROVIDERS, json!({ "name": "mail", "kind": "otp", "instance": true })).await.ok(201);
        let path = format!("{PROVIDERS}/{}", made["id"].as_str().unwrap());
        let stranger = server.stranger().await;
        let body = json!({ "name": "other", "kind": "otp", "instance": true });
        assert_eq!(stranger.post(PROVIDERS, body).await.refused(403, "permission_denied")["permission"], "system:update");
        stranger.get(&path).await.refused(404, "not_found");
        stranger.patch(&path, json!({ "enabled": false })).await.refused(404, "not_found");
        stranger.delete(&path).await.refused(404, "not_found");
        stranger.get(&format!("{PROVIDERS}?instance=true")).await.refused(403, "permission_denied");
        assert_eq!(stranger.get(PROVIDERS).await.ok(200)["items"], json!([]));
        let listed = owner.get(&format!("{PROVIDERS}?instance=true")).await.ok(200);
        assert_eq!(listed["items"][0]["id"], made["id"]);
        owner.delete(&path).await.ok(200);
        server.finish().await;
    }
}

#[tokio::test]
async fn kinds_say_what_they_ask_for_and_what_can_be_set() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    let kinds = owner.get(&format!("{PROVIDERS}/kinds")).await.ok(200);
    let kinds = kinds["items"].as_array().unwrap();
    let of = |name: &str| kinds.iter().find(|kind| kind["name"] == name).unwrap_or_else(|| panic!("{name}"));
    assert_eq!(of("password")["first"], json!({ "step": "login", "fields": ["login", "password"] }));
    for kind in kinds {
        let name = kind["name"].as_str().unwrap();
        let body = json!({ "name": format!("a-{}", name.replace('_', "-")), "kind": name, "settings": { "no_such_setting": 1 }, "enabled": false });
        let closed = kind["settings"]["additionalProperties"] == json!(false);
        if closed {
            owner.post(PROVIDERS, body).await.refused(422, "validation_failed");
        }
    }
    owner.post(PROVIDERS, json!({ "name": "mail", "kind": "otp", "instance": true })).await.ok(201);
    let offered = server.anonymous().get("/api/v1/auth/providers").await.ok(200);
    assert_eq!(offered["items"][0]["first"], json!({ "step": "begin", "fields": ["email"] }));
    let (_, nobody) = server.person(server.home().await, &[]).await;
    nobody.get(&format!("{PROVIDERS}/kinds")).await.refused(403, "permission_denied");
    server.finish().await;
}

#[tokio::test]
async fn what_makes_no_sense_is_named() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    for (field, body) in [
        ("/kind", json!({ "name": "a", "kind": "magic" })),
        ("/settings/colour", json!({ "name": "a", "kind": "otp", "settings": { "colour": "blue" } })),
        (
            "/allowed_domains/1",
            json!({ "name": "a", "kind": "otp", "allowed_domains": ["example.com", "@example.com"] }),
        ),
        ("/trust_email", json!({ "name": "a", "kind": "otp", "trust_email": true })),
        ("/default_roles", json!({ "name": "a", "kind": "otp", "default_roles": 1 })),
        ("/default_roles/0", json!({ "name": "a", "kind": "otp", "default_roles": ["emperor"] })),
    ] {
        let refused = owner.post(PROVIDERS, body).await.refused(422, "validation_failed");
        assert_eq!(refused["errors"][0]["field"], field);
    }
    assert_eq!(owner.get(PROVIDERS).await.ok(200)["items"], json!([]));
    server.finish().await;
}

#[tokio::test]
async fn nobody_hands_out_roles_by_way_of_newcomers_that_they_do_not_hold() {
    let server = TestServer::sqlite().await;
    let home = server.home().await;
    let (person, keeper) = server.person(home, &["member"]).await;
    let to = web::PrincipalId::User(person.id);
    server.grant(home, to, "auth_providers:manage:all").await;
    let body = json!({ "name": "mail", "kind": "otp", "create_users": true, "default_roles": ["owner"] });
    keeper.post(PROVIDERS, body).await.refused(403, "authority_exceeded");
    let body = json!({ "name": "mail", "kind": "otp", "create_users": true, "default_roles": ["member"] });
    let made = keeper.post(PROVIDERS, body).await.ok(201);
    let path = format!("{PROVIDERS}/{}", made["id"].as_str().unwrap());
    keeper.patch(&path, json!({ "default_roles": ["owner"] })).await.refused(403, "authority_exceeded");
    server.finish().await;
}

#[tokio::test]
async fn changes_need_a_fresh_confirmation() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    let made = owner.post(PROVIDERS, json!({ "name": "mail", "kind": "otp" })).await.ok(201);
    let path = format!("{PROVIDERS}/{}", made["id"].as_str().unwrap());
    server.clock.advance(Duration::from_secs(301));
    owner.post(PROVIDERS, json!({ "name": "more", "kind": "otp" })).await.refused(403, "step_up_required");
    owner.patch(&path, json!({ "enabled": false })).await.refused(403, "step_up_required");
    owner.post(&format!("{path}/test"), json!({})).await.refused(403, "step_up_required");
    owner.delete(&path).await.refused(403, "step_up_required");
    owner.get(&path).await.ok(200);
    server.finish().await;
}

#[tokio::test]
async fn a_test_says_what_does_not_work() {
    let settings = [
        ("smtp.host", "127.0.0.1"),
        ("smtp.port", "9"),
        ("smtp.security", "none"),
        ("smtp.from", "a@example.com"),
    ];
    let server = TestServer::start_with(TestDatabase::sqlite(), &settings).await;
    let owner = server.owner().await;
    let made =
        owner.post(PROVIDERS, json!({ "name": "mail", "kind": "otp", "enabled": false })).await.ok(201);
    let path = format!("{PROVIDERS}/{}/test", made["id"].as_str().unwrap());
    let tested = owner.post(&path, json!({})).await.ok(200);
    assert_eq!(tested["works"], false);
    assert!(tested["findings"][0]["detail"].as_str().unwrap().contains("relay"), "{tested}");
    server.finish().await;
}

#[tokio::test]
async fn the_operators_file_is_followed_at_each_start() {
    let database = TestDatabase::sqlite();
    let file = database.directory().join("providers.json");
    let path = file.display().to_string();
    let settings = [("sign_in.providers_file", path.as_str())];
    std::fs::write(
        &file,
        r#"[{"name": "mail", "kind": "otp", "create_users": true, "default_roles": ["member"]}]"#,
    )
    .unwrap();
    let desk = Desk::open_with(database, &settings).await;
    let owner = desk.server.owner().await;
    let listed = owner.get(&format!("{PROVIDERS}?instance=true")).await.ok(200);
    assert_eq!(
        (&listed["items"][0]["name"], &listed["items"][0]["source"]),
        (&json!("mail"), &json!("file"))
    );
    let one = format!("{PROVIDERS}/{}", listed["items"][0]["id"].as_str().unwrap());
    owner.patch(&one, json!({ "enabled": false })).await.refused(409, "conflict");
    owner.delete(&one).await.refused(409, "conflict");
    // What the file says next time is what counts; what it no longer names is switched off.
    std::fs::write(&file, r#"[{"name": "codes", "kind": "otp", "display_name": "Codes"}]"#).unwrap();
    desk.server.house().sign_in.follow_file(&file).await.unwrap();
    desk.server.house().sign_in.follow_file(&file).await.unwrap();
    let offered = desk.browser().get("/api/v1/auth/providers").await.ok(200);
    assert_eq!(offered["items"].as_array().unwrap().len(), 1);
    assert_eq!(offered["items"][0]["name"], "codes");
    assert_eq!(count(&desk.server, "auth_provider.created").await, 2);
    assert_eq!(count(&desk.server, "auth_provider.updated").await, 1);
    for (wrong, reason) in [
        (r#"[{"name": "a", "kind": "magic"}]"#, "/kind is none of"),
        (r#"[{"name": "a", "kind": "otp", "colour": 1}]"#, "unknown field `colour`"),
        (r#"[{"name": "a", "kind": "otp"}, {"name": "a", "kind": "otp"}]"#, "stands twice"),
        ("[", "EOF"),
    ] {
        std::fs::write(&file, wrong).unwrap();
        let error = desk.server.house().sign_in.follow_file(&file).await.unwrap_err().to_string();
        assert!(error.contains(reason) && error.contains("providers.json"), "{error}");
    }
    desk.server.finish().await;
}

#[tokio::test]
async fn a_wrong_file_stops_the_start() {
    let database = TestDatabase::sqlite();
    let settings = [("sign_in.providers_file", "/nowhere/providers.json")];
    let started =
        safeconduct::Server::start(config(&database, &settings), types::World::system(), None).await;
    let error = started.err().expect("no start").to_string();
    assert!(error.contains("sign_in.providers_file: /nowhere/providers.json"), "{error}");
}

#[tokio::test]
async fn without_a_vault_nothing_can_be_referred_to() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    let body = json!({ "name": "corp", "kind": "oidc",
        "settings": { "issuer": "https://id.example.com", "client_id": "app", "client_secret": { "mount": "secret", "path": "apps/corp", "key": "client_secret" } } });
    let refused = owner.post(PROVIDERS, body).await.refused(422, "validation_failed");
    assert!(refused["errors"][0]["reason"].as_str().unwrap().contains("vault.address"), "{refused}");
    assert_eq!(server.anonymous().get("/health").await.ok(200)["vault"], "none");
    server.finish().await;
}
