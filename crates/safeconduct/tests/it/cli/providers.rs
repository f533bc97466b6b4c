//! `safeconduct providers …` and `safeconduct sessions …`

use super::terminal::{Terminal, shows};

#[test]
fn providers_are_set_up_tried_switched_and_removed() {
    let terminal = Terminal::signed_in();
    let run = |words: &[&str]| terminal.run(&[&["providers"], words].concat());
    let made = run(&["create", "mail", "--kind", "otp", "--instance", "--json"]);
    let made = made.json();
    let id = made["id"].as_str().unwrap();
    shows("providers_create_again", &run(&["create", "mail", "--kind", "otp", "--instance"]));
    shows("providers_list_instance", &run(&["list", "--instance"]));
    shows("providers_list", &run(&["list"]));
    shows("providers_test", &run(&["test", id]));
    shows("providers_disable_asks", &run(&["disable", id]));
    let off = run(&["disable", id, "--yes", "--json"]).json();
    assert_eq!(off["enabled"], false);
    assert_eq!(run(&["enable", id, "--json"]).json()["enabled"], true);
    let words =
        ["update", id, "--display-name", "Post", "--create-users", "true", "--role", "member", "--json"];
    let changed = run(&words).json();
    assert_eq!((&changed["display_name"], &changed["create_users"]), (&"Post".into(), &true.into()));
    assert_eq!(changed["default_roles"], serde_json::json!(["member"]));
    let again = run(&["update", id, "--display-name", "Mail", "--json"]).json();
    assert_eq!(
        (&again["display_name"], &again["create_users"]),
        (&"Mail".into(), &true.into()),
        "what is not named stays"
    );
    shows("providers_show", &run(&["show", id]));
    shows("providers_create_wrong", &run(&["create", "more", "--kind", "magic"]));
    let settings = terminal.file("settings.json", r#"{"colour": "blue"}"#);
    let wrong = run(&["create", "more", "--kind", "otp", "--settings", settings.to_str().unwrap()]);
    assert!(wrong.err.contains("/settings/colour"), "{wrong}");
    run(&["delete", id, "--yes"]).ok();
    shows("providers_show_gone", &run(&["show", id]));
    terminal.end();
}

#[test]
fn sessions_are_listed_and_ended_everywhere() {
    let terminal = Terminal::signed_in();
    let listed = terminal.run(&["sessions", "list", "--json"]).json();
    assert_eq!(listed["items"][0]["factors"], "link");
    assert!(terminal.run(&["sessions", "list"]).ok().contains("cli"));
    let ended = terminal.run(&["sessions", "end-all", "--yes", "--json"]).json();
    assert_eq!(ended["ended"], 1);
    assert_ne!(terminal.run(&["whoami"]).code, 0);
    terminal.end();
}
