//! Command lines sign in by way of a browser: device grant and authorization code.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::papers::{facts, text, with_token};
use crate::support::{Answer, Caller, TestServer};

const CLIENT: &str = "cli_01jc000000e008000000000001";
const DEVICE: &str = "urn:ietf:params:oauth:grant-type:device_code";
const REDIRECT: &str = "http://127.0.0.1:40000/callback";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

async fn begin(server: &TestServer) -> Value {
    server.anonymous().form("/oauth2/device_authorization", &[("client_id", CLIENT)]).await.ok(200)
}

async fn poll(caller: &Caller, device_code: &str) -> Answer {
    let form = [("grant_type", DEVICE), ("client_id", CLIENT), ("device_code", device_code)];
    caller.form("/oauth2/token", &form).await
}

fn challenge() -> String {
    URL_SAFE_NO_PAD.encode(crypto::hash::sha256(VERIFIER.as_bytes()))
}

async fn authorize(owner: &Caller) -> String {
    let body = json!({ "client_id": CLIENT, "redirect_uri": REDIRECT, "code_challenge": challenge(), "state": "xyz" });
    let answer = owner.post("/api/v1/auth/authorize", body).await;
    assert_eq!(answer.header("cache-control"), "no-store");
    let target = text(&answer.ok(200), "redirect_to");
    let query = target.strip_prefix(&format!("{REDIRECT}?")).expect("back to the loopback address");
    let pairs: BTreeMap<String, String> = serde_urlencoded::from_str(query).unwrap();
    assert_eq!((pairs["state"].as_str(), pairs["iss"].as_str()), ("xyz", owner.url.as_str()));
    pairs["code"].clone()
}

async fn exchange(caller: &Caller, code: &str, changes: &[(&str, &str)]) -> Answer {
    let mut form = BTreeMap::from([
        ("grant_type", "authorization_code"),
        ("client_id", CLIENT),
        ("code", code),
        ("code_verifier", VERIFIER),
        ("redirect_uri", REDIRECT),
    ]);
    form.extend(changes.iter().copied());
    caller.form("/oauth2/token", &form.into_iter().collect::<Vec<_>>()).await
}

testing::on_both_databases! {
    async fn a_device_comes_in_when_a_person_lets_it(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let begun = begin(&server).await;
        assert_eq!((&begun["interval"], &begun["expires_in"]), (&json!(5), &json!(600)));
        assert_eq!(text(&begun, "verification_uri"), format!("{}/console/device", server.url()));
        let (device, user) = (text(&begun, "device_code"), text(&begun, "user_code"));
        assert_eq!(user.len(), 9, "{user}");
        let anonymous = server.anonymous();
        poll(&anonymous, &device).await.oauth_error(400, "authorization_pending");
        poll(&anonymous, &device).await.oauth_error(400, "slow_down");
        let owner = server.owner().await;
        // As people type it.
        let typed = json!({ "user_code": user.to_lowercase().replace('-', " ") });
        let shown = owner.post("/api/v1/auth/device", typed.clone()).await.ok(200);
        assert_eq!((&shown["status"], &shown["ip"]), (&json!("pending"), &json!("127.0.0.1")));
        owner.post("/api/v1/auth/device/approve", typed.clone()).await.ok(200);
        owner.post("/api/v1/auth/device/approve", typed).await.refused(404, "not_found");
        let answer = poll(&anonymous, &device).await;
        assert_eq!(answer.header("cache-control"), "no-store");
        let tokens = answer.ok(200);
        let me = with_token(&server, &text(&tokens, "access_token")).get("/api/v1/auth/me").await.ok(200);
        assert_eq!(me["principal"]["id"], tokens["user"]["id"]);
        // Used once; the session it made is one of its own, which can be ended and refreshed.
        poll(&anonymous, &device).await.oauth_error(400, "invalid_grant");
        let body = json!({ "refresh_token": tokens["refresh_token"] });
        let renewed = anonymous.post("/api/v1/auth/refresh", body).await.ok(200);
        let path = format!("/api/v1/auth/sessions/{}", renewed["session"]["id"].as_str().unwrap());
        owner.delete(&path).await.ok(200);
        with_token(&server, &text(&renewed, "access_token")).get("/api/v1/auth/me").await.refused(401, "invalid_token");
        owner.get("/api/v1/auth/me").await.ok(200);
        assert_eq!(facts(&server).await["login.approved"], 1);
        server.finish().await;
    }

    async fn of_a_hundred_that_poll_an_approved_device_exactly_one_comes_in(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let begun = begin(&server).await;
        let owner = server.owner().await;
        let body = json!({ "user_code": begun["user_code"] });
        owner.post("/api/v1/auth/device/approve", body).await.ok(200);
        let code = authorize(&owner).await;
        let device = text(&begun, "device_code");
        for by_device in [true, false] {
            let racers: Vec<_> = (0..100)
                .map(|_| {
                    let (caller, device, code) = (server.anonymous(), device.clone(), code.clone());
                    telemetry::spawn("racer", async move {
                        let answer = match by_device {
                            true => poll(&caller, &device).await,
                            false => exchange(&caller, &code, &[]).await,
                        };
                        answer.status.as_u16()
                    })
                })
                .collect();
            let mut counts = BTreeMap::<u16, usize>::new();
            for racer in racers {
                *counts.entry(racer.await.unwrap()).or_default() += 1;
            }
            assert_eq!(counts, BTreeMap::from([(200, 1), (400, 99)]), "by device: {by_device}");
        }
        let tamper = server.database.tamper().await;
        assert_eq!(tamper.number("SELECT count(*) FROM sessions WHERE kind = 'cli'").await, 2);
        server.finish().await;
    }
}

#[tokio::test]
async fn a_device_that_is_turned_away_or_too_old_stays_out() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    let begun = begin(&server).await;
    let body = json!({ "user_code": begun["user_code"] });
    owner.post("/api/v1/auth/device/deny", body.clone()).await.ok(200);
    poll(&server.anonymous(), &text(&begun, "device_code")).await.oauth_error(400, "access_denied");
    owner.post("/api/v1/auth/device/approve", body).await.refused(404, "not_found");
    let late = begin(&server).await;
    server.clock.advance(Duration::from_secs(601));
    poll(&server.anonymous(), &text(&late, "device_code")).await.oauth_error(400, "expired_token");
    let owner = server.owner().await;
    let body = json!({ "user_code": late["user_code"] });
    owner.post("/api/v1/auth/device", body.clone()).await.refused(404, "not_found");
    owner.post("/api/v1/auth/device/approve", body).await.refused(404, "not_found");
    poll(&server.anonymous(), "unknown").await.oauth_error(400, "invalid_grant");
    server.anonymous().form("/oauth2/device_authorization", &[]).await.oauth_error(400, "invalid_request");
    server.finish().await;
}

#[tokio::test]
async fn only_a_confirmed_person_at_a_browser_lets_anything_in() {
    let server = TestServer::sqlite().await;
    let begun = begin(&server).await;
    let body = json!({ "user_code": begun["user_code"] });
    let login = json!({ "client_id": CLIENT, "redirect_uri": REDIRECT, "code_challenge": challenge() });
    let by_token = server.owner_by_token().await;
    by_token.post("/api/v1/auth/device/approve", body.clone()).await.refused(403, "permission_denied");
    by_token.post("/api/v1/auth/authorize", login.clone()).await.refused(403, "permission_denied");
    let owner = server.owner().await;
    server.clock.advance(Duration::from_secs(301));
    owner.post("/api/v1/auth/device/approve", body.clone()).await.refused(403, "step_up_required");
    owner.post("/api/v1/auth/authorize", login).await.refused(403, "step_up_required");
    server.anonymous().post("/api/v1/auth/device/approve", body).await.refused(401, "unauthenticated");
    poll(&server.anonymous(), &text(&begun, "device_code")).await.oauth_error(400, "authorization_pending");
    server.finish().await;
}

#[tokio::test]
async fn a_code_is_for_its_verifier_its_address_and_a_minute() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    let anonymous = server.anonymous();
    let code = authorize(&owner).await;
    for changes in [
        [("code_verifier", "another-verifier-another-verifier-another-1")],
        [("redirect_uri", "http://127.0.0.1:40001/callback")],
        [("code", "0000000000000000000000000000000000000000000")],
    ] {
        exchange(&anonymous, &code, &changes).await.oauth_error(400, "invalid_grant");
    }
    exchange(&anonymous, &code, &[("client_id", "cli_01h455vb4pex5vsknk084sn02q")])
        .await
        .oauth_error(401, "invalid_client");
    // Nor is it a device code.
    poll(&anonymous, &code).await.oauth_error(400, "invalid_grant");
    let tokens = exchange(&anonymous, &code, &[]).await.ok(200);
    assert!(text(&tokens, "refresh_token").starts_with("ses_"));
    exchange(&anonymous, &code, &[]).await.oauth_error(400, "invalid_grant");
    let late = authorize(&owner).await;
    server.clock.advance(Duration::from_secs(61));
    exchange(&anonymous, &late, &[]).await.oauth_error(400, "invalid_grant");
    server.finish().await;
}

#[tokio::test]
async fn the_browser_is_sent_to_our_console_and_nowhere_else() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    let ask = |redirect: &str, client: &str, method: &str| {
        let pairs = [
            ("response_type", "code"),
            ("client_id", client),
            ("redirect_uri", redirect),
            ("code_challenge", &challenge()),
            ("code_challenge_method", method),
            ("state", "xyz"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        format!("/oauth2/authorize?{}", serde_urlencoded::to_string(pairs).unwrap())
    };
    let answer = owner.get(&ask(REDIRECT, CLIENT, "S256")).await;
    assert_eq!(answer.status, 303);
    assert!(
        answer
            .header("location")
            .starts_with(&format!("{}/console/authorize?response_type=code", server.url()))
    );
    for target in [
        "https://evil.example/callback",
        "http://127.0.0.1@evil.example:1/callback",
        "http://127.0.0.1:40000/callback/../x",
        "http://localhost:40000/callback",
        "//evil.example",
        "",
    ] {
        let refused = owner.get(&ask(target, CLIENT, "S256")).await;
        refused.refused(422, "validation_failed");
        assert!(refused.headers.get("location").is_none(), "{target}");
        let body = json!({ "client_id": CLIENT, "redirect_uri": target, "code_challenge": challenge() });
        owner.post("/api/v1/auth/authorize", body).await.refused(422, "validation_failed");
    }
    owner
        .get(&ask(REDIRECT, "cli_01h455vb4pex5vsknk084sn02q", "S256"))
        .await
        .refused(422, "validation_failed");
    owner.get(&ask(REDIRECT, CLIENT, "plain")).await.refused(422, "validation_failed");
    server.finish().await;
}
