//! Codes by e-mail.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use testing::TestDatabase;

use super::{Desk, count, with_cookie};

/// The codes that are not this one; the first few.
fn wrong_codes(code: &str) -> Vec<String> {
    (0..9).map(|digit| digit.to_string().repeat(6)).filter(|wrong| wrong != code).take(5).collect()
}

testing::on_both_databases! {
    async fn a_code_signs_its_person_in(database: TestDatabase) {
        let desk = Desk::open(database).await;
        desk.provider(json!({ "name": "mail", "kind": "otp" })).await;
        let ada = desk.member("ada@example.com").await;
        let (begun, code) = desk.code("ada@example.com", 1).await;
        let answer = desk.verify(&begun, &code).await;
        let signed_in = answer.ok(200);
        assert_eq!(signed_in["user"]["id"], ada.id.to_string());
        assert_eq!(answer.header("cache-control"), "no-store");
        assert!(answer.header("set-cookie").contains("HttpOnly; SameSite=Strict"));
        let me = with_cookie(&desk.server, &answer).get("/api/v1/auth/me").await.ok(200);
        assert_eq!(me["principal"]["id"], ada.id.to_string());
        let sessions = with_cookie(&desk.server, &answer).get("/api/v1/auth/sessions").await.ok(200);
        assert_eq!(sessions["items"][0]["factors"], "otp");
        assert!(sessions["items"][0]["provider"].as_str().unwrap().starts_with("prv_"));
        // Used once, it is worth nothing.
        desk.verify(&begun, &code).await.refused(401, "sign_in_refused");
        assert_eq!(count(&desk.server, "auth.begun").await, 1);
        assert_eq!(count(&desk.server, "auth.refused").await, 1);
        desk.server.finish().await;
    }

    async fn of_a_hundred_that_redeem_one_code_exactly_one_succeeds(database: TestDatabase) {
        let desk = Desk::open(database).await;
        desk.provider(json!({ "name": "mail", "kind": "otp" })).await;
        desk.member("ada@example.com").await;
        let (begun, code) = desk.code("ada@example.com", 1).await;
        let body = json!({ "state": begun["state"], "code": code });
        let racers: Vec<_> = (0..100)
            .map(|_| {
                let (browser, body) = (desk.browser(), body.clone());
                telemetry::spawn("racer", async move {
                    browser.post("/api/v1/auth/otp/verify", body).await.status.as_u16()
                })
            })
            .collect();
        let mut counts = BTreeMap::<u16, usize>::new();
        for racer in racers {
            *counts.entry(racer.await.unwrap()).or_default() += 1;
        }
        assert_eq!(counts.remove(&200), Some(1), "{counts:?}");
        assert!(counts.keys().all(|status| [401, 429].contains(status)), "{counts:?}");
        let tamper = desk.server.database.tamper().await;
        assert_eq!(tamper.number("SELECT count(*) FROM sessions WHERE factors = 'otp'").await, 1);
        desk.server.finish().await;
    }

    async fn after_five_wrong_tries_the_right_code_is_dead(database: TestDatabase) {
        let desk = Desk::open(database).await;
        desk.provider(json!({ "name": "mail", "kind": "otp" })).await;
        desk.member("ada@example.com").await;
        let (begun, code) = desk.code("ada@example.com", 1).await;
        for wrong in wrong_codes(&code) {
            desk.verify(&begun, &wrong).await.refused(401, "sign_in_refused");
        }
        desk.verify(&begun, &code).await.refused(401, "sign_in_refused");
        desk.server.finish().await;
    }
}

#[tokio::test]
async fn a_code_dies_by_its_clock_and_by_a_newer_one() {
    let desk = Desk::open(TestDatabase::sqlite()).await;
    desk.provider(json!({ "name": "mail", "kind": "otp" })).await;
    desk.member("ada@example.com").await;
    let (first, old) = desk.code("ada@example.com", 1).await;
    let (second, code) = desk.code("Ada@Example.COM", 2).await;
    desk.verify(&first, &old).await.refused(401, "sign_in_refused");
    desk.server.clock.advance(Duration::from_secs(601));
    desk.verify(&second, &code).await.refused(401, "sign_in_refused");
    let (third, code) = desk.code("ada@example.com", 3).await;
    desk.server.clock.advance(Duration::from_secs(570));
    // People copy it as it is shown.
    desk.verify(&third, &format!("{} {}", &code[..3], &code[3..])).await.ok(200);
    desk.server.finish().await;
}

#[tokio::test]
async fn nothing_of_the_answer_tells_whether_an_address_is_known() {
    let desk = Desk::open(TestDatabase::sqlite()).await;
    desk.provider(json!({ "name": "mail", "kind": "otp" })).await;
    desk.member("ada@example.com").await;
    let ask = async |email: &str| desk.browser().post("/api/v1/auth/otp", json!({ "email": email })).await;
    let (known, unknown) = (ask("ada@example.com").await, ask("eve@example.com").await);
    let names = |answer: &crate::support::Answer| {
        let mut names: Vec<String> = answer.headers.keys().map(ToString::to_string).collect();
        names.sort();
        (answer.status, names, answer.text.len())
    };
    assert_eq!(names(&known), names(&unknown));
    let shape = |answer: &crate::support::Answer| {
        let mut body = answer.ok(202);
        for changing in ["state", "expires_at"] {
            body[changing] = json!(null);
        }
        body
    };
    assert_eq!(shape(&known), shape(&unknown));
    // Trying a code reads the same, too.
    desk.sink.letter("ada@example.com", 1).await;
    let mut refusals = Vec::new();
    for begun in [known.json(), unknown.json()] {
        let mut refused = desk.verify(&begun, "000000").await.refused(401, "sign_in_refused");
        refused["request_id"] = json!(null);
        refusals.push(refused);
    }
    assert_eq!(refusals[0], refusals[1]);
    assert!(desk.sink.letters_to("eve@example.com").is_empty(), "an unasked letter");
    desk.server.finish().await;
}

#[tokio::test]
async fn newcomers_come_in_where_the_provider_makes_them_and_only_from_its_domains() {
    let desk = Desk::open(TestDatabase::sqlite()).await;
    let body = json!({ "name": "mail", "kind": "otp", "create_users": true, "default_roles": ["member"],
        "allowed_domains": ["Example.com"] });
    desk.provider(body).await;
    let (begun, code) = desk.code("new@example.com", 1).await;
    let answer = desk.verify(&begun, &code).await;
    answer.ok(200);
    let me = with_cookie(&desk.server, &answer).get("/api/v1/auth/me").await.ok(200);
    assert_eq!((&me["roles"], &me["org"]["slug"]), (&json!(["member"]), &json!("home")));
    desk.browser().post("/api/v1/auth/otp", json!({ "email": "new@example.org" })).await.ok(202);
    // The next letter that is sent is the next that arrives: none went before it.
    desk.code("second@example.com", 1).await;
    assert!(desk.sink.letters_to("new@example.org").is_empty());
    desk.server.finish().await;
}

#[tokio::test]
async fn what_is_malformed_is_named_and_other_sites_are_refused() {
    let desk = Desk::open(TestDatabase::sqlite()).await;
    desk.browser()
        .post("/api/v1/auth/otp", json!({ "email": "ada@example.com" }))
        .await
        .refused(404, "not_found");
    desk.provider(json!({ "name": "mail", "kind": "otp" })).await;
    let browser = desk.browser();
    for email in ["nobody", "a b@example.com", "@example.com", "ada@example.com\n"] {
        let body = browser.post("/api/v1/auth/otp", json!({ "email": email })).await;
        if email.trim() == email {
            assert_eq!(
                body.refused(422, "validation_failed")["errors"][0]["field"],
                "/input/email",
                "{email}"
            );
        }
    }
    let evil = desk.server.anonymous().with("origin", "https://evil.example");
    evil.post("/api/v1/auth/otp", json!({ "email": "ada@example.com" }))
        .await
        .refused(403, "cross_site_request");
    let body = json!({ "state": "0".repeat(43), "code": "123456" });
    evil.post("/api/v1/auth/otp/verify", body.clone()).await.refused(403, "cross_site_request");
    browser.post("/api/v1/auth/otp/verify", body).await.refused(401, "sign_in_refused");
    let extra = json!({ "email": "ada@example.com", "colour": "blue" });
    browser.post("/api/v1/auth/otp", extra).await.refused(422, "validation_failed");
    desk.server.finish().await;
}
