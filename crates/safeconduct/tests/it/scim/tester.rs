//! The public SCIM tester from PyPI finds nothing to complain about.

use std::path::Path;

use super::Setting;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_public_tester_finds_no_fault() {
    let setting = Setting::of(testing::TestDatabase::sqlite()).await;
    let directory = setting.holding("tester", &["viewer"]).await;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/scim/tester.py");
    let mut command = tokio::process::Command::new(testing::scim_tester());
    command.arg(script).arg(format!("{}/scim/v2", setting.server.url()));
    command.arg(directory.bearer.as_deref().unwrap()).arg("proved.example").env_clear();
    let output = command.output().await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let passed: u32 =
        said.trim().strip_prefix("SUCCESS=").and_then(|count| count.parse().ok()).unwrap_or_default();
    assert!(passed > 80, "{said}");
    setting.server.finish().await;
}
