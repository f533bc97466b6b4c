//! PostgreSQL goes away – at start, and under a running server – and comes back.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::Start;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/postgres.sh");

/// A PostgreSQL of this test's own, which it may stop.
fn postgres(act: &str, directory: &Path) -> String {
    let output = Command::new("bash").arg(SCRIPT).arg(act).arg(directory).output().expect("the script runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

fn prepare(directory: &Path, start: Start) -> (Start, String) {
    let printed = postgres("start", directory);
    let admin = printed.lines().find_map(|line| line.strip_prefix("url=")).expect("a URL").to_owned();
    let roles = Command::new(crate::support::PROGRAM).args(["db", "init", "--admin-url", &admin]).output();
    let text = String::from_utf8(roles.expect("the roles").stdout).expect("text");
    let mut start = start;
    for line in text.lines() {
        if let Some((key, url)) = line.split_once(" = ") {
            start = start.set(&format!("database.{key}"), url.trim_matches('"'));
        }
    }
    (start, admin)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_goes_away_is_said_and_survived() {
    let (cluster, data) =
        (tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory"));
    open_to_all(cluster.path());
    let start = Start::in_directory(data.path()).set("keys.encryption_key", "ef".repeat(32));
    let (start, _) = prepare(cluster.path(), start);
    let process = start.run().expect("the server starts");
    let owner = process.owner(data.path()).await;
    owner.post("/api/v1/agents", json!({ "name": "before" })).await.ok(201);
    postgres("stop", cluster.path());
    let answer = owner.post("/api/v1/agents", json!({ "name": "during" })).await;
    assert_eq!(answer.status.as_u16(), 503, "{}", answer.text);
    let health = owner.get("/health").await;
    assert_eq!((health.status.as_u16(), &health.json()["database"]), (503, &json!("down")));

    let refused = Start { directory: data.path().join("other"), ..start.clone() }.run().err();
    let refused = refused.expect("no start without the database");
    assert!(refused.errors.contains("database"), "{refused:?}");

    let again = postgres("start", cluster.path());
    let port = |text: &str| text.lines().find_map(|line| line.strip_prefix("url=")).map(str::to_owned);
    let until = Instant::now() + Duration::from_secs(30);
    let same_place = start.settings.iter().any(|(_, url)| place(url) == place(&port(&again).expect("a URL")));
    if same_place {
        while owner.post("/api/v1/agents", json!({ "name": "after" })).await.status != 201 {
            assert!(Instant::now() < until, "the server did not find its database again");
        }
        owner.get("/api/v1/agents/default:before").await.ok(200);
        owner.get("/api/v1/agents/default:during").await.refused(404, "not_found");
    }
    assert!(same_place, "the cluster came back on another port: {again}");
    drop(process);
    postgres("stop", cluster.path());
}

/// `host:port/name` of a URL.
fn place(url: &str) -> &str {
    url.rsplit_once('@').map_or(url, |(_, place)| place)
}

/// The cluster's own user must reach its directory.
fn open_to_all(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).expect("rights");
}
