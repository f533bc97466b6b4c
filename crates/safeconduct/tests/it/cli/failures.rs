//! Exit codes, and errors that say what to do next.

use super::{Terminal, shows};

#[test]
fn each_way_to_fail_has_its_code_and_its_next_step() {
    let terminal = Terminal::signed_in();
    // A port that no server of another test is ever given.
    let nowhere = "http://127.0.0.1:1";
    let token = [("SAFECONDUCT_TOKEN", "x")];
    shows("fail_refused", &terminal.run(&["agents", "show", "ops:nobody"]));
    shows("fail_usage", &terminal.run(&["agents", "show"]));
    shows("fail_no_server", &terminal.run_with(&["agents", "list", "--url", nowhere], &token, ""));
    shows(
        "fail_plain_http",
        &terminal.run_with(&["agents", "list", "--url", "http://sc.example"], &token, ""),
    );
    shows("fail_no_file", &terminal.run(&["functions", "push", "missing.py"]));
    shows("fail_json", &terminal.run(&["agents", "show", "ops:nobody", "--json"]));
    shows("fail_validation", &terminal.run(&["agents", "register", "ops:Bad Name", "--type", "wizard"]));
    shows("fail_time", &terminal.run(&["audit", "list", "--from", "yesterday"]));
    terminal.run(&["permissions", "check", "agents:create", "agents:read"]).ok();
    let creator = ["agents", "register", "ops:creator", "--permission", "agents:create:all", "--quiet"];
    let id = terminal.run(&creator).ok();
    terminal.run(&["credentials", "create", &id, "--label", "l", "--out", "secret"]).ok();
    let issued = terminal.run(&["token", "issue", &id, "--secret-file", "secret"]).ok();
    let as_agent = [("SAFECONDUCT_TOKEN", issued.trim())];
    let check = ["permissions", "check", "agents:create", "agents:levitate"];
    shows("permissions_check", &terminal.run_with(&check, &as_agent, ""));
    let too_much = ["agents", "register", "ops:other", "--permission", "agents:delete:all"];
    shows("fail_exceeded", &terminal.run_with(&too_much, &as_agent, ""));
    terminal.end();
}

#[test]
fn colours_are_for_people_and_no_color_is_honoured() {
    let terminal = Terminal::signed_in();
    terminal.run(&["agents", "register", "ops:reporter"]).ok();
    let coloured = |words: &[&str], environment: &[(&str, &str)]| {
        terminal.run_with(words, environment, "").ok().contains('\u{1b}')
    };
    assert!(!coloured(&["agents", "list"], &[]), "a pipe is no terminal");
    assert!(coloured(&["agents", "list", "--color", "always"], &[]));
    assert!(
        coloured(&["agents", "list", "--color", "always"], &[("NO_COLOR", "1")]),
        "an option comes first"
    );
    assert!(!coloured(&["agents", "list", "--color", "never"], &[]));
    terminal.end();
}

/// What an agent is called is its owner's choice, and must not steer the terminal of whoever lists it.
#[test]
fn names_from_the_server_cannot_steer_the_terminal() {
    let terminal = Terminal::signed_in();
    let name = "evil\u{1b}]0;owned\u{7}\u{202e}";
    terminal.run(&["agents", "register", "ops:evil", "--display-name", name]).ok();
    for words in [&["agents", "list"][..], &["agents", "show", "ops:evil"], &["audit", "list"]] {
        let said = terminal.run(words).ok();
        assert!(said.contains("evil\u{fffd}]0;owned"), "{said:?}");
        assert!(!said.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{said:?}");
    }
    terminal.end();
}

#[test]
fn a_reader_that_leaves_is_no_failure() {
    let terminal = Terminal::signed_in();
    let mut child = terminal.command(&["permissions", "catalogue", "--json"]).spawn().expect("a start");
    drop(child.stdout.take());
    let said = super::Said::of(child.wait_with_output().expect("an end"));
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    terminal.end();
}
