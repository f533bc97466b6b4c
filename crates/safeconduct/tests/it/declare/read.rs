//! What is wrong with a document is named with its line; nothing is changed by asking.

use std::fmt::Write;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{APPLY, PLAN, VALIDATE, document, facts, lines};
use crate::support::{Caller, TestServer};

async fn wrong(caller: &Caller, text: &str) -> Value {
    let told = caller.post(VALIDATE, json!({ "document": text })).await.ok(200);
    assert_eq!(told["valid"], false, "{text}");
    told["errors"].clone()
}

#[tokio::test]
async fn what_is_wrong_is_named_with_its_line() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    for (spec, line, path, message) in [
        ("users: []", 6, "/spec/users", "is not there yet"),
        ("rolls: []", 6, "/spec/rolls", "is no section; there are roles, groups"),
        ("roles: {a: b}", 6, "/spec/roles", "must be a list"),
        (
            "roles:\n  - name: a\n    permissions: []\n    permisions: []",
            9,
            "/spec/roles/0/permisions",
            "is not known here",
        ),
        ("roles:\n  - name: a", 7, "/spec/roles/0/permissions", "is missing"),
        ("roles:\n  - name: A\n    permissions: []", 7, "/spec/roles/0/name", ""),
        ("roles:\n  - name: a\n    permissions:\n      - nothing", 9, "/spec/roles/0/permissions/0", ""),
        (
            "roles:\n  - {name: a, permissions: []}\n  - {name: a, permissions: []}",
            8,
            "/spec/roles/1/name",
            "twice; first in line 7",
        ),
        (
            "agents:\n  - name: a\n    roles: [viewer, nobody]",
            8,
            "/spec/agents/0/roles/1",
            "neither among the `roles`",
        ),
        (
            "agents:\n  - name: a\n    owner: group:Nobody",
            8,
            "/spec/agents/0/owner",
            "neither among the `groups`",
        ),
        (
            "schedules:\n  - name: a\n    timing: {every_seconds: 60}\n    function: no/where",
            9,
            "/spec/schedules/0/function",
            "",
        ),
        (
            "schedules:\n  - name: a\n    timing: {every_seconds: 60, cron: '* * * * *'}\n    function: no/where",
            8,
            "/spec/schedules/0/timing",
            "exactly one",
        ),
        ("roles:\n  - name: a\n    name: b", 8, "", "stands here twice; first in line 7"),
        ("roles: !ruby/object []", 6, "", "tags"),
        ("roles: [", 7, "", ""),
    ] {
        let found = wrong(&owner, &document("acme", spec)).await;
        assert_eq!(lines(&found), [(line, path.to_owned())], "{spec}: {found:#}");
        let told = found[0]["message"].as_str().expect("a message");
        assert!(told.contains(message), "{spec}: {told}");
    }
    let whole = |text: &str| text.to_owned();
    for (text, path) in [
        (whole("- a\n"), ""),
        (whole(""), ""),
        (whole("apiVersion: v2\nkind: Config\nmetadata: {name: a}\nspec:\n"), "/apiVersion"),
        (whole("apiVersion: safeconduct.dev/v1\nkind: Other\nmetadata: {name: a}\nspec:\n"), "/kind"),
        (
            whole("apiVersion: safeconduct.dev/v1\nkind: Config\nmetadata: {name: A B}\nspec:\n"),
            "/metadata/name",
        ),
        (
            whole("apiVersion: safeconduct.dev/v1\nkind: Config\nmetadata: {name: a, labels: {}}\nspec:\n"),
            "/metadata/labels",
        ),
        (whole("apiVersion: safeconduct.dev/v1\nkind: Config\nmetadata: {name: a}\n"), "/spec"),
        (format!("{}---\n{}", document("a", "roles: []"), document("b", "roles: []")), "/metadata/name"),
    ] {
        let found = wrong(&owner, &text).await;
        assert_eq!(lines(&found)[0].1, path, "{text}: {found:#}");
    }
    server.finish().await;
}

/// All at once, and nothing of it reaches the database.
#[tokio::test]
async fn all_that_is_wrong_is_told_together_and_refused_by_every_operation() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    let text =
        document("acme", "roles:\n  - name: a\n  - name: b\n    permissions: 7\nfunctions:\n  - {name: c}\n");
    let expected = [
        (7, "/spec/roles/0/permissions".to_owned()),
        (9, "/spec/roles/1/permissions".to_owned()),
        (11, "/spec/functions/0/code".to_owned()),
    ];
    assert_eq!(lines(&wrong(&owner, &text).await), expected);
    let before = facts(&server).await;
    for path in [PLAN, APPLY] {
        let refused = owner.post(path, json!({ "document": text })).await.refused(422, "config_invalid");
        assert_eq!(lines(&refused["findings"]), expected);
    }
    assert_eq!(facts(&server).await, before);
    let fine = owner.post(VALIDATE, json!({ "document": document("acme", "roles: []") })).await.ok(200);
    assert_eq!(fine, json!({ "valid": true, "errors": [], "warnings": [] }));
    server.finish().await;
}

/// What cannot be changed is told by the plan, not found out while applying.
#[tokio::test]
async fn what_is_fixed_is_told_by_the_plan() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    let spec = "state_namespaces:\n  - name: keys\n    secret: true\n";
    super::apply(&owner, &document("acme", spec)).await.ok(200);
    let text = document("acme", &spec.replace("true", "false"));
    let refused = owner.post(PLAN, json!({ "document": text })).await.refused(422, "config_invalid");
    assert_eq!(
        lines(&refused["findings"]),
        [(8, "/spec/state_namespaces/0/secret".to_owned())],
        "{refused:#}"
    );
    server.finish().await;
}

/// A megabyte of malice costs next to nothing.
#[tokio::test]
async fn bombs_are_refused_cheaply() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    let mut aliases = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..30 {
        let _ =
            writeln!(aliases, "a{level}: &a{level} [{}]", vec![format!("*a{}", level - 1); 10].join(", "));
    }
    let deep = "[".repeat(400_000);
    let wide = "- a\n".repeat(200_000);
    let keys: String = (0..40_000).fold(String::new(), |mut text, at| {
        let _ = writeln!(text, "k{at}: 1");
        text
    });
    let entries = document("acme", &format!("roles:\n{}", "  - {name: a}\n".repeat(15_000)));
    let begun = Instant::now();
    for bomb in [aliases, deep, wide, keys, entries] {
        let found = wrong(&owner, &bomb).await;
        assert!(found.as_array().is_some_and(|found| !found.is_empty() && found.len() <= 100));
    }
    // A bound against blow-up, not a measurement.
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
    server.finish().await;
}
