//! `secrets`.

use super::{Terminal, shows};

const VALUE: &str = "tangerine-submarine\n";

#[test]
fn secrets_are_kept_from_files_and_never_printed() {
    let terminal = Terminal::signed_in();
    terminal.file("token.txt", VALUE);
    let create = ["secrets", "create", "CRM_TOKEN", "--from", "token.txt", "--host", "api.crm.example"];
    shows("secrets_create", &terminal.run(&create));
    shows("secrets_create_again", &terminal.run(&create));
    let piped =
        terminal.run_with(&["secrets", "create", "SMTP", "--description", "Of the relay."], &[], VALUE);
    assert_eq!(piped.code, 0, "{piped}");
    shows("secrets_list", &terminal.run(&["secrets", "list"]));
    terminal.file("uses.py", "def handler(input, context):\n    return len(context.secrets['SMTP'])\n");
    let push = [
        "functions",
        "push",
        "uses.py",
        "--secret",
        "SMTP",
        "--egress",
        "GET,POST https://api.crm.example/v1",
    ];
    shows("secrets_push", &terminal.run(&push));
    let unchanged = terminal.run(&push);
    assert!(unchanged.ok().contains("default:uses"), "the same again is no new version");
    assert_eq!(
        terminal.run(&["functions", "run", "default:uses"]).ok().trim(),
        "19",
        "without the line break"
    );
    shows("secrets_show", &terminal.run(&["secrets", "show", "SMTP"]));
    shows("secrets_delete_used", &terminal.run(&["secrets", "delete", "SMTP", "--yes"]));
    terminal.run(&["functions", "push", "uses.py", "--no-secrets", "--no-egress"]).ok();
    shows(
        "secrets_replace",
        &terminal.run(&["secrets", "replace", "CRM_TOKEN", "--from", "token.txt", "--unbound"]),
    );
    shows(
        "secrets_update",
        &terminal.run(&["secrets", "update", "SMTP", "--description", "Of the old relay."]),
    );
    shows("secrets_delete", &terminal.run(&["secrets", "delete", "SMTP", "--yes"]));
    shows(
        "secrets_push_wrong",
        &terminal.run(&["functions", "push", "uses.py", "--egress", "api.crm.example"]),
    );
    terminal.end();
}
