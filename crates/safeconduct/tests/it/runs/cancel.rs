//! Cancelling: the run and everything that it has started are gone when the answer comes.

use serde_json::json;

use crate::functions::{function, made, queue};
use crate::support::{Caller, TestServer};

/// Starts children that start children, in sessions of their own, all with a mark in their command line.
const FAMILY: &str = r#"
import os, subprocess, sys, time
def handler(input, context):
    child = "import os, subprocess, sys, time\nif int(sys.argv[2]): subprocess.Popen([sys.executable, '-c', sys.argv[3], sys.argv[1], str(int(sys.argv[2]) - 1), sys.argv[3]], start_new_session=True)\ntime.sleep(600)"
    for _ in range(3):
        subprocess.Popen([sys.executable, "-c", child, input["mark"], "2", child], start_new_session=True)
    print("born", flush=True)
    time.sleep(600)
"#;

/// Processes of this machine with the mark in their command line.
fn marked(mark: &str) -> usize {
    let processes = std::fs::read_dir("/proc").unwrap().filter_map(|entry| {
        let path = entry.ok()?.path();
        path.file_name()?.to_str()?.parse::<u32>().ok()?;
        std::fs::read(path.join("cmdline")).ok()
    });
    processes.filter(|line| String::from_utf8_lossy(line).contains(mark)).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancelled_run_leaves_no_descendant() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    let id = function(&owner, "family", FAMILY).await;
    let mark = format!("mark-{}", std::process::id());
    let run = queue(&owner, &id, json!({ "mark": mark })).await;
    // Three children with two generations below each.
    while marked(&mark) < 9 {
        let found = owner.get(&format!("/api/v1/runs/{run}")).await.ok(200);
        assert!(matches!(found["status"].as_str(), Some("queued" | "leased" | "running")), "{found:#}");
    }
    let cancelled = owner.post(&format!("/api/v1/runs/{run}/cancel"), json!({})).await.ok(200);
    assert_eq!(marked(&mark), 0, "a descendant lives");
    assert_eq!(
        (&cancelled["status"], &cancelled["error"]["kind"]),
        (&json!("cancelled"), &json!("cancelled"))
    );
    let log = owner.get(&format!("/api/v1/runs/{run}/logs")).await.ok(200);
    assert_eq!(log["items"][0]["text"], "born", "what it said before stays");
    owner.post(&format!("/api/v1/runs/{run}/cancel"), json!({})).await.refused(409, "run_ended");
    server.finish().await;
}

testing::on_both_databases! {
    async fn cancelling_is_refused_to_others_and_recorded_once(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        let id = function(&owner, "slow", "import time\ndef handler(input, context):\n    time.sleep(600)\n").await;
        let run = queue(&owner, &id, json!({})).await;
        let path = format!("/api/v1/runs/{run}/cancel");
        server.stranger().await.post(&path, json!({})).await.refused(404, "not_found");
        let reader = server.agent(&owner, "reader", &["runs:read:all"]).await;
        server.as_agent(&reader).await.post(&path, json!({})).await.refused(403, "permission_denied");
        let keyed = owner.with("idempotency-key", "stop");
        let first = keyed.post(&path, json!({})).await.ok(200);
        assert_eq!(keyed.post(&path, json!({})).await.ok(200), first);
        assert_eq!(owner.get(&format!("/api/v1/runs/{run}")).await.ok(200)["status"], "cancelled");
        let run: types::RunId = run.parse().unwrap();
        let tamper = server.database.tamper().await;
        let run = tamper.uuid(types::Id::uuid(run));
        let facts = tamper.rows(&format!("SELECT kind, actor_kind FROM facts WHERE run = {run}")).await;
        assert_eq!(facts, [vec![Some("run.cancelled".to_owned()), Some("user".to_owned())]]);
        server.finish().await;
    }
}

#[tokio::test]
async fn a_cancelled_runs_token_dies_with_it() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    let code = "import time\ndef handler(input, context):\n    for part in context.access_token.split('.'):\n        print(part, flush=True)\n    time.sleep(600)\n";
    let body = json!({ "namespace": "ops", "name": "tells", "code": code, "permissions": ["agents:read"] });
    let id = made(&owner, body).await;
    let run = queue(&owner, &id, json!({})).await;
    let token = loop {
        let log = owner.get(&format!("/api/v1/runs/{run}/logs")).await.ok(200);
        let parts = log["items"].as_array().unwrap().iter().filter_map(|line| line["text"].as_str());
        let parts: Vec<&str> = parts.collect();
        if parts.len() == 3 {
            break parts.join(".");
        }
        tokio::task::yield_now().await;
    };
    let thief = Caller { bearer: Some(token), ..server.anonymous() };
    thief.get("/api/v1/agents").await.ok(200);
    owner.post(&format!("/api/v1/runs/{run}/cancel"), json!({})).await.ok(200);
    thief.get("/api/v1/agents").await.refused(401, "invalid_token");
    server.finish().await;
}

#[tokio::test]
async fn signing_out_ends_the_runs_of_the_session() {
    let server = TestServer::sqlite().await;
    let owner = server.owner().await;
    let id =
        function(&owner, "slow", "import time\ndef handler(input, context):\n    time.sleep(600)\n").await;
    let (_, other) = server.person(server.home().await, &["owner"]).await;
    let run = queue(&other, &id, json!({})).await;
    let path = format!("/api/v1/runs/{run}");
    while owner.get(&path).await.ok(200)["status"] != "running" {
        tokio::task::yield_now().await;
    }
    other.post("/api/v1/auth/logout", json!({})).await.ok(200);
    let until = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while owner.get(&path).await.ok(200)["status"] == "running" {
        assert!(std::time::Instant::now() < until, "the run outlives its session");
        tokio::task::yield_now().await;
    }
    assert_eq!(owner.get(&path).await.ok(200)["status"], "cancelled");
    server.finish().await;
}
