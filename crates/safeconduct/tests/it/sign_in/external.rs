//! Tokens of trusted issuers become sessions.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use testing::TestDatabase;

use super::factors::App;
use super::hostile::Issuer;
use super::{Desk, count, with_cookie};
use crate::support::Answer;

fn claims(desk: &Desk, issuer: &Issuer) -> Value {
    let at = desk.server.house().world.now().seconds();
    json!({ "iss": issuer.url, "sub": "42", "aud": "safeconduct", "exp": at + 3600, "iat": at, "name": "Ada" })
}

fn provider(issuer: &Issuer) -> Value {
    json!({ "name": "gate", "kind": "external", "create_users": true, "default_roles": ["member"],
        "group_roles": { "ops": ["admin"] }, "settings": { "issuer": issuer.url, "audience": "safeconduct" } })
}

async fn show(desk: &Desk, token: &str) -> Answer {
    desk.browser().post("/api/v1/auth/external", json!({ "token": token })).await
}

testing::on_both_databases! {
    async fn a_trusted_issuers_token_signs_in_once(database: TestDatabase) {
        let issuer = Issuer::start().await;
        let desk = Desk::reaching(database).await;
        desk.provider(provider(&issuer)).await;
        let mut claims = claims(&desk, &issuer);
        claims["groups"] = json!(["ops"]);
        let token = issuer.sign(&claims);
        let answer = show(&desk, &token).await;
        let first = answer.ok(200);
        assert_eq!(first["user"]["display_name"], "Ada");
        let me = with_cookie(&desk.server, &answer).get("/api/v1/auth/me").await.ok(200);
        assert_eq!(me["roles"], json!(["admin", "member"]));
        let sessions = with_cookie(&desk.server, &answer).get("/api/v1/auth/sessions").await.ok(200);
        assert_eq!(sessions["items"][0]["factors"], "external");
        show(&desk, &token).await.refused(401, "sign_in_refused");
        // Nor by the general way.
        let login = json!({ "input": { "token": token } });
        desk.browser().post("/api/v1/auth/gate/login", login).await.refused(401, "sign_in_refused");
        // Another token is the same person, out of the group.
        claims["groups"] = json!([]);
        let answer = show(&desk, &issuer.sign(&claims)).await;
        assert_eq!(answer.ok(200)["user"]["id"], first["user"]["id"]);
        let me = with_cookie(&desk.server, &answer).get("/api/v1/auth/me").await.ok(200);
        assert_eq!(me["roles"], json!(["member"]));
        desk.server.finish().await;
    }

    async fn half_a_sign_in_uses_a_token_up_and_stands_on_record(database: TestDatabase) {
        let issuer = Issuer::start().await;
        let desk = Desk::reaching(database).await;
        desk.provider(provider(&issuer)).await;
        let whole = show(&desk, &issuer.sign(&claims(&desk, &issuer))).await;
        App::of(&desk.server, &with_cookie(&desk.server, &whole)).await;
        assert_eq!(count(&desk.server, "auth.first_proof").await, 0);
        desk.server.clock.advance(Duration::from_secs(1));
        let token = issuer.sign(&claims(&desk, &issuer));
        let half = show(&desk, &token).await.ok(200);
        assert_eq!((&half["status"], &half["session"]), (&json!("second_factor"), &Value::Null));
        show(&desk, &token).await.refused(401, "sign_in_refused");
        assert_eq!(count(&desk.server, "auth.first_proof").await, 1);
        desk.server.finish().await;
    }

    async fn of_a_hundred_that_show_one_token_exactly_one_succeeds(database: TestDatabase) {
        let issuer = Issuer::start().await;
        let desk = Arc::new(Desk::reaching(database).await);
        desk.provider(provider(&issuer)).await;
        // Somebody who is known already: newcomers would race for their account, too.
        show(&desk, &issuer.sign(&claims(&desk, &issuer))).await.ok(200);
        desk.server.clock.advance(Duration::from_secs(1));
        let token = issuer.sign(&claims(&desk, &issuer));
        let racers: Vec<_> = (0..100)
            .map(|_| {
                let (desk, token) = (Arc::clone(&desk), token.clone());
                telemetry::spawn("racer", async move { show(&desk, &token).await.status.as_u16() })
            })
            .collect();
        let mut signed_in = 0;
        for racer in racers {
            let status = racer.await.expect("an answer");
            assert!([200, 401, 429].contains(&status), "{status}");
            signed_in += usize::from(status == 200);
        }
        assert_eq!(signed_in, 1);
        let desk = Arc::try_unwrap(desk).ok().expect("the racers are home");
        desk.server.finish().await;
    }
}

#[tokio::test]
async fn tokens_for_others_old_ones_and_forged_ones_are_refused() {
    let (issuer, stranger) = (Issuer::start().await, Issuer::start().await);
    let desk = Desk::reaching(TestDatabase::sqlite()).await;
    let id = desk.provider(provider(&issuer)).await["id"].as_str().unwrap().to_owned();
    let owner = desk.server.owner().await;
    let before = count(&desk.server, "session.started").await;
    let good = claims(&desk, &issuer);
    let at = good["iat"].as_i64().unwrap();
    for (name, value) in [
        ("aud", json!("another")),
        ("exp", json!(at - 60)),
        ("iat", json!(at - 331)),
        ("iat", json!(at + 60)),
        ("iat", Value::Null),
        ("sub", json!("")),
    ] {
        let mut claims = good.clone();
        claims[name] = value.clone();
        show(&desk, &issuer.sign(&claims)).await.refused(401, "sign_in_refused");
    }
    // By a key that the issuer does not have; with the issuer's name on it.
    show(&desk, &stranger.sign(&good)).await.refused(401, "sign_in_refused");
    // Of an issuer that nobody here trusts.
    show(&desk, &stranger.sign(&claims(&desk, &stranger))).await.refused(404, "not_found");
    for text in ["x", "a.b.c", &format!("{}x", issuer.sign(&good))] {
        show(&desk, text).await.refused(401, "sign_in_refused");
    }
    let evil = desk.server.anonymous().with("origin", "https://evil.example");
    let body = json!({ "token": issuer.sign(&good) });
    evil.post("/api/v1/auth/external", body.clone()).await.refused(403, "cross_site_request");
    let path = format!("/api/v1/auth-providers/{id}");
    assert_eq!(owner.post(&format!("{path}/test"), json!({})).await.ok(200)["works"], true);
    owner.patch(&path, json!({ "enabled": false })).await.ok(200);
    show(&desk, &issuer.sign(&good)).await.refused(403, "provider_disabled");
    assert_eq!(count(&desk.server, "session.started").await, before, "nobody came in");
    owner
        .patch(&path, json!({ "settings": { "jwks_uri": "http://127.0.0.1:9/keys" }, "enabled": true }))
        .await
        .ok(200);
    let found = owner.post(&format!("{path}/test"), json!({})).await.ok(200);
    assert!(found["works"] == false && found.to_string().contains("cannot be reached"), "{found}");
    // An organization's own trust is its own: the same issuer, another organization, another person.
    owner.patch(&path, json!({ "settings": { "jwks_uri": null } })).await.ok(200);
    let home = show(&desk, &issuer.sign(&good)).await.ok(200);
    desk.server.stranger().await.post("/api/v1/auth-providers", provider(&issuer)).await.ok(201);
    let body = json!({ "token": issuer.sign(&good), "org": "elsewhere" });
    let there = desk.browser().post("/api/v1/auth/external", body).await.ok(200);
    assert_eq!(there["org"]["slug"], "elsewhere");
    assert_ne!(there["user"]["id"], home["user"]["id"]);
    desk.server.finish().await;
}
