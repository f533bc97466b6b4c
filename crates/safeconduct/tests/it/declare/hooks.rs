//! Hooks in files: their secrets come by reference and are never told.

use serde_json::{Value, json};

use super::{APPLY, DRIFT, EXPORT, PLAN, changes, document, lines};
use crate::support::TestServer;

const SECRET: &str = "a-secret-of-the-sender";

const HOOK: &str = r#"functions:
  - {name: takes, code: "def handler(input, context): return input"}
hooks:
  - path: git/{repository}
    methods: [PUT, POST]
    function: default/takes
    authentication: {kind: hmac, preset: github}
    secret: ${SECRET}
    allowed_ips: [10.1.2.3]
    deduplication: {header: X-GitHub-Delivery}
"#;

fn sent(spec: &str) -> Value {
    json!({ "document": document("acme", spec), "variables": { "SECRET": SECRET } })
}

testing::on_both_databases! {
    async fn a_hook_is_made_changed_and_written_without_its_secret(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let planned = owner.post(PLAN, sent(HOOK)).await.ok(200);
        assert_eq!(changes(&planned), ["create functions/default/takes", "create hooks/POST,PUT git/{repository}"]);
        assert!(!planned.to_string().contains(SECRET), "{planned:#}");
        let applied = owner.post(APPLY, sent(HOOK)).await;
        assert_eq!(changes(&applied.ok(200)), changes(&planned));
        assert!(!applied.text.contains(SECRET));
        let id = applied.json()["changes"][1]["id"].as_str().expect("an id").to_owned();
        let hook = owner.get(&format!("/api/v1/hooks/{id}")).await.ok(200);
        assert_eq!((&hook["methods"], &hook["allowed_ips"]), (&json!(["POST", "PUT"]), &json!(["10.1.2.3/32"])));
        assert_eq!(changes(&owner.post(PLAN, sent(HOOK)).await.ok(200)), Vec::<String>::new());
        let exported = owner.get(&format!("{EXPORT}?manager=acme")).await.ok(200);
        let text = exported["document"].as_str().expect("a document");
        assert!(text.contains("git/{repository}") && !text.contains(SECRET) && !text.contains("secret"), "{text}");
        assert_eq!(changes(&owner.post(PLAN, json!({ "document": text })).await.ok(200)), Vec::<String>::new());
        assert_eq!(owner.get(DRIFT).await.ok(200)["in_step"], 2);
        // Changed without its secret; with another way to prove oneself it takes one.
        let off = HOOK.replace("    secret: ${SECRET}\n", "    active: false\n");
        assert_eq!(changes(&owner.post(APPLY, sent(&off)).await.ok(200)), ["update hooks/POST,PUT git/{repository}"]);
        let other = off.replace("preset: github", "preset: slack");
        let refused = owner.post(APPLY, sent(&other)).await.refused(422, "validation_failed");
        assert_eq!(lines(&refused["findings"])[0].1, "/spec/hooks/0/secret", "{refused:#}");
        let given = other.replace("    active: false\n", "    secret: ${SECRET}\n");
        owner.post(APPLY, sent(&given)).await.ok(200);
        server.finish().await;
    }

    async fn secrets_come_by_reference_and_open_hooks_by_hand(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let written = HOOK.replace("${SECRET}", SECRET);
        let refused = owner.post(APPLY, sent(&written)).await.refused(422, "config_invalid");
        assert_eq!(lines(&refused["findings"]), [(13, "/spec/hooks/0/secret".to_owned())], "{refused:#}");
        assert!(!refused.to_string().contains(SECRET), "{refused:#}");
        let open = HOOK.replace("{kind: hmac, preset: github}", "{kind: none}").replace("    secret: ${SECRET}\n", "");
        let refused = owner.post(APPLY, sent(&open)).await.refused(422, "validation_failed");
        assert_eq!(lines(&refused["findings"]), [(12, "/spec/hooks/0/authentication/kind".to_owned())], "{refused:#}");
        // One that is there is no business of a file.
        owner.post(APPLY, sent(HOOK.split("hooks:").next().unwrap())).await.ok(200);
        let hook = json!({ "path": "open", "target": { "function": "default:takes" }, "authentication": { "kind": "none" } });
        owner.post("/api/v1/hooks", hook).await.ok(201);
        let exported = owner.get(EXPORT).await.ok(200);
        assert!(!exported["document"].as_str().expect("a document").contains("hooks:"));
        server.finish().await;
    }
}
