//! Two servers on one embedded database would corrupt it: the second is refused, the first goes on.

use std::process::Command;

use crate::support::{PROGRAM, Start};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_server_on_one_directory_is_refused() {
    let directory = tempfile::tempdir().expect("a directory");
    let start = Start::in_directory(directory.path());
    let first = start.run().expect("the first starts");
    let refused = start.run().err().expect("the second does not");
    assert!(refused.errors.contains("another server holds"), "{refused:?}");
    let health = first.anonymous().get("/health").await.ok(200);
    assert_eq!(health["status"], "ok");
    assert_eq!(first.stop(), Some(0));
}

/// A link for the wrong directory would be a link for nobody's server, and leave an installation behind.
#[test]
fn a_link_is_not_made_where_no_installation_lies() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut command = Command::new(PROGRAM);
    let said = command.args(["admin", "link", "--data-dir"]).arg(directory.path()).output().expect("an end");
    let error = String::from_utf8_lossy(&said.stderr);
    assert!(!said.status.success() && said.stdout.is_empty(), "{said:?}");
    assert!(error.contains("no installation lies in"), "{error}");
    assert_eq!(directory.path().read_dir().expect("a list").count(), 0, "nothing was left behind");
}
