//! Making, changing, listing and removing hooks.

use serde_json::{Value, json};
use web::PrincipalId;

use super::{
    ECHO, HOOKS, SECRET, echo_hook, facts, github, hook, id, knock, path, send, send_signed, wanted,
};
use crate::functions::function;
use crate::support::TestServer;

testing::on_both_databases! {
    async fn a_hook_is_made_changed_and_removed(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let made = echo_hook(&owner, github()).await;
        assert_eq!(made["url"], format!("{}/o/{}/hooks/in", server.url(), path(&made).split('/').nth(2).unwrap()));
        assert_eq!((&made["methods"], &made["target"]["name"]), (&json!(["POST"]), &json!("ops/echo")));
        assert_eq!(made["secret"], SECRET, "shown once, also one that was given");
        assert_eq!((&made["rate_per_minute"], &made["max_body_bytes"]), (&json!(600), &json!(1_048_576)));
        let one = format!("{HOOKS}/{}", id(&made));
        let shown = owner.get(&one).await;
        assert_eq!(shown.ok(200).get("secret"), None);
        assert_eq!(shown.header("etag"), "\"1\"");
        let stale = owner.with("if-match", "\"7\"").patch(&one, json!({ "description": "x" })).await;
        stale.refused(412, "stale_revision");
        let patch = json!({ "description": "Pushes", "methods": ["PUT", "POST"], "path": "git/{repo}", "rate_per_minute": 5 });
        let changed = owner.with("if-match", "\"1\"").patch(&one, patch).await.ok(200);
        assert_eq!((&changed["revision"], &changed["methods"]), (&json!(2), &json!(["POST", "PUT"])));
        assert_eq!(changed.get("secret"), None);
        assert_eq!(send_signed(&server, &json!({ "url": changed["url"].as_str().unwrap().replace("{repo}", "a") }), "{}").await.status, 200);
        assert_eq!(send_signed(&server, &made, "{}").await.status, 404, "the old path is free");
        let hidden = owner.patch(&one, json!({ "active": false })).await.ok(200);
        assert_eq!(hidden["active"], false);
        let listed = owner.get(&format!("{HOOKS}?q=PUSH&active=false")).await.ok(200);
        assert_eq!(listed["items"][0]["id"], made["id"]);
        assert_eq!(owner.get(&format!("{HOOKS}?active=true")).await.ok(200)["items"], json!([]));
        let slack = json!({ "kind": "hmac", "preset": "slack" });
        let timed = hook(&owner, json!({ "path": "timed", "authentication": slack, "secret": SECRET })).await;
        let patch = json!({ "authentication": { "kind": "hmac", "preset": "slack", "tolerance_seconds": 60 } });
        let later = owner.patch(&format!("{HOOKS}/{}", id(&timed)), patch).await.ok(200);
        assert_eq!((&later["authentication"]["tolerance_seconds"], later.get("secret")), (&json!(60), None), "the same secret");
        owner.delete(&format!("{HOOKS}/{}", id(&timed))).await.ok(200);
        owner.delete(&one).await.ok(200);
        owner.get(&one).await.refused(404, "not_found");
        for (kind, count) in [("hook.created", 2), ("hook.updated", 3), ("hook.deleted", 2)] {
            assert_eq!(facts(&server, kind).await, count, "{kind}");
        }
        let left = server.database.tamper().await;
        for table in ["hooks", "hook_routes", "hook_deliveries", "hook_marks"] {
            assert_eq!(left.number(&format!("SELECT count(*) FROM {table}")).await, 0, "{table}");
        }
        server.finish().await;
    }

    async fn what_does_not_fit_is_named(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        function(&owner, "echo", ECHO).await;
        let hmac = |more: Value| {
            let mut by = json!({ "kind": "hmac" });
            for (name, value) in more.as_object().unwrap() {
                by[name] = value.clone();
            }
            json!({ "authentication": by })
        };
        for (more, field) in [
            (json!({ "path": "/in" }), "/path"),
            (json!({ "path": "a/../b" }), "/path"),
            (json!({ "methods": [] }), "/methods"),
            (json!({ "methods": ["TRACE"] }), "/methods/0"),
            (json!({ "target": { "agent": "x" } }), "/target"),
            (json!({ "target": { "function": "ops:missing" } }), "/target/function"),
            (json!({ "target": { "function": "nonsense" } }), "/target/function"),
            (hmac(json!({})), "/authentication/preset"),
            (hmac(json!({ "preset": "generic" })), "/authentication/header"),
            (hmac(json!({ "preset": "generic", "header": "a b" })), "/authentication/header"),
            (hmac(json!({ "preset": "github", "header": "x" })), "/authentication/header"),
            (hmac(json!({ "preset": "github", "tolerance_seconds": 60 })), "/authentication/tolerance_seconds"),
            (json!({ "authentication": { "kind": "token", "preset": "github" } }), "/authentication/preset"),
            (json!({ "authentication": { "kind": "basic", "username": "a:b" } }), "/authentication/username"),
            (json!({ "authentication": { "kind": "mtls" } }), "/authentication/kind"),
            (json!({ "authentication": { "kind": "token" }, "secret": "0123456789abcdef" }), "/secret"),
            (json!({ "authentication": { "kind": "hmac", "preset": "standard_webhooks" }, "secret": "0123456789abcdef" }), "/secret"),
            (json!({ "allowed_ips": ["10.0.0.0/8", "x"] }), "/allowed_ips/1"),
            (json!({ "deduplication": { "ttl_seconds": 60 } }), "/deduplication"),
            (json!({ "deduplication": { "pointer": "id" } }), "/deduplication/pointer"),
            (json!({ "max_body_bytes": 1_048_577 }), "/max_body_bytes"),
            (json!({ "rate_per_minute": 601 }), "/rate_per_minute"),
            (json!({ "permissions": ["roles:create"] }), "/permissions/0"),
            (json!({ "nonsense": 1 }), "/nonsense"),
        ] {
            let problem = owner.post(HOOKS, wanted(more.clone())).await.refused(422, "validation_failed");
            let fields: Vec<&str> = problem["errors"].as_array().unwrap().iter().filter_map(|one| one["field"].as_str()).collect();
            assert!(fields.iter().any(|one| one.starts_with(field)), "{more}: {problem:#}");
        }
        assert_eq!(owner.get(HOOKS).await.ok(200)["items"], json!([]));
        server.finish().await;
    }

    async fn no_two_hooks_answer_one_request(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let by_token = |path: &str, methods: Value| {
            wanted(json!({ "path": path, "methods": methods, "authentication": { "kind": "token" } }))
        };
        function(&owner, "echo", ECHO).await;
        owner.post(HOOKS, by_token("git/{repo}", json!(["POST"]))).await.ok(201);
        for taken in ["git/{other}", "git/core", "{any}/core"] {
            owner.post(HOOKS, by_token(taken, json!(["PUT", "POST"]))).await.refused(409, "hook_exists");
        }
        let free = owner.post(HOOKS, by_token("git/core", json!(["PUT"]))).await.ok(201);
        let moved = owner.patch(&format!("{HOOKS}/{}", id(&free)), json!({ "methods": ["POST"] })).await;
        moved.refused(409, "hook_exists");
        owner.post(HOOKS, by_token("git/core/more", json!(["POST"]))).await.ok(201);
        // Another organization's paths are its own.
        let elsewhere = server.stranger().await;
        function(&elsewhere, "echo", ECHO).await;
        elsewhere.post(HOOKS, by_token("git/{repo}", json!(["POST"]))).await.ok(201);
        server.finish().await;
    }

    async fn of_a_hundred_that_want_one_path_exactly_one_gets_it(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        function(&owner, "echo", ECHO).await;
        let racers = (0..100).map(|racer| {
            let owner = owner.clone();
            // Shapes differ, requests do not.
            let path = if racer % 2 == 0 { "a/{x}".to_owned() } else { "{y}/b".to_owned() };
            let body = wanted(json!({ "path": path, "authentication": { "kind": "token" } }));
            async move { owner.post(HOOKS, body).await.status.as_u16() }
        });
        let statuses = futures::future::join_all(racers).await;
        assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
        assert!(statuses.iter().all(|status| matches!(status, 201 | 409)), "{statuses:?}");
        server.finish().await;
    }

    async fn an_open_hook_needs_more_rights_and_has_a_path_that_nobody_guesses(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let made = echo_hook(&owner, json!({})).await;
        let (head, tail) = made["path"].as_str().unwrap().split_once('/').unwrap();
        assert_eq!((head, tail.len(), &made["rate_per_minute"]), ("in", 22, &json!(60)));
        assert_eq!(send(&server, &made, json!({})).await.status, 200);
        let bare = json!({ "url": made["url"].as_str().unwrap().rsplit_once('/').unwrap().0 });
        send(&server, &bare, json!({})).await.refused(404, "not_found");
        let home = server.home().await;
        let (person, maker) = server.person(home, &[]).await;
        for permission in ["hooks:write:own", "hooks:read:own", "functions:execute:all"] {
            server.grant(home, web::PrincipalId::User(person.id), permission).await;
        }
        maker.post(HOOKS, wanted(json!({ "path": "other" }))).await.refused(403, "permission_denied");
        let by_token = json!({ "path": "other", "authentication": { "kind": "token" } });
        let own = maker.post(HOOKS, wanted(by_token)).await.ok(201);
        let opened = json!({ "authentication": { "kind": "none" } });
        maker.patch(&format!("{HOOKS}/{}", id(&own)), opened.clone()).await.refused(403, "permission_denied");
        let opened = owner.patch(&format!("{HOOKS}/{}", id(&own)), opened).await.ok(200);
        assert!(opened["path"].as_str().unwrap().starts_with("other/"), "{opened:#}");
        // The path is the secret: who only looks sees where it lies, and so does the ledger.
        let (_, viewer) = server.person(home, &["viewer"]).await;
        let one = viewer.get(&format!("{HOOKS}/{}", id(&made))).await.ok(200);
        let list = viewer.get(&format!("{HOOKS}?active=true")).await.ok(200);
        let document = viewer.get(&format!("{HOOKS}/openapi.json")).await.ok(200);
        let mine = viewer.get("/api/v1/openapi/mine.json").await.ok(200);
        assert_eq!(one["path"], "in/…");
        assert!(document["paths"].get("/in/…").is_some(), "{document:#}");
        for told in [&one, &list, &document, &mine] {
            assert!(!told.to_string().contains(tail), "{told:#}");
        }
        let found = viewer.get(&format!("{HOOKS}?q={}", &tail[..6])).await.ok(200);
        assert_eq!(found["items"], json!([]), "nor by searching for it");
        assert_eq!(owner.get(&format!("{HOOKS}/{}", id(&made))).await.ok(200)["path"], made["path"]);
        server.house().ledger.drain().await.unwrap();
        let facts = owner.get("/api/v1/audit/events?kind=hook.created").await.ok(200);
        assert!(facts.to_string().contains("in/…") && !facts.to_string().contains(tail), "{facts:#}");
        server.finish().await;
    }

    /// Nobody lets another's rights work for them.
    async fn whoever_changes_what_a_hook_does_becomes_its_owner(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let made = echo_hook(&owner, json!({ "authentication": { "kind": "token" }, "permissions": ["agents:read:all"] })).await;
        let one = format!("{HOOKS}/{}", id(&made));
        let home = server.home().await;
        let (person, other) = server.person(home, &[]).await;
        let other_id = web::PrincipalId::User(person.id);
        server.grant(home, other_id, "hooks:manage:all").await;
        // What it does stays: so does for whom.
        let named = other.patch(&one, json!({ "description": "x", "concurrency": 3 })).await.ok(200);
        assert_eq!(named["owner"], made["owner"]);
        let wider = json!({ "authentication": { "kind": "hmac", "preset": "github" } });
        let deeds = [
            wider.clone(),
            json!({ "input": { "mode": "envelope" } }),
            json!({ "response": "async" }),
            json!({ "allowed_ips": ["10.0.0.1"] }),
            json!({ "permissions": [] }),
        ];
        for deed in &deeds {
            other.patch(&one, deed.clone()).await.refused(422, "validation_failed");
        }
        server.grant(home, other_id, "functions:execute:all").await;
        other.patch(&one, wider.clone()).await.refused(403, "authority_exceeded");
        server.grant(home, other_id, "agents:read:all").await;
        let taken = other.patch(&one, wider).await.ok(200);
        assert_eq!(taken["owner"], person.id.to_string());
        assert!(taken["secret"].as_str().is_some_and(|secret| secret.len() == 43), "{taken:#}");
        // Who sees a new secret can send what they like.
        let rotated = owner.post(&format!("{one}/rotate"), json!({})).await.ok(200);
        assert_eq!(rotated["owner"], made["owner"]);
        server.finish().await;
    }

    async fn hooks_are_described_for_those_who_call_them(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        echo_hook(&owner, json!({ "path": "orders/{shop}", "methods": ["GET", "POST"], "authentication": { "kind": "token" } })).await;
        hook(&owner, json!({ "path": "hidden", "active": false })).await;
        let document = owner.get(&format!("{HOOKS}/openapi.json")).await.ok(200);
        let paths: Vec<&String> = document["paths"].as_object().unwrap().keys().collect();
        assert_eq!(paths, ["/orders/{shop}"]);
        let operation = &document["paths"]["/orders/{shop}"]["get"];
        assert_eq!((&operation["parameters"][0]["name"], &operation["security"]), (&json!("shop"), &json!([{ "token": [] }])));
        assert_eq!(server.stranger().await.get(&format!("{HOOKS}/openapi.json")).await.ok(200)["paths"], json!({}));
        server.finish().await;
    }

    async fn what_a_caller_may_use_is_described_with_its_types(database: TestDatabase) {
        const MINE: &str = "/api/v1/openapi/mine.json";
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let schema = json!({
            "type": "object", "properties": { "port": { "$ref": "#/$defs/port" } }, "$defs": { "port": { "type": "integer" } },
        });
        let typed = json!({
            "namespace": "ops", "name": "typed", "code": ECHO, "input_schema": schema, "visibility": "private",
            "description": "Opens a port.\nAnd more.",
        });
        owner.post("/api/v1/functions", typed).await.ok(201);
        owner.post("/api/v1/functions", json!({ "namespace": "ops", "name": "gone", "code": ECHO })).await.ok(201);
        owner.delete("/api/v1/functions/ops:gone").await.ok(200);
        let orders = json!({ "path": "orders/{shop}", "authentication": { "kind": "token" } });
        let door = path(&echo_hook(&owner, orders).await);
        hook(&owner, json!({ "path": "hidden", "active": false })).await;
        let answer = owner.get(MINE).await;
        let document = answer.ok(200);
        assert!(answer.header("content-security-policy").contains("sandbox"), "what others wrote is foreign");
        let paths = |document: &Value| document["paths"].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        let (echo, typed) = ("/api/v1/functions/ops:echo/execute", "/api/v1/functions/ops:typed/execute");
        assert_eq!(paths(&document), [echo, typed, door.as_str()]);
        let execute = &document["paths"][typed]["post"];
        assert_eq!((&execute["summary"], &execute["operationId"]), (&json!("Opens a port."), &json!("ops.typed")));
        let mut input = execute["requestBody"]["content"]["application/json"]["schema"]["properties"]["input"].clone();
        let id = input.as_object_mut().unwrap().remove("$id").unwrap();
        assert!(id.as_str().unwrap().starts_with("urn:safeconduct:fn_"), "what refers to itself is a document of its own");
        assert_eq!(input, schema);
        assert_eq!(document["info"]["description"], Value::Null);
        // Each sees what is theirs.
        let home = server.home().await;
        let (person, caller) = server.person(home, &[]).await;
        assert_eq!(paths(&caller.get(MINE).await.ok(200)), [""; 0]);
        server.grant(home, PrincipalId::User(person.id), "functions/ops/echo:execute").await;
        assert_eq!(paths(&caller.get(MINE).await.ok(200)), [echo]);
        server.grant(home, PrincipalId::User(person.id), "hooks:read:all").await;
        assert_eq!(paths(&caller.get(MINE).await.ok(200)), [echo, door.as_str()]);
        assert_eq!(paths(&server.stranger().await.get(MINE).await.ok(200)), [""; 0]);
        server.anonymous().get(MINE).await.refused(401, "unauthenticated");
        server.finish().await;
    }

    /// Large schemas of many functions make no answer of any size.
    async fn a_description_has_a_bound_and_says_when_it_is_met(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let schema = json!({ "type": "object", "description": "x".repeat(60_000) });
        for number in 0..70 {
            let body = json!({ "namespace": "ops", "name": format!("large_{number}"), "code": ECHO, "input_schema": schema });
            owner.post("/api/v1/functions", body).await.ok(201);
        }
        let document = owner.get("/api/v1/openapi/mine.json").await.ok(200);
        let count = document["paths"].as_object().unwrap().len();
        assert!((60..70).contains(&count), "{count}");
        assert!(document["paths"]["/api/v1/functions/ops:large_69/execute"].is_object(), "the newest are there");
        assert!(document["info"]["description"].as_str().unwrap().starts_with("There is more"));
        server.finish().await;
    }

    async fn a_run_makes_no_hook_on_its_callers_behalf(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let code = r#"
import json, urllib.request, urllib.error
def handler(input, context):
    headers = {"Authorization": "Bearer " + context.access_token, "Content-Type": "application/json"}
    answers = []
    for method, path in [("POST", "/api/v1/hooks"), ("POST", input["door"])]:
        request = urllib.request.Request(context.api_url + path, data=json.dumps(input["body"]).encode(), headers=headers, method=method)
        try:
            urllib.request.urlopen(request, timeout=20)
            answers.append(200)
        except urllib.error.HTTPError as error:
            answers.append(json.load(error)["code"])
    return answers
"#;
        let door = echo_hook(&owner, json!({})).await;
        let body = json!({ "namespace": "ops", "name": "makes", "code": code, "permissions": ["hooks:create", "functions:execute"] });
        let function = crate::functions::made(&owner, body).await;
        let input = json!({ "door": path(&door), "body": wanted(json!({ "path": "made" })) });
        let ran = crate::functions::run(&owner, &function, input).await;
        assert_eq!(ran["output"], json!(["permission_denied", "permission_denied"]), "{ran:#}");
        let nothing = knock(&server, reqwest::Method::HEAD, &path(&door), &[], "").await;
        assert_eq!(nothing.status, 405, "a head runs nothing");
        server.finish().await;
    }
}
