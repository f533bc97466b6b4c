//! Introspection: who may learn what about a token.

use std::time::Duration;

use serde_json::json;

use super::papers::{Forge, Papers, facts, parts, text, with_token};
use crate::support::TestServer;

#[tokio::test]
async fn subject_owner_and_readers_see_a_token_and_nobody_else_does() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    let worker = Papers::of(&owner, "worker", &["agents:read:all"]).await;
    let reader = Papers::of(&owner, "reader", &["tokens:read:all"]).await;
    let own_reader = Papers::of(&owner, "own-reader", &["tokens:read:own"]).await;
    let nobody = Papers::of(&owner, "nobody", &["agents:manage:all"]).await;
    let token = worker.token(&server).await;
    let anonymous = server.anonymous();
    let inactive = json!({ "active": false });
    for (asker, sees) in [(&worker, true), (&reader, true), (&own_reader, false), (&nobody, false)] {
        let answer = asker.about(&anonymous, "introspect", &token).await;
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.ok(200)["active"], sees, "{}", answer.text);
        assert!(sees || answer.json() == inactive, "{}", answer.text);
    }
    let seen = reader.about(&anonymous, "introspect", &token).await.ok(200);
    let (_, claims) = parts(&token);
    for name in [
        "iss",
        "sub",
        "sub_type",
        "aud",
        "client_id",
        "exp",
        "iat",
        "nbf",
        "jti",
        "scope",
        "org",
        "txn",
        "crd",
    ] {
        assert_eq!(seen[name], claims[name], "{name}");
    }
    assert_eq!(seen["token_type"], "Bearer");
    // By bearer token, narrowed to nothing that reads tokens.
    let narrow = reader.ask(&anonymous, &[("scope", "tokens:read:own")]).await.ok(200);
    let by_token = with_token(&server, &text(&narrow, "access_token"));
    assert_eq!(by_token.form("/oauth2/introspect", &[("token", &token)]).await.ok(200), inactive);
    let by_token = reader.caller(&server).await;
    assert_eq!(by_token.form("/oauth2/introspect", &[("token", &token)]).await.ok(200)["active"], true);
    server.finish().await;
}

#[tokio::test]
async fn an_agents_owner_sees_its_tokens_with_a_token_of_his_own() {
    let server = TestServer::sqlite().await;
    let owner = server.owner_by_token().await;
    let worker = Papers::of(&owner, "worker", &[]).await;
    let token = worker.token(&server).await;
    assert_eq!(owner.form("/oauth2/introspect", &[("token", &token)]).await.ok(200)["active"], true);
    assert_eq!(owner.form("/oauth2/revoke", &[("token", &token)]).await.status, 200);
    assert_eq!(owner.form("/oauth2/introspect", &[("token", &token)]).await.ok(200)["active"], false);
    server.finish().await;
}

#[tokio::test]
async fn what_is_no_living_token_of_this_issuer_is_inactive() {
    let forge = Forge::start().await;
    let server = &forge.server;
    let owner = server.owner().await;
    let reader = Papers::of(&owner, "reader", &["tokens:read:all"]).await;
    let worker = Papers::of(&owner, "worker", &[]).await;
    let foreign = Papers::of(&server.stranger().await, "worker", &[]).await;
    let foreign = Papers { base: "/o/elsewhere".into(), ..foreign };
    let token = worker.token(server).await;
    let expired = forge.reissue(
        &token,
        &[("exp", json!(server.house().world.now().seconds() - 5)), ("iat", json!(1)), ("nbf", json!(1))],
    );
    let anonymous = server.anonymous();
    for token in [&token[..token.len() - 1], "x", "a.b.c", &foreign.token(server).await, &expired] {
        let answer = reader.about(&anonymous, "introspect", token).await.ok(200);
        assert_eq!(answer, json!({ "active": false }));
    }
    assert_eq!(foreign.about(&anonymous, "introspect", &token).await.ok(200), json!({ "active": false }));
    owner.post(&format!("/api/v1/agents/{}/suspend", worker.agent), json!({})).await.ok(200);
    assert_eq!(reader.about(&anonymous, "introspect", &token).await.ok(200), json!({ "active": false }));
    forge.server.finish().await;
}

#[tokio::test]
async fn whoever_asks_must_show_who_they_are() {
    let server = TestServer::sqlite().await;
    let worker = Papers::of(&server.owner().await, "worker", &[]).await;
    let token = worker.token(&server).await;
    let anonymous = server.anonymous();
    anonymous.form("/oauth2/introspect", &[("token", &token)]).await.oauth_error(401, "invalid_client");
    let spoiled = with_token(&server, &token[..token.len() - 2]);
    spoiled.form("/oauth2/introspect", &[("token", &token)]).await.oauth_error(401, "invalid_client");
    let without = anonymous.with("authorization", worker.basic()).form("/oauth2/introspect", &[]).await;
    without.oauth_error(400, "invalid_request");
    let foreign = Papers::of(&server.stranger().await, "worker", &[]).await;
    foreign.about(&anonymous, "introspect", &token).await.oauth_error(401, "invalid_client");
    server.finish().await;
}

testing::on_both_databases! {
    async fn looks_are_counted_by_the_minute(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let worker = Papers::of(&owner, "worker", &[]).await;
        let nobody = Papers::of(&owner, "nobody", &[]).await;
        let token = worker.token(&server).await;
        let anonymous = server.anonymous();
        // From the start of a minute, so that all looks fall into it.
        let into = server.house().world.now().millis().rem_euclid(60_000);
        server.clock.advance(Duration::from_millis(u64::try_from(60_000 - into).unwrap()));
        for _ in 0..5 {
            worker.about(&anonymous, "introspect", &token).await.ok(200);
            nobody.about(&anonymous, "introspect", &token).await.ok(200);
        }
        assert!(!facts(&server).await.contains_key("token.introspected"));
        server.clock.advance(Duration::from_secs(61));
        server.house().oauth.flush_counts(false).await;
        assert_eq!(facts(&server).await["token.introspected"], 2);
        let outcomes = "SELECT outcome FROM facts WHERE kind = 'token.introspected' ORDER BY outcome";
        let outcomes = server.database.tamper().await.rows(outcomes).await;
        assert_eq!(outcomes, [[Some("denied".to_owned())], [Some("success".to_owned())]]);
        server.finish().await;
    }
}

testing::on_both_databases! {
    /// A token speaks for its subject as far as its scope goes, and no further.
    async fn a_narrowed_token_neither_sees_nor_ends_the_others(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let worker = Papers::of(&owner, "worker", &["agents:read:all", "runs:read:own"]).await;
        let other = worker.token(&server).await;
        let narrow = worker.ask(&server.anonymous(), &[("scope", "agents:read")]).await.ok(200);
        let narrow = with_token(&server, &text(&narrow, "access_token"));
        let own = narrow.bearer.clone().unwrap();
        let whole = worker.caller(&server).await;
        let inactive = json!({ "active": false });
        assert_eq!(narrow.form("/oauth2/introspect", &[("token", &other)]).await.ok(200), inactive);
        assert_eq!(narrow.form("/oauth2/introspect", &[("token", &own)]).await.ok(200)["active"], true, "itself");
        assert_eq!(whole.form("/oauth2/introspect", &[("token", &other)]).await.ok(200)["active"], true);
        let refused = narrow.form("/oauth2/revoke", &[("token", &other)]).await;
        refused.oauth_error(400, "unauthorized_client");
        assert_eq!(facts(&server).await.get("token.revoked"), None);
        with_token(&server, &other).get("/api/v1/agents").await.ok(200);
        // Its own scope lets it, where it was asked for.
        let reader = Papers::of(&owner, "reader", &["tokens:read:all", "agents:read:all"]).await;
        let reader = reader.ask(&server.anonymous(), &[("scope", "tokens:read")]).await.ok(200);
        let reader = with_token(&server, &text(&reader, "access_token"));
        assert_eq!(reader.form("/oauth2/introspect", &[("token", &other)]).await.ok(200)["active"], true);
        assert_eq!(narrow.form("/oauth2/revoke", &[("token", &own)]).await.status, 200, "itself");
        narrow.get("/api/v1/agents").await.refused(401, "invalid_token");
        server.finish().await;
    }
}
