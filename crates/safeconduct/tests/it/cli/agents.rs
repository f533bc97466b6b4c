//! `agents` and `kills`.

use serde_json::json;

use super::{Terminal, shows};

#[test]
fn an_agents_life() {
    let terminal = Terminal::signed_in();
    let register = [
        "agents",
        "register",
        "ops:reporter",
        "--display-name",
        "Reporter",
        "--description",
        "Reports.",
        "--tag",
        "nightly",
        "--permission",
        "agents:read:all",
        "--metadata",
        "team=sre",
        "--metadata",
        "shift=2",
    ];
    shows("agents_register", &terminal.run(&register));
    shows("agents_register_twice", &terminal.run(&register));
    terminal.run(&["agents", "register", "ops:second"]).ok();
    shows("agents_list", &terminal.run(&["agents", "list"]));
    let all = terminal.run(&["agents", "list", "--json"]).json();
    assert_eq!(all["items"][1]["metadata"], json!({"team": "sre", "shift": 2}));
    assert_eq!(all["next_cursor"], serde_json::Value::Null);

    shows(
        "agents_update",
        &terminal.run(&["agents", "update", "ops:reporter", "--description", "Reports nightly."]),
    );
    shows(
        "agents_update_stale",
        &terminal.run(&["agents", "update", "ops:reporter", "--tag", "x", "--if-revision", "1"]),
    );
    let emptied = ["agents", "update", "ops:reporter", "--tag", "", "--metadata", "shift=null", "--json"];
    let agent = terminal.run(&emptied).json();
    assert_eq!((&agent["tags"], &agent["metadata"]), (&json!([]), &json!({"team": "sre"})));
    assert_eq!(agent["permissions"], json!(["agents:read:all"]));
    shows("agents_suspend", &terminal.run(&["agents", "suspend", "ops:reporter", "--reason", "odd calls"]));
    assert_eq!(terminal.run(&["agents", "list", "--status", "suspended", "--quiet"]).ok().lines().count(), 1);
    terminal.run(&["agents", "reactivate", "ops:reporter"]).ok();

    shows("agents_kill_asks", &terminal.run(&["agents", "kill", "ops:reporter"]));
    shows("agents_kill", &terminal.run(&["agents", "kill", "ops:reporter", "--reason", "leaked", "--yes"]));
    let kill = terminal.run(&["agents", "kill", "ops:second", "--yes", "--quiet"]).ok();
    assert_eq!(terminal.run(&["kills", "show", &kill, "--json"]).json()["id"], kill.as_str());
    shows("agents_decommission", &terminal.run(&["agents", "decommission", "ops:second", "--yes"]));
    shows("agents_show_unknown", &terminal.run(&["agents", "show", "ops:nobody"]));

    let unset = ["agents", "update", "ops:reporter", "--unset", "description", "--unset", "tags", "--json"];
    let bare = terminal.run(&unset).json();
    assert_eq!((&bare["description"], &bare["tags"]), (&serde_json::json!(""), &serde_json::json!([])));
    let owner = terminal.run(&["agents", "update", "ops:reporter", "--unset", "owner"]);
    assert_eq!(owner.code, 2, "there is always an owner");
    terminal.end();
}

#[test]
fn lists_come_in_pages_or_whole() {
    let terminal = Terminal::signed_in();
    for number in 0..5 {
        terminal.run(&["agents", "register", &format!("ops:a{number}")]).ok();
    }
    shows("agents_list_page", &terminal.run(&["agents", "list", "--limit", "2"]));
    let page = terminal.run(&["agents", "list", "--limit", "2", "--json"]).json();
    let cursor = page["next_cursor"].as_str().expect("a cursor").to_owned();
    let next = terminal.run(&["agents", "list", "--limit", "2", "--cursor", &cursor, "--json"]).json();
    assert_eq!((&next["items"][0]["name"], &next["items"][1]["name"]), (&"a2".into(), &"a1".into()));
    assert_eq!(terminal.run(&["agents", "list", "--all", "--quiet"]).ok().lines().count(), 5);
    let lines = terminal.run(&["agents", "list", "--all", "--jsonl"]).ok();
    let names: Vec<String> = lines
        .lines()
        .map(|line| {
            let agent: serde_json::Value = serde_json::from_str(line).expect("JSON");
            agent["name"].as_str().expect("a name").to_owned()
        })
        .collect();
    assert_eq!(names, ["a4", "a3", "a2", "a1", "a0"]);
    terminal.end();
}
