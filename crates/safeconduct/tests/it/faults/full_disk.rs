//! A full disk: a data directory on a small tmpfs. Writes are refused with a clear error, nothing is lost, not even by
//! a kill -9 afterwards, and freed space is enough to go on.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Caller, Start};

/// `$1` becomes a small disk for as long as somebody holds the other end of the pipe.
const MOUNTED: &str = r#"mount -t tmpfs -o size=64m,mode=0700 tmpfs "$1" && echo mounted && exec cat"#;

/// In a mount namespace of its own, so that an ordinary user can do it too; it outlives the servers that run in it.
struct SmallDisk {
    keeper: Child,
    directory: PathBuf,
}

impl SmallDisk {
    fn mounted_at(directory: &Path) -> Self {
        let mut keeper = Command::new("unshare")
            .args(["--user", "--map-root-user", "--mount", "sh", "-c", MOUNTED, "sh"])
            .arg(directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("unshare of util-linux starts");
        let mut line = String::new();
        let output = keeper.stdout.take().expect("a pipe");
        BufReader::new(output).read_line(&mut line).expect("an answer");
        assert_eq!(line, "mounted\n", "no small disk; the reason stands above");
        Self { keeper, directory: directory.to_owned() }
    }

    /// A server on it.
    fn start(&self) -> Start {
        let target = self.keeper.id().to_string();
        let wrapper = ["nsenter", "--preserve-credentials", "--user", "--mount", "--target", &target];
        let mut start = Start::in_directory(&self.directory);
        start.wrapper = wrapper.iter().map(|word| (*word).to_owned()).collect();
        start
    }

    /// The directory as one reaches it from outside.
    fn inside(&self) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root{}", self.keeper.id(), self.directory.display()))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Already gone is as good.
        let _ = self.keeper.kill();
        let _ = self.keeper.wait();
    }
}

/// What was asked for, by the answer.
#[derive(Default)]
struct Told {
    /// Id and name.
    acknowledged: Vec<(String, String)>,
    refused: Vec<String>,
}

impl Told {
    async fn register(&mut self, owner: &Caller, name: &str) {
        let body = json!({ "name": name, "description": "x".repeat(3000) });
        let answer = owner.post("/api/v1/agents", body).await;
        if answer.status == 201 {
            self.acknowledged
                .push((answer.json()["id"].as_str().expect("an id").to_owned(), name.to_owned()));
        } else {
            answer.refused(507, "storage_full");
            self.refused.push(name.to_owned());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_and_loses_nothing() {
    let directory = tempfile::tempdir().expect("a directory");
    let disk = SmallDisk::mounted_at(directory.path());
    let mut process = disk.start().run().expect("the server starts on a small disk");
    let owner = process.owner(&disk.inside()).await;
    let mut told = Told::default();
    told.register(&owner, "before").await;

    let filler = disk.inside().join("filler");
    fill(&filler);
    for number in 0..200 {
        told.register(&owner, &format!("during-{number}")).await;
    }
    assert!(!told.refused.is_empty(), "the disk was never full");
    assert!(told.acknowledged.len() > 1, "the disk was full at once");
    owner.get("/api/v1/agents/default:before").await.ok(200);

    std::fs::remove_file(&filler).expect("space again");
    let refused = told.refused.len();
    told.register(&owner, "after").await;
    assert_eq!(told.refused.len(), refused, "refused with free space");

    process.kill();
    let process = disk.start().run().expect("the server starts again");
    let owner = process.owner(&disk.inside()).await;
    for (id, name) in &told.acknowledged {
        let agent = owner.get(&format!("/api/v1/agents/{id}")).await.ok(200);
        assert_eq!(&agent["name"], name);
    }
    for name in &told.refused {
        owner.get(&format!("/api/v1/agents/default:{name}")).await.refused(404, "not_found");
    }
    // The export follows the ledger: right after the start it may still be on its way.
    let until = Instant::now() + Duration::from_secs(60);
    while recorded(&owner).await != told.acknowledged.len() {
        assert!(Instant::now() < until, "not one fact for each that was acknowledged");
    }
    let verified = owner.get("/api/v1/audit/verify").await.ok(200);
    assert_eq!(verified["verified"], true, "{verified:#}");
    assert_eq!(process.stop(), Some(0));
}

/// How many agents the ledger knows to have been registered.
async fn recorded(owner: &Caller) -> usize {
    let lines = owner.get("/api/v1/audit/export?format=jsonl").await.text;
    let facts = lines.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    facts.filter(|fact| fact["kind"] == "agent.created").count()
}

/// Writes until nothing more fits, and gives back as much as a few agents need.
fn fill(path: &Path) {
    let mut file = std::fs::File::create(path).expect("a file");
    let block = vec![0_u8; 1 << 20];
    while file.write_all(&block).is_ok() {}
    while file.write_all(&block[..4096]).is_ok() {}
    let length = file.metadata().expect("a length").len();
    file.set_len(length - (256 << 10)).expect("a shorter file");
}
