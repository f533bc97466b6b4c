//! Every way in which code can end, by its name.

use serde_json::{Value, json};

use super::{made, run};
use crate::support::{Caller, TestServer};

async fn outcome(owner: &Caller, name: &str, code: &str, limits: Value) -> Value {
    let mut body = json!({ "namespace": "ops", "name": name, "code": code });
    for (key, value) in limits.as_object().unwrap() {
        body[key] = value.clone();
    }
    let id = made(owner, body).await;
    run(owner, &id, json!({})).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_outcome_has_its_name() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    let table = [
        (
            "raised",
            "failed",
            "raised",
            "def handler(input, context):\n    raise ValueError('no such row')\n",
            json!({}),
        ),
        (
            "unloadable",
            "failed",
            "raised",
            "import nothing_like_it\ndef handler(input, context):\n    pass\n",
            json!({}),
        ),
        (
            "sleeps",
            "timed_out",
            "timed_out",
            "import time\ndef handler(input, context):\n    time.sleep(600)\n",
            json!({ "timeout_seconds": 1 }),
        ),
        (
            "spins",
            "timed_out",
            "timed_out",
            "def handler(input, context):\n    while True: pass\n",
            json!({ "timeout_seconds": 1 }),
        ),
        (
            "hoards",
            "failed",
            "memory_exceeded",
            "def handler(input, context):\n    held = []\n    while True: held.append(bytearray(1 << 20))\n",
            json!({ "memory_mb": 64 }),
        ),
        (
            "talks",
            "failed",
            "output_too_large",
            "def handler(input, context):\n    return 'x' * (17 << 20)\n",
            json!({}),
        ),
        (
            "segfaults",
            "failed",
            "killed",
            "import ctypes\ndef handler(input, context):\n    ctypes.string_at(0)\n",
            json!({}),
        ),
        (
            "leaves",
            "failed",
            "crashed",
            "import os\ndef handler(input, context):\n    os._exit(3)\n",
            json!({}),
        ),
    ];
    for (name, status, kind, code, limits) in table {
        let run = outcome(&owner, name, code, limits).await;
        assert_eq!(
            (&run["status"], &run["error"]["kind"]),
            (&json!(status), &json!(kind)),
            "{name}: {run:#}"
        );
        assert!(run["error"]["message"].as_str().is_some_and(|message| !message.is_empty()), "{name}");
        assert!(run.get("output").is_none(), "{name}");
    }
    let fine = outcome(&owner, "fine", "def handler(input, context):\n    return None\n", json!({})).await;
    assert_eq!(fine["status"], "succeeded", "the server lives on");
    server.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_exception_comes_with_type_message_and_place() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    let code = "def inner():\n    raise KeyError('row 7')\ndef handler(input, context):\n    inner()\n";
    let run = outcome(&owner, "raises", code, json!({})).await;
    let error = &run["error"];
    assert_eq!(error["exception"], "KeyError");
    assert!(error["message"].as_str().unwrap().contains("row 7"));
    let traceback = error["traceback"].as_str().unwrap();
    assert!(traceback.contains("in inner") && traceback.contains("line 2"), "{traceback}");
    let listed = owner.get("/api/v1/runs").await.ok(200);
    assert_eq!(listed["items"][0]["error"], json!({ "kind": "raised" }), "lists tell the kind only");
    server.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_function_is_found_by_its_name_or_by_its_entrypoint() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    let by_name = "def by_name(input, context):\n    return 'name'\n";
    assert_eq!(outcome(&owner, "by_name", by_name, json!({})).await["output"], "name");
    let said =
        "def start(input, context):\n    return 'said'\ndef handler(input, context):\n    return 'handler'\n";
    assert_eq!(outcome(&owner, "said", said, json!({ "entrypoint": "start" })).await["output"], "said");
    let none = outcome(&owner, "none", "x = 1\n", json!({})).await;
    assert_eq!((&none["status"], &none["error"]["kind"]), (&json!("failed"), &json!("raised")), "{none:#}");
    server.finish().await;
}
