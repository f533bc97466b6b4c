//! API keys: shown once, never further than their owner, dead with their owner.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testing::TestDatabase;
use web::PrincipalId;

use crate::support::{Caller, Start, TestServer};

/// A key of the caller's own with these permissions.
async fn key(caller: &Caller, permissions: &[&str]) -> Value {
    let body = json!({ "name": "test", "permissions": permissions });
    caller.post("/api/v1/api-keys", body).await.ok(201)
}

/// Whoever holds the key.
fn bearing(server: &TestServer, key: &Value) -> Caller {
    Caller { bearer: key["api_key"].as_str().map(str::to_owned), ..server.anonymous() }
}

fn path(key: &Value) -> String {
    format!("/api/v1/api-keys/{}", key["id"].as_str().expect("an id"))
}

testing::on_both_databases! {
    async fn a_key_dies_with_the_membership_of_its_owner(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let (ada, her) = server.person(server.home().await, &["member", "admin"]).await;
        let caller = bearing(&server, &key(&her, &["agents:read"]).await);
        caller.get("/api/v1/agents").await.ok(200);
        owner.delete(&format!("/api/v1/members/{}", ada.id)).await.ok(200);
        caller.get("/api/v1/agents").await.refused(401, "invalid_api_key");
        server.finish().await;
    }

    async fn a_key_acts_as_its_owner_within_its_permissions(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let made = key(&owner, &["agents:read", "functions:read:all"]).await;
        let text = made["api_key"].as_str().unwrap().to_owned();
        assert!(text.starts_with("sfk_dev_"), "{text}");
        let caller = bearing(&server, &made);
        let me = caller.get("/api/v1/auth/me").await.ok(200);
        let mine = owner.get("/api/v1/auth/me").await.ok(200);
        assert_eq!(me["principal"], mine["principal"]);
        assert_eq!(me["permissions"], json!(["agents:read", "functions:read:all"]));
        caller.get("/api/v1/agents").await.ok(200);
        caller.post("/api/v1/agents", json!({ "name": "no" })).await.refused(403, "permission_denied");
        // The other header does as well; both at once, or one beside another proof, do not.
        let by_header = server.anonymous().with("x-api-key", text.clone());
        by_header.get("/api/v1/agents").await.ok(200);
        caller.with("x-api-key", text.clone()).get("/api/v1/agents").await.refused(401, "invalid_api_key");
        by_header.with("x-api-key", text.clone()).get("/api/v1/agents").await.refused(401, "invalid_api_key");
        // Shown once: neither the list nor the row knows it.
        let list = owner.get("/api/v1/api-keys").await.ok(200);
        let secret = text.split('_').nth(3).unwrap();
        assert!(!list.to_string().contains(secret));
        assert_eq!(list["items"][0]["status"], "active");
        let tamper = server.database.tamper().await;
        let fields = "SELECT name || permissions || allowed_ips || created_by FROM api_keys";
        assert!(!format!("{:?}", tamper.rows(fields).await).contains(secret));
        // The facts say by which key.
        server.house().ledger.drain().await.unwrap();
        let owner_key = key(&owner, &["roles:create"]).await;
        let role = json!({ "name": "by-key", "permissions": [] });
        bearing(&server, &owner_key).post("/api/v1/roles", role).await.ok(201);
        server.house().ledger.drain().await.unwrap();
        let events = owner.get("/api/v1/audit/events?kind=role.created").await.ok(200);
        assert_eq!(events["items"][0]["api_key"], owner_key["id"]);
        server.finish().await;
    }

    async fn a_key_shrinks_with_its_owner(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let home = server.home().await;
        let (person, caller) = server.person(home, &["member"]).await;
        let group = server.group(home, &[PrincipalId::User(person.id)]).await;
        server.grant(home, group, "audit:read:all").await;
        let made = key(&caller, &["agents:read", "audit:read"]).await;
        let bearer = bearing(&server, &made);
        bearer.get("/api/v1/audit/events").await.ok(200);
        // Less than the owner asks for is refused, and so is more than the owner holds.
        let body = json!({ "name": "more", "permissions": ["agents:delete"] });
        caller.post("/api/v1/api-keys", body).await.refused(403, "authority_exceeded");
        server.leave(home, group, PrincipalId::User(person.id)).await;
        let held = bearer.get("/api/v1/auth/me").await.ok(200);
        assert_eq!(held["permissions"], json!(["agents:read:all", "audit:read:own"]));
        server.finish().await;
    }

    async fn a_key_ends(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let now = server.house().world.now();
        let soon = now.plus(Duration::from_secs(60));
        let body = json!({ "name": "short", "permissions": ["agents:read"], "expires_at": soon });
        let short = owner.post("/api/v1/api-keys", body).await.ok(201);
        let long = key(&owner, &["agents:read"]).await;
        bearing(&server, &short).get("/api/v1/agents").await.ok(200);
        server.clock.advance(Duration::from_secs(61));
        bearing(&server, &short).get("/api/v1/agents").await.refused(401, "invalid_api_key");
        assert_eq!(owner.get(&path(&short)).await.ok(200)["status"], "expired");

        bearing(&server, &long).get("/api/v1/agents").await.ok(200);
        owner.with("if-match", "\"9\"").delete(&path(&long)).await.refused(412, "stale_revision");
        assert_eq!(owner.delete(&path(&long)).await.ok(200)["status"], "revoked");
        bearing(&server, &long).get("/api/v1/agents").await.refused(401, "invalid_api_key");
        owner.delete(&path(&long)).await.refused(409, "api_key_revoked");
        for (status, expected) in [("active", 0), ("expired", 1), ("revoked", 1)] {
            let list = owner.get(&format!("/api/v1/api-keys?status={status}")).await.ok(200);
            assert_eq!(list["items"].as_array().unwrap().len(), expected, "{status}");
        }
        for end in [now, now.plus(Duration::from_secs(400 * 24 * 3600))] {
            let body = json!({ "name": "x", "permissions": ["agents:read"], "expires_at": end });
            owner.post("/api/v1/api-keys", body).await.refused(422, "validation_failed");
        }
        server.finish().await;
    }

    async fn a_key_is_used_from_where_it_may_be(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let with = |nets: Value| json!({ "name": "net", "permissions": ["agents:read"], "allowed_ips": nets });
        let here = owner.post("/api/v1/api-keys", with(json!(["10.0.0.0/8", "127.0.0.1"]))).await.ok(201);
        let elsewhere = owner.post("/api/v1/api-keys", with(json!(["192.0.2.0/24"]))).await.ok(201);
        bearing(&server, &here).get("/api/v1/agents").await.ok(200);
        bearing(&server, &elsewhere).get("/api/v1/agents").await.refused(401, "invalid_api_key");
        // Nobody who is no trusted proxy can say that they are somewhere else.
        let lied = bearing(&server, &elsewhere).with("x-forwarded-for", "192.0.2.7");
        lied.get("/api/v1/agents").await.refused(401, "invalid_api_key");
        let lied = bearing(&server, &elsewhere).with("forwarded", "for=192.0.2.7");
        lied.get("/api/v1/agents").await.refused(401, "invalid_api_key");
        owner.post("/api/v1/api-keys", with(json!(["everywhere"]))).await.refused(422, "validation_failed");
        // When and from where it was used is noted.
        server.house().access.flush_seen().await;
        let shown = owner.get(&path(&here)).await.ok(200);
        assert_eq!(shown["last_used_ip"], "127.0.0.1");
        assert!(shown["last_used_at"].is_string());
        server.finish().await;
    }

    async fn what_is_no_key_of_ours_is_refused(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let made = key(&owner, &["agents:read"]).await;
        let other = key(&owner, &["agents:read"]).await;
        let text = made["api_key"].as_str().unwrap();
        let other = other["api_key"].as_str().unwrap();
        let parts: Vec<&str> = text.split('_').collect();
        // Well formed, with the secret of another key.
        let swapped = {
            let body = format!("sfk_{}_{}_{}", parts[1], parts[2], other.split('_').nth(3).unwrap());
            let sum = crypto::base62::encode(&crypto::crc32(body.as_bytes()).to_be_bytes());
            format!("{body}_{sum}")
        };
        for wrong in ["sfk_", &text[..text.len() - 1], &swapped, "sfk_dev_x_y_z"] {
            let caller = Caller { bearer: Some(wrong.to_owned()), ..server.anonymous() };
            caller.get("/api/v1/agents").await.refused(401, "invalid_api_key");
        }
        // A credential's secret is no key, and a key no credential.
        let agent = server.agent(&owner, "worker", &["agents:read:all"]).await;
        server.anonymous().with("x-api-key", agent.secret.clone()).get("/api/v1/agents").await.refused(401, "invalid_api_key");
        let form = [("grant_type", "client_credentials"), ("client_id", &agent.id), ("client_secret", text)];
        assert_eq!(server.anonymous().form("/oauth2/token", &form).await.status, 401);
        server.finish().await;
    }

    async fn a_key_makes_keys_and_credentials_only_by_name(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let agent = server.agent(&owner, "worker", &["agents:read:all"]).await;
        let credentials = format!("/api/v1/agents/{}/credentials", agent.id);
        let credential = json!({ "kind": "secret", "label": "x" });
        let another = json!({ "name": "child", "permissions": ["agents:read"] });
        let broad = bearing(&server, &key(&owner, &["*:*:all"]).await);
        broad.get("/api/v1/agents").await.ok(200);
        broad.post(&credentials, credential.clone()).await.refused(403, "step_up_required");
        broad.post("/api/v1/api-keys", another.clone()).await.refused(403, "step_up_required");
        let named = bearing(&server, &key(&owner, &["credentials:create", "api_keys:create", "agents:read"]).await);
        named.post(&credentials, credential).await.ok(201);
        named.post("/api/v1/api-keys", another).await.ok(201);
        // And never one that allows more than itself.
        let wider = json!({ "name": "wider", "permissions": ["agents:create"] });
        named.post("/api/v1/api-keys", wider).await.refused(403, "authority_exceeded");
        server.finish().await;
    }

    async fn an_agents_key_dies_with_the_agent(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let agent = server.agent(&owner, "worker", &["agents:read:all"]).await;
        let body = json!({ "name": "worker's", "owner": agent.id, "permissions": ["agents:read"] });
        let made = owner.post("/api/v1/api-keys", body).await.ok(201);
        let bearer = bearing(&server, &made);
        let me = bearer.get("/api/v1/auth/me").await.ok(200);
        assert_eq!(me["principal"]["id"], json!(agent.id));
        let at = format!("/api/v1/agents/{}", agent.id);
        owner.post(&format!("{at}/suspend"), json!({})).await.ok(200);
        bearer.get("/api/v1/agents").await.refused(401, "invalid_api_key");
        owner.post(&format!("{at}/reactivate"), json!({})).await.ok(200);
        bearer.get("/api/v1/agents").await.ok(200);
        owner.post(&format!("{at}/kill"), json!({ "reason": "drill" })).await.ok(200);
        bearer.get("/api/v1/agents").await.refused(401, "invalid_api_key");
        owner.delete(&at).await.ok(200);
        assert_eq!(owner.get(&path(&made)).await.ok(200)["status"], "revoked");
        server.finish().await;
    }

    async fn keys_are_seen_and_made_by_whom_they_concern(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let home = server.home().await;
        let (_, member) = server.person(home, &["member"]).await;
        let theirs = key(&owner, &["agents:read"]).await;
        let mine = key(&member, &["agents:read"]).await;
        let list = member.get("/api/v1/api-keys").await.ok(200);
        assert_eq!(list["items"].as_array().unwrap().len(), 1);
        assert_eq!(list["items"][0]["id"], mine["id"]);
        member.get(&path(&theirs)).await.refused(404, "not_found");
        member.delete(&path(&theirs)).await.refused(404, "not_found");
        // For an agent of one's own, and found by its owner; not for others' agents, nor for other people.
        let agent = member.post("/api/v1/agents", json!({ "name": "own", "permissions": ["agents:read:all"] })).await.ok(201);
        let for_agent = |id: &Value| json!({ "name": "a", "owner": id, "permissions": ["agents:read"] });
        let made = member.post("/api/v1/api-keys", for_agent(&agent["id"])).await.ok(201);
        let of_agent = format!("/api/v1/api-keys?owner={}", agent["id"].as_str().unwrap());
        assert_eq!(member.get(&of_agent).await.ok(200)["items"][0]["id"], made["id"]);
        let other = owner.post("/api/v1/agents", json!({ "name": "other", "permissions": ["agents:read:all"] })).await.ok(201);
        member.post("/api/v1/api-keys", for_agent(&other["id"])).await.refused(404, "not_found");
        let me = member.get("/api/v1/auth/me").await.ok(200);
        owner.post("/api/v1/api-keys", for_agent(&me["principal"]["id"])).await.refused(422, "validation_failed");
        // Another organization sees none of it.
        let stranger = server.stranger().await;
        stranger.get(&path(&mine)).await.refused(404, "not_found");
        stranger.delete(&path(&mine)).await.refused(404, "not_found");
        assert_eq!(stranger.get("/api/v1/api-keys").await.ok(200)["items"], json!([]));
        let foreign = json!({ "name": "x", "owner": agent["id"], "permissions": ["agents:read"] });
        stranger.post("/api/v1/api-keys", foreign).await.refused(422, "validation_failed");
        server.finish().await;
    }

    async fn what_a_revoked_key_began_ends(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let code = "import time\ndef handler(input, context):\n    time.sleep(600)\n";
        let body = json!({ "namespace": "keys", "name": "slow", "code": code });
        let function = owner.post("/api/v1/functions", body).await.ok(201);
        let made = key(&owner, &["functions:execute", "functions:read", "runs:read"]).await;
        let execute = format!("/api/v1/functions/{}/execute", function["id"].as_str().unwrap());
        let starter = bearing(&server, &made).with("prefer", "respond-async");
        let run = starter.post(&execute, json!({ "input": {} })).await.ok(202);
        let at = format!("/api/v1/runs/{}", run["id"].as_str().unwrap());
        owner.delete(&path(&made)).await.ok(200);
        let until = Instant::now() + Duration::from_secs(20);
        let state = loop {
            let state = owner.get(&at).await.ok(200)["status"].as_str().unwrap().to_owned();
            if !matches!(state.as_str(), "queued" | "leased" | "running") || Instant::now() > until {
                break state;
            }
        };
        assert!(matches!(state.as_str(), "cancelled" | "aborted" | "failed"), "{state}");
        server.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_node_hears_of_a_revoked_key_within_a_second() {
    let database = TestDatabase::postgres().await;
    let directory = tempfile::tempdir().expect("a directory");
    let pepper = "ef".repeat(32);
    let second = Start::on(&database, directory.path()).set("keys.encryption_key", &pepper);
    let first = TestServer::start_with(database, &[("keys.encryption_key", &pepper)]).await;
    let second = second.set("database.pool_size", "4").run().expect("the second node");
    let owner = first.owner().await;
    let made = key(&owner, &["agents:read"]).await;
    let there = Caller { bearer: made["api_key"].as_str().map(str::to_owned), ..second.anonymous() };
    there.get("/api/v1/agents").await.ok(200);
    let revoked = Instant::now();
    owner.delete(&path(&made)).await.ok(200);
    while there.get("/api/v1/agents").await.status != 401 {
        assert!(revoked.elapsed() < Duration::from_secs(10), "the key still lives on the second node");
    }
    assert_eq!(second.stop(), Some(0));
    first.finish().await;
}
