//! One run for each tick: with two nodes, and with kill -9 in between.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testing::TestDatabase;

use super::{SCHEDULES, TELLS, schedule};
use crate::functions::function;
use crate::support::{Caller, Start};

const EVERY_SECOND: &str = "* * * * * *";

/// Every tick ran once, none was left out, and each run is one tick's.
async fn one_run_each(owner: &Caller, id: &str) -> Vec<Value> {
    owner.post(&format!("{SCHEDULES}/{id}/pause"), json!({})).await.ok(200);
    let page = owner.get(&format!("{SCHEDULES}/{id}/ticks?limit=200")).await.ok(200);
    let mut ticks = page["items"].as_array().expect("items").clone();
    ticks.reverse();
    for (number, tick) in (1..).zip(&ticks) {
        assert_eq!((&tick["number"], &tick["outcome"]), (&json!(number), &json!("ran")), "{ticks:#?}");
    }
    let runs: BTreeSet<&str> = ticks.iter().map(|tick| tick["run"].as_str().expect("a run")).collect();
    assert_eq!(runs.len(), ticks.len(), "{ticks:#?}");
    let listed = owner.get("/api/v1/runs?trigger=schedule&limit=200").await.ok(200);
    assert_eq!(listed["items"].as_array().expect("items").len(), ticks.len(), "no run without a tick");
    let moments: Vec<i64> = ticks.iter().map(|tick| seconds(&tick["tick"])).collect();
    for pair in moments.windows(2) {
        assert_eq!(pair[1] - pair[0], 1, "each second once: {ticks:#?}");
    }
    ticks
}

fn seconds(tick: &Value) -> i64 {
    tick.as_str().and_then(|text| text.parse::<types::Timestamp>().ok()).expect("a time").seconds()
}

async fn ticks_so_far(owner: &Caller, id: &str) -> usize {
    let page = owner.get(&format!("{SCHEDULES}/{id}/ticks?limit=200")).await.ok(200);
    page["items"].as_array().expect("items").len()
}

async fn wait_for(owner: &Caller, id: &str, count: usize) {
    let until = Instant::now() + Duration::from_secs(60);
    while ticks_so_far(owner, id).await < count {
        assert!(Instant::now() < until, "the ticks do not come");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_run_each_tick_once() {
    let database = TestDatabase::postgres().await;
    let (one, two) = (tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory"));
    let node = |directory: &std::path::Path| {
        let start = Start::on(&database, directory).set("keys.encryption_key", "ef".repeat(32));
        start.set("database.pool_size", "4").set("server.public_url", "http://127.0.0.1:7718")
    };
    let first = node(one.path()).run().expect("the first node");
    let owner = first.owner(one.path()).await;
    let second = node(two.path()).run().expect("the second node");
    let function = function(&owner, "tells", TELLS).await;
    let more = json!({ "timing": { "cron": EVERY_SECOND }, "overlap": "allow" });
    let id = schedule(&owner, "often", &function, more).await;
    wait_for(&owner, &id, 6).await;
    one_run_each(&owner, &id).await;
    assert_eq!(second.stop(), Some(0));
    assert_eq!(first.stop(), Some(0));
}

testing::on_both_databases! {
    async fn a_server_that_is_killed_neither_loses_nor_doubles_a_tick(database: TestDatabase) {
        let start = Start::of(&database);
        let mut process = start.run().expect("the server starts");
        let mut owner = process.owner(database.directory()).await;
        let function = function(&owner, "tells", TELLS).await;
        let more = json!({ "timing": { "cron": EVERY_SECOND }, "overlap": "allow" });
        let id = schedule(&owner, "often", &function, more).await;
        for round in 1..=3 {
            wait_for(&owner, &id, round * 2).await;
            process.kill();
            process = start.run().expect("the server starts again");
            owner = process.owner(database.directory()).await;
        }
        wait_for(&owner, &id, 8).await;
        one_run_each(&owner, &id).await;
        assert_eq!(process.stop(), Some(0));
    }
}
