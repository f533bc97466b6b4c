//! `orgs`, `users`, `roles`, `permissions`, `sessions`.

use super::{Terminal, shows};

#[test]
fn organizations_come_and_go() {
    let terminal = Terminal::signed_in();
    shows("orgs_create", &terminal.run(&["orgs", "create", "acme", "--name", "Acme"]));
    shows("orgs_list", &terminal.run(&["orgs", "list"]));
    let update = ["orgs", "update", "acme", "--time-zone", "Europe/Zurich", "--approve-new-agents", "true"];
    shows("orgs_update", &terminal.run(&update));
    let ages = ["--maximum-age", "production.credentials=7776000", "--maximum-age", "staging.keys=none"];
    let aged = terminal.run(&[&["orgs", "update", "acme", "--json"], &ages[..]].concat()).json();
    assert_eq!(aged["settings"]["maximum_age_seconds"]["production"]["credentials"], 7_776_000);
    shows(
        "orgs_update_age_wrong",
        &terminal.run(&["orgs", "update", "acme", "--maximum-age", "production=1"]),
    );
    assert_eq!(terminal.run(&["orgs", "list", "--mine", "--quiet"]).ok().lines().count(), 2);
    shows("orgs_switch", &terminal.run(&["orgs", "switch", "acme"]));
    assert_eq!(terminal.run(&["orgs", "show", "--json"]).json()["slug"], "acme");
    shows("orgs_switch_nowhere", &terminal.run(&["orgs", "switch", "never-was"]));
    terminal.run(&["orgs", "switch", "home"]).ok();
    shows("orgs_delete_asks", &terminal.run(&["orgs", "delete", "acme"]));
    shows("orgs_delete", &terminal.run(&["orgs", "delete", "acme", "--yes"]));
    shows("orgs_restore", &terminal.run(&["orgs", "restore", "acme"]));
    terminal.end();
}

#[test]
fn members_and_their_roles() {
    let terminal = Terminal::signed_in();
    let me = terminal.run(&["members", "list", "--quiet"]).ok();
    shows("members_list", &terminal.run(&["members", "list"]));
    shows("members_show", &terminal.run(&["members", "show", &me]));
    shows("members_roles", &terminal.run(&["members", "roles", &me, "owner", "operator"]));
    assert_eq!(terminal.run(&["members", "list", "--role", "owner", "--quiet"]).ok(), me);
    assert_eq!(terminal.run(&["members", "list", "--role", "auditor", "--quiet"]).ok(), "");
    shows("members_suspend_oneself", &terminal.run(&["members", "suspend", &me, "--yes"]));
    shows("members_reactivate_active", &terminal.run(&["members", "reactivate", &me]));
    shows("members_last_owner", &terminal.run(&["members", "remove", &me, "--yes"]));
    shows("users_search", &terminal.run(&["users", "search", "own"]));
    shows("users_show", &terminal.run(&["users", "show", &me]));
    shows("users_suspend_oneself", &terminal.run(&["users", "suspend", &me, "--yes"]));
    terminal.end();
}

#[test]
fn invitations_are_made_and_taken_back() {
    let terminal = Terminal::signed_in();
    shows(
        "invitations_create",
        &terminal.run(&["invitations", "create", "ada@example.com", "--role", "member"]),
    );
    let id = terminal.run(&["invitations", "list", "--quiet"]).ok();
    shows("invitations_list", &terminal.run(&["invitations", "list"]));
    shows("invitations_resend", &terminal.run(&["invitations", "resend", &id]));
    shows("invitations_revoke", &terminal.run(&["invitations", "revoke", &id]));
    shows("invitations_show", &terminal.run(&["invitations", "show", &id]));
    let token = "0000000000000000000000000000000000000000000";
    shows("invitations_accept_wrong", &terminal.run(&["invitations", "accept", token]));
    terminal.end();
}

#[test]
fn groups_are_made_and_filled() {
    let terminal = Terminal::signed_in();
    shows("groups_create", &terminal.run(&["groups", "create", "Operations", "--description", "by night"]));
    let id = terminal.run(&["groups", "list", "--quiet"]).ok();
    let me = terminal.run(&["members", "list", "--quiet"]).ok();
    shows("groups_add", &terminal.run(&["groups", "add", &id, &me]));
    shows("groups_members", &terminal.run(&["groups", "members", &id]));
    shows("groups_update", &terminal.run(&["groups", "update", &id, "--name", "Night shift"]));
    shows("groups_remove", &terminal.run(&["groups", "remove", &id, &me]));
    shows("groups_list", &terminal.run(&["groups", "list"]));
    shows("groups_delete", &terminal.run(&["groups", "delete", &id, "--yes"]));
    terminal.end();
}

#[test]
fn domains_are_claimed() {
    let terminal = Terminal::signed_in();
    let claimed = terminal.run(&["domains", "claim", "example.com", "--json"]).json();
    assert_eq!(claimed["record"], "_safeconduct.example.com");
    assert!(claimed["value"].as_str().is_some_and(|value| value.starts_with("safeconduct-domain=")));
    shows("domains_list", &terminal.run(&["domains", "list"]));
    let id = terminal.run(&["domains", "list", "--quiet"]).ok();
    assert_eq!(terminal.run(&["domains", "delete", &id, "--yes", "--quiet"]).ok(), id);
    let outside = ["users", "create", "ada@example.com", "--display-name", "Ada"];
    shows("users_create_outside", &terminal.run(&outside));
    let import = r#"{"provider": "ldap", "entries": [{"external_id": "7", "email": "ada@example.com", "display_name": "Ada"}]}"#;
    shows("users_import", &terminal.run_with(&["users", "import", "-"], &[], import));
    terminal.end();
}

#[test]
fn the_organization_and_what_it_knows() {
    let terminal = Terminal::signed_in();
    shows("orgs_show", &terminal.run(&["orgs", "show"]));
    shows("users_list", &terminal.run(&["users", "list"]));
    shows("roles_list", &terminal.run(&["roles", "list"]));
    assert_eq!(
        terminal.run(&["roles", "list", "--quiet"]).ok(),
        "operator\nowner\nadmin\ncurator\nmember\nviewer\nauditor"
    );
    let mine = terminal.run(&["permissions", "me", "--json"]).json();
    let lines = terminal.run(&["permissions", "me"]).ok();
    assert_eq!(mine["permissions"].as_array().expect("a list").len(), lines.lines().count());
    assert!(lines.lines().any(|line| line == "credentials:create:all"), "{lines}");
    let opened = terminal.run(&["permissions", "opens", "agents:approve:all", "--quiet"]).ok();
    assert_eq!(opened, "agents.approve\nagents.reject");
    shows(
        "permissions_opens",
        &terminal.run(&["permissions", "opens", "agents/ops/*:approve:all", "runs:update"]),
    );
    let catalogue = terminal.run(&["permissions", "catalogue"]).ok();
    assert!(catalogue.lines().any(|line| line.starts_with("agents ")), "{catalogue}");
    terminal.end();
}

#[test]
fn sessions_are_listed_and_ended() {
    let terminal = Terminal::signed_in();
    shows("sessions_list", &terminal.run(&["sessions", "list"]));
    let session = terminal.run(&["sessions", "list", "--quiet"]).ok();
    shows("sessions_end_asks", &terminal.run(&["sessions", "end", &session]));
    shows(
        "sessions_end_unknown",
        &terminal.run(&["sessions", "end", "ses_00000000000000000000000000", "--yes"]),
    );
    shows("sessions_end", &terminal.run(&["sessions", "end", &session, "--yes"]));
    assert_ne!(terminal.run(&["sessions", "list"]).code, 0);
    terminal.end();
}
