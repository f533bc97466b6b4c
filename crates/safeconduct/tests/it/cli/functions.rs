//! `functions` and `runs`.

use super::{Terminal, shows};

const GREET: &str = r#"
def handler(input, context):
    print("greeting", input["name"])
    context.log("done", names=1)
    return {"hello": input["name"].strip()}
"#;

#[test]
fn functions_are_pushed_and_run() {
    let terminal = Terminal::signed_in();
    terminal.file("greet.py", GREET);
    terminal.file("broken.py", "def handler(input:\n");
    terminal.file("schema.json", r#"{"type": "object", "required": ["name"]}"#);
    let push = ["functions", "push", "greet.py", "--name", "ops:greet", "--input-schema", "schema.json"];
    shows("functions_push", &terminal.run(&push));
    shows("functions_push_same", &terminal.run(&push));
    shows("functions_push_again", &terminal.run(&[&push[..], &["--timeout", "20"]].concat()));
    shows("functions_push_broken", &terminal.run(&["functions", "push", "broken.py"]));
    shows("functions_list", &terminal.run(&["functions", "list"]));
    shows("functions_versions", &terminal.run(&["functions", "versions", "ops:greet"]));
    assert_eq!(terminal.run(&["functions", "show", "ops:greet", "--code"]).out, GREET);
    shows("functions_rollback", &terminal.run(&["functions", "rollback", "ops:greet"]));
    shows("functions_rollback_first", &terminal.run(&["functions", "rollback", "ops:greet"]));
    terminal.run(&["functions", "rollback", "ops:greet", "--to", "2"]).ok();
    shows("functions_rollback_live", &terminal.run(&["functions", "rollback", "ops:greet", "--to", "2"]));

    shows(
        "functions_run",
        &terminal.run(&["functions", "run", "ops:greet", "--input", r#"{"name": "world"}"#]),
    );
    shows("functions_run_unfit", &terminal.run(&["functions", "run", "ops:greet"]));
    shows(
        "functions_run_raises",
        &terminal.run(&["functions", "run", "ops:greet", "--input", r#"{"name": null}"#]),
    );
    shows("functions_logs", &terminal.run(&["functions", "logs", "ops:greet"]));

    terminal.file("name.txt", "file");
    let words = ["functions", "run", "ops:greet", "--text", "name=name.txt", "--detach", "--quiet"];
    let run = terminal.run(&words).ok();
    let lines = terminal.run(&["runs", "logs", &run, "--follow", "--jsonl"]).ok();
    assert_eq!(lines.lines().count(), 2, "following ends with the run: {lines}");
    assert_eq!(terminal.run(&["runs", "show", &run, "--output"]).ok(), r#"{"hello":"file"}"#);
    shows("runs_show", &terminal.run(&["runs", "show", &run]));
    shows("runs_list", &terminal.run(&["runs", "list", "--function", "ops:greet", "--limit", "1"]));
    shows("runs_cancel_ended", &terminal.run(&["runs", "cancel", &run, "--yes"]));
    let replay = terminal.run(&["runs", "replay", &run, "--quiet"]).ok();
    let waited = terminal.run(&["runs", "logs", &replay, "--follow", "--jsonl"]).ok();
    assert_eq!(waited.lines().count(), 2, "{waited}");
    assert_eq!(terminal.run(&["runs", "show", &replay, "--json"]).json()["replay_of"], run.as_str());
    shows("runs_retry_succeeded", &terminal.run(&["runs", "retry", &run]));
    shows("functions_delete", &terminal.run(&["functions", "delete", "ops:greet", "--yes"]));
    terminal.end();
}

#[test]
fn a_run_is_watched_to_its_end() {
    let terminal = Terminal::signed_in();
    // What a function says of itself is held to one line, and no terminal obeys it.
    let code =
        "def handler(input, context):\n    context.progress(0.5, 'half\\n\\x1b[2Jof it')\n    return 1\n";
    terminal.file("reports.py", code);
    terminal.run(&["functions", "push", "reports.py", "--name", "ops:reports", "--mode", "cold"]).ok();
    let run = terminal.run(&["functions", "run", "ops:reports", "--detach", "--quiet"]).ok();
    let moves = terminal.run(&["runs", "watch", &run, "--jsonl"]).ok();
    let last: serde_json::Value = serde_json::from_str(moves.lines().last().unwrap()).unwrap();
    assert_eq!((&last["status"], &last["output"]), (&serde_json::json!("succeeded"), &serde_json::json!(1)));
    shows("runs_watch", &terminal.run(&["runs", "watch", &run]));
    shows("runs_show_progress", &terminal.run(&["runs", "show", &run]));
    terminal.end();
}

#[test]
fn runs_that_are_given_up_are_seen_tried_again_and_put_aside() {
    let terminal = Terminal::signed_in();
    terminal.file("fails.py", "def handler(input, context):\n    raise ValueError('no')\n");
    let push = [
        "functions",
        "push",
        "fails.py",
        "--name",
        "ops:fails",
        "--attempts",
        "2",
        "--retry-wait",
        "0",
        "--rate",
        "5/1h",
    ];
    terminal.run(&push).ok();
    shows("functions_show_attempts", &terminal.run(&["functions", "show", "ops:fails"]));
    shows("queues_empty", &terminal.run(&["queues", "list"]));
    let workers = terminal.run(&["workers", "list", "--json"]).json();
    assert_eq!(workers["items"][0]["status"], "working");
    assert!(terminal.run(&["workers", "list"]).ok().contains("0 of 64"));
    let order =
        ["--priority", "-5", "--delay", "0s", "--deduplication-key", "one", "--concurrency-key", "one"];
    shows("functions_run_dead", &terminal.run(&[&["functions", "run", "ops:fails"][..], &order].concat()));
    shows("queues_list", &terminal.run(&["queues", "list"]));
    shows("queues_dead", &terminal.run(&["queues", "dead"]));
    let run = terminal.run(&["queues", "dead", "--quiet"]).ok();
    assert_eq!(terminal.run(&["runs", "retry", &run, "--json"]).json()["status"], "queued");
    terminal.run(&["runs", "logs", &run, "--follow", "--quiet"]).ok();
    let again = terminal.run(&["runs", "show", &run, "--json"]).json();
    assert_eq!((&again["status"], &again["attempts"]), (&serde_json::json!("dead"), &serde_json::json!(4)));
    terminal.run(&["runs", "flush", &run]).ok();
    shows("queues_empty", &terminal.run(&["queues", "list"]));
    let wrong = ["functions", "push", "fails.py", "--name", "ops:fails", "--rate", "often"];
    shows("functions_push_bad_rate", &terminal.run(&wrong));
    shows("functions_run_bad_delay", &terminal.run(&["functions", "run", "ops:fails", "--delay", "soon"]));
    terminal.end();
}

#[test]
fn a_run_that_hangs_is_cancelled_from_outside() {
    let terminal = Terminal::signed_in();
    terminal.file(
        "wait.py",
        "import time\ndef handler(input, context):\n    print('here', flush=True)\n    time.sleep(600)\n",
    );
    terminal.run(&["functions", "push", "wait.py", "--name", "ops:wait"]).ok();
    let run = terminal.run(&["functions", "run", "ops:wait", "--detach", "--quiet"]).ok();
    let follower = terminal.command(&["runs", "logs", &run, "--follow", "--quiet"]).spawn().expect("a start");
    let cancelled = terminal.run(&["runs", "cancel", &run, "--yes", "--json"]).json();
    assert_eq!(cancelled["status"], "cancelled");
    // Whoever follows hears of the end.
    super::Said::of(follower.wait_with_output().expect("an end")).ok();
    terminal.end();
}
