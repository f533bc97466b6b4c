//! Authenticator apps and recovery codes, as second step and as confirmation.

use std::collections::BTreeMap;
use std::time::Duration;

use crypto::totp::{STEP, TotpSecret};
use serde_json::{Value, json};
use testing::TestDatabase;

use super::password::PASSWORD;
use super::{Desk, count, with_cookie};
use crate::support::{Answer, Caller, TestServer};

/// An app on somebody's phone.
pub(crate) struct App {
    secret: TotpSecret,
    pub(crate) recovery_codes: Vec<String>,
    pub(crate) id: String,
}

impl App {
    /// Sets one up for whoever the caller is.
    pub(crate) async fn of(server: &TestServer, caller: &Caller) -> Self {
        let begun = caller.post("/api/v1/auth/factors/totp", json!({})).await.ok(200);
        let secret = TotpSecret::from_base32(begun["secret"].as_str().unwrap()).expect("base32");
        assert!(begun["uri"].as_str().unwrap().starts_with("otpauth://totp/Safeconduct%20%28"), "{begun}");
        let code = secret.code(step(server));
        let body = json!({ "state": begun["state"], "code": code, "label": "Phone" });
        let made = caller.post("/api/v1/auth/factors/totp/confirm", body).await.ok(201);
        let codes = made["recovery_codes"].as_array().unwrap();
        Self {
            secret,
            recovery_codes: codes.iter().map(|code| code.as_str().unwrap().to_owned()).collect(),
            id: made["factor"]["id"].as_str().unwrap().to_owned(),
        }
    }

    /// What an app shows that was told this secret.
    pub(crate) fn first_code(server: &TestServer, begun: &Value) -> String {
        let secret = TotpSecret::from_base32(begun["secret"].as_str().unwrap()).expect("base32");
        secret.code(step(server))
    }

    /// What it shows next: a step later than what was shown before.
    pub(crate) fn next_code(&self, server: &TestServer) -> String {
        server.clock.advance(Duration::from_secs(STEP as u64));
        self.secret.code(step(server))
    }
}

fn step(server: &TestServer) -> i64 {
    server.house().world.now().seconds() / STEP
}

async fn second(desk: &Desk, state: &Value, way: &str, code: &str) -> Answer {
    let body = json!({ "state": state, "way": way, "code": code });
    desk.browser().post("/api/v1/auth/second-factor", body).await
}

testing::on_both_databases! {
    async fn with_an_app_a_password_is_half_a_sign_in(database: TestDatabase) {
        let desk = Desk::open(database).await;
        desk.provider(json!({ "name": "password", "kind": "password" })).await;
        let (_, ada) = desk.with_password("ada@example.com").await;
        let app = App::of(&desk.server, &ada).await;
        assert_eq!(app.recovery_codes.len(), 10);
        let half = desk.login("ada@example.com", PASSWORD).await;
        let body = half.ok(200);
        assert_eq!((&body["status"], &body["user"], &body["session"]), (&json!("second_factor"), &Value::Null, &Value::Null));
        assert!(half.headers.get("set-cookie").is_none(), "a session before the second factor");
        assert_eq!(body["second_factor"]["ways"], json!(["totp", "recovery"]));
        let state = &body["second_factor"]["state"];
        second(&desk, state, "totp", "000000").await.refused(401, "sign_in_refused");
        let code = app.next_code(&desk.server);
        let answer = second(&desk, state, "totp", &code).await;
        answer.ok(200);
        let sessions = with_cookie(&desk.server, &answer).get("/api/v1/auth/sessions").await.ok(200);
        assert_eq!(sessions["items"][0]["factors"], "password+totp");
        // Neither the state nor the code works again.
        second(&desk, state, "totp", &code).await.refused(401, "sign_in_refused");
        let again = desk.login("ada@example.com", PASSWORD).await.ok(200);
        second(&desk, &again["second_factor"]["state"], "totp", &code).await.refused(401, "sign_in_refused");
        desk.server.finish().await;
    }

    async fn a_code_by_mail_is_used_up_by_half_a_sign_in(database: TestDatabase) {
        let desk = Desk::open(database).await;
        desk.provider(json!({ "name": "mail", "kind": "otp" })).await;
        let ada = desk.member("ada@example.com").await;
        App::of(&desk.server, &desk.signed_in(&ada).await).await;
        let (begun, code) = desk.code("ada@example.com", 1).await;
        let half = desk.verify(&begun, &code).await.ok(200);
        assert_eq!((&half["status"], &half["session"]), (&json!("second_factor"), &Value::Null));
        desk.verify(&begun, &code).await.refused(401, "sign_in_refused");
        desk.server.finish().await;
    }

    async fn of_a_hundred_that_use_one_recovery_code_exactly_one_succeeds(database: TestDatabase) {
        let desk = Desk::open(database).await;
        desk.provider(json!({ "name": "password", "kind": "password" })).await;
        let (_, ada) = desk.with_password("ada@example.com").await;
        let app = App::of(&desk.server, &ada).await;
        // Each racer steps up with a session of its own: the code alone decides.
        let person = desk.server.house().people.person_by_email("ada@example.com").await.unwrap().unwrap();
        let mut racers = Vec::new();
        for _ in 0..100 {
            let caller = desk.signed_in(&person).await;
            let body = json!({ "way": "recovery", "input": { "code": app.recovery_codes[0] } });
            racers.push((caller, body));
        }
        let racers: Vec<_> = racers
            .into_iter()
            .map(|(caller, body)| {
                telemetry::spawn("racer", async move {
                    caller.post("/api/v1/auth/step-up", body).await.status.as_u16()
                })
            })
            .collect();
        let mut counts = BTreeMap::<u16, usize>::new();
        for racer in racers {
            *counts.entry(racer.await.unwrap()).or_default() += 1;
        }
        assert_eq!(counts.remove(&200), Some(1), "{counts:?}");
        assert!(counts.keys().all(|status| [401, 429].contains(status)), "{counts:?}");
        let left = ada.get("/api/v1/auth/factors").await.ok(200);
        assert_eq!(left["recovery_codes_left"], 9);
        desk.server.finish().await;
    }
}

#[tokio::test]
async fn a_recovery_code_works_once_and_new_ones_void_the_old() {
    let desk = Desk::open(TestDatabase::sqlite()).await;
    desk.provider(json!({ "name": "password", "kind": "password" })).await;
    let (_, ada) = desk.with_password("ada@example.com").await;
    let app = App::of(&desk.server, &ada).await;
    let with = async |code: &str| {
        let half = desk.login("ada@example.com", PASSWORD).await.ok(200);
        second(&desk, &half["second_factor"]["state"], "recovery", code).await
    };
    let typed = app.recovery_codes[0].to_uppercase().replace('-', " ");
    with(&typed).await.ok(200);
    with(&app.recovery_codes[0]).await.refused(401, "sign_in_refused");
    let renewed = ada.post("/api/v1/auth/recovery-codes", json!({})).await;
    assert_eq!(renewed.header("cache-control"), "no-store");
    let fresh = renewed.ok(201)["recovery_codes"][0].as_str().unwrap().to_owned();
    with(&app.recovery_codes[1]).await.refused(401, "sign_in_refused");
    with(&fresh).await.ok(200);
    desk.server.finish().await;
}

#[tokio::test]
async fn five_wrong_second_factors_and_the_first_is_asked_for_again() {
    let desk = Desk::open(TestDatabase::sqlite()).await;
    desk.provider(json!({ "name": "password", "kind": "password" })).await;
    let (_, ada) = desk.with_password("ada@example.com").await;
    let app = App::of(&desk.server, &ada).await;
    let half = desk.login("ada@example.com", PASSWORD).await.ok(200);
    let state = &half["second_factor"]["state"];
    let right = app.next_code(&desk.server);
    let wrong = if right == "000000" { "000001" } else { "000000" };
    for _ in 0..5 {
        second(&desk, state, "totp", wrong).await.refused(401, "sign_in_refused");
    }
    second(&desk, state, "totp", &right).await.refused(401, "sign_in_refused");
    second(&desk, &json!("0".repeat(43)), "totp", &right).await.refused(401, "sign_in_refused");
    desk.server.finish().await;
}

#[tokio::test]
async fn an_app_is_set_up_by_its_own_person_with_its_own_code() {
    let desk = Desk::open(TestDatabase::sqlite()).await;
    let (_, ada) = desk.with_password("ada@example.com").await;
    let (_, bob) = desk.with_password("bob@example.com").await;
    let begun = ada.post("/api/v1/auth/factors/totp", json!({})).await.ok(200);
    let secret = TotpSecret::from_base32(begun["secret"].as_str().unwrap()).unwrap();
    let body = json!({ "state": begun["state"], "code": secret.code(step(&desk.server)) });
    bob.post("/api/v1/auth/factors/totp/confirm", body.clone()).await.refused(401, "sign_in_refused");
    let mut wrong = body.clone();
    wrong["code"] = json!("abcdef");
    ada.post("/api/v1/auth/factors/totp/confirm", wrong).await.refused(401, "sign_in_refused");
    assert_eq!(ada.get("/api/v1/auth/factors").await.ok(200)["items"], json!([]));
    let made = ada.post("/api/v1/auth/factors/totp/confirm", body.clone()).await.ok(201);
    ada.post("/api/v1/auth/factors/totp/confirm", body).await.refused(401, "sign_in_refused");
    let path = format!("/api/v1/auth/factors/{}", made["factor"]["id"].as_str().unwrap());
    bob.delete(&path).await.refused(404, "not_found");
    bob.patch(&path, json!({ "label": "Mine" })).await.refused(404, "not_found");
    ada.patch(&path, json!({ "label": "" })).await.refused(422, "validation_failed");
    let renamed = ada.patch(&path, json!({ "label": "Work phone" })).await.ok(200);
    assert_eq!((&renamed["label"], &renamed["id"]), (&json!("Work phone"), &made["factor"]["id"]));
    assert_eq!(count(&desk.server, "factor.renamed").await, 1);
    let listed = ada.get("/api/v1/auth/factors").await.ok(200);
    assert_eq!(listed["items"][0]["label"], "Work phone");
    assert_eq!((&listed["items"][0]["kind"], &listed["recovery_codes_left"]), (&json!("totp"), &json!(10)));
    let shown = listed.to_string();
    assert!(!shown.contains(begun["secret"].as_str().unwrap()), "the secret is shown again");
    ada.delete(&path).await.ok(200);
    assert_eq!(ada.get("/api/v1/auth/factors").await.ok(200)["recovery_codes_left"], 0);
    let tamper = desk.server.database.tamper().await;
    assert_eq!(tamper.number("SELECT count(*) FROM factors").await, 0);
    desk.server.finish().await;
}
