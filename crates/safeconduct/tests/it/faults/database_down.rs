//! PostgreSQL goes away – at start, and under a running server with requests in flight – and comes back: what was
//! acknowledged is stored, what was refused before is not, and the ledger verifies.

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::json;
use tempfile::TempDir;
use tokio::sync::mpsc::UnboundedSender;

use crate::support::{Caller, Start};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/postgres.sh");

/// A PostgreSQL of this test's own, which it may stop.
struct Cluster {
    directory: TempDir,
}

impl Cluster {
    fn new() -> Self {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().expect("a directory");
        // The cluster's own user must reach its directory.
        let open_to_all = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(directory.path(), open_to_all).expect("rights");
        Self { directory }
    }

    /// Answers the administrator's URL.
    fn start(&self) -> String {
        let printed = self.script("start");
        printed.lines().find_map(|line| line.strip_prefix("url=")).expect("a URL").to_owned()
    }

    fn stop(&self) {
        self.script("stop");
    }

    fn script(&self, act: &str) -> String {
        let mut script = Command::new("bash");
        let output =
            script.arg(SCRIPT).arg(act).arg(self.directory.path()).output().expect("the script runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // Already gone is as good.
        let _ = Command::new("bash").arg(SCRIPT).arg("stop").arg(self.directory.path()).output();
    }
}

fn prepared(mut start: Start, admin_url: &str) -> Start {
    let roles = Command::new(crate::support::PROGRAM).args(["db", "init", "--admin-url", admin_url]).output();
    let text = String::from_utf8(roles.expect("the roles").stdout).expect("text");
    for line in text.lines() {
        if let Some((key, url)) = line.split_once(" = ") {
            start = start.set(&format!("database.{key}"), url.trim_matches('"'));
        }
    }
    start
}

/// Registers one agent after the other until one is refused.
async fn work(owner: Caller, worker: usize, acknowledged: UnboundedSender<String>) {
    for number in 0.. {
        let body = json!({ "name": format!("worker-{worker}-{number}") });
        let answer = owner.post("/api/v1/agents", body).await;
        if answer.status != 201 {
            answer.refused(503, "database_unavailable");
            break;
        }
        acknowledged.send(answer.json()["id"].as_str().expect("an id").to_owned()).expect("somebody listens");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_goes_away_is_said_and_survived() {
    let (cluster, data) = (Cluster::new(), tempfile::tempdir().expect("a directory"));
    let url = cluster.start();
    let start = Start::in_directory(data.path()).set("keys.encryption_key", "ef".repeat(32));
    let start = prepared(start, &url);
    let process = start.run().expect("the server starts");
    let owner = process.owner(data.path()).await;

    // Every worker has a request under way when the database stops: it goes on until it is refused.
    let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
    let workers: Vec<_> =
        (0..6).map(|worker| telemetry::spawn("test", work(owner.clone(), worker, sender.clone()))).collect();
    drop(sender);
    let mut acknowledged = Vec::new();
    while acknowledged.len() < 30 {
        acknowledged.push(receiver.recv().await.expect("an agent before the stop"));
    }
    tokio::task::block_in_place(|| cluster.stop());
    while let Some(id) = receiver.recv().await {
        acknowledged.push(id);
    }
    for worker in workers {
        worker.await.expect("a worker");
    }

    owner.post("/api/v1/agents", json!({ "name": "during" })).await.refused(503, "database_unavailable");
    let health = owner.get("/health").await;
    assert_eq!((health.status.as_u16(), &health.json()["database"]), (503, &json!("down")));
    let refused = Start { directory: data.path().join("other"), ..start }.run().err();
    let refused = refused.expect("no start without the database");
    assert!(refused.errors.contains("database"), "{refused:?}");

    let again = cluster.start();
    assert_eq!(again, url, "the cluster came back in another place");
    let until = Instant::now() + Duration::from_secs(30);
    while owner.post("/api/v1/agents", json!({ "name": "after" })).await.status != 201 {
        assert!(Instant::now() < until, "the server did not find its database again");
    }
    for id in &acknowledged {
        owner.get(&format!("/api/v1/agents/{id}")).await.ok(200);
    }
    owner.get("/api/v1/agents/default:during").await.refused(404, "not_found");
    let verified = owner.get("/api/v1/audit/verify").await.ok(200);
    assert_eq!(verified["verified"], true, "{verified:#}");
    assert_eq!(process.stop(), Some(0));
}
