//! A hundred racers, on both databases: nothing lost, one winner, never more than there is room for.

use std::collections::BTreeMap;

use serde_json::json;

use super::{NOTES, STATE, facts, notes};
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
    async fn a_hundred_increments_lose_nothing(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        notes(&owner, json!({ "history_depth": 100 })).await;
        let counts = race(&owner, |caller, _| async move {
            caller.post(&format!("{STATE}/notes/increment/n"), json!({})).await.status.as_u16()
        })
        .await;
        assert_eq!(counts, BTreeMap::from([(200, 100)]));
        assert_eq!(owner.get(&format!("{NOTES}/n")).await.ok(200)["value"], 100);
        assert_eq!(facts(&server, "state.entry_written").await, 100);
        let history = owner.get(&format!("{STATE}/notes/history/n?limit=200")).await.ok(200);
        assert_eq!(history["items"].as_array().unwrap().len(), 100);
        server.finish().await;
    }

    async fn of_a_hundred_that_compare_and_set_one_wins(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        notes(&owner, json!({})).await;
        for (name, value) in [("if-none-match", "*"), ("if-match", "\"1\"")] {
            let counts = race(&owner.with(name, value), |caller, number| async move {
                caller.put(&format!("{NOTES}/prize"), json!({ "value": number })).await.status.as_u16()
            })
            .await;
            assert_eq!(counts, BTreeMap::from([(200, 1), (412, 99)]), "{name}");
        }
        assert_eq!(owner.get(&format!("{NOTES}/prize")).await.ok(200)["revision"], 2);
        server.finish().await;
    }

    async fn a_quota_is_not_overrun(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        notes(&owner, json!({ "quota_entries": 10 })).await;
        let counts = race(&owner, |caller, number| async move {
            caller.put(&format!("{NOTES}/k{number}"), json!({ "value": number })).await.status.as_u16()
        })
        .await;
        assert_eq!(counts, BTreeMap::from([(200, 10), (409, 90)]));
        let tamper = server.database.tamper().await;
        assert_eq!(tamper.number("SELECT count(*) FROM state_entries").await, 10);
        assert_eq!(tamper.number("SELECT entries FROM state_usage").await, 10);
        server.finish().await;
    }

    async fn a_namespace_that_goes_takes_no_entry_with_it(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let owner = server.owner().await;
        notes(&owner, json!({})).await;
        let counts = race(&owner, |caller, number| async move {
            let answer = match number {
                20 => caller.delete(&format!("{STATE}/notes")).await,
                _ => caller.put(&format!("{NOTES}/k{number}"), json!({ "value": 1 })).await,
            };
            answer.status.as_u16()
        })
        .await;
        let tamper = server.database.tamper().await;
        let (namespaces, entries) = (
            tamper.number("SELECT count(*) FROM state_namespaces").await,
            tamper.number("SELECT count(*) FROM state_entries").await,
        );
        // Either it went before the first, or it stayed for all of them.
        match namespaces {
            0 => assert_eq!((entries, counts), (0, BTreeMap::from([(200, 1), (404, 99)]))),
            _ => assert_eq!((entries, counts), (99, BTreeMap::from([(200, 99), (409, 1)]))),
        }
        server.finish().await;
    }
}
