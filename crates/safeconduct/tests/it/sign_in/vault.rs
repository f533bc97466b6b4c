//! Secrets of providers that lie in a real HashiCorp Vault. Run by `make test-all`.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use testing::{OidcProvider, TestDatabase, VaultServer};

use super::Desk;

const PROVIDERS: &str = "/api/v1/auth-providers";
const SECRET: &str = "app secret/with+odd:signs";

/// One call of the Vault by its root.
async fn vault(vault: &VaultServer, method: Method, path: &str, body: Value) -> Value {
    let call = reqwest::Client::new().request(method, format!("{}/v1/{path}", vault.address));
    let answer = call.header("x-vault-token", &vault.root_token).body(body.to_string()).send().await.unwrap();
    assert!(answer.status().is_success(), "{path}: {}", answer.text().await.unwrap());
    serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or_default()
}

async fn lies(vault_server: &VaultServer, path: &str) -> Value {
    vault(vault_server, Method::GET, &format!("secret/data/{path}"), json!({})).await["data"]["data"].clone()
}

async fn put(vault_server: &VaultServer, path: &str, values: Value) {
    vault(vault_server, Method::POST, &format!("secret/data/{path}"), json!({ "data": values })).await;
}

/// A server that knows the Vault by its token.
async fn desk(vault: &VaultServer) -> Desk {
    let settings = [
        ("egress.allow_private", "127.0.0.0/8"),
        ("vault.address", &vault.address),
        ("vault.token", &vault.root_token),
    ];
    let desk = Desk::open_with(TestDatabase::sqlite(), &settings).await;
    desk.keep_time();
    desk
}

fn reference(path: &str) -> Value {
    json!({ "mount": "secret", "path": path, "key": "client_secret" })
}

fn oidc(name: &str, peer: &OidcProvider, secret: &Value) -> Value {
    json!({ "name": name, "kind": "oidc", "create_users": true, "default_roles": ["member"],
        "settings": { "issuer": peer.issuer, "client_id": "app", "client_secret": secret } })
}

#[tokio::test]
async fn what_is_referred_to_is_read_when_it_is_used() {
    let (vault_server, peer) = (VaultServer::start(), OidcProvider::start());
    let desk = desk(&vault_server).await;
    put(&vault_server, "apps/corp", json!({ "client_secret": SECRET, "other": "stays" })).await;
    let made = desk.provider(oidc("corp", &peer, &reference("apps/corp"))).await;
    let shown = json!({ "mount": "secret", "path": "apps/corp", "key": "client_secret", "engine": "kv2" });
    assert_eq!((&made["settings"]["client_secret"], &made["has_secrets"]), (&shown, &json!(false)));
    let id = made["id"].as_str().unwrap();
    peer.redirect(&format!("{}/api/v1/auth/{id}/callback", desk.server.url()));
    peer.account("ada", &json!({ "name": "Ada" }));
    assert_eq!(desk.through("corp", "ada").await.status.as_u16(), 303);
    // A secret turned there is in force a minute later, here a wrong one.
    put(&vault_server, "apps/corp", json!({ "client_secret": "another one", "other": "stays" })).await;
    desk.server.clock.advance(Duration::from_secs(61));
    assert_ne!(desk.through("corp", "ada").await.header("location"), "/console/agents");
    // An older version by its number, and an engine without versions.
    let owner = desk.server.owner().await;
    let path = format!("{PROVIDERS}/{id}");
    let mut pinned = reference("apps/corp");
    pinned["version"] = json!(1);
    owner.patch(&path, json!({ "settings": { "client_secret": pinned } })).await.ok(200);
    assert_eq!(desk.through("corp", "ada").await.header("location"), "/console/agents");
    vault(
        &vault_server,
        Method::POST,
        "sys/mounts/plain",
        json!({ "type": "kv", "options": { "version": "1" } }),
    )
    .await;
    vault(&vault_server, Method::POST, "plain/apps/corp", json!({ "client_secret": SECRET })).await;
    let plain = json!({ "mount": "plain", "path": "apps/corp", "key": "client_secret", "engine": "kv1",
        "version": null });
    owner.patch(&path, json!({ "settings": { "client_secret": plain } })).await.ok(200);
    assert_eq!(desk.through("corp", "ada").await.header("location"), "/console/agents");
    // Back to one that is kept here: the reference is gone.
    let kept = owner.patch(&path, json!({ "settings": { "client_secret": SECRET } })).await.ok(200);
    assert_eq!((&kept["settings"]["client_secret"], &kept["has_secrets"]), (&Value::Null, &json!(true)));
    assert_eq!(desk.through("corp", "ada").await.header("location"), "/console/agents");
    desk.server.finish().await;
}

#[tokio::test]
async fn a_secret_is_written_there_beside_others_and_only_its_place_kept() {
    let (vault_server, peer) = (VaultServer::start(), OidcProvider::start());
    let desk = desk(&vault_server).await;
    put(&vault_server, "apps/corp", json!({ "other": "stays" })).await;
    let mut written = reference("apps/corp");
    written["value"] = json!(SECRET);
    let made = desk.provider(oidc("corp", &peer, &written)).await;
    assert!(!made.to_string().contains(SECRET), "{made}");
    assert_eq!(made["settings"]["client_secret"]["path"], "apps/corp");
    assert_eq!(lies(&vault_server, "apps/corp").await, json!({ "other": "stays", "client_secret": SECRET }));
    // Where nothing lay yet; and nothing is written if the rest is wrong.
    let mut anew = reference("apps/new");
    anew["value"] = json!("new secret of enough length");
    let owner = desk.server.owner().await;
    let path = format!("{PROVIDERS}/{}", made["id"].as_str().unwrap());
    let body = json!({ "settings": { "client_secret": anew, "issuer": "no address" } });
    owner.patch(&path, body).await.refused(422, "validation_failed");
    let body = json!({ "settings": { "client_secret": anew } });
    owner.patch(&path, body).await.ok(200);
    assert_eq!(lies(&vault_server, "apps/new").await["client_secret"], "new secret of enough length");
    let shown = owner.get(&path).await.ok(200);
    assert_eq!(
        (&shown["settings"]["client_secret"]["path"], &shown["has_secrets"]),
        (&json!("apps/new"), &json!(false))
    );
    assert!(!shown.to_string().contains("new secret of enough length"), "{shown}");
    desk.server.finish().await;
}

#[tokio::test]
async fn an_organization_reaches_its_own_place_and_no_other() {
    let (vault_server, peer) = (VaultServer::start(), OidcProvider::start());
    let desk = desk(&vault_server).await;
    let stranger = desk.server.stranger().await;
    let org = stranger.get("/api/v1/auth/me").await.ok(200)["org"]["id"].as_str().unwrap().to_owned();
    let other = desk.server.home().await.to_string();
    let places = [
        "safeconduct/root".to_owned(),
        format!("safeconduct/orgs/{other}/corp"),
        format!("safeconduct/orgs/{org}"),
    ];
    for outside in &places {
        put(&vault_server, outside, json!({ "client_secret": SECRET })).await;
        let answer = stranger.post(PROVIDERS, oidc("corp", &peer, &reference(outside))).await;
        let refused = answer.refused(422, "validation_failed");
        assert_eq!(refused["errors"][0]["field"], "/settings/client_secret", "{refused}");
        assert!(refused["errors"][0]["reason"].as_str().unwrap().contains(&org), "{refused}");
        let mut written = reference(outside);
        written["value"] = json!("overwritten by a neighbour");
        stranger.post(PROVIDERS, oidc("corp", &peer, &written)).await.refused(422, "validation_failed");
        assert_eq!(lies(&vault_server, outside).await, json!({ "client_secret": SECRET }));
    }
    for (crooked, member) in [
        (format!("safeconduct/orgs/{org}/../{other}/corp"), "path"),
        (format!("safeconduct/orgs/{org}/%2e%2e/{other}"), "path"),
        (format!("safeconduct/orgs/{org}/a?version=1"), "path"),
    ] {
        let answer = stranger.post(PROVIDERS, oidc("corp", &peer, &reference(&crooked))).await;
        let refused = answer.refused(422, "validation_failed");
        assert_eq!(refused["errors"][0]["field"], format!("/settings/client_secret/{member}"), "{refused}");
    }
    let own = format!("safeconduct/orgs/{org}/corp");
    let missing = stranger
        .post(PROVIDERS, oidc("corp", &peer, &reference(&own)))
        .await
        .refused(422, "validation_failed");
    assert!(
        missing["errors"][0]["reason"].as_str().unwrap().contains("there is no client_secret"),
        "{missing}"
    );
    put(&vault_server, &own, json!({ "client_secret": SECRET })).await;
    let made = stranger.post(PROVIDERS, oidc("corp", &peer, &reference(&own))).await.ok(201);
    // Nor is it carried to another address by whoever may change the provider.
    let path = format!("{PROVIDERS}/{}", made["id"].as_str().unwrap());
    let led = json!({ "settings": { "issuer": "https://elsewhere.example" } });
    let refused = stranger.patch(&path, led).await.refused(422, "validation_failed");
    assert_eq!(refused["errors"][0]["field"], "/settings/client_secret", "{refused}");
    desk.server.finish().await;
}

#[tokio::test]
async fn an_outage_stops_what_needs_it_and_passes() {
    let (vault_server, peer) = (VaultServer::start(), OidcProvider::start());
    let desk = desk(&vault_server).await;
    put(&vault_server, "apps/corp", json!({ "client_secret": SECRET })).await;
    let made = desk.provider(oidc("corp", &peer, &reference("apps/corp"))).await;
    let id = made["id"].as_str().unwrap();
    peer.redirect(&format!("{}/api/v1/auth/{id}/callback", desk.server.url()));
    peer.account("ada", &json!({ "name": "Ada" }));
    let health = async || desk.server.anonymous().get("/health").await.ok(200);
    assert_eq!((&health().await["vault"], &health().await["status"]), (&json!("up"), &json!("ok")));
    vault(&vault_server, Method::PUT, "sys/seal", json!({})).await;
    desk.server.clock.advance(Duration::from_secs(61));
    let body = json!({ "return_to": "/console/agents" });
    desk.browser().post("/api/v1/auth/corp/begin", body).await.refused(503, "sign_in_unavailable");
    let owner = desk.server.owner().await;
    let path = format!("{PROVIDERS}/{id}");
    let body = json!({ "settings": { "scopes": ["openid", "email"] } });
    owner.patch(&path, body.clone()).await.refused(503, "vault_unavailable");
    assert_eq!((&health().await["vault"], &health().await["status"]), (&json!("down"), &json!("degraded")));
    // What does not need it goes on: a provider can be switched off all the same.
    owner.patch(&path, json!({ "enabled": false })).await.ok(200);
    owner.patch(&path, json!({ "enabled": true })).await.ok(200);
    vault(&vault_server, Method::PUT, "sys/unseal", json!({ "key": vault_server.unseal_key })).await;
    assert_eq!(desk.through("corp", "ada").await.header("location"), "/console/agents");
    assert_eq!(health().await["vault"], "up");
    desk.server.finish().await;
}

#[tokio::test]
async fn an_app_role_signs_in_again_when_its_token_ended() {
    let (vault_server, peer) = (VaultServer::start(), OidcProvider::start());
    put(&vault_server, "apps/corp", json!({ "client_secret": SECRET })).await;
    vault(&vault_server, Method::POST, "sys/auth/approle", json!({ "type": "approle" })).await;
    let policy = r#"path "secret/data/apps/*" { capabilities = ["read"] }"#;
    vault(&vault_server, Method::PUT, "sys/policies/acl/reader", json!({ "policy": policy })).await;
    let role = json!({ "token_policies": "reader", "token_ttl": "2s", "token_max_ttl": "3s" });
    vault(&vault_server, Method::POST, "auth/approle/role/safeconduct", role).await;
    let role = vault(&vault_server, Method::GET, "auth/approle/role/safeconduct/role-id", json!({})).await;
    let secret =
        vault(&vault_server, Method::POST, "auth/approle/role/safeconduct/secret-id", json!({})).await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), secret["data"]["secret_id"].as_str().unwrap()).unwrap();
    let settings = [
        ("egress.allow_private", "127.0.0.0/8"),
        ("vault.address", &vault_server.address),
        ("vault.role_id", role["data"]["role_id"].as_str().unwrap()),
        ("vault.secret_id_file", file.path().to_str().unwrap()),
    ];
    let desk = Desk::open_with(TestDatabase::sqlite(), &settings).await;
    let owner = desk.server.owner().await;
    let made = desk.provider(oidc("corp", &peer, &reference("apps/corp"))).await;
    let test = format!("{PROVIDERS}/{}/test", made["id"].as_str().unwrap());
    for round in 0..3 {
        // Past the token's life, on the Vault's clock; ours has not moved, so the server hears of it by a refusal.
        tokio::time::sleep(Duration::from_millis(3_200)).await;
        desk.server.clock.advance(Duration::from_secs(61) * u32::from(round > 0));
        assert_eq!(owner.post(&test, json!({})).await.ok(200)["works"], true, "{round}");
    }
    // What its policy does not allow is said as such.
    put(&vault_server, "closed/corp", json!({ "client_secret": SECRET })).await;
    let mut body = oidc("other", &peer, &reference("closed/corp"));
    body["instance"] = json!(true);
    let refused = owner.post(PROVIDERS, body).await.refused(422, "validation_failed");
    assert!(refused["errors"][0]["reason"].as_str().unwrap().contains("policy must allow"), "{refused}");
    desk.server.finish().await;
}
