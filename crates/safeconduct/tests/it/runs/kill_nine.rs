//! kill -9 of the server in the middle of runs: what was accepted ends, what was recorded stays, jails die, the ledger
//! verifies. On PostgreSQL a killed node's runs wait for their leases to end, 15 seconds, as another node might hold them:
//! most of what that half takes, so it has fewer points.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use reqwest::Method;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use serde_json::{Value, json};
use testing::{Engine, TestDatabase};

use crate::functions::made;
use crate::support::{Caller, Start};

/// A few points always; `make test-all` sets the number (at least 30).
fn points(engine: Engine) -> u64 {
    #[expect(clippy::disallowed_methods, reason = "the test's own knob")]
    let set = std::env::var("SAFECONDUCT_TEST_KILLS").ok();
    set.and_then(|text| text.parse().ok()).unwrap_or(match engine {
        Engine::Sqlite => 4,
        Engine::Postgres => 2,
    })
}

/// What one worker was told.
#[derive(Default)]
pub(super) struct Told {
    /// Accepted: must end one day.
    pub(super) accepted: Vec<String>,
    /// Ended: must stay exactly so.
    pub(super) ended: BTreeMap<String, Value>,
}

pub(super) async fn work(caller: Caller, function: String, worker: usize, stop: Arc<AtomicBool>) -> Told {
    let mut told = Told::default();
    for number in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let asynchronous = (worker + number).is_multiple_of(2);
        let pause = [0, 0, 5, 60][number % 4];
        let body = json!({ "input": { "worker": worker, "number": number, "pause_ms": pause } });
        let Some((status, run)) = execute(&caller, &function, asynchronous, body).await else { break };
        let id = run["id"].as_str().expect("an id").to_owned();
        match status {
            202 => told.accepted.push(id),
            200 => drop(told.ended.insert(id, run)),
            other => panic!("{other}: {run:#}"),
        }
    }
    told
}

/// `None` when the server was gone.
async fn execute(caller: &Caller, function: &str, asynchronous: bool, body: Value) -> Option<(u16, Value)> {
    let url = format!("{}/api/v1/functions/{function}/execute", caller.url);
    let mut request = caller.http.request(Method::POST, url).header(CONTENT_TYPE, "application/json");
    request = request.header(AUTHORIZATION, format!("Bearer {}", caller.bearer.as_deref().expect("a token")));
    if asynchronous {
        request = request.header("prefer", "respond-async");
    }
    let response = request.body(body.to_string()).send().await.ok()?;
    let status = response.status().as_u16();
    let text = response.text().await.ok()?;
    Some((status, serde_json::from_str(&text).expect("JSON")))
}

pub(super) const WORKS: &str = "import time\ndef handler(input, context):\n    print('at work')\n    \
                     time.sleep(input['pause_ms'] / 1000)\n    return [input['worker'], input['number']]\n";

testing::on_both_databases! {
    async fn accepted_runs_end_and_recorded_results_stay(database: TestDatabase) {
        let start = Start::of(&database).set("functions.max_concurrent", "4");
        let mut accepted = Vec::new();
        let mut ended: BTreeMap<String, Value> = BTreeMap::new();
        let mut function = None;
        for round in 0..points(database.engine()) {
            let mut process = start.run().expect("the server starts");
            let owner = process.owner(database.directory()).await;
            let id = match &function {
                Some(id) => String::clone(id),
                None => made(&owner, json!({ "namespace": "ops", "name": "works", "code": WORKS })).await,
            };
            function = Some(id.clone());
            let stop = Arc::new(AtomicBool::new(false));
            let workers: Vec<_> = (0..6)
                .map(|worker| telemetry::spawn("test", work(owner.clone(), id.clone(), worker, stop.clone())))
                .collect();
            // Seeded, spread over 100 to 900 ms: the first calls make the zygote.
            let pause = 100 + (round.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) % 800;
            tokio::time::sleep(Duration::from_millis(pause)).await;
            let launcher_family = descendants(process.pid());
            process.kill();
            stop.store(true, Ordering::Relaxed);
            for worker in workers {
                let told = worker.await.expect("a worker");
                accepted.extend(told.accepted);
                ended.extend(told.ended);
            }
            all_gone(&launcher_family);
        }
        assert!(!accepted.is_empty() && !ended.is_empty(), "the load reached the server");
        let process = start.run().expect("the server starts again");
        let owner = process.owner(database.directory()).await;
        all_is_well(&owner, &database, &accepted, &ended).await;
        assert_eq!(process.stop(), Some(0));
    }
}

/// What was accepted ends, what was told stays so, each end is one fact, and the ledger verifies.
pub(super) async fn all_is_well(
    owner: &Caller,
    database: &TestDatabase,
    accepted: &[String],
    ended: &BTreeMap<String, Value>,
) {
    let until = Instant::now() + Duration::from_secs(120);
    for id in accepted {
        let run = loop {
            let run = owner.get(&format!("/api/v1/runs/{id}")).await.ok(200);
            if !matches!(run["status"].as_str(), Some("queued" | "leased" | "running")) {
                break run;
            }
            assert!(Instant::now() < until, "{run:#} does not end");
        };
        // Killed under it three times, a run may be given up; it is never forgotten.
        assert!(matches!(run["status"].as_str(), Some("succeeded" | "dead")), "{run:#}");
    }
    for (id, told) in ended {
        let run = owner.get(&format!("/api/v1/runs/{id}")).await.ok(200);
        assert_eq!((&run["status"], &run["output"]), (&told["status"], &told["output"]), "{id}");
    }
    one_fact_each(owner, database).await;
    let verified = owner.get("/api/v1/audit/verify").await.ok(200);
    assert_eq!(verified["verified"], true, "{verified:#}");
}

/// Every run of the database that has ended has exactly one fact of its end, and no other run has any.
async fn one_fact_each(owner: &Caller, database: &TestDatabase) {
    let until = Instant::now() + Duration::from_secs(120);
    while owner.get("/api/v1/runs?status=queued").await.ok(200)["items"] != json!([])
        || owner.get("/api/v1/runs?status=running").await.ok(200)["items"] != json!([])
        || owner.get("/api/v1/runs?status=leased").await.ok(200)["items"] != json!([])
    {
        assert!(Instant::now() < until, "the queue does not empty");
    }
    let text = "SELECT count(*) FROM runs WHERE (SELECT count(*) FROM facts WHERE facts.run = runs.id \
                AND facts.kind LIKE 'run.%') <> 1";
    assert_eq!(database.tamper().await.number(text).await, 0, "runs without exactly one fact of their end");
}

/// Every process below this one.
pub(crate) fn descendants(pid: u32) -> Vec<u32> {
    let mut family = vec![pid];
    let mut at = 0;
    while at < family.len() {
        let tasks = format!("/proc/{0}/task", family[at]);
        for task in std::fs::read_dir(tasks).into_iter().flatten().flatten() {
            let children = std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
            family.extend(children.split_whitespace().filter_map(|text| text.parse::<u32>().ok()));
        }
        at += 1;
    }
    family.split_off(1)
}

/// The launcher notices that its server is gone and takes every jail along.
pub(super) fn all_gone(family: &[u32]) {
    let until = Instant::now() + Duration::from_secs(20);
    let lives = |pid: &u32| {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        !status.is_empty() && !status.contains("State:\tZ")
    };
    while family.iter().any(lives) {
        assert!(Instant::now() < until, "a process of a jail outlived its server");
        std::thread::park_timeout(Duration::from_millis(5));
    }
}
