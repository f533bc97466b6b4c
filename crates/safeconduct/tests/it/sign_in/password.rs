//! Passwords: setting, signing in, resetting.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use testing::TestDatabase;

use super::{Desk, count, with_cookie};
use crate::support::{Answer, Caller};

pub(super) const PASSWORD: &str = "tangerine-submarine-4";

impl Desk {
    /// A member with an address and this password; and a session of theirs, made otherwise.
    pub(super) async fn with_password(&self, email: &str) -> (people::Person, Caller) {
        let ada = self.member(email).await;
        let caller = self.signed_in(&ada).await;
        caller.post("/api/v1/auth/password", json!({ "password": PASSWORD })).await.ok(200);
        (ada, caller)
    }

    pub(super) async fn signed_in(&self, person: &people::Person) -> Caller {
        let people = &self.server.house().people;
        let contact = web::Contact::default();
        let home = self.server.home().await;
        let started = people.sign_in(home, person, people::SessionKind::Browser, "test", &contact).await;
        let cookie = format!("safeconduct_dev={}", started.expect("a session").secret.reveal());
        Caller { cookie: Some(cookie), ..self.server.anonymous() }
    }

    pub(super) async fn login(&self, login: &str, password: &str) -> Answer {
        let body = json!({ "input": { "login": login, "password": password } });
        self.browser().post("/api/v1/auth/password/login", body).await
    }

    /// The token of the link in the letter of this number.
    pub(super) async fn reset_token(&self, email: &str, number: usize) -> String {
        self.browser().post("/api/v1/auth/password/forgot", json!({ "email": email })).await.ok(202);
        let letter = self.sink.letter(email, number).await;
        let link = format!("{}/console/reset#", self.server.url());
        let (_, rest) = letter.text.split_once(&link).expect("a link of ours");
        rest.chars().take(43).collect()
    }
}

fn refused_alike(left: &Answer, right: &Answer) {
    let shape = |answer: &Answer| {
        let mut body = answer.refused(401, "sign_in_refused");
        body["request_id"] = Value::Null;
        body
    };
    assert_eq!(shape(left), shape(right));
}

testing::on_both_databases! {
    async fn a_password_signs_in_and_a_wrong_one_says_nothing(database: TestDatabase) {
        let desk = Desk::open(database).await;
        desk.provider(json!({ "name": "password", "kind": "password" })).await;
        let (ada, _) = desk.with_password("ada@example.com").await;
        let answer = desk.login("Ada@Example.com", PASSWORD).await;
        let body = answer.ok(200);
        assert_eq!((&body["status"], &body["user"]["id"]), (&json!("signed_in"), &json!(ada.id)));
        let sessions = with_cookie(&desk.server, &answer).get("/api/v1/auth/sessions").await.ok(200);
        assert_eq!(sessions["items"][0]["factors"], "password");
        let wrong = desk.login("ada@example.com", "tangerine-submarine-5").await;
        refused_alike(&wrong, &desk.login("eve@example.com", PASSWORD).await);
        desk.member("bob@example.com").await;
        refused_alike(&wrong, &desk.login("bob@example.com", PASSWORD).await);
        let stored = desk.server.database.tamper().await.rows("SELECT hash FROM passwords").await;
        assert!(stored[0][0].as_deref().unwrap().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        desk.server.finish().await;
    }

    async fn of_a_hundred_that_use_one_reset_link_exactly_one_succeeds(database: TestDatabase) {
        let desk = Desk::open(database).await;
        desk.provider(json!({ "name": "password", "kind": "password" })).await;
        let (_, before) = desk.with_password("ada@example.com").await;
        let token = desk.reset_token("ada@example.com", 1).await;
        let racers: Vec<_> = (0..100)
            .map(|number| {
                let (browser, password) = (desk.browser(), format!("marmalade lighthouse {number}"));
                let body = json!({ "token": token, "password": password });
                telemetry::spawn("racer", async move {
                    let answer = browser.post("/api/v1/auth/password/reset", body).await;
                    (answer.status.as_u16(), password)
                })
            })
            .collect();
        let (mut counts, mut won) = (BTreeMap::<u16, usize>::new(), None);
        for racer in racers {
            let (status, password) = racer.await.unwrap();
            *counts.entry(status).or_default() += 1;
            if status == 200 {
                won = Some(password);
            }
        }
        assert_eq!(counts.remove(&200), Some(1), "{counts:?}");
        assert!(counts.keys().all(|status| [401, 429, 503].contains(status)), "{counts:?}");
        before.get("/api/v1/auth/me").await.refused(401, "unauthenticated");
        desk.login("ada@example.com", PASSWORD).await.refused(401, "sign_in_refused");
        desk.login("ada@example.com", &won.unwrap()).await.ok(200);
        desk.server.finish().await;
    }
}

#[tokio::test]
async fn a_reset_link_dies_by_its_clock_by_a_newer_one_and_goes_to_known_addresses_only() {
    let desk = Desk::open(TestDatabase::sqlite()).await;
    let forgot = async |email: &str| {
        desk.browser().post("/api/v1/auth/password/forgot", json!({ "email": email })).await
    };
    forgot("ada@example.com").await.refused(404, "not_found");
    desk.provider(json!({ "name": "password", "kind": "password" })).await;
    desk.member("ada@example.com").await;
    assert_eq!(forgot("eve@example.com").await.text, forgot("ada@example.com").await.text);
    desk.sink.letter("ada@example.com", 1).await;
    let old = desk.reset_token("ada@example.com", 2).await;
    let new = desk.reset_token("ada@example.com", 3).await;
    assert!(desk.sink.letters_to("eve@example.com").is_empty());
    let reset = async |token: &str, password: &str| {
        let body = json!({ "token": token, "password": password });
        desk.browser().post("/api/v1/auth/password/reset", body).await
    };
    reset(&old, PASSWORD).await.refused(401, "sign_in_refused");
    // A refused password costs no link.
    let weak = reset(&new, "password1234").await.refused(422, "validation_failed");
    assert_eq!(weak["errors"][0]["field"], "/password");
    assert!(!weak.to_string().contains("password1234"), "{weak}");
    reset(&new, PASSWORD).await.ok(200);
    reset(&new, PASSWORD).await.refused(401, "sign_in_refused");
    desk.login("ada@example.com", PASSWORD).await.ok(200);
    let third = desk.reset_token("ada@example.com", 4).await;
    desk.server.clock.advance(Duration::from_secs(30 * 60 + 1));
    reset(&third, PASSWORD).await.refused(401, "sign_in_refused");
    reset("x", PASSWORD).await.refused(422, "validation_failed");
    let evil = desk.server.anonymous().with("origin", "https://evil.example");
    let body = json!({ "token": third, "password": PASSWORD });
    evil.post("/api/v1/auth/password/reset", body).await.refused(403, "cross_site_request");
    evil.post("/api/v1/auth/password/forgot", json!({ "email": "ada@example.com" }))
        .await
        .refused(403, "cross_site_request");
    desk.server.finish().await;
}

#[tokio::test]
async fn setting_a_password_ends_the_other_sessions_and_needs_a_confirmation() {
    let desk = Desk::open(TestDatabase::sqlite()).await;
    let (ada, first) = desk.with_password("ada@example.com").await;
    let second = desk.signed_in(&ada).await;
    second.post("/api/v1/auth/password", json!({ "password": "another-fine-word" })).await.ok(200);
    first.get("/api/v1/auth/me").await.refused(401, "unauthenticated");
    second.get("/api/v1/auth/me").await.ok(200);
    for weak in ["short", "password1234", "111111111111", "ada@example.com"] {
        let refused = second.post("/api/v1/auth/password", json!({ "password": weak })).await;
        assert_eq!(refused.refused(422, "validation_failed")["errors"][0]["field"], "/password", "{weak}");
    }
    desk.server.clock.advance(Duration::from_secs(301));
    let body = json!({ "password": PASSWORD });
    second.post("/api/v1/auth/password", body).await.refused(403, "step_up_required");
    assert_eq!(count(&desk.server, "password.set").await, 2);
    desk.server.finish().await;
}

#[tokio::test]
async fn a_token_cannot_set_a_password() {
    let desk = Desk::open(TestDatabase::sqlite()).await;
    let owner = desk.server.owner_by_token().await;
    owner
        .post("/api/v1/auth/password", json!({ "password": PASSWORD }))
        .await
        .refused(403, "permission_denied");
    owner.get("/api/v1/auth/factors").await.refused(403, "permission_denied");
    desk.server.finish().await;
}
