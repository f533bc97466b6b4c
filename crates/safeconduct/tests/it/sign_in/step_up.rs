//! Confirming a session.

use std::time::Duration;

use serde_json::json;
use testing::TestDatabase;

use super::factors::App;
use super::password::PASSWORD;
use super::{Desk, code_in, count, with_cookie};

const STEP_UP: &str = "/api/v1/auth/step-up";

testing::on_both_databases! {
    async fn a_confirmation_opens_acts_for_five_minutes_and_changes_the_cookie(database: TestDatabase) {
        let desk = Desk::open(database).await;
        desk.provider(json!({ "name": "password", "kind": "password" })).await;
        let (_, ada) = desk.with_password("ada@example.com").await;
        desk.server.clock.advance(Duration::from_secs(301));
        let body = json!({ "password": "another-fine-word" });
        ada.post("/api/v1/auth/password", body.clone()).await.refused(403, "step_up_required");
        let ways = ada.get(STEP_UP).await.ok(200);
        assert_eq!(ways["ways"], json!(["password"]));
        let proof = json!({ "way": "password", "input": { "password": PASSWORD } });
        let answer = ada.post(STEP_UP, proof.clone()).await;
        answer.ok(200);
        // The old cookie is dead: whoever had copied it is out.
        ada.get("/api/v1/auth/me").await.refused(401, "unauthenticated");
        let ada = with_cookie(&desk.server, &answer);
        ada.post("/api/v1/auth/password", body).await.ok(200);
        desk.server.clock.advance(Duration::from_secs(301));
        ada.post("/api/v1/auth/password", json!({ "password": PASSWORD })).await.refused(403, "step_up_required");
        assert_eq!(count(&desk.server, "session.stepped_up").await, 1);
        desk.server.finish().await;
    }
}

#[tokio::test]
async fn another_factor_than_the_first_is_asked_for_where_there_is_one() {
    let desk = Desk::open(TestDatabase::sqlite()).await;
    desk.provider(json!({ "name": "password", "kind": "password" })).await;
    let (_, ada) = desk.with_password("ada@example.com").await;
    let app = App::of(&desk.server, &ada).await;
    let half = desk.login("ada@example.com", PASSWORD).await.ok(200);
    let code = app.next_code(&desk.server);
    let body = json!({ "state": half["second_factor"]["state"], "way": "totp", "code": code });
    let answer = desk.browser().post("/api/v1/auth/second-factor", body).await;
    let browser = with_cookie(&desk.server, &answer);
    // Both factors were just shown.
    let body = json!({ "password": "another-fine-word" });
    browser.post("/api/v1/auth/password", body).await.ok(200);
    desk.server.clock.advance(Duration::from_secs(301));
    assert_eq!(browser.get(STEP_UP).await.ok(200)["ways"], json!(["totp", "recovery"]));
    let again = json!({ "way": "password", "input": { "password": "another-fine-word" } });
    let refused = browser.post(STEP_UP, again).await.refused(422, "validation_failed");
    assert_eq!(refused["errors"][0]["field"], "/way");
    let wrong = json!({ "way": "totp", "input": { "code": "abcdef" } });
    browser.post(STEP_UP, wrong).await.refused(401, "sign_in_refused");
    let right = json!({ "way": "totp", "input": { "code": app.next_code(&desk.server) } });
    let answer = browser.post(STEP_UP, right.clone()).await;
    answer.ok(200);
    with_cookie(&desk.server, &answer).post(STEP_UP, right).await.refused(401, "sign_in_refused");
    // An app that is lost: a recovery code confirms, and the app can go.
    let browser = with_cookie(&desk.server, &answer);
    let recovery = json!({ "way": "recovery", "input": { "code": app.recovery_codes[3] } });
    let answer = browser.post(STEP_UP, recovery).await;
    answer.ok(200);
    with_cookie(&desk.server, &answer).delete(&format!("/api/v1/auth/factors/{}", app.id)).await.ok(200);
    desk.server.finish().await;
}

#[tokio::test]
async fn one_of_several_factors_opens_less_than_all() {
    let desk = Desk::open(TestDatabase::sqlite()).await;
    desk.provider(json!({ "name": "password", "kind": "password" })).await;
    desk.provider(json!({ "name": "mail", "kind": "otp" })).await;
    desk.with_password("ada@example.com").await;
    let browser = with_cookie(&desk.server, &desk.login("ada@example.com", PASSWORD).await);
    let body = json!({ "password": "another-fine-word" });
    browser.post("/api/v1/auth/password", body.clone()).await.refused(403, "step_up_required");
    assert_eq!(browser.get(STEP_UP).await.ok(200)["ways"], json!(["otp"]));
    let begun = browser.post(&format!("{STEP_UP}/begin"), json!({ "way": "otp" })).await.ok(200);
    let code = code_in(&desk.sink.letter("ada@example.com", 1).await);
    // A code for confirming signs nobody in.
    desk.verify(&begun, &code).await.refused(401, "sign_in_refused");
    let proof = json!({ "way": "otp", "state": begun["state"], "input": { "code": code } });
    let answer = browser.post(STEP_UP, proof.clone()).await;
    answer.ok(200);
    let browser = with_cookie(&desk.server, &answer);
    browser.post("/api/v1/auth/password", body).await.ok(200);
    browser.post(STEP_UP, proof).await.refused(401, "sign_in_refused");
    browser
        .post(&format!("{STEP_UP}/begin"), json!({ "way": "totp" }))
        .await
        .refused(422, "validation_failed");
    desk.server.finish().await;
}

#[tokio::test]
async fn a_switched_off_provider_confirms_nothing_and_without_a_factor_nothing_does() {
    let desk = Desk::open(TestDatabase::sqlite()).await;
    let provider = desk.provider(json!({ "name": "password", "kind": "password" })).await;
    let (_, ada) = desk.with_password("ada@example.com").await;
    let path = format!("/api/v1/auth-providers/{}", provider["id"].as_str().unwrap());
    desk.server.owner().await.patch(&path, json!({ "enabled": false })).await.ok(200);
    assert_eq!(ada.get(STEP_UP).await.ok(200)["ways"], json!([]));
    let proof = json!({ "way": "password", "input": { "password": PASSWORD } });
    ada.post(STEP_UP, proof).await.refused(422, "validation_failed");
    desk.login("ada@example.com", PASSWORD).await.refused(403, "provider_disabled");
    let agent = desk.server.owner_by_token().await;
    agent.get(STEP_UP).await.refused(403, "permission_denied");
    desk.server.finish().await;
}
