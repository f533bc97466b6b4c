//! Signing in and out, and what is kept between commands.

use std::os::unix::fs::PermissionsExt;

use super::{Said, Terminal, shows};

#[test]
fn signing_in_keeps_a_session_and_signing_out_ends_it() {
    let terminal = Terminal::new();
    shows("whoami_before", &terminal.run(&["whoami", "--url", terminal.url()]));
    shows("login", &terminal.run(&["login", "--link", &terminal.link()]));
    shows("login_twice", &terminal.run(&["login", "--link", &terminal.link()]));
    shows("whoami", &terminal.run(&["whoami"]));
    shows("configure_list", &terminal.run(&["configure", "list"]));

    let file = terminal.path(".config/safeconduct/profiles.toml");
    let mode =
        |path: &std::path::Path| std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!((mode(&file), mode(file.parent().expect("a folder"))), (0o600, 0o700));
    let kept = std::fs::read_to_string(&file).expect("text");
    let listed = terminal.run(&["configure", "list", "--json"]).ok();
    for secret in ["access_token", "refresh_token"] {
        let secret = kept.lines().find(|line| line.starts_with(secret)).expect("it is kept");
        let secret = secret.split('"').nth(1).expect("a value");
        assert!(secret.len() > 40 && !listed.contains(secret), "a list shows no secrets");
    }

    shows("logout", &terminal.run(&["logout"]));
    shows("whoami_after", &terminal.run(&["whoami"]));
    // The session is dead on the server too, not just forgotten here.
    std::fs::write(&file, kept).expect("the old file");
    let said = terminal.run(&["whoami"]);
    assert!(said.code == 1 && said.err.contains("invalid_token"), "{said}");
    terminal.end();
}

#[test]
fn a_link_is_read_from_standard_input_and_an_agent_may_stand_in_the_environment() {
    let terminal = Terminal::new();
    terminal.run_with(&["login", "--link", "-"], &[], &terminal.link()).ok();
    terminal.run(&["agents", "register", "ops:reader", "--permission", "agents:read:all"]).ok();
    let id = terminal.run(&["agents", "show", "ops:reader", "--quiet"]).ok();
    terminal.run(&["credentials", "create", &id, "--label", "a", "--out", "secret"]).ok();
    let token = terminal.run(&["token", "issue", &id, "--secret-file", "secret"]).ok();
    let as_agent = [("SAFECONDUCT_TOKEN", token.as_str())];
    let me = terminal.run_with(&["whoami", "--json"], &as_agent, "").json();
    assert_eq!(me["principal"]["id"], id.as_str());
    shows("agent_is_refused", &terminal.run_with(&["agents", "register", "ops:child"], &as_agent, ""));
    terminal.end();
}

/// A refresh token works once, and using it twice ends the session: commands that start together must take turns.
#[test]
fn commands_at_the_same_time_refresh_once() {
    let terminal = Terminal::signed_in();
    let file = terminal.path(".config/safeconduct/profiles.toml");
    let text = std::fs::read_to_string(&file).expect("text");
    let line = text.lines().find(|line| line.starts_with("expires_at")).expect("an end").to_owned();
    std::fs::write(&file, text.replace(&line, "expires_at = \"2020-01-01T00:00:00.000Z\"")).expect("a file");

    let started: Vec<_> = (0..6).map(|_| terminal.command(&["whoami"]).spawn().expect("a start")).collect();
    for child in started {
        Said::of(child.wait_with_output().expect("an end")).ok();
    }
    let refreshed = std::fs::read_to_string(&file).expect("text");
    assert!(!refreshed.contains("2020-01-01"), "the next token is kept");
    terminal.run(&["whoami"]).ok();
    let issued = terminal.run(&["audit", "list", "--kind", "token.issued", "--jsonl"]).ok();
    assert_eq!(issued.lines().count(), 2, "one at sign-in, one by refresh:\n{issued}");
    terminal.end();
}

#[test]
fn profiles_are_set_used_and_removed() {
    let terminal = Terminal::signed_in();
    shows("configure_set", &terminal.run(&["configure", "set", "work", "--url", "https://sc.example/"]));
    shows("configure_set_plain", &terminal.run(&["configure", "set", "plain", "--url", "http://sc.example"]));
    terminal.run(&["configure", "use", "work"]).ok();
    assert_eq!(terminal.run(&["configure", "list", "--json"]).json()["items"][1]["current"], true);
    let said = terminal.run(&["whoami"]);
    assert!(said.err.contains("Nobody is signed in to https://sc.example"), "{said}");
    terminal.run(&["whoami", "--profile", "default"]).ok();
    shows("configure_remove_asks", &terminal.run(&["configure", "remove", "work"]));
    terminal.run(&["configure", "remove", "work", "--yes"]).ok();
    shows("configure_unknown", &terminal.run(&["whoami", "--profile", "work"]));
    terminal.end();
}

/// Whoever answers at a known address with another key may be somebody else.
#[test]
fn a_server_with_another_key_is_reported() {
    let terminal = Terminal::signed_in();
    let file = terminal.path(".config/safeconduct/profiles.toml");
    let text = std::fs::read_to_string(&file).expect("text");
    let key = text.lines().find(|line| line.starts_with("key = ")).expect("a key").to_owned();
    let data = terminal.data.path().display().to_string();
    let sign_in = || {
        let link = terminal.run(&["admin", "link", "--data-dir", &data]).ok();
        terminal.run(&["login", "--link", &link])
    };
    let same = sign_in();
    assert!(same.code == 0 && !same.err.contains("another key"), "{same}");

    let other = "key = \"safeconduct/0000000000000000+00000000+AQ==\"";
    std::fs::write(&file, text.replace(&key, other)).expect("a file");
    let said = sign_in();
    assert!(said.code == 0 && said.err.contains("another key than the one pinned on"), "{said}");
    assert!(said.err.contains("safeconduct/0000000000000000+00000000+AQ=="), "the old key is named: {said}");
    let kept = std::fs::read_to_string(&file).expect("text");
    assert!(kept.contains(&key), "the new key is believed from now on");
    terminal.end();
}
