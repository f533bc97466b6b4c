//! Registering and changing.

use serde_json::{Value, json};

use crate::support::TestServer;

testing::on_both_databases! {
    async fn an_agent_is_registered_with_defaults(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let me = owner.get("/api/v1/auth/me").await.ok(200);
        let made = owner.post("/api/v1/agents", json!({ "namespace": "ops", "name": "reporter" })).await;
        let agent = made.ok(201);
        assert_eq!(made.header("etag"), "\"1\"");
        assert_eq!(agent["handle"], "reporter.ops@home.agents.127.0.0.1");
        assert_eq!(agent["status"], "active");
        assert_eq!(agent["owner"]["id"], me["principal"]["id"]);
        assert_eq!(agent["permissions"], json!([]));
        let read = owner.get("/api/v1/agents/ops:reporter").await.ok(200);
        assert_eq!(read, agent);
        let again = owner.post("/api/v1/agents", json!({ "namespace": "ops", "name": "reporter" })).await;
        again.refused(409, "agent_exists");
        server.finish().await;
    }
}

#[tokio::test]
async fn everything_wrong_is_named_at_once() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    let body =
        json!({ "name": "Bad Name", "namespace": 7, "colour": "red", "version": "one", "owner": "usr_x" });
    let problem = owner.post("/api/v1/agents", body).await.refused(422, "validation_failed");
    let fields: Vec<&str> =
        problem["errors"].as_array().unwrap().iter().map(|error| error["field"].as_str().unwrap()).collect();
    for field in ["/name", "/namespace", "/version", "/owner"] {
        assert!(fields.contains(&field), "{field} in {problem:#}");
    }
    assert!(problem.to_string().contains("colour"), "{problem:#}");
    server.finish().await;
}

#[tokio::test]
async fn bad_bodies_are_refused_before_anything_happens() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    let send = |body: &str| owner.send(reqwest::Method::POST, "/api/v1/agents", Some(body.to_owned()));
    send("{\"name\": ").await.refused(400, "malformed_json");
    let twice = send("{\"name\": \"mild\", \"name\": \"wild\"}").await.refused(400, "malformed_json");
    assert!(twice["detail"].as_str().unwrap().contains("\"name\" is named twice"), "{twice:#}");
    let zipped = owner.with("content-encoding", "gzip");
    zipped.post("/api/v1/agents", json!({ "name": "zipped" })).await.refused(415, "unsupported_media_type");
    send("[]").await.refused(422, "validation_failed");
    send("{}").await.refused(422, "validation_failed");
    let large = format!("{{\"description\": \"{}\"}}", "x".repeat(2 << 20));
    send(&large).await.refused(413, "body_too_large");
    let text = owner
        .http
        .post(format!("{}/api/v1/agents", owner.url))
        .header("cookie", owner.cookie.clone().unwrap());
    let text =
        text.header("origin", &owner.url).header("content-type", "text/plain").body("name=x").send().await;
    assert_eq!(text.unwrap().status().as_u16(), 415);
    let deep = "[".repeat(100_000);
    send(&deep).await.refused(400, "malformed_json");
    owner.get("/api/v1/agents/not-an-agent").await.refused(404, "not_found");
    owner.get("/api/v1/nothing-here").await.refused(404, "unknown_route");
    owner.send(reqwest::Method::PATCH, "/api/v1/roles", None).await.refused(405, "method_not_allowed");
    owner.get("/api/v1/agents?colour=red").await.refused(422, "validation_failed");
    owner.get("/api/v1/agents?limit=0").await.refused(422, "validation_failed");
    owner.get("/api/v1/agents?limit=201").await.refused(422, "validation_failed");
    assert_eq!(server.database.tamper().await.number("SELECT count(*) FROM agents").await, 0);
    server.finish().await;
}

#[tokio::test]
async fn nobody_grants_what_they_do_not_hold() {
    let server = TestServer::sqlite().await;
    let home = server.home().await;
    let (_, member) = server.person(home, &["member"]).await;
    let body = json!({ "name": "greedy", "permissions": ["agents:read:all", "agents:delete:all"] });
    let problem = member.post("/api/v1/agents", body).await.refused(403, "authority_exceeded");
    assert_eq!(problem["missing"], json!(["agents:delete:all"]));
    let body = json!({ "name": "modest", "roles": ["member"] });
    member.post("/api/v1/agents", body).await.ok(201);
    let body = json!({ "permissions": ["system:read:all"] });
    let owner = server.owner().await;
    let (_, plain_owner) = server.person(home, &["owner"]).await;
    plain_owner.patch("/api/v1/agents/default:modest", body.clone()).await.refused(403, "authority_exceeded");
    // The first owner is operator, too.
    owner.patch("/api/v1/agents/default:modest", body).await.ok(200);
    server.finish().await;
}

#[tokio::test]
async fn a_change_is_merged_and_guarded_by_its_revision() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    let body = json!({ "name": "reporter", "metadata": { "team": "sre", "tier": { "a": 1, "b": 2 } } });
    owner.post("/api/v1/agents", body).await.ok(201);
    let path = "/api/v1/agents/default:reporter";
    let patch = json!({ "description": "Reports.", "metadata": { "team": null, "tier": { "b": 3 } } });
    let changed = owner.with("if-match", "\"1\"").patch(path, patch).await;
    assert_eq!(changed.header("etag"), "\"2\"");
    assert_eq!(changed.ok(200)["metadata"], json!({ "tier": { "a": 1, "b": 3 } }));
    let stale = owner.with("if-match", "\"1\"").patch(path, json!({ "description": "Late." })).await;
    assert_eq!(stale.refused(412, "stale_revision")["current_revision"], 2);
    owner.with("if-match", "nonsense").patch(path, json!({})).await.refused(412, "stale_revision");
    server.finish().await;
}

#[tokio::test]
async fn a_repeated_key_replays_and_another_body_is_refused() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    let keyed = owner.with("idempotency-key", "first");
    let made = keyed.post("/api/v1/agents", json!({ "name": "once" })).await;
    let again = keyed.post("/api/v1/agents", json!({ "name": "once" })).await;
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!((again.ok(201), again.header("etag")), (made.ok(201), "\"1\""));
    keyed.post("/api/v1/agents", json!({ "name": "twice" })).await.refused(422, "idempotency_mismatch");
    // Another principal's key of the same name is another key.
    let (_, other) = server.person(server.home().await, &["owner"]).await;
    other.with("idempotency-key", "first").post("/api/v1/agents", json!({ "name": "other" })).await.ok(201);

    let path = "/api/v1/agents/default:once/credentials";
    let secret = owner.with("idempotency-key", "secret");
    let made = secret.post(path, json!({ "kind": "secret", "label": "a" })).await.ok(201);
    let again = secret.post(path, json!({ "kind": "secret", "label": "a" })).await;
    assert_eq!(again.refused(409, "already_created")["id"], made["id"]);
    assert!(!again.text.contains(made["client_secret"].as_str().unwrap()));

    server.clock.advance(std::time::Duration::from_secs(24 * 3600 + 1));
    keyed.post("/api/v1/agents", json!({ "name": "tomorrow" })).await.ok(201);
    server.finish().await;
}

#[tokio::test]
async fn the_request_id_is_echoed_if_harmless() {
    let server = TestServer::sqlite().await;
    let anonymous = server.anonymous();
    let kept = anonymous.with("x-request-id", "build-7:a.b_c").get("/api/v1/auth/me").await;
    assert_eq!(kept.header("x-request-id"), "build-7:a.b_c");
    assert_eq!(kept.refused(401, "unauthenticated")["request_id"], "build-7:a.b_c");
    let made = anonymous.with("x-request-id", "a b").get("/api/v1/auth/me").await;
    assert!(made.header("x-request-id").starts_with("req_"), "{}", made.header("x-request-id"));
    let names =
        ["x-content-type-options", "content-security-policy", "referrer-policy", "permissions-policy"];
    assert!(names.iter().all(|name| !made.header(name).is_empty()));
    let body: Value = made.json();
    assert_eq!(body["type"], "/docs/errors/unauthenticated");
    server.finish().await;
}

#[tokio::test]
async fn a_key_belongs_to_what_it_was_asked_of() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    for name in ["one", "two"] {
        owner.post("/api/v1/agents", json!({ "name": name })).await.ok(201);
    }
    let keyed = owner.with("idempotency-key", "stop");
    keyed.post("/api/v1/agents/default:one/suspend", json!({})).await.ok(200);
    keyed.post("/api/v1/agents/default:two/suspend", json!({})).await.refused(422, "idempotency_mismatch");
    assert_eq!(owner.get("/api/v1/agents/default:two").await.ok(200)["status"], "active");
    server.finish().await;
}

#[tokio::test]
async fn text_that_no_database_can_hold_is_refused() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    let body = json!({ "name": "one", "display_name": "a\0b" });
    owner.post("/api/v1/agents", body).await.refused(422, "validation_failed");
    let body = json!({ "name": "one", "metadata": { "deep": [{ "a\0": 1 }] } });
    owner.post("/api/v1/agents", body).await.refused(422, "validation_failed");
    owner.get("/api/v1/agents?q=%00").await.refused(422, "validation_failed");
    server.finish().await;
}

testing::on_both_databases! {
    /// RFC 7396: null takes a value back; what there must be cannot be taken.
    async fn a_patch_unsets_what_is_optional(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let full = json!({
            "name": "full", "display_name": "Full", "description": "Has everything.", "type": "monitor",
            "version": "2.1.0", "capabilities": ["checks:read"], "deployment_env": "production",
            "visibility": "private", "tags": ["a"], "metadata": { "team": "a" }, "roles": ["member"],
            "permissions": ["runs:read:all"],
        });
        let before = owner.post("/api/v1/agents", full.clone()).await.ok(201);
        let bare = owner.post("/api/v1/agents", json!({ "name": "bare" })).await.ok(201);
        let path = "/api/v1/agents/default:full";
        // Left out is not unset.
        let kept = owner.patch(path, json!({ "description": "Kept." })).await.ok(200);
        assert_eq!((&kept["version"], &kept["tags"]), (&before["version"], &before["tags"]));
        for required in ["owner", "name", "namespace", "handle"] {
            let problem = owner.patch(path, json!({ required: null })).await.refused(422, "validation_failed");
            assert!(problem["errors"].to_string().contains(required) || required != "owner", "{problem:#}");
        }
        let optional: Vec<&String> = full.as_object().unwrap().keys().filter(|name| *name != "name").collect();
        for name in &optional {
            let changed = owner.patch(path, json!({ name.as_str(): null })).await.ok(200);
            let expected = if *name == "display_name" { json!("full") } else { bare[name.as_str()].clone() };
            assert_eq!(changed[name.as_str()], expected, "{name}");
        }
        let after = owner.get(path).await.ok(200);
        assert_eq!(after["owner"], before["owner"]);
        let me = json!([after["roles"], after["permissions"]]);
        assert_eq!(me, json!([[], []]), "and its rights are gone");
        let tamper = server.database.tamper().await;
        assert_eq!(tamper.number("SELECT count(*) FROM grants WHERE principal_kind = 'agent'").await, 0);
        server.finish().await;
    }

    async fn metadata_does_not_grow_past_its_limit_by_patches(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        owner.post("/api/v1/agents", json!({ "name": "hoarder" })).await.ok(201);
        let path = "/api/v1/agents/default:hoarder";
        let part = |name: &str| json!({ "metadata": { name: "x".repeat(10_000) } });
        owner.patch(path, part("one")).await.ok(200);
        let problem = owner.patch(path, part("two")).await.refused(422, "validation_failed");
        assert_eq!(problem["errors"][0]["field"], "/metadata");
        assert_eq!(owner.get(path).await.ok(200)["revision"], 2);
        let swapped = json!({ "metadata": { "one": null, "two": "x".repeat(10_000) } });
        owner.patch(path, swapped).await.ok(200);
        server.finish().await;
    }
}
