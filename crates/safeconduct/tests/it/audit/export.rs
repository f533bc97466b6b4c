//! Exports: lines, tables, and bundles that verify without us.

use serde_json::{Value, json};

use crate::support::TestServer;

testing::on_both_databases! {
    async fn a_bundle_verifies_with_the_pinned_key_alone(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        for number in 0..5 {
            owner.post("/api/v1/agents", json!({ "name": format!("agent-{number}") })).await.ok(201);
        }
        server.house().ledger.drain().await.expect("the ledger drains");
        let key = owner.get("/api/v1/audit/checkpoint").await.ok(200)["key"].as_str().expect("a key").to_owned();
        let path = format!("{}/api/v1/audit/export?format=bundle", owner.url);
        let request = owner.http.get(path).header("cookie", owner.cookie.clone().expect("a cookie"));
        let response = request.send().await.expect("an answer");
        assert!(response.headers()["content-disposition"].to_str().expect("text").contains("attachment"));
        let mut bundle = response.bytes().await.expect("a body").to_vec();
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("ledger.bundle");
        let verify = |bytes: &[u8]| {
            std::fs::write(&file, bytes).expect("a file");
            // In a namespace without a network; `unshare` is part of util-linux.
            let mut command = std::process::Command::new("unshare");
            command.args(["-rn", crate::support::PROGRAM, "audit", "verify"]).arg(&file).args(["--key", &key]);
            command.current_dir(directory.path()).env_clear().env("HOME", directory.path());
            command.output().expect("unshare of util-linux starts")
        };
        let output = verify(&bundle);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        // Any byte: here one in the middle.
        let middle = bundle.len() / 2;
        bundle[middle] ^= 1;
        let output = verify(&bundle);
        assert_eq!(output.status.code(), Some(4), "{}", String::from_utf8_lossy(&output.stderr));
        server.finish().await;
    }

    async fn lines_and_tables_are_whole_and_in_order(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        owner.post("/api/v1/agents", json!({ "name": "formula", "display_name": "=1+1,\"x\"" })).await.ok(201);
        server.house().ledger.drain().await.expect("the ledger drains");
        let lines = owner.get("/api/v1/audit/export?format=jsonl").await;
        let numbers: Vec<u64> = lines
            .text
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).expect("JSON")["org_seq"].as_u64().expect("a number"))
            .collect();
        assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>());
        let table = owner.get("/api/v1/audit/export?format=csv").await;
        assert!(table.text.starts_with("org_seq,id,occurred_at,kind"));
        assert_eq!(table.text.lines().count(), numbers.len() + 1);
        assert!(table.text.contains("\"'=1+1,\"\"x\"\"\""), "{}", table.text);
        let part = owner.get("/api/v1/audit/export?format=jsonl&first=2&last=3").await;
        assert_eq!(part.text.lines().count(), 2);
        owner.get("/api/v1/audit/export?format=pdf").await.refused(422, "validation_failed");
        server.finish().await;
    }
}
