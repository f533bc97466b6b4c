//! `credentials`.

use std::os::unix::fs::PermissionsExt;

use super::{Terminal, shows};

#[test]
fn secrets_and_keys_are_made_rotated_and_revoked() {
    let terminal = Terminal::signed_in();
    terminal.run(&["agents", "register", "ops:reporter"]).ok();
    let create = ["credentials", "create", "ops:reporter", "--label"];
    let with = |more: &[&'static str]| terminal.run(&[&create, more].concat());
    shows("credentials_create", &with(&["screen"]));
    shows("credentials_create_file", &with(&["file", "--out", "secret"]));
    shows("credentials_create_file_exists", &with(&["again", "--out", "secret"]));
    shows("credentials_create_quiet", &with(&["lost", "--quiet"]));
    shows("credentials_create_key", &with(&["key", "--kind", "public-key", "--out", "key.pem"]));
    shows("credentials_create_key_nowhere", &with(&["key", "--kind", "public-key"]));
    let mode =
        |name: &str| std::fs::metadata(terminal.path(name)).expect("a file").permissions().mode() & 0o777;
    assert_eq!((mode("secret"), mode("key.pem")), (0o600, 0o600));
    let secret = std::fs::read_to_string(terminal.path("secret")).expect("text");
    assert!(secret.starts_with("sfc_dev_") && secret.lines().count() == 1, "the secret and nothing else");
    shows("credentials_list", &terminal.run(&["credentials", "list", "ops:reporter"]));

    let first = terminal.run(&["credentials", "list", "ops:reporter", "--quiet"]).ok();
    let oldest = first.lines().last().expect("a credential").to_owned();
    let rotated =
        terminal.run(&["credentials", "rotate", "ops:reporter", &oldest, "--overlap", "60", "--out", "next"]);
    shows("credentials_rotate", &rotated);
    shows("credentials_revoke", &terminal.run(&["credentials", "revoke", "ops:reporter", &oldest, "--yes"]));
    shows(
        "credentials_revoke_twice",
        &terminal.run(&["credentials", "revoke", "ops:reporter", &oldest, "--yes"]),
    );
    assert_eq!(
        terminal.run(&["credentials", "list", "--status", "active", "--all", "--quiet"]).ok().lines().count(),
        3
    );
    terminal.end();
}
