//! `files`.

use std::io::{BufRead, BufReader};

use serde_json::json;

use super::{Terminal, shows};

/// As large as it takes to go up in parts, and no two parts the same.
fn large() -> Vec<u8> {
    (0_u32..3_000_000).flat_map(u32::to_le_bytes).collect()
}

#[test]
fn collections_and_files_are_kept() {
    let terminal = Terminal::signed_in();
    terminal.file("monday.txt", "All is well.");
    let create = ["files", "collections", "create", "reports", "--default-visibility", "organization"];
    shows("files_create", &terminal.run(&create));
    shows("files_create_again", &terminal.run(&create));
    shows("files_collections", &terminal.run(&["files", "collections", "list"]));
    let put = ["files", "put", "reports", "monday.txt", "2026/monday.txt", "--tag", "night", "--if-absent"];
    shows("files_put", &terminal.run(&put));
    shows("files_put_again", &terminal.run(&put));
    terminal.file("monday.txt", "All is well again.");
    let first = terminal.run(&["files", "show", "reports", "2026/monday.txt", "--jsonl"]).json();
    terminal.run(&["files", "put", "reports", "monday.txt", "2026/monday.txt"]).ok();
    shows("files_list", &terminal.run(&["files", "list", "reports"]));
    shows("files_versions", &terminal.run(&["files", "versions", "reports", "2026/monday.txt"]));
    let version = first["version"].as_str().expect("an id");
    let old = ["files", "get", "reports", "2026/monday.txt", "-", "--version", version];
    assert_eq!(terminal.run(&old).out, "All is well.");
    // Nothing here is written over unless that is said.
    assert_eq!(terminal.run(&["files", "get", "reports", "2026/monday.txt"]).code, 2);
    let got = ["files", "get", "reports", "2026/monday.txt", "copy.txt"];
    assert_eq!(terminal.run(&got).code, 0);
    assert_eq!(std::fs::read_to_string(terminal.path("copy.txt")).expect("a file"), "All is well again.");
    assert_eq!(terminal.run(&["files", "restore", "reports", "2026/monday.txt", version]).code, 0);
    assert_eq!(terminal.run(&["files", "get", "reports", "2026/monday.txt", "-"]).out, "All is well.");
    let update =
        ["files", "update", "reports", "2026/monday.txt", "--metadata", r#"{"status": "final"}"#, "--json"];
    assert_eq!(terminal.run(&update).json()["metadata"], json!({ "status": "final" }));
    let found = ["files", "list", "reports", "--at", "/status", "--equals", r#""final""#, "--quiet"];
    assert_eq!(terminal.run(&found).ok(), "2026/monday.txt");
    shows("files_link", &terminal.run(&["files", "link", "reports", "2026/monday.txt"]));
    let links = terminal.run(&["files", "links", "reports", "2026/monday.txt", "--quiet"]).ok();
    shows("files_unlink", &terminal.run(&["files", "unlink", &links]));
    let full = ["files", "collections", "delete", "reports", "--yes"];
    shows("files_delete_full", &terminal.run(&full));
    terminal.run(&["files", "delete", "reports", "2026/monday.txt", "--yes"]).ok();
    let update =
        ["files", "collections", "update", "reports", "--versions", "3", "--content-type", "image/*"];
    shows("files_update", &terminal.run(&update));
    terminal.run(&full).ok();
    terminal.end();
}

#[test]
fn a_large_file_goes_on_where_it_was_ended() {
    let terminal = Terminal::signed_in();
    let content = large();
    std::fs::write(terminal.path("large.bin"), &content).expect("a file");
    terminal.run(&["files", "collections", "create", "reports"]).ok();
    let mut begun =
        terminal.command(&["files", "put", "reports", "large.bin"]).spawn().expect("the program starts");
    let mut lines = BufReader::new(begun.stderr.take().expect("a pipe")).lines();
    let said = lines.next().expect("a line").expect("text");
    let upload = said.split("--resume ").nth(1).expect("an upload").trim().to_owned();
    begun.kill().expect("a signal");
    begun.wait().expect("an end");
    let shown = terminal.run(&["files", "show", "reports", "large.bin"]);
    // However far it came: it was ended, or it was done.
    if shown.code == 0 {
        terminal.run(&["files", "delete", "reports", "large.bin", "--yes"]).ok();
        terminal.run(&["files", "put", "reports", "large.bin", "--in-parts"]).ok();
    } else {
        let resumed = terminal.run(&["files", "put", "reports", "large.bin", "--resume", &upload]);
        assert_eq!(resumed.code, 0, "{resumed}");
        assert!(resumed.err.contains("100 % of 12000000 bytes"), "{resumed}");
    }
    terminal.run(&["files", "get", "reports", "large.bin", "again.bin"]);
    assert!(std::fs::read(terminal.path("again.bin")).expect("a file") == content);
    assert!(!terminal.path("again.bin.part").exists());
    // Another content than the one that was begun is not sent to its end.
    terminal.file("other.txt", "x");
    let other = ["files", "put", "reports", "other.txt", "--in-parts", "--json"];
    assert_eq!(terminal.run(&other).json()["size"], 1);
    terminal.end();
}
