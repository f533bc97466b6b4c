//! Beginning and completing by any provider: what is refused everywhere alike.

use serde_json::json;
use testing::TestDatabase;
use types::{Id, UserId};

use super::{Desk, code_in, with_cookie};

const RETURN_TO: [&str; 8] = [
    "//evil.example",
    "https://evil.example",
    "/\\evil.example",
    "javascript:alert(1)",
    "https:evil.example",
    "/\t/evil.example",
    "http://127.0.0.1@evil.example",
    "evil.example",
];

testing::on_both_databases! {
    async fn a_disabled_provider_is_refused_in_every_flow(database: TestDatabase) {
        let desk = Desk::open(database).await;
        let provider = desk.provider(json!({ "name": "mail", "kind": "otp" })).await;
        desk.member("ada@example.com").await;
        let (begun, code) = desk.code("ada@example.com", 1).await;
        let id = provider["id"].as_str().unwrap();
        let path = format!("/api/v1/auth-providers/{id}");
        desk.server.owner().await.patch(&path, json!({ "enabled": false })).await.ok(200);

        let browser = desk.browser();
        let email = json!({ "input": { "email": "ada@example.com" } });
        let complete = json!({ "state": begun["state"], "input": { "code": code } });
        for of in [id, "mail"] {
            browser.post(&format!("/api/v1/auth/{of}/begin"), email.clone()).await.refused(403, "provider_disabled");
            let login = browser.post(&format!("/api/v1/auth/{of}/login"), complete.clone()).await;
            login.refused(403, "provider_disabled");
        }
        let callback = format!("/api/v1/auth/{id}/callback?state=");
        browser.get(&format!("{callback}{}", begun["state"].as_str().unwrap())).await.refused(401, "sign_in_refused");
        desk.verify(&begun, &code).await.refused(403, "provider_disabled");
        browser.post("/api/v1/auth/otp", json!({ "email": "ada@example.com" })).await.refused(403, "provider_disabled");
        assert_eq!(browser.get("/api/v1/auth/providers").await.ok(200)["items"], json!([]));
        // Nothing was used up by the refusals: switched on again, the same code works.
        desk.server.owner().await.patch(&path, json!({ "enabled": true })).await.ok(200);
        desk.verify(&begun, &code).await.ok(200);
        desk.server.finish().await;
    }

    async fn an_organizations_provider_signs_in_there_and_nowhere_else(database: TestDatabase) {
        let desk = Desk::open(database).await;
        let elsewhere = desk.server.stranger().await;
        let body = json!({ "name": "mail", "kind": "otp", "create_users": true });
        let own = elsewhere.post("/api/v1/auth-providers", body).await.ok(201);
        let id = own["id"].as_str().unwrap();
        // The home organization's member is no member of that one, so its provider knows nobody of that address there.
        desk.member("ada@example.com").await;
        let browser = desk.browser();
        let begin = json!({ "org": "elsewhere", "input": { "email": "ada@example.com" } });
        let begun = browser.post("/api/v1/auth/mail/begin", begin).await.ok(200);
        let code = code_in(&desk.sink.letter("ada@example.com", 1).await);
        let login = json!({ "state": begun["state"], "input": { "code": code } });
        browser.post(&format!("/api/v1/auth/{id}/login"), login).await.refused(401, "sign_in_refused");
        // It is not there for others: neither by name, nor by id, nor in the list.
        let email = json!({ "input": { "email": "ada@example.com" } });
        browser.post("/api/v1/auth/mail/begin", email.clone()).await.refused(404, "not_found");
        let mut home = email;
        home["org"] = json!("home");
        browser.post(&format!("/api/v1/auth/{id}/begin"), home).await.refused(404, "not_found");
        assert_eq!(browser.get("/api/v1/auth/providers?org=home").await.ok(200)["items"], json!([]));
        let offered = browser.get("/api/v1/auth/providers?org=elsewhere").await.ok(200);
        assert_eq!(offered["items"][0]["id"], id);
        browser.get("/api/v1/auth/providers?org=nowhere").await.refused(404, "not_found");
        // Newcomers of the provider land in its organization.
        let begin = json!({ "org": "elsewhere", "input": { "email": "new@example.com" } });
        let begun = browser.post("/api/v1/auth/mail/begin", begin).await.ok(200);
        let code = code_in(&desk.sink.letter("new@example.com", 1).await);
        let login = json!({ "state": begun["state"], "input": { "code": code } });
        let answer = browser.post("/api/v1/auth/mail/login", login).await;
        assert_eq!(answer.ok(200)["org"]["slug"], "elsewhere");
        desk.server.finish().await;
    }

    async fn a_provider_of_the_instance_signs_members_in_to_the_organization_asked_for(database: TestDatabase) {
        let desk = Desk::open(database).await;
        desk.server.stranger().await;
        desk.provider(json!({ "name": "mail", "kind": "otp" })).await;
        desk.member("ada@example.com").await;
        let browser = desk.browser();
        let begin = json!({ "email": "ada@example.com", "org": "elsewhere" });
        let begun = browser.post("/api/v1/auth/otp", begin).await.ok(202);
        let code = code_in(&desk.sink.letter("ada@example.com", 1).await);
        desk.verify(&begun, &code).await.refused(401, "sign_in_refused");
        let begun = browser.post("/api/v1/auth/otp", json!({ "email": "ada@example.com", "org": "home" })).await.ok(202);
        let code = code_in(&desk.sink.letter("ada@example.com", 2).await);
        assert_eq!(desk.verify(&begun, &code).await.ok(200)["org"]["slug"], "home");
        desk.server.finish().await;
    }
}

#[tokio::test]
async fn a_suspended_person_is_refused_like_anybody() {
    let desk = Desk::open(TestDatabase::sqlite()).await;
    desk.provider(json!({ "name": "mail", "kind": "otp" })).await;
    let ada = desk.member("ada@example.com").await;
    let (begun, code) = desk.code("ada@example.com", 1).await;
    let tamper = desk.server.database.tamper().await;
    let id: UserId = ada.id;
    tamper.must(&format!("UPDATE users SET status = 'suspended' WHERE id = x'{}'", id.uuid().simple())).await;
    desk.verify(&begun, &code).await.refused(401, "sign_in_refused");
    desk.server.finish().await;
}

#[tokio::test]
async fn a_sign_in_returns_only_to_our_own_or_listed_addresses() {
    let listed = [("sign_in.return_to", "https://intranet.example/start")];
    let desk = Desk::open_with(TestDatabase::sqlite(), &listed).await;
    desk.provider(json!({ "name": "mail", "kind": "otp" })).await;
    desk.member("ada@example.com").await;
    let browser = desk.browser();
    for target in RETURN_TO {
        let body = json!({ "email": "ada@example.com", "return_to": target });
        let refused = browser.post("/api/v1/auth/otp", body).await.refused(422, "validation_failed");
        assert_eq!(refused["errors"][0]["field"], "/return_to", "{target}");
        let body = json!({ "input": { "email": "ada@example.com" }, "return_to": target });
        browser.post("/api/v1/auth/mail/begin", body).await.refused(422, "validation_failed");
    }
    for (number, target) in ["/console/agents?x=1", "https://intranet.example/start#a"].iter().enumerate() {
        let body = json!({ "email": "ada@example.com", "return_to": target });
        let begun = browser.post("/api/v1/auth/otp", body).await.ok(202);
        let code = code_in(&desk.sink.letter("ada@example.com", number + 1).await);
        assert_eq!(desk.verify(&begun, &code).await.ok(200)["return_to"], *target);
    }
    desk.server.finish().await;
}

#[tokio::test]
async fn a_state_belongs_to_its_provider_and_its_purpose() {
    let desk = Desk::open(TestDatabase::sqlite()).await;
    desk.provider(json!({ "name": "mail", "kind": "otp" })).await;
    desk.provider(json!({ "name": "other", "kind": "otp" })).await;
    desk.member("ada@example.com").await;
    let (begun, code) = desk.code("ada@example.com", 1).await;
    let body = json!({ "state": begun["state"], "input": { "code": code } });
    let browser = desk.browser();
    let name = |of: &str| format!("/api/v1/auth/{of}/login");
    browser.post(&name("unknown"), json!({ "input": {} })).await.refused(404, "not_found");
    browser.post(&name("other"), body.clone()).await.refused(401, "sign_in_refused");
    let answer = browser.post(&name("mail"), body).await;
    answer.ok(200);
    with_cookie(&desk.server, &answer).get("/api/v1/auth/me").await.ok(200);
    // A way back that nobody was sent on, and one with a parameter twice.
    for query in
        ["", "?state=", "?state=a&state=b", "?state=0000000000000000000000000000000000000000000&code=1"]
    {
        browser.get(&format!("/api/v1/auth/mail/callback{query}")).await.refused(401, "sign_in_refused");
    }
    desk.server.finish().await;
}
