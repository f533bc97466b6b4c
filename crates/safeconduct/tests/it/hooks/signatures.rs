//! Signatures over HTTP: right, wrong, missing, late, sent twice. What the vendors document is held by the unit tests of
//! `triggers`.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use crypto::mac::{MacHash, tag_with};
use reqwest::Method;
use serde_json::{Value, json};

use super::{
    ECHO, SECRET, echo_hook, facts, github, hex, hook, knock, path, reasons, runs, send, send_signed, signed,
};
use crate::support::{Answer, TestServer};

/// Signed by each preset that says when.
async fn timed(server: &TestServer, hook: &Value, preset: &str, at: i64, body: &str) -> Answer {
    let tag = |key: &[u8], text: String| tag_with(MacHash::Sha256, key, &[text.as_bytes()]);
    let at = at.to_string();
    let headers: Vec<(&str, String)> = match preset {
        "stripe" => {
            let signature = hex(&tag(SECRET.as_bytes(), format!("{at}.{body}")));
            vec![("stripe-signature", format!("t={at},v1={signature}"))]
        }
        "slack" => {
            let signature = hex(&tag(SECRET.as_bytes(), format!("v0:{at}:{body}")));
            vec![("x-slack-request-timestamp", at), ("x-slack-signature", format!("v0={signature}"))]
        }
        "standard_webhooks" => {
            let key = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
            let signature = STANDARD.encode(tag(&key, format!("msg_1.{at}.{body}")));
            vec![
                ("webhook-id", "msg_1".to_owned()),
                ("webhook-timestamp", at),
                ("webhook-signature", format!("v1,{signature}")),
            ]
        }
        _ => {
            let signature = hex(&tag(SECRET.as_bytes(), format!("{at}.{body}")));
            vec![("x-at", at), ("x-sig", signature)]
        }
    };
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    knock(server, Method::POST, &path(hook), &headers, body.to_owned()).await
}

testing::on_both_databases! {
    async fn a_body_is_believed_under_its_signature_alone(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let made = echo_hook(&owner, github()).await;
        assert_eq!(send_signed(&server, &made, "{\"a\": 1}").await.ok(200), json!({ "got": { "a": 1 } }));
        let right = signed(b"{}");
        for (headers, body) in [
            (vec![], "{}"),
            (vec![("x-hub-signature-256", right.as_str())], "{ }"),
            (vec![("x-hub-signature-256", "sha256=00")], "{}"),
            (vec![("x-hub-signature-256", &right[7..])], "{}"),
            (vec![("x-hub-signature", right.as_str())], "{}"),
            (vec![("x-hub-signature-256", right.as_str()), ("x-hub-signature-256", right.as_str())], "{}"),
        ] {
            knock(&server, Method::POST, &path(&made), headers.as_slice(), body).await.refused(401, "hook_unauthenticated");
        }
        assert_eq!(runs(&server).await, 1);
        // Nobody signs a query: it is no body.
        let asks = hook(&owner, json!({ "path": "asks", "methods": ["GET"], "authentication": { "kind": "hmac", "preset": "github" }, "secret": SECRET })).await;
        let nothing = signed(b"");
        let asked = format!("{}?amount=999", path(&asks));
        let got = knock(&server, Method::GET, &asked, &[("x-hub-signature-256", nothing.as_str())], "").await.ok(200);
        assert_eq!(got, json!({ "got": {} }));
        let told = reasons(&owner, &made).await;
        assert_eq!((told["signature_missing"], told["signature_wrong"]), (4, 2), "{told:?}");
        server.house().ledger.drain().await.unwrap();
        assert!(facts(&server, "hook.refused").await >= 1);
        server.finish().await;
    }

    async fn a_message_with_a_time_counts_once_and_in_its_time(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        crate::functions::function(&owner, "echo", ECHO).await;
        let mut accepted = 0;
        for preset in ["stripe", "slack", "standard_webhooks", "generic"] {
            let mut by = json!({ "kind": "hmac", "preset": preset });
            if preset == "generic" {
                (by["header"], by["timestamp_header"]) = (json!("x-sig"), json!("x-at"));
            }
            let secret = if preset == "standard_webhooks" { "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" } else { SECRET };
            let more = json!({ "path": preset, "authentication": by, "secret": secret });
            let made = hook(&owner, more).await;
            let now = server.house().world.now().seconds();
            for (at, body, status) in [
                (now, "{\"n\": 1}", 200),
                (now, "{\"n\": 1}", 401),
                (now, "{\"n\": 2}", 200),
                (now - 100, "{\"n\": 1}", 200),
                (now - 400, "{\"n\": 1}", 401),
                (now + 400, "{\"n\": 1}", 401),
            ] {
                let answer = timed(&server, &made, preset, at, body).await;
                assert_eq!(answer.status.as_u16(), status, "{preset} {} {body}: {}", at - now, answer.text);
                accepted += i64::from(status == 200);
            }
            send(&server, &made, json!({})).await.refused(401, "hook_unauthenticated");
            let told = reasons(&owner, &made).await;
            let words = ["signature_repeated", "signature_late", "signature_missing"];
            assert_eq!(words.map(|word| told.get(word).copied()), [Some(1), Some(2), Some(1)], "{preset}: {told:?}");
        }
        assert_eq!(runs(&server).await, accepted);
        server.finish().await;
    }

    async fn what_the_vendors_libraries_sign_is_believed(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        crate::functions::function(&owner, "echo", ECHO).await;
        for delivery in testing::signed_by_vendors(server.house().world.now().seconds()) {
            let testing::VendorsDelivery { preset, secret, headers, body } = delivery;
            let by = json!({ "kind": "hmac", "preset": preset });
            let made = hook(&owner, json!({ "path": preset, "authentication": by, "secret": secret })).await;
            let mut headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            headers.push(("content-type", "application/json"));
            let spoiled = body.replace("evt_1", "evt_2");
            knock(&server, Method::POST, &path(&made), &headers, spoiled).await.refused(401, "hook_unauthenticated");
            let answer = knock(&server, Method::POST, &path(&made), &headers, body.clone()).await;
            assert_eq!(answer.ok(200)["got"], serde_json::from_str::<Value>(&body).unwrap(), "{preset}");
        }
        assert_eq!(runs(&server).await, 3);
        server.finish().await;
    }

    /// What was refused for another reason may come again: the sender's own second try must not look like an attack.
    async fn a_message_that_came_to_nothing_may_be_sent_again(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let more = json!({ "authentication": { "kind": "hmac", "preset": "stripe" }, "secret": SECRET, "rate_per_minute": 1 });
        let made = echo_hook(&owner, more).await;
        let now = server.house().world.now().seconds();
        assert_eq!(timed(&server, &made, "stripe", now, "{\"n\": 1}").await.status, 200);
        let limited = timed(&server, &made, "stripe", now + 60, "{\"n\": 2}").await;
        limited.refused(429, "rate_limited");
        assert!(!limited.header("retry-after").is_empty());
        server.clock.advance(Duration::from_secs(61));
        assert_eq!(timed(&server, &made, "stripe", now + 60, "{\"n\": 2}").await.status, 200);
        server.finish().await;
    }
}
