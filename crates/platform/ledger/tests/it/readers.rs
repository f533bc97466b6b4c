//! Readers of the whole ledger: every event once, in order, wherever they stopped.

use db::{Statement, sql};
use telemetry::Tasks;
use testing::{Engine, TestDatabase, on_both_databases};
use types::Id;

use crate::ledger::{Event, Ledger, LedgerError, LedgerReader};
use crate::node::{Node, created, new_org, scope};

/// Keeps what it has seen; a second copy would be refused by the key.
struct Witness;

impl LedgerReader for Witness {
    const NAME: &'static str = "witness";

    async fn take(&self, events: &[Event]) -> Result<Vec<Statement>, LedgerError> {
        let text = "INSERT INTO seen (seq, fact, kind) VALUES ($1, $2, $3)";
        let row = |event: &Event| {
            let seq = i64::try_from(event.seq).unwrap();
            sql(text, vec![seq.into(), event.id.uuid().into(), event.kind.as_str().into()])
        };
        Ok(events.iter().map(row).collect())
    }
}

async fn prepare(database: &TestDatabase) {
    database.open().await.close().await;
    let hand = database.tamper().await;
    hand.must("CREATE TABLE seen (seq bigint PRIMARY KEY, fact uuid NOT NULL, kind text NOT NULL)").await;
    if hand.engine() == Engine::Postgres {
        hand.must("GRANT ALL ON seen TO safeconduct_system").await;
    }
}

fn read(ledger: &Ledger) -> Tasks {
    ledger.expect_reader::<Witness>();
    let (tasks, ledger) = (Tasks::new(), ledger.clone());
    tasks.spawn("witness", |stop| async move { ledger.feed(&Witness, stop).await });
    tasks
}

async fn assert_all_seen(database: &TestDatabase, count: i64) {
    let hand = database.tamper().await;
    assert_eq!(hand.number("SELECT count(*) FROM seen").await, count);
    let both = "SELECT count(*) FROM seen JOIN leaves ON leaves.seq = seen.seq AND leaves.fact = seen.fact";
    assert_eq!(hand.number(both).await, count);
    assert_eq!(hand.number("SELECT seq FROM ledger_readers WHERE name = 'witness'").await, count);
}

on_both_databases! {
    async fn every_event_is_taken_in_once_across_restarts(database: TestDatabase) {
        prepare(&database).await;
        let org = new_org();
        for round in 1..=3 {
            let node = Node::start(&database).await;
            let reader = read(&node.ledger);
            // More than a page, while the reader works.
            let storm = (0..700).map(|_| node.ledger.append(created(org, "agent")));
            futures::future::try_join_all(storm).await.unwrap();
            node.ledger.drain().await.unwrap();
            assert_all_seen(&database, 700 * round).await;
            reader.shut_down(std::time::Duration::from_secs(20)).await.unwrap();
            node.record(org, 0).await;
            node.stop().await;
        }
    }

    /// As on two nodes: the cursor is moved by one, the other goes on from there.
    async fn two_readers_of_one_name_share_the_work(database: TestDatabase) {
        prepare(&database).await;
        let node = Node::start(&database).await;
        let readers = [read(&node.ledger), read(&node.ledger)];
        let org = new_org();
        let storm = (0..1_500).map(|_| node.ledger.append(created(org, "agent")));
        futures::future::try_join_all(storm).await.unwrap();
        node.ledger.drain().await.unwrap();
        assert_all_seen(&database, 1_500).await;
        for reader in readers {
            reader.shut_down(std::time::Duration::from_secs(20)).await.unwrap();
        }
        node.stop().await;
    }

    async fn a_rewound_reader_sees_everything_again(database: TestDatabase) {
        prepare(&database).await;
        let node = Node::start(&database).await;
        let reader = read(&node.ledger);
        node.record(new_org(), 11).await;
        assert_all_seen(&database, 11).await;
        node.ledger.rewind::<Witness>(vec![sql("DELETE FROM seen", vec![])]).await.unwrap();
        node.record(new_org(), 1).await;
        assert_all_seen(&database, 12).await;
        reader.shut_down(std::time::Duration::from_secs(20)).await.unwrap();
        node.stop().await;
    }

    /// One fact that cannot be opened stops no reader, no list and no stream.
    async fn a_broken_fact_stops_no_reader(database: TestDatabase) {
        prepare(&database).await;
        let node = Node::start(&database).await;
        let org = new_org();
        let facts = node.record(org, 3).await;
        let hand = database.tamper().await;
        hand.drop_triggers("facts").await;
        let broken = hand.bytes(&[1, 2, 3]);
        hand.must(&format!("UPDATE facts SET private = {broken} WHERE id = (SELECT fact FROM leaves WHERE seq = 1)")).await;
        let reader = read(&node.ledger);
        node.ledger.drain().await.unwrap();
        let seen = hand.rows("SELECT seq FROM seen ORDER BY seq").await.concat();
        assert_eq!(seen, [Some("0".to_owned()), Some("2".to_owned())]);
        let followed = node.ledger.follow(&scope(org), 0).next().await.unwrap();
        assert_eq!(followed.iter().map(|event| event.id).collect::<Vec<_>>(), [facts[0], facts[2]]);
        assert_eq!(node.ledger.events(&scope(org), &facts).await.unwrap().len(), 2);
        assert!(matches!(node.ledger.event(&scope(org), facts[1]).await, Err(LedgerError::Broken(_))));
        reader.shut_down(std::time::Duration::from_secs(20)).await.unwrap();
        node.stop().await;
    }
}
