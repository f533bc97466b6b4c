//! Signing keys by hand and by file.

use serde_json::json;

use super::papers::{Forge, Papers, facts, parts, with_token};
use crate::support::TestServer;

testing::on_both_databases! {
    async fn turning_the_ring_refuses_no_token(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let papers = Papers::of(&owner, "worker", &[]).await;
        let old = papers.token(&server).await;
        let published = server.anonymous().get("/.well-known/jwks.json").await.ok(200);
        let kids = |jwks: &serde_json::Value| -> Vec<String> {
            jwks["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
        };
        let turned = owner.post("/api/v1/signing-keys/rotate", json!({ "reason": "drill" })).await.ok(200);
        assert_eq!(turned["active_kid"], kids(&published)[1], "the staged key was published before");
        let new = papers.token(&server).await;
        assert_eq!(parts(&new).0["kid"], turned["active_kid"]);
        for token in [&old, &new] {
            with_token(&server, token).get("/api/v1/auth/me").await.ok(200);
        }
        let after = kids(&server.anonymous().get("/.well-known/jwks.json").await.ok(200));
        assert!(after.contains(&kids(&published)[0]), "tokens under the old key can still be checked");
        let facts = facts(&server).await;
        assert_eq!((facts["key.rotated"], facts["key.created"]), (1, 3));
        let listed = owner.get("/api/v1/signing-keys").await.ok(200);
        let statuses: Vec<&str> = listed["items"].as_array().unwrap().iter().map(|key| key["status"].as_str().unwrap()).collect();
        assert_eq!(statuses, ["retiring", "active", "staged"]);
        assert!(!listed.to_string().contains("private"));
        server.finish().await;
    }
}

#[tokio::test]
async fn keys_of_organizations_are_their_own() {
    let server = TestServer::sqlite().await;
    server.stranger().await;
    let anonymous = server.anonymous();
    let home = anonymous.get("/.well-known/jwks.json").await.ok(200);
    let elsewhere = anonymous.get("/o/elsewhere/.well-known/jwks.json").await.ok(200);
    for key in home["keys"].as_array().unwrap() {
        assert!(!elsewhere["keys"].as_array().unwrap().contains(key));
    }
    anonymous.get("/o/nowhere/.well-known/jwks.json").await.refused(404, "not_found");
    server.finish().await;
}

#[tokio::test]
async fn turning_needs_the_right_by_name_and_a_fresh_sign_in() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    let wide = Papers::of(&owner, "wide", &["tokens:*:all"]).await.caller(&server).await;
    let named = Papers::of(&owner, "named", &["tokens:rotate_keys:all"]).await.caller(&server).await;
    let none = Papers::of(&owner, "none", &["tokens:read:all"]).await.caller(&server).await;
    let path = "/api/v1/signing-keys/rotate";
    none.post(path, json!({})).await.refused(403, "permission_denied");
    wide.post(path, json!({})).await.refused(403, "step_up_required");
    named.post(path, json!({})).await.ok(200);
    server.clock.advance(std::time::Duration::from_secs(301));
    owner.post(path, json!({})).await.refused(403, "step_up_required");
    server.finish().await;
}

#[tokio::test]
async fn the_operators_own_key_signs_from_the_start() {
    let Forge { server, key } = Forge::start().await;
    let papers = Papers::of(&server.owner().await, "worker", &[]).await;
    assert_eq!(parts(&papers.token(&server).await).0["kid"], key.kid());
    let jwks = server.anonymous().get("/.well-known/jwks.json").await.ok(200);
    assert_eq!(jwks["keys"][0]["kid"], key.kid());
    server.finish().await;
}
