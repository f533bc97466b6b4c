//! Credentials: shown once, rotated with overlap, revoked.

use serde_json::json;

use crate::support::{Caller, TestServer};

#[tokio::test]
async fn a_secret_is_shown_once_and_never_stored() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    owner.post("/api/v1/agents", json!({ "name": "worker", "deployment_env": "production" })).await.ok(201);
    let path = "/api/v1/agents/default:worker/credentials";
    let made = owner.post(path, json!({ "kind": "secret", "label": "laptop" })).await.ok(201);
    let secret = made["client_secret"].as_str().unwrap();
    assert!(secret.starts_with("sfc_prd_"), "{secret}");
    assert_eq!(secret.split('_').nth(2), made["id"].as_str().unwrap().strip_prefix("crd_"));
    let listed = owner.get(path).await;
    assert!(!listed.text.contains("client_secret") && !listed.text.contains(secret));
    let tamper = server.database.tamper().await;
    let stored = tamper.rows("SELECT * FROM credentials").await;
    assert!(!format!("{stored:?}").contains(secret.split('_').nth(3).unwrap()));
    server.finish().await;
}

#[tokio::test]
async fn rotation_overlaps_and_revocation_is_final() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    owner.post("/api/v1/agents", json!({ "name": "worker" })).await.ok(201);
    let path = "/api/v1/agents/default:worker/credentials";
    let old = owner.post(path, json!({ "kind": "secret", "label": "laptop" })).await.ok(201);
    let old_id = old["id"].as_str().unwrap();
    let new =
        owner.post(&format!("{path}/{old_id}/rotate"), json!({ "overlap_seconds": 3600 })).await.ok(201);
    assert_ne!(new["client_secret"], old["client_secret"]);
    assert_eq!((&new["label"], &new["kind"]), (&json!("laptop"), &json!("secret")));
    let listed = owner.get(path).await.ok(200);
    let of =
        |id: &str| listed["items"].as_array().unwrap().iter().find(|one| one["id"] == id).unwrap().clone();
    assert_eq!(of(old_id)["status"], "active");
    assert!(of(old_id)["expires_at"].is_string());
    let new_id = new["id"].as_str().unwrap();
    let at_once = owner.post(&format!("{path}/{new_id}/rotate"), json!({})).await.ok(201);
    owner.post(&format!("{path}/{new_id}/rotate"), json!({})).await.refused(409, "credential_revoked");
    let last = at_once["id"].as_str().unwrap();
    assert_eq!(owner.delete(&format!("{path}/{last}")).await.ok(200)["status"], "revoked");
    owner.delete(&format!("{path}/{last}")).await.refused(409, "credential_revoked");
    server.finish().await;
}

#[tokio::test]
async fn keys_come_with_their_public_half_only() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    owner.post("/api/v1/agents", json!({ "name": "worker" })).await.ok(201);
    let path = "/api/v1/agents/default:worker/credentials";
    // RFC 8037, appendix A.
    let public =
        json!({ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" });
    let made =
        owner.post(path, json!({ "kind": "public_key", "label": "key", "public_key": public })).await.ok(201);
    assert_eq!(made["key_thumbprint"], "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    assert!(made.get("client_secret").is_none());
    let mut private = public.clone();
    private["d"] = json!("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A");
    let refused =
        owner.post(path, json!({ "kind": "public_key", "label": "key", "public_key": private })).await;
    refused.refused(422, "validation_failed");
    assert!(!refused.text.contains("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"), "{}", refused.text);
    for body in [
        json!({ "kind": "public_key", "label": "key" }),
        json!({ "kind": "secret", "label": "key", "public_key": public }),
        json!({ "kind": "secret", "label": "key", "expires_at": "2020-01-01T00:00:00.000Z" }),
        json!({ "kind": "password", "label": "key" }),
        json!({ "kind": "secret" }),
    ] {
        owner.post(path, body).await.refused(422, "validation_failed");
    }
    server.finish().await;
}

#[tokio::test]
async fn another_members_agent_is_not_mine_to_give_credentials() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    owner.post("/api/v1/agents", json!({ "name": "worker" })).await.ok(201);
    let (_, member) = server.person(server.home().await, &["member"]).await;
    let path = "/api/v1/agents/default:worker/credentials";
    let body = json!({ "kind": "secret", "label": "mine" });
    member.post(path, body.clone()).await.refused(404, "not_found");
    assert_eq!(member.get(path).await.ok(200)["items"], json!([]));
    member.post("/api/v1/agents", json!({ "name": "own" })).await.ok(201);
    member.post("/api/v1/agents/default:own/credentials", body).await.ok(201);
    server.finish().await;
}

#[tokio::test]
async fn nobody_gets_a_secret_for_more_than_they_hold() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    let mighty = server.agent(&owner, "mighty", &["agents:manage:all", "audit:read:all"]).await;
    let clerk = server
        .agent(
            &owner,
            "clerk",
            &["credentials:create:all", "credentials:update:all", "agents:update:all", "agents:read:all"],
        )
        .await;
    let clerk = server.as_agent(&clerk).await;
    let path = format!("/api/v1/agents/{}/credentials", mighty.id);
    let body = json!({ "kind": "secret", "label": "mine" });
    clerk.post(&path, body).await.refused(403, "authority_exceeded");
    let rotate = format!("{path}/{}/rotate", mighty.credential);
    clerk.post(&rotate, json!({})).await.refused(403, "authority_exceeded");
    let (person, _) = server.person(server.home().await, &["member"]).await;
    let agent = format!("/api/v1/agents/{}", mighty.id);
    clerk.patch(&agent, json!({ "owner": person.id })).await.refused(403, "authority_exceeded");
    // Stopping is always allowed to who may; setting it to work again is giving its rights.
    clerk.post(&format!("{agent}/suspend"), json!({})).await.ok(200);
    clerk.post(&format!("{agent}/reactivate"), json!({})).await.refused(403, "authority_exceeded");
    server.finish().await;
}

const CLIMBS: [&str; 5] = [
    "credentials:create:all",
    "credentials:update:all",
    "credentials:delete:all",
    "credentials:read:all",
    "agents:read:all",
];

/// Whoever holds another's credential acts under its name.
#[tokio::test]
async fn an_agent_manages_its_own_credentials_and_no_others() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    let climber = server.agent(&owner, "climber", &CLIMBS).await;
    let other = owner.post("/api/v1/agents", json!({ "name": "other" })).await.ok(201);
    let theirs = format!("/api/v1/agents/{}/credentials", other["id"].as_str().unwrap());
    let held = owner.post(&theirs, json!({ "kind": "secret", "label": "mine" })).await.ok(201);
    let one = format!("{theirs}/{}", held["id"].as_str().unwrap());
    let by = server.as_agent(&climber).await;
    by.post(&theirs, json!({ "kind": "secret", "label": "mine" })).await.refused(403, "permission_denied");
    by.post(&format!("{one}/rotate"), json!({})).await.refused(403, "permission_denied");
    by.delete(&one).await.refused(403, "permission_denied");
    assert_eq!(owner.get(&theirs).await.ok(200)["items"].as_array().unwrap().len(), 1);
    let own = format!("/api/v1/agents/{}/credentials", climber.id);
    let made = by.post(&own, json!({ "kind": "secret", "label": "mine" })).await.ok(201);
    by.delete(&format!("{own}/{}", made["id"].as_str().unwrap())).await.ok(200);
    server.finish().await;
}

#[tokio::test]
async fn an_agent_has_a_hundred_credentials_at_most() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    let agent = server.agent(&owner, "hoarder", &[]).await;
    let path = format!("/api/v1/agents/{}/credentials", agent.id);
    let body = json!({ "kind": "secret", "label": "one more" });
    for _ in 1..100 {
        owner.post(&path, body.clone()).await.ok(201);
    }
    let last = format!("{path}/{}", agent.credential);
    owner.post(&path, body.clone()).await.refused(409, "too_many_credentials");
    owner.post(&format!("{last}/rotate"), json!({})).await.refused(409, "too_many_credentials");
    owner.delete(&last).await.ok(200);
    owner.post(&path, body).await.ok(201);
    server.finish().await;
}

testing::on_both_databases! {
    /// A narrowed token that could make a credential would get all that was kept from it.
    async fn a_narrowed_token_makes_no_way_around_itself(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let agent = server.agent(&owner, "worker", &["agents:manage:own", "credentials:write:own"]).await;
        let client = server.anonymous().with("authorization", agent.basic());
        let scope = "credentials:create credentials:update agents:update";
        let form = [("grant_type", "client_credentials"), ("scope", scope)];
        let answer = client.form("/oauth2/token", &form).await.ok(200);
        let narrow = Caller { bearer: answer["access_token"].as_str().map(str::to_owned), ..server.anonymous() };
        let (id, credential) = (&agent.id, &agent.credential);
        let path = format!("/api/v1/agents/{id}/credentials");
        let body = json!({ "kind": "secret", "label": "second" });
        let tamper = server.database.tamper().await;
        let before = tamper.rows("SELECT id, status, revision FROM credentials").await;
        for refused in [
            narrow.post(&path, body.clone()).await,
            narrow.post(&format!("{path}/{credential}/rotate"), json!({})).await,
        ] {
            let problem = refused.refused(403, "authority_exceeded");
            assert!(problem["missing"].to_string().contains("agents:manage:own"), "{problem:#}");
        }
        assert_eq!(tamper.rows("SELECT id, status, revision FROM credentials").await, before);
        // With all that it holds it may, as ever.
        let whole = server.as_agent(&agent).await;
        whole.post(&path, body).await.ok(201);
        whole.post(&format!("{path}/{credential}/rotate"), json!({ "overlap_seconds": 60 })).await.ok(201);
        server.finish().await;
    }
}
