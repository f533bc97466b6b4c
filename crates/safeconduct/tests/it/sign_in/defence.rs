//! Whoever guesses waits, and whose account is tried is told.

use std::time::Duration;

use serde_json::json;
use testing::TestDatabase;

use super::password::PASSWORD;
use super::{Desk, count};

testing::on_both_databases! {
    async fn guessing_is_slowed_for_known_and_unknown_accounts_alike(database: TestDatabase) {
        let desk = Desk::open(database).await;
        desk.provider(json!({ "name": "password", "kind": "password" })).await;
        desk.with_password("ada@example.com").await;
        let mut waits = Vec::new();
        for login in ["ada@example.com", "eve@example.com"] {
            for _ in 0..6 {
                desk.login(login, "wrong-wrong-wrong").await.refused(401, "sign_in_refused");
            }
            let refused = desk.login(login, PASSWORD).await;
            refused.refused(429, "rate_limited");
            waits.push(refused.header("retry-after").parse::<u64>().unwrap());
        }
        // The clock goes on while this test waits its turn.
        assert!(waits[0].abs_diff(waits[1]) <= 2, "{waits:?}");
        // After the wait the right password works, and the count starts anew.
        desk.server.clock.advance(Duration::from_secs(waits[0]));
        desk.login("ada@example.com", PASSWORD).await.ok(200);
        desk.login("ada@example.com", "wrong-wrong-wrong").await.refused(401, "sign_in_refused");
        desk.login("ada@example.com", PASSWORD).await.ok(200);
        desk.server.finish().await;
    }
}

#[tokio::test]
async fn whose_account_is_tried_is_told_once() {
    let desk = Desk::open(TestDatabase::sqlite()).await;
    desk.provider(json!({ "name": "password", "kind": "password" })).await;
    desk.with_password("ada@example.com").await;
    for login in ["ada@example.com", "eve@example.com"] {
        for _ in 0..12 {
            desk.login(login, "wrong-wrong-wrong").await.refused(401, "sign_in_refused");
            desk.server.clock.advance(Duration::from_secs(200));
        }
    }
    let letter = desk.sink.letter("ada@example.com", 1).await;
    assert_eq!(letter.subject, "Somebody tries to sign in as you");
    assert_eq!(desk.sink.letters_to("ada@example.com").len(), 1);
    assert!(desk.sink.letters_to("eve@example.com").is_empty());
    assert_eq!(count(&desk.server, "auth.account_tried").await, 2);
    desk.server.finish().await;
}

#[tokio::test]
async fn a_mailbox_is_not_flooded_with_codes() {
    let desk = Desk::open(TestDatabase::sqlite()).await;
    desk.provider(json!({ "name": "mail", "kind": "otp" })).await;
    desk.member("ada@example.com").await;
    for email in ["ada@example.com", "eve@example.com"] {
        let ask = async || desk.browser().post("/api/v1/auth/otp", json!({ "email": email })).await;
        for _ in 0..6 {
            ask().await.ok(202);
        }
        ask().await.refused(429, "rate_limited");
        desk.server.clock.advance(Duration::from_secs(2));
        ask().await.ok(202);
    }
    desk.server.finish().await;
}
