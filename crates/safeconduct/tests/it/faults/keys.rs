//! The key-encryption key: missing or wrong means no start, never a new key.

use crate::support::Start;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_or_missing_key_refuses_the_start() {
    let directory = tempfile::tempdir().expect("a directory");
    let start = Start::in_directory(directory.path());
    assert_eq!(start.run().expect("a first start").stop(), Some(0));
    let path = directory.path().join("encryption.key");
    let key = std::fs::read_to_string(&path).expect("the key file");

    std::fs::remove_file(&path).expect("the key goes away");
    let refused = start.run().err().expect("no start without the key");
    assert!(refused.code != Some(0) && refused.errors.contains("encryption.key"), "{refused:?}");
    assert!(!path.exists(), "no new key was made");

    write_private(&path, &"ab".repeat(32));
    let refused = start.run().err().expect("no start with another key");
    assert!(refused.code != Some(0), "{refused:?}");
    assert!(
        !refused.errors.contains(&"ab".repeat(32)) && !refused.errors.contains(key.trim()),
        "{refused:?}"
    );

    write_private(&path, &key);
    assert_eq!(start.run().expect("the right key opens again").stop(), Some(0));
}

fn write_private(path: &std::path::Path, text: &str) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(path, text).expect("a key file");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).expect("private");
}
