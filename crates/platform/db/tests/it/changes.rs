//! A change is made whole or not at all, and says why not.

use db::{Bookkeeping, Change, CommitError, DbError, SystemScope, sql};
use testing::{Engine, on_both_databases};

use crate::db;
use crate::shelf::{EXISTS, MISSING, Shelf, fact};

const SYSTEM: SystemScope = SystemScope::new("test");

on_both_databases! {
    async fn a_change_is_stored_with_its_facts_and_books(database: TestDatabase) {
        let shelf = Shelf::new(&database).await;
        let book = sql("INSERT INTO ledger_readers (name, seq) VALUES ('book', 1)", vec![]);
        let change = Change::new(SYSTEM, shelf.fact()).statement(shelf.insert("a")).statement(shelf.insert("b"));
        shelf.db.commit(change.fact(shelf.fact()).with(book)).await.unwrap();
        assert_eq!(shelf.names().await, ["a", "b"]);
        assert_eq!((shelf.facts().await, shelf.hand.number("SELECT seq FROM ledger_readers").await), (2, 1));
    }

    /// Each way in which a statement in the middle can say no leaves nothing of the whole.
    async fn a_refused_change_leaves_nothing(database: TestDatabase) {
        let shelf = Shelf::new(&database).await;
        shelf.db.commit(Change::new(shelf.scope(), shelf.fact()).statement(shelf.insert("taken"))).await.unwrap();
        let rename = |name: &'static str| sql("UPDATE things SET name = 'x' WHERE name = $1", vec![name.into()]);
        let cases = [
            (shelf.insert("taken"), "thing_exists"),
            (rename("nobody").one_row_or(&MISSING), "no_such_thing"),
            (rename("nobody").fresh(), "stale"),
            (sql("DELETE FROM things WHERE name = 'nobody'", vec![]).one_row_or(&MISSING), "no_such_thing"),
            (sql("UPDATE things SET revision = revision + 1 WHERE revision > 0", vec![]).fresh(), "stale"),
            (sql("INSERT INTO no_such_table VALUES (1)", vec![]), "internal"),
        ];
        for (bad, expected) in cases {
            let name = format!("beside {expected}");
            let change = Change::new(shelf.scope(), shelf.fact())
                .statement(shelf.insert(&name))
                .statement(shelf.insert(&format!("{name} too")))
                .statement(bad)
                .with(sql("DELETE FROM things WHERE name = 'taken'", vec![]));
            let refused = match shelf.db.commit(change).await.unwrap_err() {
                CommitError::Refused(code) => code.name,
                CommitError::Stale => "stale",
                CommitError::Db(DbError::Internal(_)) => "internal",
                CommitError::Db(error) => panic!("{expected}: {error}"),
            };
            assert_eq!(refused, expected);
            assert_eq!((shelf.names().await, shelf.facts().await), (vec!["taken".to_owned()], 1), "{expected}");
        }
        // And the connection or writer that said no goes on.
        shelf.db.commit(Change::new(shelf.scope(), shelf.fact()).statement(shelf.insert("after"))).await.unwrap();
        assert_eq!(shelf.names().await, ["after", "taken"]);
    }

    /// Two rows where one was expected is as wrong as none.
    async fn an_expectation_is_exact(database: TestDatabase) {
        let shelf = Shelf::new(&database).await;
        let change = Change::new(shelf.scope(), shelf.fact()).statement(shelf.insert("a")).statement(shelf.insert("b"));
        shelf.db.commit(change).await.unwrap();
        let both = sql("UPDATE things SET revision = 2", vec![]).one_row_or(&MISSING);
        let refused = shelf.db.commit(Change::new(shelf.scope(), shelf.fact()).statement(both)).await;
        assert!(matches!(refused, Err(CommitError::Refused(code)) if *code == MISSING));
        assert_eq!(shelf.hand.number("SELECT count(*) FROM things WHERE revision = 2").await, 0);
    }

    /// Changes that share a group commit do not share their fate.
    async fn neighbours_do_not_suffer(database: TestDatabase) {
        let shelf = Shelf::new(&database).await;
        shelf.db.commit(Change::new(shelf.scope(), shelf.fact()).statement(shelf.insert("taken"))).await.unwrap();
        for (round, together) in [false, true].into_iter().enumerate() {
            let changes = (0..300).map(async |number| {
                let last = match number % 3 {
                    0 => shelf.insert("taken"),
                    1 => sql("UPDATE things SET name = 'y' WHERE name = 'nobody'", vec![]).one_row_or(&MISSING),
                    _ => shelf.insert(&format!("{round}, second {number}")),
                };
                let first = shelf.insert(&format!("{round}, first {number}"));
                let change = Change::new(shelf.scope(), shelf.fact()).statement(first).statement(last);
                if together { shelf.db.commit_together(change).await } else { shelf.db.commit(change).await }
            });
            let answers = futures::future::join_all(changes).await;
            for (number, answer) in answers.iter().enumerate() {
                match (number % 3, answer) {
                    (0, Err(CommitError::Refused(code))) => assert_eq!(**code, EXISTS),
                    (1, Err(CommitError::Refused(code))) => assert_eq!(**code, MISSING),
                    (2, Ok(_)) => {}
                    _ => panic!("{number}: {answer:?}"),
                }
            }
        }
        assert_eq!((shelf.names().await.len(), shelf.facts().await), (401, 201));
    }

    /// What comes at the same time shares a transaction if it may, each organization's by itself; what guards a row does not.
    async fn what_comes_together_is_committed_together(database: TestDatabase) {
        let shelf = Shelf::new(&database).await;
        let other = Shelf { org: types::World::system().id(), db: shelf.db.clone(), hand: database.tamper().await };
        let container = shelf.new_box().await;
        let changes = (0..300).map(async |number| {
            let shelf = if number % 2 == 0 { &shelf } else { &other };
            let change = Change::new(shelf.scope(), shelf.fact()).statement(shelf.insert(&format!("thing {number}")));
            let change = if number == 298 { change.guard("boxes", container, 1) } else { change };
            shelf.db.commit_together(change).await.unwrap();
        });
        futures::future::join_all(changes).await;
        assert_eq!((shelf.names().await.len(), shelf.facts().await), (300, 300));
        if shelf.hand.engine() == Engine::Postgres {
            let commits = shelf.hand.number("SELECT count(DISTINCT xmin::text) FROM things").await;
            assert!((2..150).contains(&commits), "{commits} transactions for 300 changes");
            let mixed = "SELECT count(*) FROM (SELECT xmin::text FROM things GROUP BY 1 HAVING count(DISTINCT org) > 1) x";
            assert_eq!(shelf.hand.number(mixed).await, 0, "two organizations in one transaction");
            let alone = "SELECT count(*) FROM things WHERE xmin = (SELECT xmin FROM things WHERE name = 'thing 298')";
            assert_eq!(shelf.hand.number(alone).await, 1, "a guarded change waits for nobody");
        }
    }

    /// A caller that hangs up cuts nothing: what was sent is made, whole.
    async fn a_caller_that_hangs_up_cuts_nothing(database: TestDatabase) {
        let shelf = Shelf::new(&database).await;
        let mut facts = shelf.db.facts_signal();
        facts.mark_unchanged();
        let change = Change::new(shelf.scope(), shelf.fact()).statement(shelf.insert("a"));
        {
            let mut flight = std::pin::pin!(shelf.db.commit(change));
            assert!(futures::poll!(&mut flight).is_pending());
        }
        facts.changed().await.unwrap();
        assert_eq!((shelf.names().await, shelf.facts().await), (vec!["a".to_owned()], 1));
    }

    async fn bookkeeping_answers_its_rows_or_leaves_nothing(database: TestDatabase) {
        let shelf = Shelf::new(&database).await;
        let write = |name: &'static str| {
            let text = "INSERT INTO ledger_readers (name, seq) VALUES ($1, 7) RETURNING name, seq";
            sql(text, vec![name.into()])
        };
        let books = Bookkeeping::new(SYSTEM).statement(write("a")).statement(sql("DELETE FROM nodes", vec![])).statement(write("b"));
        let answers = shelf.db.keep(books).await.unwrap();
        let read = |answer: &Vec<db::Row>| -> Vec<(String, i64)> {
            answer.iter().cloned().map(|mut row| (row.next().unwrap(), row.next().unwrap())).collect()
        };
        let answers: Vec<_> = answers.iter().map(read).collect();
        assert_eq!(answers, [vec![("a".to_owned(), 7)], vec![], vec![("b".to_owned(), 7)]]);
        let stale = sql("UPDATE ledger_readers SET seq = 8 WHERE name = 'nobody'", vec![]).fresh();
        let refused = shelf.db.keep(Bookkeeping::new(SYSTEM).statement(write("c")).statement(stale)).await;
        assert!(matches!(refused, Err(CommitError::Stale)));
        assert_eq!(shelf.hand.number("SELECT count(*) FROM ledger_readers").await, 2);
    }

    async fn appended_facts_are_durable_and_single(database: TestDatabase) {
        let shelf = Shelf::new(&database).await;
        let orgs: Vec<types::OrgId> = (0..3).map(|_| types::World::system().id()).collect();
        let facts: Vec<_> = (0..2_000).map(|number| fact(orgs[number % 3])).collect();
        let again = facts[5].clone();
        let appends = facts.into_iter().map(|fact| shelf.db.append(fact));
        futures::future::try_join_all(appends).await.unwrap();
        assert_eq!(shelf.facts().await, 2_000);
        assert!(shelf.db.append(again).await.is_err(), "the same fact twice");
        assert_eq!(shelf.facts().await, 2_000);
        // The refusal of one is not that of those beside it.
        let beside = futures::future::join_all((0..10).map(|_| shelf.db.append(fact(orgs[0])))).await;
        assert!(beside.iter().all(Result::is_ok));
    }

    async fn signals_come_after_the_commit(database: TestDatabase) {
        let shelf = Shelf::new(&database).await;
        let (mut facts, mut queue) = (shelf.db.facts_signal(), shelf.db.queue_signal());
        facts.mark_unchanged();
        queue.mark_unchanged();
        let change = Change::new(shelf.scope(), shelf.fact()).statement(shelf.insert("a")).wake_queue();
        shelf.db.commit(change).await.unwrap();
        facts.changed().await.unwrap();
        queue.changed().await.unwrap();
        assert_eq!(shelf.names().await, ["a"]);
        queue.mark_unchanged();
        shelf.db.keep(Bookkeeping::new(SYSTEM).wake_queue()).await.unwrap();
        queue.changed().await.unwrap();
    }
}
