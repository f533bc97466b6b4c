//! `token`.

use super::{Terminal, shows};

#[test]
fn tokens_are_issued_looked_into_and_voided() {
    let terminal = Terminal::signed_in();
    terminal.run(&["agents", "register", "ops:reader", "--permission", "agents:read:all"]).ok();
    let id = terminal.run(&["agents", "show", "ops:reader", "--quiet"]).ok();
    terminal.run(&["credentials", "create", &id, "--label", "a", "--out", "secret"]).ok();
    terminal
        .run(&["credentials", "create", &id, "--label", "b", "--kind", "public-key", "--out", "key.pem"])
        .ok();

    let by_secret = terminal.run(&["token", "issue", &id, "--secret-file", "secret"]);
    assert_eq!(by_secret.err, "good for 600 s, for: agents:read:all\n");
    let token = by_secret.ok();
    let by_key = terminal
        .run(&["token", "issue", &id, "--key", "key.pem", "--scope", "agents:read:own", "--json"])
        .json();
    assert_eq!(by_key["scope"], "agents:read:own");

    shows("token_inspect", &terminal.run_with(&["token", "inspect"], &[], &token));
    shows("token_introspect", &terminal.run_with(&["token", "introspect"], &[], &token));
    let jti = terminal.run(&["token", "inspect", "--quiet", &token]).ok();
    terminal.run_with(&["agents", "show", "ops:reader"], &[("SAFECONDUCT_TOKEN", &token)], "").ok();
    shows("token_activity", &terminal.run(&["token", "activity", &jti]));
    shows("token_revoke", &terminal.run_with(&["token", "revoke"], &[], &token));
    shows("token_introspect_dead", &terminal.run_with(&["token", "introspect"], &[], &token));
    shows("token_dead", &terminal.run_with(&["whoami"], &[("SAFECONDUCT_TOKEN", &token)], ""));

    terminal.file("wrong", "sfc_dev_wrong\n");
    shows("token_issue_wrong", &terminal.run(&["token", "issue", &id, "--secret-file", "wrong"]));
    shows("token_issue_unproven", &terminal.run(&["token", "issue", &id]));
    shows("token_inspect_text", &terminal.run(&["token", "inspect", "nonsense"]));
    terminal.end();
}
