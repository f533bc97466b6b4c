//! Guards: what a decision relied on still holds when the change is made, also with a hundred deciding at once.

use db::{Change, CommitError, sql};
use testing::on_both_databases;
use types::{FactId, Id};

use crate::db;
use crate::shelf::Shelf;

const RACERS: usize = 100;
const ROOM: i64 = 7;

/// Puts a thing into the box if there is room; decides again as often as it was overtaken.
async fn put(shelf: &Shelf, container: FactId, name: &str) -> bool {
    loop {
        let revision = revision(shelf, container).await;
        let count = sql("SELECT count(*) FROM things WHERE box = $1", vec![container.uuid().into()]);
        let count: i64 = shelf.db.read_one(shelf.scope(), count).await.unwrap().unwrap().next().unwrap();
        if count >= ROOM {
            return false;
        }
        let change = Change::new(shelf.scope(), shelf.fact())
            .statement(shelf.insert_into(container.uuid(), name))
            .guard_count("boxes", container, revision);
        match shelf.db.commit(change).await {
            Ok(_) => return true,
            Err(CommitError::Stale) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

async fn revision(shelf: &Shelf, container: FactId) -> i64 {
    let read = sql("SELECT revision FROM boxes WHERE id = $1", vec![container.uuid().into()]);
    shelf.db.read_one(shelf.scope(), read).await.unwrap().unwrap().next().unwrap()
}

fn touch(container: FactId, revision: i64) -> db::Statement {
    let text = "UPDATE boxes SET revision = revision + 1 WHERE id = $1 AND revision = $2";
    sql(text, vec![container.uuid().into(), revision.into()]).fresh()
}

on_both_databases! {
    async fn a_limit_holds_under_a_hundred_racers(database: TestDatabase) {
        let shelf = Shelf::new(&database).await;
        let container = shelf.new_box().await;
        let names: Vec<String> = (0..RACERS).map(|number| format!("thing {number}")).collect();
        let racers = names.iter().map(|name| put(&shelf, container, name));
        let won = futures::future::join_all(racers).await.into_iter().filter(|won| *won).count();
        assert_eq!(won, usize::try_from(ROOM).unwrap());
        assert_eq!((shelf.names().await.len(), shelf.facts().await), (won, ROOM));
        assert_eq!(revision(&shelf, container).await, 1 + ROOM);
    }

    /// A hundred want to use a box of revision 1 while somebody changes it: each use was made on the state that it saw.
    async fn a_row_that_changed_stops_whoever_relied_on_it(database: TestDatabase) {
        let shelf = Shelf::new(&database).await;
        let container = shelf.new_box().await;
        let uses = (0..RACERS).map(|number| {
            let change = Change::new(shelf.scope(), shelf.fact()).statement(shelf.insert(&format!("use {number}")));
            shelf.db.commit(change.guard("boxes", container, 1))
        });
        let change = shelf.db.commit(Change::new(shelf.scope(), shelf.fact()).statement(touch(container, 1)));
        let (uses, changed) = tokio::join!(futures::future::join_all(uses), change);
        changed.unwrap();
        let made = uses.iter().filter(|answer| answer.is_ok()).count();
        assert!(uses.iter().all(|answer| matches!(answer, Ok(_) | Err(CommitError::Stale))), "{uses:?}");
        assert_eq!(shelf.names().await.len(), made);
        let late = Change::new(shelf.scope(), shelf.fact()).statement(shelf.insert("late")).guard("boxes", container, 1);
        assert!(matches!(shelf.db.commit(late).await, Err(CommitError::Stale)));
    }

    /// Many share a guard without waiting for each other.
    async fn shared_guards_do_not_refuse_each_other(database: TestDatabase) {
        let shelf = Shelf::new(&database).await;
        let container = shelf.new_box().await;
        let uses = (0..RACERS).map(|number| {
            let change = Change::new(shelf.scope(), shelf.fact()).statement(shelf.insert(&format!("use {number}")));
            shelf.db.commit(change.guard("boxes", container, 1))
        });
        futures::future::try_join_all(uses).await.unwrap();
        assert_eq!(shelf.names().await.len(), RACERS);
    }

    /// Changes that guard the same rows in any order come to an end: one of each pair is made or decides again.
    async fn guards_in_a_circle_do_not_hang(database: TestDatabase) {
        let shelf = Shelf::new(&database).await;
        let boxes = [shelf.new_box().await, shelf.new_box().await, shelf.new_box().await];
        for round in 1..=10 {
            let changes = (0..12).map(|number| {
                let change = Change::new(shelf.scope(), shelf.fact());
                let guarded = |change: Change, at: usize| change.guard_count("boxes", boxes[(number + at) % 3], round);
                shelf.db.commit(guarded(guarded(guarded(change, 0), 1), 2))
            });
            let answers = futures::future::join_all(changes).await;
            assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1, "{answers:?}");
            assert!(answers.iter().all(|answer| matches!(answer, Ok(_) | Err(CommitError::Stale))), "{answers:?}");
        }
    }

    /// Whoever looks at a row and advances it holds it once: a shared hold first would have each wait for the other.
    async fn looking_and_advancing_never_waits_in_a_circle(database: TestDatabase) {
        let shelf = Shelf::new(&database).await;
        let container = shelf.new_box().await;
        let racers = (0..RACERS).map(|number| {
            let change = Change::new(shelf.scope(), shelf.fact()).statement(shelf.insert(&format!("use {number}")));
            let change = change.guard("boxes", container, 1);
            shelf.db.commit(if number % 2 == 0 { change.guard_count("boxes", container, 1) } else { change.advance("boxes", container) })
        });
        let answers = futures::future::join_all(racers).await;
        assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1, "{answers:?}");
        assert!(answers.iter().all(|answer| matches!(answer, Ok(_) | Err(CommitError::Stale))), "{answers:?}");
        let change = Change::new(shelf.scope(), shelf.fact()).guard("boxes", container, 1).advance("boxes", container);
        assert!(matches!(shelf.db.commit(change.guard("boxes", container, 2)).await, Err(CommitError::Stale)));
    }

    /// An advance asks for no revision, and stops whoever relied on the one before; a change may do both itself.
    async fn an_advance_stops_whoever_relied_on_the_state_before(database: TestDatabase) {
        let shelf = Shelf::new(&database).await;
        let container = shelf.new_box().await;
        let change = || Change::new(shelf.scope(), shelf.fact());
        for _ in 0..2 {
            shelf.db.commit(change().advance("boxes", container)).await.unwrap();
        }
        assert!(matches!(shelf.db.commit(change().guard("boxes", container, 1)).await, Err(CommitError::Stale)));
        shelf.db.commit(change().advance("boxes", container).guard("boxes", container, 3)).await.unwrap();
        assert_eq!(revision(&shelf, container).await, 4);
        let nobody: FactId = types::World::system().id();
        assert!(matches!(shelf.db.commit(change().advance("boxes", nobody)).await, Err(CommitError::Stale)));
    }

    async fn a_guard_on_nothing_is_stale(database: TestDatabase) {
        let shelf = Shelf::new(&database).await;
        let nobody: FactId = types::World::system().id();
        for exclusive in [false, true] {
            let change = Change::new(shelf.scope(), shelf.fact()).statement(shelf.insert("a"));
            let change =
                if exclusive { change.guard_count("boxes", nobody, 1) } else { change.guard("boxes", nobody, 1) };
            assert!(matches!(shelf.db.commit(change).await, Err(CommitError::Stale)));
        }
        assert!(shelf.names().await.is_empty());
    }
}
