//! The launcher dies: its runs end by name, and the next ones run under a new launcher.

use serde_json::json;

use super::kill_nine::descendants;
use crate::functions::{ended, function, queue, run};
use crate::support::Start;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn runs_of_a_killed_launcher_end_crashed_and_others_go_on() {
    let directory = tempfile::tempdir().expect("a directory");
    let process = Start::in_directory(directory.path()).run().expect("the server starts");
    let owner = process.owner(directory.path()).await;
    let slow = function(
        &owner,
        "slow",
        "import time\ndef handler(input, context):\n    print('on')\n    time.sleep(600)\n",
    );
    let slow = slow.await;
    let waiting = queue(&owner, &slow, json!({})).await;
    while owner.get(&format!("/api/v1/runs/{waiting}/logs")).await.ok(200)["items"] == json!([]) {}
    // The server's first child; everything else hangs below it.
    let launcher = *descendants(process.pid()).first().expect("a launcher");
    let pid = rustix::process::Pid::from_raw(i32::try_from(launcher).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    let crashed = ended(&owner, &waiting).await;
    assert_eq!((&crashed["status"], &crashed["error"]["kind"]), (&json!("failed"), &json!("crashed")));
    let quick = function(&owner, "quick", "def handler(input, context):\n    return 1\n").await;
    assert_eq!(run(&owner, &quick, json!({})).await["output"], 1);
    assert_eq!(process.stop(), Some(0));
}
