//! Nobody applies what they could not do by hand.

use serde_json::json;

use super::{APPLY, DRIFT, EXPORT, PLAN, apply, changes, document, facts, facts_of, lines};
use crate::state::somebody;
use crate::support::TestServer;

const READERS: &str = "roles:\n  - {name: readers, permissions: ['agents:read:all']}\n";
const CONFIG: [&str; 2] = ["config:read", "config:update"];

testing::on_both_databases! {
    async fn each_change_needs_what_its_own_operation_needs(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let text = document("acme", READERS);
        for (held, code, permission) in [
            (&[][..], "config_invalid", None),
            (&["roles:read"][..], "permission_denied", Some("roles:create")),
            // Whoever makes a role must hold what it allows.
            (&["roles:read", "roles:create"][..], "authority_exceeded", None),
        ] {
            let (_, caller) = somebody(&server, &[&CONFIG[..], held].concat()).await;
            let before = facts(&server).await;
            let status = if code == "config_invalid" { 422 } else { 403 };
            let refused = apply(&caller, &text).await.refused(status, code);
            if let Some(permission) = permission {
                assert_eq!(refused["permission"], permission, "{refused:#}");
                assert_eq!(refused["findings"][0]["permission"], permission);
            }
            if code == "config_invalid" {
                assert_eq!(refused["findings"][0]["permission"], "roles:read", "{refused:#}");
            } else {
                assert_eq!(lines(&refused["findings"]), [(7, "/spec/roles/0".to_owned())]);
            }
            assert_eq!(facts(&server).await, before, "{code}");
        }
        let all = [&CONFIG[..], &["roles:read", "roles:create", "agents:read:all"]].concat();
        let (_, caller) = somebody(&server, &all).await;
        assert_eq!(changes(&apply(&caller, &text).await.ok(200)), ["create roles/readers"]);
        // And to apply at all needs the right to apply.
        let (_, caller) = somebody(&server, &["config:read", "roles:read", "roles:create", "agents:read:all"]).await;
        apply(&caller, &text).await.refused(403, "permission_denied");
        assert_eq!(changes(&caller.post(PLAN, json!({ "document": text })).await.ok(200)), Vec::<String>::new());
        server.finish().await;
    }

    /// What asks for a confirmation by hand asks for it here: a token must name the permission.
    async fn what_needs_a_confirmation_needs_it_here(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let permissions = ["config:read", "config:update", "roles:*", "agents:read:all", "groups:read:all"];
        apply(&owner, &document("acme", READERS)).await.ok(200);
        let wide = server.agent(&owner, "wide", &permissions).await;
        let wide = server.as_agent(&wide).await;
        let other = document("acme", &READERS.replace("agents:read:all", "groups:read:all"));
        let before = facts(&server).await;
        let refused = apply(&wide, &other).await.refused(403, "step_up_required");
        assert_eq!(refused["permission"], "roles:update", "{refused:#}");
        assert_eq!(facts(&server).await, before);
        let permissions = permissions.map(|one| if one == "roles:*" { "roles:read" } else { one });
        let named = server.agent(&owner, "named", &[&permissions[..], &["roles:update"]].concat()).await;
        assert_eq!(changes(&apply(&server.as_agent(&named).await, &other).await.ok(200)), ["update roles/readers"]);
        server.finish().await;
    }

    /// A policy that refuses the operation refuses it here, too, and its decision is on record although nothing was kept.
    async fn policies_are_asked_about_each_change(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let rule = "package safeconduct\n\ndeny contains \"no roles on a Sunday\" if input.operation == \"roles.create\"\n";
        crate::policies::in_force(&owner, rule).await;
        let refused = apply(&owner, &document("acme", READERS)).await.refused(403, "policy_denied");
        assert!(refused["detail"].as_str().expect("a detail").contains("Sunday"), "{refused:#}");
        owner.get("/api/v1/roles/readers").await.refused(404, "not_found");
        assert_eq!(facts_of(&server, "decision.denied").await, 1);
        server.finish().await;
    }

    /// Organizations see neither each other's things nor each other's files.
    async fn organizations_are_apart(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let (_, stranger) = server.person(server.elsewhere().await, &["owner"]).await;
        apply(&owner, &document("acme", READERS)).await.ok(200);
        let text = document("acme", READERS);
        assert_eq!(changes(&stranger.post(PLAN, json!({ "document": text })).await.ok(200)), ["create roles/readers"]);
        assert_eq!(stranger.get(DRIFT).await.ok(200)["in_step"], 0);
        assert_eq!(stranger.get(EXPORT).await.ok(200)["entries"], 0);
        let pruned = json!({ "document": document("acme", "roles: []"), "prune": true });
        assert_eq!(changes(&stranger.post(APPLY, pruned).await.ok(200)), Vec::<String>::new());
        owner.get("/api/v1/roles/readers").await.ok(200);
        server.finish().await;
    }
}
