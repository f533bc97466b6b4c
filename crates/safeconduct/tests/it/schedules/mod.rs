//! Schedules over HTTP: when they act, for whom, and what became of it.

mod manage;
mod nodes;
mod rights;
mod ticks;

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::functions::function;
use crate::support::{Caller, TestServer};

const SCHEDULES: &str = "/api/v1/schedules";

/// Tells what it was given.
const TELLS: &str = "def handler(input, context):\n    return {\"input\": input, \"trigger\": context.trigger_type, \
                     \"id\": context.trigger_id, \"user\": context.user_id}\n";

/// Runs until it is ended.
const WAITS: &str = "import time\ndef handler(input, context):\n    while True:\n        time.sleep(0.05)\n";

/// A schedule of a function; `more` adds to it.
async fn schedule(owner: &Caller, name: &str, function: &str, more: Value) -> String {
    // How long a run takes is no test's business, unless it says so.
    let timing = json!({ "every_seconds": 60 });
    let mut body = json!({ "name": name, "function": function, "timing": timing, "overlap": "allow" });
    for (member, value) in more.as_object().expect("members") {
        body[member] = value.clone();
    }
    owner.post(SCHEDULES, body).await.ok(201)["id"].as_str().expect("an id").to_owned()
}

/// What became of its ticks, oldest first, when there are so many.
async fn ticks(caller: &Caller, schedule: &str, count: usize) -> Vec<Value> {
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        let page = caller.get(&format!("{SCHEDULES}/{schedule}/ticks?limit=200")).await.ok(200);
        let mut found = page["items"].as_array().expect("items").clone();
        if found.len() >= count {
            assert_eq!(found.len(), count, "{found:#?}");
            found.reverse();
            return found;
        }
        assert!(Instant::now() < until, "{count} ticks were to come: {found:#?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn outcomes(ticks: &[Value]) -> Vec<&str> {
    ticks.iter().map(|tick| tick["outcome"].as_str().expect("an outcome")).collect()
}

/// How many facts of a kind there are.
async fn facts(server: &TestServer, kind: &str) -> i64 {
    let tamper = server.database.tamper().await;
    tamper.number(&format!("SELECT count(*) FROM facts WHERE kind = '{kind}'")).await
}

async fn tells(owner: &Caller) -> String {
    function(owner, "tells", TELLS).await
}
