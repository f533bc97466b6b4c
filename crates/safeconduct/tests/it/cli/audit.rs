//! `audit`, online and without any server.

use super::{Terminal, shows};

#[test]
fn the_record_is_read_watched_and_proven() {
    let terminal = Terminal::signed_in();
    terminal.run(&["agents", "register", "ops:reporter", "--display-name", "Reporter"]).ok();
    terminal.run(&["agents", "kill", "ops:reporter", "--yes"]).ok();
    shows("audit_tail", &terminal.run(&["audit", "tail", "--after", "0", "--count", "4"]));
    shows("audit_list", &terminal.run(&["audit", "list", "--kind", "agent.created", "--from", "1h"]));
    shows("audit_verify", &terminal.run(&["audit", "verify"]));
    let fact = terminal.run(&["audit", "list", "--kind", "agent.killed", "--quiet"]).ok();
    // `verify` waited for no checkpoint; a second later every fact is under one.
    let proven = until_covered(&terminal, &fact);
    shows("audit_show", &proven);
    let line = terminal.run(&["audit", "export"]).ok();
    let first: serde_json::Value = serde_json::from_str(line.lines().next().expect("a line")).expect("JSON");
    assert_eq!(first["org_seq"], 1);
    assert!(terminal.run(&["audit", "export", "--format", "csv"]).ok().starts_with("org_seq,id,"));
    terminal.end();
}

fn until_covered(terminal: &Terminal, fact: &str) -> super::Said {
    loop {
        let said = terminal.run(&["audit", "show", fact]);
        if !said.err.contains("no checkpoint covers") {
            return said;
        }
    }
}

#[test]
fn a_bundle_is_verified_without_any_server() {
    let mut terminal = Terminal::signed_in();
    terminal.run(&["agents", "register", "ops:reporter"]).ok();
    let fact = terminal.run(&["audit", "list", "--kind", "agent.created", "--quiet"]).ok();
    until_covered(&terminal, &fact).ok();
    terminal.run(&["audit", "export", "--format", "bundle", "--out", "ledger.bundle"]).ok();
    terminal
        .run(&["audit", "export", "--format", "bundle", "--withhold-private", "--out", "clear.bundle"])
        .ok();
    let key = terminal.run(&["configure", "list", "--json"]).json();
    let key = key["items"][0]["ledger_key"].as_str().expect("a key").to_owned();
    terminal.stop_server();

    shows("audit_verify_bundle", &terminal.run(&["audit", "verify", "ledger.bundle"]));
    let report = terminal.run(&["audit", "verify", "ledger.bundle", "--json"]).json();
    assert_eq!((&report["verified"], &report["first"]), (&true.into(), &1.into()));
    assert_eq!(report["records"], report["last"]);
    let withheld = terminal.run(&["audit", "verify", "clear.bundle", "--json"]).json();
    assert_eq!((&withheld["records"], &withheld["withheld"]), (&0.into(), &report["records"]));

    // Nobody signed in anywhere: the key must be given.
    std::fs::remove_dir_all(terminal.path(".config")).expect("the profiles");
    shows("audit_verify_no_key", &terminal.run(&["audit", "verify", "ledger.bundle"]));
    shows("audit_verify_given_key", &terminal.run(&["audit", "verify", "ledger.bundle", "--key", &key]));

    let bundle = std::fs::read_to_string(terminal.path("ledger.bundle")).expect("text");
    for (name, tampered) in [
        ("edited", bundle.replacen("\"outcome\":\"success\"", "\"outcome\":\"failure\"", 1)),
        ("shortened", bundle.lines().take(3).map(|line| format!("{line}\n")).collect()),
        ("private", bundle.replacen("Owner", "Other", 1)),
    ] {
        assert_ne!(tampered, bundle);
        terminal.file("tampered.bundle", &tampered);
        let said = terminal.run(&["audit", "verify", "tampered.bundle", "--key", &key]);
        assert_eq!(said.code, 4, "{said}");
        shows(&format!("audit_verify_{name}"), &said);
    }
    let stranger = key.replacen("safeconduct/", "somebody/", 1);
    shows(
        "audit_verify_malformed_key",
        &terminal.run(&["audit", "verify", "ledger.bundle", "--key", &stranger]),
    );
}
