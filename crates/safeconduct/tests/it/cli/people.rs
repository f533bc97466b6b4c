//! `orgs`, `users`, `roles`, `permissions`, `sessions`.

use super::{Terminal, shows};

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
    assert!(lines.lines().any(|line| line == "agents:create:all"), "{lines}");
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
