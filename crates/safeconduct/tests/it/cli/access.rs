//! `roles`, `grants`, `apikeys`, `prefixes`, `permissions of`.

use super::{Terminal, shows};

#[test]
fn roles_are_made_given_and_taken() {
    let terminal = Terminal::signed_in();
    let make =
        ["roles", "create", "reader", "--description", "Reads", "--permission", "agents:read:all", "--json"];
    let made = terminal.run(&make).json();
    assert_eq!((&made["name"], &made["built_in"]), (&"reader".into(), &false.into()));
    shows("roles_create_again", &terminal.run(&make[..make.len() - 1]));
    shows("roles_show", &terminal.run(&["roles", "show", "reader"]));
    let agent = terminal.run(&["agents", "register", "helper", "--quiet"]).ok();
    let grant = terminal.run(&["grants", "create", &agent, "--role", "reader", "--quiet"]).ok();
    assert!(grant.starts_with("grt_"), "{grant}");
    shows("permissions_of", &terminal.run(&["permissions", "of", &agent]));
    shows("grants_list", &terminal.run(&["grants", "list", "--role", "reader"]));
    let listed = terminal.run(&["grants", "list", "--role", "reader", "--quiet"]).ok();
    assert_eq!(listed, grant);
    assert_eq!(terminal.run(&["roles", "list", "--search", "reader", "--quiet"]).ok(), "reader");
    let update =
        ["roles", "update", "reader", "--permission", "functions:read:all", "--if-revision", "1", "--json"];
    assert_eq!(terminal.run(&update).json()["revision"], 2);
    assert!(terminal.run(&["roles", "show", "reader"]).ok().contains("functions:read:all"));
    shows("roles_delete_in_use", &terminal.run(&["roles", "delete", "reader", "--yes"]));
    shows("grants_delete_asks", &terminal.run(&["grants", "delete", &grant]));
    shows("grants_delete", &terminal.run(&["grants", "delete", &grant, "--yes"]));
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
    let quiet = ["apikeys", "create", "weekly", "--permission", "agents:read", "--quiet"];
    shows("apikeys_create_quiet", &terminal.run(&quiet));
    shows("apikeys_create", &terminal.run(&["apikeys", "create", "daily", "--permission", "agents:read"]));
    shows("apikeys_create_wrong", &terminal.run(&["apikeys", "create", "odd", "--permission", "agents"]));
    shows("apikeys_list", &terminal.run(&["apikeys", "list"]));
    let shown = terminal.run(&["apikeys", "show", id]);
    assert!(shown.out.contains("127.0.0.0/8") && !shown.out.contains("sfk_"), "{shown}");
    shows("apikeys_show", &shown);
    shows("apikeys_revoke_asks", &terminal.run(&["apikeys", "revoke", id]));
    let revoked = terminal.run(&["apikeys", "revoke", id, "--yes", "--json"]).json();
    assert_eq!(revoked["status"], "revoked");
    shows("apikeys_revoke_twice", &terminal.run(&["apikeys", "revoke", id, "--yes"]));
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
    shows("prefixes_list", &terminal.run(&["prefixes", "list"]));
    terminal.run(&["prefixes", "delete", "titan", "--yes", "--quiet"]).ok();
    terminal.end();
}
