//! `state`.

use serde_json::json;

use super::{Terminal, shows};

#[test]
fn namespaces_and_entries_are_kept() {
    let terminal = Terminal::signed_in();
    terminal.file("schema.json", r#"{"type": "object"}"#);
    let create = ["state", "create", "notes", "--default-visibility", "organization", "--history", "5"];
    shows("state_create", &terminal.run(&create));
    shows("state_create_again", &terminal.run(&create));
    terminal.run(&["state", "create", "tokens", "--secret", "--ttl", "3600"]).ok();
    shows("state_list", &terminal.run(&["state", "list"]));
    let put = ["state", "put", "notes", "cases/1", r#"{"status": "open"}"#, "--tag", "case", "--if-absent"];
    shows("state_put", &terminal.run(&put));
    shows("state_put_again", &terminal.run(&put));
    shows("state_put_no_json", &terminal.run(&["state", "put", "notes", "cases/1", "open"]));
    assert_eq!(terminal.run(&["state", "get", "notes", "cases/1", "--jsonl"]).json()["revision"], 1);
    assert_eq!(terminal.run(&["state", "get", "notes", "cases/1"]).json(), json!({ "status": "open" }));
    shows("state_increment", &terminal.run(&["state", "increment", "notes", "count", "--by", "-3"]));
    let append = ["state", "append", "notes", "log", "-", "--keep", "2"];
    assert_eq!(terminal.run_with(&append, &[], r#"{"said": "hello"}"#).code, 0);
    assert_eq!(terminal.run(&["state", "get", "notes", "log"]).json(), json!([{ "said": "hello" }]));
    shows("state_entries", &terminal.run(&["state", "entries", "notes"]));
    let found = ["state", "entries", "notes", "--at", "/status", "--equals", r#""open""#, "--quiet"];
    assert_eq!(terminal.run(&found).ok(), "cases/1");
    shows("state_history", &terminal.run(&["state", "history", "notes", "cases/1"]));
    let update = ["state", "update", "notes", "--schema", "@schema.json", "--strict", "true"];
    shows("state_update", &terminal.run(&update));
    shows("state_put_unfit", &terminal.run(&["state", "put", "notes", "cases/2", "7"]));
    terminal.run(&["state", "put", "tokens", "pin", "4711"]).ok();
    let secret = terminal.run(&["state", "put", "tokens", "pin", "4711", "--json"]);
    assert!(!secret.out.contains("4711"), "{secret}");
    shows("state_delete_full", &terminal.run(&["state", "delete", "tokens", "--yes"]));
    shows("state_remove", &terminal.run(&["state", "remove", "tokens", "pin", "--yes", "--quiet"]));
    terminal.run(&["state", "delete", "tokens", "--yes"]).ok();
    shows("state_show", &terminal.run(&["state", "show", "notes"]));
    terminal.end();
}
