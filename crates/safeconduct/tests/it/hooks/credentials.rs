//! Tokens, API keys, names with passwords, and where a sender may send from.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde_json::{Value, json};

use super::{HOOKS, deliveries, echo_hook, hook, id, knock, path, reasons, runs, send};
use crate::support::{Caller, TestServer};

async fn post(caller: &Caller, hook: &Value) -> crate::support::Answer {
    caller.post(&path(hook), json!({})).await
}

testing::on_both_databases! {
    async fn whoever_may_execute_the_target_may_set_it_off(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let made = echo_hook(&owner, json!({ "authentication": { "kind": "token" }, "input": { "mode": "envelope" } })).await;
        let may = server.agent(&owner, "may", &["functions/ops/echo:execute:all"]).await;
        let may_other = server.agent(&owner, "other", &["functions/ops/other:execute:all"]).await;
        let may_not = server.agent(&owner, "not", &["agents:read:all"]).await;
        let by_token = server.as_agent(&may).await;
        let got = post(&by_token, &made).await.ok(200)["got"].clone();
        assert_eq!(got["headers"].get("authorization"), None, "what is ours stays with us: {got:#}");
        assert!(!got.to_string().contains(by_token.bearer.as_deref().unwrap()));
        let key = json!({ "name": "k", "permissions": ["functions/ops/echo:execute:all"] });
        let key = owner.post("/api/v1/api-keys", key).await.ok(201)["api_key"].as_str().unwrap().to_owned();
        let by_header = server.anonymous().with("x-api-key", key.clone());
        let got = post(&by_header, &made).await.ok(200)["got"].clone();
        assert!(!got.to_string().contains(&key), "{got:#}");
        let narrow = json!({ "name": "n", "permissions": ["agents:read"] });
        let narrow = owner.post("/api/v1/api-keys", narrow).await.ok(201)["api_key"].as_str().unwrap().to_owned();
        for refused in [
            server.as_agent(&may_not).await,
            server.as_agent(&may_other).await,
            Caller { bearer: Some(narrow), ..server.anonymous() },
        ] {
            post(&refused, &made).await.refused(403, "permission_denied");
        }
        post(&server.anonymous(), &made).await.refused(401, "unauthenticated");
        // A cookie is for our own pages.
        post(&owner, &made).await.refused(401, "unauthenticated");
        let spoiled = Caller { bearer: Some(format!("{}x", by_token.bearer.unwrap())), ..server.anonymous() };
        post(&spoiled, &made).await.refused(401, "invalid_token");
        let (person, _) = server.person(server.elsewhere().await, &["owner"]).await;
        let elsewhere = server.by_token(server.elsewhere().await, &person).await;
        post(&elsewhere, &made).await.refused(401, "hook_unauthenticated");
        assert_eq!(runs(&server).await, 2);
        let told = reasons(&owner, &made).await;
        let words = ["unauthenticated", "invalid_token", "other_organization", "permission_denied"];
        assert_eq!(words.map(|word| told.get(word).copied()), [Some(2), Some(1), Some(1), Some(3)], "{told:?}");
        server.finish().await;
    }

    async fn a_name_with_its_password_is_believed(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let basic = json!({ "authentication": { "kind": "basic", "username": "sender" }, "secret": "a long enough secret" });
        let made = echo_hook(&owner, basic).await;
        let tried = async |text: &str| {
            let value = format!("Basic {}", STANDARD.encode(text));
            knock(&server, Method::POST, &path(&made), &[("authorization", &value)], "").await
        };
        assert_eq!(tried("sender:a long enough secret").await.status, 200);
        for wrong in ["sender:another long secret", "other:a long enough secret", "sender:", "sender"] {
            tried(wrong).await.refused(401, "hook_unauthenticated");
        }
        // A password can be guessed: after so many tries the right one is not heard any more, either.
        let mut tries = 0;
        while tried("sender:another long secret").await.status != 429 {
            tries += 1;
            assert!(tries < 600, "guesses are never too many");
        }
        tried("sender:a long enough secret").await.refused(429, "rate_limited");
        server.finish().await;
    }

    async fn a_rotated_secret_is_good_for_a_while_and_no_longer(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let made = echo_hook(&owner, json!({ "authentication": { "kind": "basic", "username": "sender" } })).await;
        let first = made["secret"].as_str().unwrap().to_owned();
        let tried = async |secret: &str| {
            let value = format!("Basic {}", STANDARD.encode(format!("sender:{secret}")));
            knock(&server, Method::POST, &path(&made), &[("authorization", &value)], "").await.status.as_u16()
        };
        let rotate = format!("{HOOKS}/{}/rotate", id(&made));
        let rotated = owner.post(&rotate, json!({ "overlap_seconds": 3600 })).await.ok(200);
        let second = rotated["secret"].as_str().unwrap().to_owned();
        assert!(rotated["previous_secret_until"].is_string());
        assert_eq!((tried(&first).await, tried(&second).await), (200, 200));
        server.clock.advance(std::time::Duration::from_secs(3601));
        // The owner's session has grown old with the clock.
        let owner = server.owner().await;
        assert_eq!((tried(&first).await, tried(&second).await), (401, 200));
        let given = json!({ "secret": "a long enough secret", "overlap_seconds": 0 });
        owner.post(&rotate, given).await.ok(200);
        assert_eq!((tried(&second).await, tried("a long enough secret").await), (401, 200));
        let open = hook(&owner, json!({ "path": "open" })).await;
        owner.post(&format!("{HOOKS}/{}/rotate", id(&open)), json!({})).await.refused(422, "validation_failed");
        server.finish().await;
    }

    async fn a_hook_may_be_open_to_some_addresses_only(database: TestDatabase) {
        let server = TestServer::start_with(database, &[("server.trusted_proxies", "127.0.0.1/32")]).await;
        let owner = server.owner().await;
        let made = echo_hook(&owner, json!({ "allowed_ips": ["192.0.2.0/24", "2001:db8::1"] })).await;
        let tried = async |ip: &str| {
            knock(&server, Method::POST, &path(&made), &[("x-forwarded-for", ip)], "").await.status.as_u16()
        };
        assert_eq!((tried("192.0.2.7").await, tried("2001:db8::1").await, tried("::ffff:192.0.2.7").await), (200, 200, 200));
        assert_eq!((tried("198.51.100.1").await, tried("2001:db8::2").await), (401, 401));
        send(&server, &made, json!({})).await.refused(401, "hook_unauthenticated");
        assert_eq!(deliveries(&owner, &made).await[0]["reason"], "address");
        server.finish().await;
    }
}
