//! Tokens of people at a command line: by link, renewed by refresh.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use web::{Spec, StepUp};

use super::papers::{facts, parts, text, with_token};
use crate::support::{Answer, Caller, TestServer};

async fn sign_in(server: &TestServer) -> Value {
    let link = server.link_token().await;
    server.anonymous().post("/api/v1/auth/link/token", json!({ "token": link })).await.ok(200)
}

async fn refresh(server: &TestServer, token: &str) -> Answer {
    server.anonymous().post("/api/v1/auth/refresh", json!({ "refresh_token": token })).await
}

fn caller(server: &TestServer, signed_in: &Value) -> Caller {
    with_token(server, &text(signed_in, "access_token"))
}

testing::on_both_databases! {
    async fn a_link_becomes_tokens_once(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let link = server.link_token().await;
        let ask = async || server.anonymous().post("/api/v1/auth/link/token", json!({ "token": link })).await;
        let answer = ask().await;
        assert_eq!(answer.header("cache-control"), "no-store");
        let signed_in = answer.ok(200);
        assert_eq!((&signed_in["token_type"], &signed_in["expires_in"]), (&json!("Bearer"), &json!(900)));
        ask().await.refused(401, "invalid_link");
        let me = caller(&server, &signed_in).get("/api/v1/auth/me").await.ok(200);
        assert_eq!(me["principal"]["id"], signed_in["user"]["id"]);
        let (_, claims) = parts(&text(&signed_in, "access_token"));
        assert_eq!((&claims["sub_type"], &claims["sid"]), (&json!("user"), &signed_in["session"]["id"]));
        assert!(text(&claims, "client_id").starts_with("cli_"));
        server.finish().await;
    }

    async fn a_refresh_token_works_once_and_its_reuse_ends_the_session(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let first = sign_in(&server).await;
        let second = refresh(&server, &text(&first, "refresh_token")).await.ok(200);
        assert!(caller(&server, &second).get("/api/v1/auth/me").await.status == 200);
        refresh(&server, &text(&first, "refresh_token")).await.refused(401, "invalid_token");
        refresh(&server, &text(&second, "refresh_token")).await.refused(401, "invalid_token");
        for dead in [&first, &second] {
            caller(&server, dead).get("/api/v1/auth/me").await.refused(401, "invalid_token");
        }
        assert_eq!(facts(&server).await["session.reuse_detected"], 1);
        server.finish().await;
    }

    async fn of_a_hundred_that_refresh_with_one_token_exactly_one_succeeds_and_the_session_ends(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let first = sign_in(&server).await;
        let racers: Vec<_> = (0..100)
            .map(|_| {
                let (caller, body) = (server.anonymous(), json!({ "refresh_token": first["refresh_token"] }));
                telemetry::spawn("racer", async move { caller.post("/api/v1/auth/refresh", body).await })
            })
            .collect();
        let (mut counts, mut won) = (BTreeMap::<u16, usize>::new(), Vec::new());
        for racer in racers {
            let answer = racer.await.unwrap();
            *counts.entry(answer.status.as_u16()).or_default() += 1;
            match answer.status.as_u16() {
                200 => won.push(answer.json()),
                _ => _ = answer.refused(401, "invalid_token"),
            }
        }
        assert_eq!(counts, BTreeMap::from([(200, 1), (401, 99)]));
        // Who lost the race used an old token: nobody can tell the thief from the owner, so neither stays.
        let won = won.remove(0);
        for tokens in [&first, &won] {
            caller(&server, tokens).get("/api/v1/auth/me").await.refused(401, "invalid_token");
            refresh(&server, &text(tokens, "refresh_token")).await.refused(401, "invalid_token");
        }
        let facts = facts(&server).await;
        assert_eq!((facts["session.reuse_detected"], facts["token.issued"]), (1, 2), "one end, one token besides the first");
        server.finish().await;
    }
}

#[tokio::test]
async fn what_a_person_holds_is_spelled_out() {
    let server = TestServer::sqlite().await;
    let signed_in = sign_in(&server).await;
    let scope = text(&signed_in, "scope");
    assert!(scope.len() < 1024, "{} bytes", scope.len());
    let named = |spec: &&Spec| spec.step_up != StepUp::Never;
    let routes = safeconduct::routes(server.house());
    let by_name: Vec<_> = routes.specs().filter(named).filter_map(Spec::required).collect();
    let authority: authority::Authority = scope.parse().unwrap();
    assert!(by_name.len() > 10 && by_name.iter().all(|required| authority.spells_out(required)), "{scope}");
    // Neither more nor less than the person holds.
    let owner = caller(&server, &signed_in);
    let me = server.owner().await.get("/api/v1/permissions/me").await.ok(200);
    let held: Vec<_> =
        me["permissions"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect();
    let held: authority::Authority = held.join(" ").parse().unwrap();
    assert!(authority.is_subset_of(&held) && held.is_subset_of(&authority), "{scope} and {held}");
    // Acts that need a step-up work with it, also after five minutes.
    server.clock.advance(Duration::from_secs(400));
    owner.post("/api/v1/signing-keys/rotate", json!({})).await.ok(200);
    server.finish().await;
}

#[tokio::test]
async fn ending_the_session_voids_its_tokens_and_its_refresh_token() {
    let server = TestServer::sqlite().await;
    let signed_in = sign_in(&server).await;
    let owner = caller(&server, &signed_in);
    let path = format!("/api/v1/auth/sessions/{}", signed_in["session"]["id"].as_str().unwrap());
    owner.delete(&path).await.ok(200);
    owner.get("/api/v1/auth/me").await.refused(401, "invalid_token");
    refresh(&server, &text(&signed_in, "refresh_token")).await.refused(401, "invalid_token");

    let again = sign_in(&server).await;
    let form = [("token", again["refresh_token"].as_str().unwrap()), ("token_type_hint", "refresh_token")];
    assert_eq!(server.anonymous().form("/oauth2/revoke", &form).await.status, 200);
    caller(&server, &again).get("/api/v1/auth/me").await.refused(401, "invalid_token");
    refresh(&server, &text(&again, "refresh_token")).await.refused(401, "invalid_token");
    assert_eq!(facts(&server).await["session.ended"], 2);
    server.finish().await;
}

#[tokio::test]
async fn refresh_tokens_are_no_bearer_tokens_and_other_texts_no_refresh_tokens() {
    let server = TestServer::sqlite().await;
    let signed_in = sign_in(&server).await;
    let token = text(&signed_in, "refresh_token");
    with_token(&server, &token).get("/api/v1/auth/me").await.refused(401, "invalid_token");
    let unknown = format!("ses_01h455vb4pex5vsknk084sn02q.{}", "0".repeat(43));
    refresh(&server, &unknown).await.refused(401, "invalid_token");
    for text in ["", "x", &token[..token.len() - 1], &text(&signed_in, "access_token")] {
        refresh(&server, text).await.refused(422, "validation_failed");
    }
    refresh(&server, &token).await.ok(200);
    server.finish().await;
}

#[tokio::test]
async fn a_session_does_not_outlive_its_end_by_refreshing() {
    let server = TestServer::sqlite().await;
    let signed_in = sign_in(&server).await;
    server.clock.advance(Duration::from_secs(31 * 24 * 3600));
    refresh(&server, &text(&signed_in, "refresh_token")).await.refused(401, "invalid_token");
    server.finish().await;
}

#[tokio::test]
async fn who_only_knows_a_sessions_id_cannot_end_it() {
    let server = TestServer::sqlite().await;
    let token = server.link_token().await;
    let anonymous = server.anonymous();
    let signed_in = anonymous.post("/api/v1/auth/link/token", json!({ "token": token })).await.ok(200);
    let refresh = signed_in["refresh_token"].as_str().expect("a refresh token");
    let id = refresh.split_once('.').expect("id and secret").0;
    let made_up = format!("{id}.{}", "1".repeat(43));
    let guess = json!({ "refresh_token": made_up });
    anonymous.post("/api/v1/auth/refresh", guess).await.refused(401, "invalid_token");
    anonymous.post("/api/v1/auth/refresh", json!({ "refresh_token": refresh })).await.ok(200);
    server.finish().await;
}
