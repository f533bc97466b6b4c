//! `safeconduct worker`: real processes beside a server that works on nothing itself.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testing::TestDatabase;

use super::kill_nine::{WORKS, all_gone, all_is_well, descendants, work};
use crate::functions::{made, queue};
use crate::support::{Caller, Start, TestServer};

/// The list of workers, once it is as `right` wants it.
async fn workers(owner: &Caller, right: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        let list = owner.get("/api/v1/workers").await.ok(200);
        let items = list["items"].as_array().expect("a list").clone();
        if right(&items) {
            return items;
        }
        assert!(Instant::now() < until, "{items:#?}");
        tokio::task::yield_now().await;
    }
}

async fn in_state(owner: &Caller, run: &str, state: &str) -> Value {
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        let found = owner.get(&format!("/api/v1/runs/{run}")).await.ok(200);
        if found["status"] == state {
            return found;
        }
        assert!(Instant::now() < until, "{found:#}");
        tokio::task::yield_now().await;
    }
}

fn start(database: &TestDatabase) -> Start {
    Start::of(database).set("server.public_url", "http://127.0.0.1:7717").set("functions.max_concurrent", "4")
}

/// Killed under load, a worker loses nothing: its runs are taken up by the other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_is_killed_under_load_loses_no_run() {
    let database = TestDatabase::postgres().await;
    let server = start(&database).set("functions.workers_only", "true").run().expect("the server starts");
    let owner = server.owner(database.directory()).await;
    let function = made(&owner, json!({ "namespace": "ops", "name": "works", "code": WORKS })).await;
    let waiting = queue(&owner, &function, json!({ "worker": 0, "number": 0, "pause_ms": 0 })).await;
    workers(&owner, |items| items.is_empty()).await;
    let found = owner.get(&format!("/api/v1/runs/{waiting}")).await.ok(200);
    assert_eq!(found["status"], "queued", "the server works on nothing itself");

    let mut first = start(&database).work().expect("a worker starts");
    in_state(&owner, &waiting, "succeeded").await;
    let second = start(&database).work().expect("another worker starts");
    let both = workers(&owner, |items| items.len() == 2).await;
    for worker in &both {
        assert_eq!((&worker["status"], &worker["slots"]), (&json!("working"), &json!(4)), "{worker:#}");
        assert_eq!(worker["queues"], json!(["function"]));
    }
    assert_eq!(first.anonymous().get("/health/ready").await.status, 200);
    assert_eq!(first.anonymous().get("/api/v1/workers").await.status, 404, "no door but health");

    let stop = Arc::new(AtomicBool::new(false));
    let callers: Vec<_> = (0..6)
        .map(|number| telemetry::spawn("test", work(owner.clone(), function.clone(), number, stop.clone())))
        .collect();
    // The load has reached both when both are at work.
    let text = "SELECT count(DISTINCT worker) FROM runs WHERE state = 'running'";
    let tamper = database.tamper().await;
    let until = Instant::now() + Duration::from_secs(60);
    while tamper.number(text).await < 2 {
        assert!(Instant::now() < until, "only one of them works");
    }
    let jails = descendants(first.pid());
    assert!(!jails.is_empty());
    first.kill();
    all_gone(&jails);
    let taken = "SELECT count(*) FROM runs WHERE attempts > 1";
    let until = Instant::now() + Duration::from_secs(60);
    while tamper.number(taken).await == 0 {
        assert!(Instant::now() < until, "nothing of the lost worker is taken up");
        tokio::task::yield_now().await;
    }
    stop.store(true, Ordering::Relaxed);
    let (mut accepted, mut ended) = (Vec::new(), BTreeMap::new());
    for caller in callers {
        let told = caller.await.expect("a caller");
        accepted.extend(told.accepted);
        ended.extend(told.ended);
    }
    assert!(!accepted.is_empty() && !ended.is_empty());
    // A caller that waited for a run of the lost worker is told that it is lost; that, too, is an end.
    all_is_well(&owner, &database, &accepted, &ended).await;
    let list = workers(&owner, |items| items.iter().any(|worker| worker["status"] == "silent")).await;
    assert_eq!(list.iter().filter(|worker| worker["status"] == "working").count(), 1, "{list:#?}");

    assert_eq!(second.stop(), Some(0));
    workers(&owner, |items| items.len() == 1).await;
    assert_eq!(server.stop(), Some(0));
}

/// SIGTERM: what is begun is ended where it runs, what is not stays in the queue, and functions reach our API from there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_is_asked_to_stop_ends_what_it_has_begun() {
    let database = TestDatabase::postgres().await;
    let server = start(&database).set("functions.workers_only", "true").run().expect("the server starts");
    let owner = server.owner(database.directory()).await;
    // Works until somebody writes that it may end; it asks our API for that from within its jail.
    let code = r#"
import json, time, urllib.request
def handler(input, context):
    request = urllib.request.Request(
        context.api_url + "/api/v1/agents", headers={"Authorization": "Bearer " + context.access_token})
    while True:
        with urllib.request.urlopen(request) as answer:
            if any(agent["name"] == "enough" for agent in json.load(answer)["items"]):
                return context.attempt
        time.sleep(0.05)
"#;
    let mut body = json!({ "namespace": "ops", "name": "asks", "code": code });
    body["permissions"] = json!(["agents:read"]);
    let function = made(&owner, body).await;
    let worker = start(&database).work().expect("a worker starts");
    let begun = queue(&owner, &function, json!({})).await;
    in_state(&owner, &begun, "running").await;
    let pid = worker.pid();
    let stopping = std::thread::spawn(move || worker.stop());
    workers(&owner, |items| items.iter().any(|worker| worker["status"] == "draining")).await;
    let left = queue(&owner, &function, json!({})).await;
    let agent = json!({ "name": "enough", "permissions": ["agents:read:all"] });
    owner.post("/api/v1/agents", agent).await.ok(201);
    let done = in_state(&owner, &begun, "succeeded").await;
    assert_eq!((&done["output"], &done["attempts"]), (&json!(1), &json!(1)), "in its first attempt");
    assert_eq!(stopping.join().expect("an end"), Some(0));
    assert!(descendants(pid).is_empty());
    workers(&owner, |items| items.is_empty()).await;
    let found = owner.get(&format!("/api/v1/runs/{left}")).await.ok(200);
    assert_eq!((&found["status"], &found["attempts"]), (&json!("queued"), &json!(0)));
    let next = start(&database).work().expect("the next worker starts");
    in_state(&owner, &left, "succeeded").await;
    assert_eq!(next.stop(), Some(0));
    assert_eq!(server.stop(), Some(0));
}

#[tokio::test]
async fn a_worker_says_what_it_needs() {
    let database = TestDatabase::sqlite();
    let start = Start::of(&database);
    let refused = start.work().err().expect("no worker on SQLite");
    assert_eq!(refused.code, Some(1));
    assert!(
        refused.errors.contains("safeconduct worker needs PostgreSQL: set database.url"),
        "{}",
        refused.errors
    );
    let refused = start.set("functions.workers_only", "true").run().err().expect("nobody would work");
    assert!(refused.errors.contains("functions.workers_only needs PostgreSQL"), "{}", refused.errors);
    let database = TestDatabase::postgres().await;
    let public = Start::of(&database).set("server.public_url", "https://agents.example.com");
    let refused = public.work().err().expect("no worker makes a key");
    assert!(refused.errors.contains("the server's keys.encryption_key is needed"), "{}", refused.errors);
    assert!(!database.directory().join("encryption.key").exists());
    let refused = Start::of(&database).work().err().expect("no worker without an issuer");
    assert!(
        refused.errors.contains("server.public_url is needed beside safeconduct worker"),
        "{}",
        refused.errors
    );
}

testing::on_both_databases! {
    async fn workers_are_shown_to_operators(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let list = workers(&owner, |items| items.len() == 1).await;
        assert_eq!((&list[0]["status"], &list[0]["queues"]), (&json!("working"), &json!(["function"])));
        assert!(list[0]["id"].as_str().unwrap().starts_with("wrk_"), "{list:#?}");
        let denied = server.stranger().await.get("/api/v1/workers").await.refused(403, "permission_denied");
        assert_eq!(denied["permission"], "system:read");
        server.finish().await;
    }
}
