//! Every fact gets its place: once, in order, without gaps, whoever leads and whatever happens to the database.

use testing::{Engine, on_both_databases};
use types::OrgId;

use crate::ledger::{Ack, Ledger, LedgerError, LedgerSettings, VerifyFrom};
use crate::node::{Node, created, new_org, scope};

async fn assert_whole(ledger: &Ledger, orgs: &[OrgId]) {
    for org in orgs {
        let found = ledger.verify(&scope(*org), VerifyFrom::Start, None).await.unwrap();
        assert!(found.verified, "{found:?}");
    }
    let found = ledger.verify_log(VerifyFrom::Start).await.unwrap();
    assert!(found.verified, "{found:?}");
}

/// Takes the log over, whoever leads it, and sequences what is there.
async fn sequence(ledger: &Ledger) -> Result<(), LedgerError> {
    let mut drive = ledger.drive().await?;
    while drive.step().await? > 0 {}
    drive.sign().await
}

on_both_databases! {
    async fn facts_get_places_without_gaps(database: TestDatabase) {
        let node = Node::start(&database).await;
        let (one, other) = (new_org(), new_org());
        let first = node.record(one, 3).await;
        node.record(other, 2).await;
        let last = node.record(one, 2).await;

        let mut follow = node.ledger.follow(&scope(one), 0);
        let events = follow.next().await.unwrap();
        let ids: Vec<_> = events.iter().map(|event| event.id).collect();
        assert_eq!(ids, [first, last].concat());
        assert_eq!(events.iter().map(|event| event.org_seq).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
        assert_eq!(events.iter().map(|event| event.seq).collect::<Vec<_>>(), [0, 1, 2, 5, 6]);
        let progress = node.ledger.progress();
        assert_eq!((progress.size, progress.checkpoint), (7, 7));
        assert_whole(&node.ledger, &[one, other]).await;
        node.stop().await;
    }

    /// More than a batch, from many hands, over several organizations.
    async fn a_storm_is_sequenced_whole(database: TestDatabase) {
        let node = Node::start(&database).await;
        let orgs: Vec<OrgId> = (0..5).map(|_| new_org()).collect();
        let storm = (0..3_000).map(|number| node.ledger.append(created(orgs[number % 5], "agent")));
        futures::future::try_join_all(storm).await.unwrap();
        node.ledger.drain().await.unwrap();
        assert_eq!(node.ledger.progress().size, 3_000);
        for org in &orgs {
            assert_eq!(node.ledger.newest(&scope(*org)).await.unwrap(), 600);
        }
        assert_whole(&node.ledger, &orgs).await;
        node.stop().await;
    }

    async fn a_restart_goes_on_where_it_was(database: TestDatabase) {
        let org = new_org();
        for round in 1..=3 {
            let node = Node::start(&database).await;
            node.record(org, 300).await;
            assert_eq!(node.ledger.newest(&scope(org)).await.unwrap(), 300 * round);
            assert_whole(&node.ledger, &[org]).await;
            node.stop().await;
        }
    }

    /// What was accepted is in the log and under a checkpoint when the node has stopped.
    async fn stopping_finishes_what_was_accepted(database: TestDatabase) {
        let org = new_org();
        let settings = LedgerSettings { ack: Ack::Fast, ..LedgerSettings::default() };
        let node = Node::start_with(&database, settings).await;
        for _ in 0..500 {
            node.ledger.append(created(org, "agent")).await.unwrap();
        }
        node.stop().await;
        let hand = database.tamper().await;
        assert_eq!(hand.number("SELECT count(*) FROM leaves").await, 500);
        assert_eq!(hand.number("SELECT max(size) FROM checkpoints").await, 500);
    }

    /// Two nodes that both believe to lead: the second takes the log over while the first works on.
    async fn the_fence_lets_one_sequencer_write(database: TestDatabase) {
        let node = Node::silent(&database, LedgerSettings::default()).await;
        let org = new_org();
        let (first, second) = (node.rival(), node.rival());
        for round in 0..20 {
            for _ in 0..20 {
                node.ledger.append(created(org, "agent")).await.unwrap();
            }
            // Each takes over by force and works at the same time as the other.
            let (left, right) = tokio::join!(sequence(&first), sequence(&second));
            assert!(left.is_ok() || right.is_ok(), "{round}: {left:?} {right:?}");
        }
        let node = node.wake();
        node.ledger.drain().await.unwrap();
        assert_eq!(node.ledger.newest(&scope(org)).await.unwrap(), 400);
        assert_whole(&node.ledger, &[org]).await;
        node.stop().await;
    }

    async fn a_sequencer_that_was_replaced_writes_nothing(database: TestDatabase) {
        let node = Node::silent(&database, LedgerSettings::default()).await;
        let org = new_org();
        let mut paused = node.rival().drive().await.unwrap();
        node.ledger.append(created(org, "agent")).await.unwrap();
        let mut successor = node.rival().drive().await.unwrap();
        // With PostgreSQL, other tests' transactions hold facts back until they end.
        while successor.step().await.unwrap() == 0 {}
        node.ledger.append(created(org, "agent")).await.unwrap();
        assert!(matches!(paused.step().await, Err(LedgerError::Fenced)));
        assert!(matches!(paused.sign().await, Err(LedgerError::Fenced)));
        let hand = database.tamper().await;
        assert_eq!(hand.number("SELECT count(*) FROM leaves").await, 1);
    }

    /// The next leader may find that everything is signed already; that is no failure.
    async fn a_log_that_did_not_grow_keeps_its_checkpoint(database: TestDatabase) {
        let node = Node::silent(&database, LedgerSettings::default()).await;
        node.ledger.append(created(new_org(), "agent")).await.unwrap();
        let mut first = node.rival().drive().await.unwrap();
        // With PostgreSQL, other tests' transactions hold facts back until they end.
        while first.step().await.unwrap() == 0 {}
        first.sign().await.unwrap();
        first.sign().await.unwrap();
        sequence(&node.rival()).await.unwrap();
        assert!(matches!(first.sign().await, Err(LedgerError::Fenced)));
        let hand = database.tamper().await;
        assert_eq!(hand.number("SELECT count(*) FROM checkpoints").await, 1);
    }

    async fn lost_tiles_are_built_again(database: TestDatabase) {
        let org = new_org();
        let node = Node::start(&database).await;
        node.record(org, 600).await;
        node.stop().await;
        let hand = database.tamper().await;
        let broken = hand.bytes(&[7; 32]);
        for damage in ["DELETE FROM tiles".to_owned(), format!("UPDATE tiles SET hashes = {broken}")] {
            hand.must(&damage).await;
            let node = Node::start(&database).await;
            node.record(org, 1).await;
            assert!(node.ledger.is_whole());
            assert_whole(&node.ledger, &[org]).await;
            node.stop().await;
        }
    }

    /// The order of insertion lies in the same hands as the table; moving a row must not stop the log.
    async fn a_moved_row_stops_nothing(database: TestDatabase) {
        let org = new_org();
        let node = Node::start(&database).await;
        node.record(org, 5).await;
        let hand = database.tamper().await;
        hand.drop_triggers("facts").await;
        let fact = hand.cell("SELECT fact FROM leaves WHERE seq = 2").await.unwrap();
        let id = hand.uuid(types::Uuid::try_parse(&fact).unwrap());
        hand.must(&match hand.engine() {
            Engine::Sqlite => format!("UPDATE facts SET position = 1000 WHERE id = {id}"),
            Engine::Postgres => format!("UPDATE facts SET tx = '1000000000' WHERE id = {id}"),
        })
        .await;
        node.record(org, 5).await;
        assert_eq!(node.ledger.newest(&scope(org)).await.unwrap(), 10);
        assert_whole(&node.ledger, &[org]).await;
        node.stop().await;
    }
}

/// Data restored into a younger PostgreSQL: its transactions have lower numbers than those that were sequenced.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restored_database_goes_on() {
    let database = testing::TestDatabase::postgres().await;
    let org = new_org();
    let node = Node::start(&database).await;
    node.record(org, 5).await;
    node.stop().await;
    let hand = database.tamper().await;
    hand.must("UPDATE log_head SET position = '99999999999:00000000-0000-0000-0000-000000000000'").await;
    let node = Node::start(&database).await;
    node.record(org, 5).await;
    assert_eq!(node.ledger.newest(&scope(org)).await.unwrap(), 10);
    assert_whole(&node.ledger, &[org]).await;
    node.stop().await;
}

/// Transaction 9 comes before transaction 10, also where a batch ends between them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn transactions_are_taken_in_the_order_of_their_numbers() {
    let database = testing::TestDatabase::postgres().await;
    let node = Node::silent(&database, LedgerSettings::default()).await;
    let org = new_org();
    let facts = (0..1_600).map(|_| node.ledger.append(created(org, "agent")));
    let facts = futures::future::try_join_all(facts).await.unwrap();
    let hand = database.tamper().await;
    hand.drop_triggers("facts").await;
    let border = hand.uuid(types::Id::uuid(facts[500]));
    hand.must(&format!("UPDATE facts SET tx = CASE WHEN id < {border} THEN '9' ELSE '10' END::xid8")).await;
    let mut drive = node.ledger.drive().await.unwrap();
    while drive.step().await.unwrap() > 0 {}
    assert_eq!(hand.number("SELECT count(*) FROM leaves").await, 1_600);
    let seq = |which: &str, tx| {
        format!("SELECT {which}(seq) FROM leaves JOIN facts ON facts.id = fact WHERE tx = '{tx}'")
    };
    assert!(hand.number(&seq("max", 9)).await < hand.number(&seq("min", 10)).await);
    assert_whole(&node.ledger, &[org]).await;
}

/// A fact whose transaction began first but ends last is not left out: nothing behind an open transaction is sequenced.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_transaction_is_not_overtaken() {
    let database = testing::TestDatabase::postgres().await;
    let node = Node::silent(&database, LedgerSettings::default()).await;
    let mut drive = node.ledger.drive().await.unwrap();
    let org = new_org();
    let slow = database.as_role("safeconduct_system").await.unwrap();
    slow.must("BEGIN; INSERT INTO ledger_readers (name, seq) VALUES ('slow', 0)").await;
    node.ledger.append(created(org, "agent")).await.unwrap();
    assert_eq!(drive.step().await.unwrap(), 0, "sequenced although an older transaction is open");
    slow.must("COMMIT").await;
    // Transactions of other tests on the same server count too; they end.
    while drive.step().await.unwrap() == 0 {}
    assert_eq!(node.ledger.newest(&scope(org)).await.unwrap(), 1);
}

/// Two nodes of one PostgreSQL: one leads; when it stops the other does, and both hear of everything.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_lead_moves_to_another_node() {
    let database = testing::TestDatabase::postgres().await;
    let org = new_org();
    let (one, two) = (Node::start(&database).await, Node::start(&database).await);
    one.record(org, 5).await;
    two.record(org, 5).await;
    assert_eq!(two.ledger.progress().size, 10);
    one.stop().await;
    two.record(org, 5).await;
    assert_eq!(two.ledger.newest(&scope(org)).await.unwrap(), 15);
    assert_whole(&two.ledger, &[org]).await;
    two.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn daily_partitions_take_the_facts() {
    let database = testing::TestDatabase::postgres().await;
    let node = Node::start(&database).await;
    let org = new_org();
    node.record(org, 3).await;
    let hand = database.tamper().await;
    assert_eq!(hand.number("SELECT count(*) FROM facts_default").await, 0);
    assert!(hand.number("SELECT count(*) FROM pg_inherits WHERE inhparent = 'facts'::regclass").await >= 3);
    // A partition is no way around the walls of its parent.
    let app = database.as_role("safeconduct_app").await.unwrap();
    let name = hand.cell("SELECT tableoid::regclass::text FROM facts LIMIT 1").await.unwrap();
    assert!(app.run(&format!("SELECT * FROM {name}")).await.unwrap_err().contains("permission denied"));
    node.stop().await;
}
