//! `hooks`.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::json;

use super::{Terminal, shows};

/// As another system sends: it knows an address and nothing else.
fn sent_to(url: &str, body: &str) -> String {
    let (host, path) = url.trim_start_matches("http://").split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    let head = format!(
        "POST /{path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nConnection: close\r\n"
    );
    write!(stream, "{head}Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn hooks_are_made_changed_and_looked_after() {
    let terminal = Terminal::signed_in();
    terminal.file("echo.py", "def handler(input, context):\n    return input\n");
    terminal.run(&["functions", "push", "echo.py", "--name", "ops:echo"]).ok();
    terminal.file("secret.txt", "It's a Secret to Everybody\n");
    let create = [
        "hooks",
        "create",
        "github",
        "-f",
        "ops:echo",
        "--auth",
        "hmac",
        "--preset",
        "github",
        "--secret-file",
        "secret.txt",
        "--deduplicate-by",
        "X-GitHub-Delivery",
    ];
    let made = terminal.run(&create);
    shows("hooks_create", &made);
    shows("hooks_create_again", &terminal.run(&create));
    shows(
        "hooks_create_quiet",
        &terminal.run(&[
            "hooks", "create", "x", "-f", "ops:echo", "--auth", "hmac", "--preset", "slack", "--quiet",
        ]),
    );
    let hook = terminal.run(&["hooks", "list", "--quiet"]).ok().trim().to_owned();
    shows("hooks_list", &terminal.run(&["hooks", "list"]));
    let update = [
        "hooks",
        "update",
        &hook,
        "--response",
        "async",
        "--method",
        "POST",
        "--method",
        "PUT",
        "--rate",
        "100",
    ];
    shows("hooks_update", &terminal.run(&update));
    let document = terminal.run(&["hooks", "openapi"]).json();
    assert!(document["paths"]["/github"]["put"].is_object(), "{document:#}");
    let mine = terminal.run(&["hooks", "openapi", "--mine"]).json();
    let paths: Vec<&String> = mine["paths"].as_object().unwrap().keys().collect();
    assert_eq!(paths, ["/api/v1/functions/ops:echo/execute", "/o/home/hooks/github"]);
    let shown = terminal.run(&["hooks", "show", &hook, "--json"]).json();
    assert_eq!((&shown["deduplication"]["header"], shown.get("secret")), (&json!("X-GitHub-Delivery"), None));
    let rotated = terminal.run(&["hooks", "rotate", &hook, "--overlap", "60", "--json"]).json();
    assert!(rotated["secret"].as_str().is_some_and(|secret| secret.len() == 43), "{rotated:#}");
    shows("hooks_deliveries_none", &terminal.run(&["hooks", "deliveries", &hook]));
    let open =
        terminal.run(&["hooks", "create", "open", "-f", "ops:echo", "--auth", "none", "--json"]).json();
    let answer = sent_to(open["url"].as_str().unwrap(), r#"{"a": 1}"#);
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with(r#"{"a":1}"#), "{answer}");
    let open = open["id"].as_str().unwrap();
    let deliveries = terminal.run(&["hooks", "deliveries", open, "--jsonl"]).json();
    let delivery = deliveries["id"].as_str().unwrap().to_owned();
    assert_eq!((&deliveries["outcome"], &deliveries["size"]), (&json!("accepted"), &json!(8)));
    let sent = terminal.run(&["hooks", "delivery", open, &delivery, "--json"]).json();
    assert_eq!(sent["request"]["body"], "eyJhIjogMX0=");
    let again = terminal.run(&["hooks", "replay", open, &delivery, "--json"]).json();
    assert_eq!(again["replay_of"], delivery.as_str());
    shows("hooks_delete", &terminal.run(&["hooks", "delete", &hook, "--yes", "--quiet"]));
    terminal.end();
}

#[test]
fn a_hook_is_given_routes_and_tried() {
    let terminal = Terminal::signed_in();
    terminal.file("echo.py", "def handler(input, context):\n    return input\n");
    terminal.run(&["functions", "push", "echo.py", "--name", "ops:echo"]).ok();
    let routes = json!([{
        "when": [{ "at": "/body/action", "is": "one_of", "value": ["opened", "reopened"] }],
        "transform": { "title": { "$at": "/body/issue/title" }, "from": { "$text": "{/method} by a hook" } },
    }]);
    terminal.file("routes.json", &routes.to_string());
    let create =
        ["hooks", "create", "issues", "-f", "ops:echo", "--auth", "none", "--routes", "@routes.json"];
    let made = terminal.run(&create);
    made.ok();
    let hook = terminal.run(&["hooks", "list", "--quiet"]).ok().trim().to_owned();
    let opened = r#"{"action": "opened", "issue": {"title": "It broke"}}"#;
    shows("hooks_try", &terminal.run(&["hooks", "try", &hook, "--body", opened]));
    shows(
        "hooks_try_json",
        &terminal.run(&["hooks", "try", &hook, "--body", r#"{"action": "closed"}"#, "--json"]),
    );
    shows("hooks_try_header", &terminal.run(&["hooks", "try", &hook, "--header", "no header"]));
    let all = terminal.run(&["hooks", "try", &hook, "--routes", "[]", "--header", "X-A: b", "--quiet"]);
    assert_eq!(all.ok().trim(), "accepted");
    shows(
        "hooks_routes_unfit",
        &terminal.run(&[
            "hooks",
            "update",
            &hook,
            "--routes",
            r#"[{"when": [{"at": "/x", "is": "present"}]}]"#,
        ]),
    );
    shows(
        "hooks_routes_misspelt",
        &terminal.run(&["hooks", "update", &hook, "--routes", r#"[{"wehn": []}]"#]),
    );
    let shown = terminal.run(&["hooks", "show", &hook, "--json"]).json();
    assert_eq!(shown["routes"], routes);
    terminal.run(&["hooks", "update", &hook, "--routes", "[]"]).ok();
    assert_eq!(terminal.run(&["hooks", "show", &hook, "--json"]).json()["routes"], json!([]));
    terminal.end();
}
