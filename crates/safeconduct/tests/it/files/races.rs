//! A hundred racers, on both databases: one winner, nothing lost, never more than there is room for.

use std::collections::BTreeMap;

use serde_json::json;

use super::{COLLECTIONS, CONTENT, begun, got, part, put, reports, rows, stored};
use crate::support::{Caller, TestServer};

async fn race<F>(caller: &Caller, start: impl Fn(Caller, usize) -> F) -> BTreeMap<u16, usize>
where
    F: Future<Output = u16> + Send + 'static,
{
    let racers: Vec<_> =
        (0..100).map(|number| telemetry::spawn("test", start(caller.clone(), number))).collect();
    let mut counts = BTreeMap::new();
    for racer in racers {
        *counts.entry(racer.await.unwrap()).or_default() += 1;
    }
    counts
}

testing::on_both_databases! {
    async fn a_quota_is_not_overrun(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        reports(&owner, json!({ "quota_bytes": 10_500 })).await;
        // Half of them send, half only set room aside.
        let counts = race(&owner, |caller, number| async move {
            match number % 2 {
                0 => put(&caller, &format!("k{number}"), vec![u8::try_from(number).unwrap(); 1000]).await,
                _ => {
                    let body = json!({ "name": format!("k{number}"), "size": 1000 });
                    caller.post(&format!("{COLLECTIONS}/reports/uploads"), body).await
                }
            }
            .status
            .as_u16()
        })
        .await;
        let kept = counts.get(&200).copied().unwrap_or(0);
        let begun = counts.get(&201).copied().unwrap_or(0);
        assert_eq!((kept + begun, counts[&409]), (10, 90), "{counts:?}");
        let tamper = server.database.tamper().await;
        assert_eq!(tamper.number("SELECT bytes FROM file_usage").await, 10_000);
        let of = |count: usize| i64::try_from(count).unwrap();
        assert_eq!((rows(&server, "files").await, rows(&server, "file_uploads").await), (of(kept), of(begun)));
        // What was refused takes no room either.
        assert_eq!((rows(&server, "blobs").await, stored(&server)), (of(kept), kept));
        server.finish().await;
    }

    async fn of_a_hundred_that_compare_and_set_one_wins(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        reports(&owner, json!({ "versions_kept": 100 })).await;
        for (name, value) in [("if-none-match", "*"), ("if-match", "\"1\"")] {
            let counts = race(&owner.with(name, value), |caller, number| async move {
                put(&caller, "prize", format!("of {number}")).await.status.as_u16()
            })
            .await;
            assert_eq!(counts, BTreeMap::from([(200, 1), (412, 99)]), "{name}");
        }
        // Without a condition everybody's content becomes a version.
        let counts = race(&owner, |caller, number| async move {
            put(&caller, "all", format!("of {number}")).await.status.as_u16()
        })
        .await;
        assert_eq!(counts, BTreeMap::from([(200, 100)]));
        let versions = owner.get(&format!("{COLLECTIONS}/reports/versions/all?limit=200")).await.ok(200);
        let hashes: std::collections::BTreeSet<&str> =
            versions["items"].as_array().unwrap().iter().map(|item| item["sha256"].as_str().unwrap()).collect();
        assert_eq!(hashes.len(), 100);
        server.finish().await;
    }

    async fn two_that_go_on_with_one_upload_lose_nothing(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        reports(&owner, json!({})).await;
        let upload = begun(&owner, json!({ "name": "a", "size": 100_000 })).await;
        let counts = race(&owner, |caller, _| {
            let upload = upload.clone();
            async move { part(&caller, &upload, 0, vec![7; 70_000]).await.status.as_u16() }
        })
        .await;
        assert_eq!(counts, BTreeMap::from([(200, 1), (409, 99)]));
        let counts = race(&owner, |caller, _| {
            let upload = upload.clone();
            async move { part(&caller, &upload, 70_000, vec![7; 30_000]).await.status.as_u16() }
        })
        .await;
        assert_eq!(counts[&200], 1, "{counts:?}");
        assert!(counts.keys().all(|status| matches!(status, 200 | 404 | 409)), "{counts:?}");
        assert_eq!(got(&owner, &format!("{CONTENT}/a")).await.body, vec![7; 100_000]);
        assert_eq!(rows(&server, "file_versions").await, 1);
        server.finish().await;
    }
}
