//! A full disk: a data directory on a small tmpfs. Writes are refused with a clear error, nothing is lost, and freed space
//! is enough to go on.

use std::io::Write;
use std::path::PathBuf;

use serde_json::json;

use crate::support::Start;

/// In a mount namespace of its own, so that an ordinary user can do it too; `$1` is the directory.
const MOUNTED: &str = r#"mount -t tmpfs -o size=64m,mode=0700 tmpfs "$1" && shift && exec "$@""#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_and_loses_nothing() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut start = Start::in_directory(directory.path());
    let path = directory.path().display().to_string();
    let wrapper = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", MOUNTED, "sh", &path];
    start.wrapper = wrapper.iter().map(|word| (*word).to_owned()).collect();
    let process = start.run().expect("the server starts on a small disk");
    // The namespace's own view of the directory.
    let inside = PathBuf::from(format!("/proc/{}/root{path}", process.pid()));
    let owner = process.owner(directory.path()).await;
    owner.post("/api/v1/agents", json!({ "name": "before" })).await.ok(201);

    let filler = inside.join("filler");
    fill(&filler);
    let mut refused = 0;
    for number in 0..200 {
        let body = json!({ "name": format!("during-{number}"), "description": "x".repeat(3000) });
        let answer = owner.post("/api/v1/agents", body).await;
        if answer.status != 201 {
            answer.refused(507, "storage_full");
            refused += 1;
        }
    }
    assert!(refused > 0, "the disk was never full");
    owner.get("/api/v1/agents/default:before").await.ok(200);

    std::fs::remove_file(&filler).expect("space again");
    owner.post("/api/v1/agents", json!({ "name": "after" })).await.ok(201);
    let verified = owner.get("/api/v1/audit/verify").await.ok(200);
    assert_eq!(verified["verified"], true, "{verified:#}");
    assert_eq!(process.stop(), Some(0));
}

/// Writes until nothing more fits.
fn fill(path: &std::path::Path) {
    let mut file = std::fs::File::create(path).expect("a file");
    let block = vec![0_u8; 1 << 20];
    while file.write_all(&block).is_ok() {}
    while file.write_all(&block[..4096]).is_ok() {}
}
