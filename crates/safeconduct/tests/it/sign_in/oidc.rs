//! OpenID Connect at a certified provider.

use serde_json::{Value, json};
use testing::{OidcProvider, TestDatabase};

use super::browser::{Visitor, parameter};
use super::{Desk, count, with_cookie};

const PROVIDERS: &str = "/api/v1/auth-providers";

/// A desk, the provider, and how we know it.
async fn corporate(database: TestDatabase, settings: Value, common: Value) -> (Desk, OidcProvider, String) {
    let desk = Desk::reaching(database).await;
    desk.keep_time();
    let peer = OidcProvider::start();
    let mut whole =
        json!({ "issuer": peer.issuer, "client_id": "app", "client_secret": "app secret/with+odd:signs" });
    whole.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
    let mut body = json!({ "name": "corp", "kind": "oidc", "create_users": true, "default_roles": ["member"],
        "settings": whole });
    body.as_object_mut().unwrap().extend(common.as_object().unwrap().clone());
    let id = desk.provider(body).await["id"].as_str().unwrap().to_owned();
    peer.redirect(&format!("{}/api/v1/auth/{id}/callback", desk.server.url()));
    (desk, peer, id)
}

testing::on_both_databases! {
    async fn somebody_comes_in_by_a_certified_provider(database: TestDatabase) {
        let (desk, peer, id) = corporate(database, json!({}), json!({ "trust_email": true })).await;
        peer.account("ada", &json!({ "name": "Ada Lovelace", "email": "ada@example.com", "email_verified": true }));
        let away = desk.leave("corp").await;
        assert_eq!(parameter(&away.url, "code_challenge_method"), "S256");
        assert_eq!(parameter(&away.url, "state"), away.state);
        let back = Visitor::new().sign_in(&away.url, "ada", &desk.server.url()).await;
        let answer = away.browser.get(&back).await;
        assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/console/agents"), "{}", answer.text);
        let me = with_cookie(&desk.server, &answer).get("/api/v1/auth/me").await.ok(200);
        assert_eq!((&me["roles"], &me["org"]["slug"]), (&json!(["member"]), &json!("home")));
        let user = me["principal"]["id"].clone();
        let shown = desk.server.owner().await.get(&format!("/api/v1/users/{}", user.as_str().unwrap())).await.ok(200);
        assert_eq!((&shown["display_name"], &shown["email"]), (&json!("Ada Lovelace"), &json!("ada@example.com")));
        let sessions = with_cookie(&desk.server, &answer).get("/api/v1/auth/sessions").await.ok(200);
        assert_eq!((&sessions["items"][0]["factors"], &sessions["items"][0]["provider"]), (&json!("oidc"), &json!(id)));
        // The same person again, whatever the provider says of their name and address now.
        peer.account("ada", &json!({ "name": "Countess", "email": "countess@example.com" }));
        let again = desk.through("corp", "ada").await;
        let again = with_cookie(&desk.server, &again).get("/api/v1/auth/me").await.ok(200);
        assert_eq!(again["principal"]["id"], user);
        assert_eq!(count(&desk.server, "identity.linked").await, 1);
        // The answer was good once.
        away.browser.get(&back).await.refused(401, "sign_in_refused");
        desk.server.finish().await;
    }

    async fn roles_follow_the_groups_in_both_directions(database: TestDatabase) {
        let map = json!({ "platform": ["admin"], "Audit": ["auditor", "member"] });
        let (desk, peer, id) = corporate(database, json!({}), json!({ "group_roles": map })).await;
        let roles = async || {
            let answer = desk.through("corp", "ada").await;
            assert_eq!(answer.status.as_u16(), 303, "{}", answer.text);
            with_cookie(&desk.server, &answer).get("/api/v1/auth/me").await.ok(200)["roles"].clone()
        };
        peer.account("ada", &json!({ "name": "Ada", "groups": ["platform", "lunch"] }));
        assert_eq!(roles().await, json!(["admin", "member"]));
        peer.account("ada", &json!({ "groups": ["audit"] }));
        assert_eq!(roles().await, json!(["auditor", "member"]));
        // A group that is gone takes its role with it; what newcomers got is nobody's group.
        peer.account("ada", &json!({}));
        assert_eq!(roles().await, json!(["member"]));
        // What an administrator gave by hand stays, and is not given twice.
        let members = desk.server.owner().await.get("/api/v1/members?q=Ada").await.ok(200);
        let ada = members["items"][0]["user"].as_str().expect("ada").to_owned();
        let gift = json!({ "principal": ada, "role": "auditor" });
        desk.server.owner().await.post("/api/v1/grants", gift).await.ok(201);
        peer.account("ada", &json!({ "groups": ["audit"] }));
        assert_eq!(roles().await, json!(["auditor", "member"]));
        peer.account("ada", &json!({ "groups": [] }));
        assert_eq!(roles().await, json!(["auditor", "member"]));
        // Nor does the provider speak once nothing is mapped any more.
        peer.account("ada", &json!({ "groups": ["platform"] }));
        assert_eq!(roles().await, json!(["admin", "auditor", "member"]));
        let path = format!("{PROVIDERS}/{id}");
        desk.server.owner().await.patch(&path, json!({ "group_roles": {} })).await.ok(200);
        assert_eq!(roles().await, json!(["auditor", "member"]));
        assert_eq!(count(&desk.server, "member.roles_changed").await, 5);
        desk.server.finish().await;
    }

    async fn an_asserted_address_takes_nothing_over(database: TestDatabase) {
        let (desk, peer, _) = corporate(database, json!({}), json!({})).await;
        let victim = desk.member("boss@example.com").await;
        peer.account("eve", &json!({ "email": "boss@example.com", "email_verified": true }));
        desk.through("corp", "eve").await.refused(401, "sign_in_refused");
        // Without the boss's address she comes in as nobody but herself, and has no address.
        peer.account("eve", &json!({ "email": "eve@example.com", "email_verified": true }));
        let answer = desk.through("corp", "eve").await;
        let me = with_cookie(&desk.server, &answer).get("/api/v1/auth/me").await.ok(200);
        assert_ne!(me["principal"]["id"], json!(victim.id));
        let shown = format!("/api/v1/users/{}", me["principal"]["id"].as_str().unwrap());
        assert_eq!(desk.server.owner().await.get(&shown).await.ok(200)["email"], json!(null));
        desk.server.finish().await;
    }

    async fn an_organizations_provider_leads_there_and_knows_its_own_identities_only(database: TestDatabase) {
        let (desk, peer, id) = corporate(database, json!({}), json!({ "trust_email": true })).await;
        peer.account("ada", &json!({ "email": "ada@example.com" }));
        let home = desk.through("corp", "ada").await;
        let at_home = with_cookie(&desk.server, &home).get("/api/v1/auth/me").await.ok(200);
        // Another organization sets up the same issuer: the same subject is nobody it was told of.
        let body = json!({ "name": "theirs", "kind": "oidc", "create_users": true, "default_roles": ["member"],
            "group_roles": { "all": ["admin"] },
            "settings": { "issuer": peer.issuer, "client_id": "app", "client_secret": "app secret/with+odd:signs" } });
        let theirs = desk.server.stranger().await.post(PROVIDERS, body).await.ok(201);
        peer.redirect(&format!("{}/api/v1/auth/{}/callback", desk.server.url(), theirs["id"].as_str().unwrap()));
        peer.account("ada", &json!({ "groups": ["all"] }));
        let away = desk.leave_with("theirs", json!({ "org": "elsewhere" })).await;
        let back = Visitor::new().sign_in(&away.url, "ada", &desk.server.url()).await;
        let answer = away.browser.get(&back).await;
        let me = with_cookie(&desk.server, &answer).get("/api/v1/auth/me").await.ok(200);
        assert_eq!((&me["org"]["slug"], &me["roles"]), (&json!("elsewhere"), &json!(["admin", "member"])));
        assert_ne!(me["principal"]["id"], at_home["principal"]["id"]);
        // It is not there for the home organization.
        let begin = json!({ "org": "home" });
        let path = format!("/api/v1/auth/{}/begin", theirs["id"].as_str().unwrap());
        desk.browser().post(&path, begin).await.refused(404, "not_found");
        // Switched off between leaving and coming back.
        peer.redirect(&format!("{}/api/v1/auth/{id}/callback", desk.server.url()));
        let away = desk.leave("corp").await;
        let back = Visitor::new().sign_in(&away.url, "ada", &desk.server.url()).await;
        let off = json!({ "enabled": false });
        desk.server.owner().await.patch(&format!("{PROVIDERS}/{id}"), off).await.ok(200);
        away.browser.get(&back).await.refused(403, "provider_disabled");
        desk.browser().post("/api/v1/auth/corp/begin", json!({})).await.refused(403, "provider_disabled");
        desk.server.finish().await;
    }
}

#[tokio::test]
async fn each_way_of_a_client_to_show_itself_works() {
    for settings in [
        json!({ "client_id": "posting", "client_secret": "posted-secret" }),
        json!({ "client_id": "public", "client_secret": null }),
    ] {
        let mut settings = settings;
        if settings["client_secret"].is_null() {
            settings.as_object_mut().unwrap().remove("client_secret");
        }
        let desk = Desk::reaching(TestDatabase::sqlite()).await;
        desk.keep_time();
        let peer = OidcProvider::start();
        settings["issuer"] = json!(peer.issuer);
        let body = json!({ "name": "corp", "kind": "oidc", "create_users": true, "settings": settings });
        let id = desk.provider(body).await["id"].as_str().unwrap().to_owned();
        peer.redirect(&format!("{}/api/v1/auth/{id}/callback", desk.server.url()));
        let answer = desk.through("corp", "ada").await;
        assert_eq!(answer.status.as_u16(), 303, "{settings}: {}", answer.text);
        desk.server.finish().await;
    }
}

#[tokio::test]
async fn keys_may_turn() {
    let (desk, peer, _) = corporate(TestDatabase::sqlite(), json!({}), json!({})).await;
    assert_eq!(desk.through("corp", "ada").await.status.as_u16(), 303);
    peer.rotate();
    // Names of keys that nobody knows make us look again, but not each time.
    desk.through("corp", "ada").await.refused(401, "sign_in_refused");
    desk.server.clock.advance(std::time::Duration::from_secs(31));
    // Our clock is ahead of the provider's by as much; what it says now is still good.
    assert_eq!(desk.through("corp", "ada").await.status.as_u16(), 303);
    desk.server.finish().await;
}

#[tokio::test]
async fn the_way_back_is_for_the_browser_that_left_and_leads_where_it_began() {
    let (desk, _peer, id) = corporate(TestDatabase::sqlite(), json!({}), json!({})).await;
    let away = desk.leave("corp").await;
    let back = Visitor::new().sign_in(&away.url, "ada", &desk.server.url()).await;
    // Somebody else's browser, with the attacker's answer: it must not become the attacker's session.
    desk.browser().get(&back).await.refused(401, "sign_in_refused");
    let other = desk.leave("corp").await;
    other.browser.get(&back).await.refused(401, "sign_in_refused");
    // Nor does handing the code over by hand go around the browser.
    let away = desk.leave("corp").await;
    let back = Visitor::new().sign_in(&away.url, "ada", &desk.server.url()).await;
    let login = json!({ "state": away.state, "input": { "code": parameter(&back, "code") } });
    desk.browser().post("/api/v1/auth/corp/login", login).await.refused(401, "sign_in_refused");
    for target in ["//evil.example", "https://evil.example", "/\\evil.example"] {
        let body = json!({ "return_to": target });
        desk.browser().post("/api/v1/auth/corp/begin", body).await.refused(422, "validation_failed");
    }
    // By its name a provider has no way back: its answers come to its own address.
    let away = desk.leave("corp").await;
    let back = Visitor::new().sign_in(&away.url, "ada", &desk.server.url()).await;
    away.browser.get(&back.replace(&id, "corp")).await.refused(401, "sign_in_refused");
    desk.server.finish().await;
}

#[tokio::test]
async fn a_browser_that_comes_back_in_vain_stands_before_the_sign_in_page_and_nobody_is_in() {
    let (desk, _peer, _) = corporate(TestDatabase::sqlite(), json!({}), json!({})).await;
    let away = desk.leave("corp").await;
    let back = Visitor::new().sign_in(&away.url, "ada", &desk.server.url()).await;
    let before = count(&desk.server, "session.started").await;
    let stranger = desk.browser().with("accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8");
    let answer = stranger.get(&back).await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("location")),
        (303, "/console/sign-in#error=sign_in_refused"),
        "{}",
        answer.text
    );
    assert_eq!(count(&desk.server, "session.started").await, before);
    desk.server.finish().await;
}

#[tokio::test]
async fn a_test_says_what_is_wrong() {
    let (desk, peer, id) = corporate(TestDatabase::sqlite(), json!({}), json!({})).await;
    let owner = desk.server.owner().await;
    let path = format!("{PROVIDERS}/{id}");
    let test = async || owner.post(&format!("{path}/test"), json!({})).await.ok(200);
    let good = test().await;
    assert_eq!(good["works"], true, "{good}");
    assert_eq!(good["findings"].as_array().unwrap().len(), 3);
    let change = async |settings: Value| {
        owner.patch(&path, json!({ "settings": settings })).await.ok(200);
        test().await.to_string()
    };
    let wrong = change(json!({ "client_secret": "another" })).await;
    assert!(wrong.contains("invalid_client") && !wrong.contains("another"), "{wrong}");
    let wrong = change(json!({ "client_id": "nobody" })).await;
    assert!(wrong.contains("invalid_client"), "{wrong}");
    let secret = "app secret/with+odd:signs";
    let wrong = change(json!({ "issuer": format!("{}/", peer.issuer), "client_secret": secret })).await;
    assert!(wrong.contains("letter by letter"), "{wrong}");
    let wrong = change(json!({ "issuer": "http://127.0.0.1:9", "client_secret": secret })).await;
    assert!(wrong.contains("127.0.0.1:9 cannot be reached"), "{wrong}");
    // A private address that the operator allowed nobody.
    let wrong = change(json!({ "issuer": "https://10.0.0.1", "client_secret": secret })).await;
    assert!(wrong.contains("may not be called from here"), "{wrong}");
    // Ourselves.
    let wrong = change(json!({ "issuer": desk.server.url(), "client_secret": secret })).await;
    assert!(wrong.contains("may not be called from here"), "{wrong}");
    desk.browser().post("/api/v1/auth/corp/begin", json!({})).await.refused(503, "sign_in_unavailable");
    desk.server.finish().await;
}

#[tokio::test]
async fn settings_are_checked_and_a_secret_follows_nobody_elsewhere() {
    let desk = Desk::open(TestDatabase::sqlite()).await;
    let owner = desk.server.owner().await;
    let make = |settings: Value| json!({ "name": "corp", "kind": "oidc", "settings": settings });
    for (field, settings) in [
        ("/settings", json!({})),
        ("/settings/issuer", json!({ "issuer": "http://id.example", "client_id": "a" })),
        ("/settings/issuer", json!({ "issuer": "https://id.example?x", "client_id": "a" })),
        ("/settings/issuer", json!({ "issuer": 1, "client_id": "a" })),
        (
            "/settings/scopes",
            json!({ "issuer": "https://id.example", "client_id": "a", "scopes": ["email"] }),
        ),
        ("/settings/prompt", json!({ "issuer": "https://id.example", "client_id": "a", "prompt": "maybe" })),
        (
            "/settings/claims",
            json!({ "issuer": "https://id.example", "client_id": "a", "claims": { "x": "y" } }),
        ),
        ("/settings", json!({ "issuer": "https://id.example", "client_id": "a", "colour": "blue" })),
    ] {
        let refused = owner.post(PROVIDERS, make(settings.clone())).await.refused(422, "validation_failed");
        assert!(
            refused["errors"].as_array().unwrap().iter().any(|error| error["field"] == field),
            "{refused}"
        );
    }
    let settings =
        json!({ "issuer": "https://id.example", "client_id": "a", "client_secret": "very secret" });
    let made = owner.post(PROVIDERS, make(settings)).await.ok(201);
    assert_eq!(made["settings"], json!({ "issuer": "https://id.example", "client_id": "a" }));
    assert_eq!(made["has_secrets"], true);
    let path = format!("{PROVIDERS}/{}", made["id"].as_str().unwrap());
    let elsewhere = json!({ "settings": { "issuer": "https://evil.example" } });
    let refused = owner.patch(&path, elsewhere).await.refused(422, "validation_failed");
    assert_eq!(refused["errors"][0]["field"], "/settings/client_secret");
    let anew = json!({ "settings": { "issuer": "https://new.example", "client_secret": "another" } });
    owner.patch(&path, anew).await.ok(200);
    for roles in [json!({ "a/b": ["owner"] }), json!({ "a/b": ["emperor"] })] {
        let refused =
            owner.patch(&path, json!({ "group_roles": roles })).await.refused(422, "validation_failed");
        assert_eq!(refused["errors"][0]["field"], "/group_roles/a~1b/0");
    }
    // Nobody gives by way of a directory what they do not hold.
    let home = desk.server.home().await;
    let (person, keeper) = desk.server.person(home, &["member"]).await;
    desk.server.grant(home, web::PrincipalId::User(person.id), "auth_providers:manage:all").await;
    let gift = json!({ "group_roles": { "all": ["admin"] } });
    keeper.patch(&path, gift).await.refused(403, "authority_exceeded");
    desk.server.finish().await;
}
