//! The authority log: one revision after the other, without gaps, each heard before its commit is answered.

use std::sync::Arc;

use db::{AuthorityEntry, AuthorityObserver, Change, CommitError, sql};
use futures::future::BoxFuture;
use parking_lot::Mutex;
use testing::on_both_databases;

use crate::db;
use crate::shelf::{MISSING, Shelf, new_id};

#[derive(Default)]
struct Heard(Mutex<Vec<i64>>);

impl AuthorityObserver for Heard {
    fn reached(&self, revision: i64) -> BoxFuture<'static, ()> {
        self.0.lock().push(revision);
        Box::pin(async {})
    }
}

fn entry(shelf: &Shelf) -> AuthorityEntry {
    AuthorityEntry::changed(shelf.org, "agent", new_id())
}

on_both_databases! {
    async fn revisions_have_no_gaps(database: TestDatabase) {
        let shelf = Shelf::new(&database).await;
        let heard = Arc::new(Heard::default());
        shelf.db.observe_authority(heard.clone());
        let changes = (0..100).map(|number| {
            let change = Change::new(shelf.scope(), shelf.fact()).authority(entry(&shelf).died());
            let change = if number % 2 == 0 { change.authority(entry(&shelf)) } else { change };
            // Every fifth is refused after it might have taken a revision.
            let refused = sql("DELETE FROM things WHERE name = 'nobody'", vec![]).one_row_or(&MISSING);
            shelf.db.commit(if number % 5 == 0 { change.with(refused) } else { change })
        });
        let answers = futures::future::join_all(changes).await;
        let mut revisions: Vec<i64> = answers
            .iter()
            .filter_map(|answer| match answer {
                Ok(committed) => Some(committed.authority_revision.unwrap()),
                Err(CommitError::Refused(code)) => {
                    assert_eq!(**code, MISSING);
                    None
                }
                Err(error) => panic!("{error}"),
            })
            .collect();
        revisions.sort_unstable();
        let expected: Vec<i64> = (1..=80).collect();
        assert_eq!(revisions, expected);
        heard.0.lock().sort_unstable();
        assert_eq!(*heard.0.lock(), expected);
        let (hand, of) = (&shelf.hand, |text: &str| format!("SELECT {text} FROM authority_log"));
        assert_eq!(hand.number("SELECT revision FROM authority_head").await, 80);
        assert_eq!(hand.number(&of("count(DISTINCT revision)")).await, 80);
        assert_eq!(hand.number(&of("count(*)")).await, 120, "every second change has two entries");
        assert_eq!(hand.number(&of("max(ordinal)")).await, 1);
        assert_eq!(shelf.facts().await, 80);
    }

    async fn a_change_of_nothing_takes_no_revision(database: TestDatabase) {
        let shelf = Shelf::new(&database).await;
        let committed = shelf.db.commit(Change::new(shelf.scope(), shelf.fact())).await.unwrap();
        assert_eq!(committed.authority_revision, None);
        assert_eq!(shelf.hand.number("SELECT revision FROM authority_head").await, 0);
    }
}

/// Another node of the same PostgreSQL hears of revisions and of queued work.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_nodes_hear() {
    let database = testing::TestDatabase::postgres().await;
    let shelf = Shelf::new(&database).await;
    let other = database.open().await;
    let (mut notices, mut queue) = (other.authority_notices().unwrap(), other.queue_signal());
    queue.mark_unchanged();
    // Until the other node listens, nothing tells it; each further change does.
    let heard = async { notices.wait_for(|revision| *revision > 0).await.unwrap().to_owned() };
    let change = async {
        loop {
            let change =
                Change::new(shelf.scope(), shelf.fact()).authority(entry(&shelf).died()).wake_queue();
            shelf.db.commit(change).await.unwrap();
        }
    };
    let revision = tokio::select! { revision = heard => revision, () = change => 0 };
    assert!(revision > 0);
    queue.changed().await.unwrap();
}
