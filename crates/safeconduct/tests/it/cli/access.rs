//! `roles`, `grants`, `apikeys`, `prefixes`, `permissions of`.

use super::Terminal;

#[test]
fn roles_are_made_given_and_taken() {
    let terminal = Terminal::signed_in();
    let make =
        ["roles", "create", "reader", "--description", "Reads", "--permission", "agents:read:all", "--json"];
    let made = terminal.run(&make).json();
    assert_eq!((&made["name"], &made["built_in"]), (&"reader".into(), &false.into()));
    let agent = terminal.run(&["agents", "register", "helper", "--quiet"]).ok();
    let grant = terminal.run(&["grants", "create", &agent, "--role", "reader", "--quiet"]).ok();
    assert!(grant.starts_with("grt_"), "{grant}");
    let held = terminal.run(&["permissions", "of", &agent]).ok();
    assert!(held.contains("agents:read:all") && held.contains("reader"), "{held}");
    let listed = terminal.run(&["grants", "list", "--role", "reader", "--quiet"]).ok();
    assert_eq!(listed, grant);
    assert_eq!(terminal.run(&["roles", "list", "--search", "reader", "--quiet"]).ok(), "reader");
    let update =
        ["roles", "update", "reader", "--permission", "functions:read:all", "--if-revision", "1", "--json"];
    assert_eq!(terminal.run(&update).json()["revision"], 2);
    assert!(terminal.run(&["roles", "show", "reader"]).ok().contains("functions:read:all"));
    terminal.run(&["grants", "delete", &grant, "--yes", "--quiet"]).ok();
    assert_eq!(terminal.run(&["roles", "delete", "reader", "--yes", "--quiet"]).ok(), "reader");
    terminal.end();
}

#[test]
fn keys_are_made_shown_and_revoked() {
    let terminal = Terminal::signed_in();
    let make =
        ["apikeys", "create", "nightly", "--permission", "agents:read", "--ip", "127.0.0.0/8", "--json"];
    let made = terminal.run(&make).json();
    assert!(made["api_key"].as_str().is_some_and(|key| key.starts_with("sfk_")), "{made}");
    let id = made["id"].as_str().expect("an id");
    assert_eq!(terminal.run(&["apikeys", "list", "--status", "active", "--quiet"]).ok(), id);
    let shown = terminal.run(&["apikeys", "show", id]).ok();
    assert!(shown.contains("127.0.0.0/8") && !shown.contains("sfk_"), "{shown}");
    let revoked = terminal.run(&["apikeys", "revoke", id, "--yes", "--json"]).json();
    assert_eq!(revoked["status"], "revoked");
    terminal.end();
}

#[test]
fn outside_applications_are_made_known() {
    let terminal = Terminal::signed_in();
    let make = ["prefixes", "create", "titan", "--resource", "courses=read,enrol", "--json"];
    assert_eq!(terminal.run(&make).json()["resources"][0]["actions"][1], "enrol");
    assert!(terminal.run(&["permissions", "catalogue"]).ok().contains("titan.courses"));
    let said = terminal.run(&["prefixes", "update", "titan", "--description", "Learning", "--json"]).json();
    assert_eq!(said["description"], "Learning");
    assert_eq!(terminal.run(&["prefixes", "list", "--quiet"]).ok(), "titan");
    terminal.run(&["prefixes", "delete", "titan", "--yes", "--quiet"]).ok();
    terminal.end();
}
