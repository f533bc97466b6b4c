//! Passwords are hashed in a process of its own: nice as a whole, replaced when it dies, gone with its server.

use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use crate::support::{Caller, Process, Start};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_process_of_passwords_is_nice_is_replaced_and_ends_with_the_server() {
    let directory = tempfile::tempdir().expect("a directory");
    let server = Start::in_directory(directory.path()).run().expect("a server");
    assert_eq!(hasher_of(server.pid()), None, "nobody has signed in yet");
    let owner = server.owner(directory.path()).await;
    let provider = json!({ "name": "password", "kind": "password", "instance": true });
    owner.post("/api/v1/auth-providers", provider).await.ok(201);

    guess(&server, "ada@example.com").await;
    let first = hasher_of(server.pid()).expect("a process");
    assert_eq!(stat(first, 6), first, "it leads a session");
    assert!(stat(first, 19) >= 10, "it is nice");
    // Empty where the kernel does not group by session.
    let group = std::fs::read_to_string(format!("/proc/{first}/autogroup")).unwrap_or_default();
    assert!(group.is_empty() || group.trim_end().ends_with("nice 10"), "{group}");
    let environment = std::fs::read(format!("/proc/{first}/environ"));
    assert!(environment.is_err() || environment.is_ok_and(|bytes| bytes.is_empty()), "it needs nothing");

    let pid = Pid::from_raw(i32::try_from(first).expect("a number")).expect("a process");
    kill_process(pid, Signal::KILL).expect("a signal");
    guess(&server, "bob@example.com").await;
    let second = hasher_of(server.pid()).expect("another process");
    assert_ne!(first, second);

    assert_eq!(server.stop(), Some(0));
    let until = Instant::now() + Duration::from_secs(20);
    while Path::new(&format!("/proc/{second}")).exists() {
        assert!(Instant::now() < until, "{second} outlived its server");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Somebody who is not known costs the work as well.
async fn guess(server: &Process, login: &str) {
    let caller = Caller { headers: vec![("origin", server.url.clone())], ..server.anonymous() };
    let body = json!({ "input": { "login": login, "password": "wrong-wrong-wrong" } });
    caller.post("/api/v1/auth/password/login", body).await.refused(401, "sign_in_refused");
}

/// The child that hashes for this server.
fn hasher_of(server: u32) -> Option<i64> {
    let processes = std::fs::read_dir("/proc").expect("processes").filter_map(Result::ok);
    let mut ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    ids.find(|id: &i64| {
        let words = std::fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
        words.ends_with(b"\0password-hasher\0") && stat(*id, 4) == i64::from(server)
    })
}

/// A field of `/proc/…/stat`, numbered as in proc(5); 0 if the process is gone.
fn stat(id: i64, field: usize) -> i64 {
    let text = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    let behind_name = text.rsplit_once(") ").map_or("", |(_, rest)| rest);
    behind_name.split(' ').nth(field - 3).and_then(|word| word.parse().ok()).unwrap_or(0)
}
