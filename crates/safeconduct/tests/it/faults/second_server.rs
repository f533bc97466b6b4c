//! Two servers on one embedded database would corrupt it: the second is refused, the first goes on.

use crate::support::Start;

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
