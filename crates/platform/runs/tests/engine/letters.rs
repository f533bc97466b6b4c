//! Attempts, and runs that were given up.

use std::time::Duration;

use db::Change;
use ledger::{Actor, Fact, Origin};
use safeconduct_runs::{Act, Order, RunFilter, RunState};
use serde_json::json;

use crate::{House, KILLED, Node};

testing::on_both_databases! {
    async fn a_failure_is_tried_again_as_often_as_was_asked(database: TestDatabase) {
        let house = House::new(database).await;
        let mut node = house.working(2).await;
        for (act, kind) in [("raise", "raised"), ("time out", "timed_out")] {
            let order = Order { attempts: Some(3), ..Order::default() };
            let act = json!({ "do": act, "again_in_ms": 2000, "lines": 1 });
            let run = house.ordered(&node, act, order).await;
            for attempt in 1..=3 {
                assert_eq!(node.next_at_work().await, run.id, "attempt {attempt}");
                if attempt < 3 {
                    loop {
                        let found = house.get(&node, run.id).await;
                        if found.state == RunState::Queued {
                            assert!(found.due_at.is_some());
                            break;
                        }
                        tokio::task::yield_now().await;
                    }
                    house.clock.advance(Duration::from_secs(3));
                }
            }
            let dead = house.ended(&node, run.id).await;
            assert_eq!((dead.state, dead.attempts, dead.error_kind.as_deref()), (RunState::Dead, 3, Some(kind)));
            assert_eq!(house.facts(run.id).await.len(), 1, "one fact, at the end");
            let lines = node.runs.lines(&house.scope, run.id, 0, 100).await.unwrap();
            let numbers: Vec<i64> = lines.iter().map(|line| line.number).collect();
            assert_eq!(numbers, [1, 2, 3, 4, 5], "a line of each attempt, and of each repetition why");
        }
    }

    async fn a_dead_run_is_a_letter_until_it_is_retried_or_put_aside(database: TestDatabase) {
        let house = House::new(database).await;
        let mut node = house.working(2).await;
        let letters = RunFilter { letters: true, ..RunFilter::default() };
        let list = async |node: &Node| node.runs.list(&house.scope, &letters, |select| select, 10).await.unwrap();
        let order = || Order { attempts: Some(1), ..Order::default() };
        let act = json!({ "do": "raise", "again_in_ms": 0 });
        let (first, second) = (house.ordered(&node, act.clone(), order()).await, house.ordered(&node, act, order()).await);
        for run in [first.id, second.id] {
            assert_eq!(house.ended(&node, run).await.state, RunState::Dead);
        }
        assert_eq!(list(&node).await.len(), 2);
        let by = || (Actor::system("test"), Origin::default());
        let dead = house.get(&node, first.id).await;
        let Act { fact, statement, .. } = node.runs.flushing(&house.scope, &dead, by().0, by().1).await.unwrap();
        node.db.commit(Change::new(house.scope, node.ledger.seal(fact).await.unwrap()).statement(statement)).await.unwrap();
        assert_eq!(list(&node).await.iter().map(|run| run.id).collect::<Vec<_>>(), [second.id]);

        for _ in 0..2 {
            node.next_at_work().await;
        }
        let dead = house.get(&node, second.id).await;
        let Act { fact, statement, run: after } = node.runs.retrying(&house.scope, &dead, None, by().0, by().1).await.unwrap();
        assert_eq!((after.max_attempts, after.revision), (4, dead.revision + 1));
        let change = Change::new(house.scope, node.ledger.seal(fact).await.unwrap()).statement(statement);
        node.db.commit(change.wake_queue()).await.unwrap();
        assert_eq!(node.next_at_work().await, second.id);
        let again = loop {
            let found = house.get(&node, second.id).await;
            if found.attempts == 4 && found.state == RunState::Dead {
                break found;
            }
            if found.state == RunState::Queued {
                house.clock.advance(Duration::from_secs(1));
            }
            tokio::task::yield_now().await;
        };
        assert!(again.fence > dead.fence);
        let kinds: Vec<String> = house.facts(second.id).await.into_iter().map(|(kind, _)| kind).collect();
        assert_eq!(kinds, ["run.dead", "run.retried", "run.dead"]);
        let Act { statement, .. } = node.runs.retrying(&house.scope, &dead, None, by().0, by().1).await.unwrap();
        let fact = node.ledger.seal(Fact::new(&KILLED, house.scope.org(), Actor::system("test"))).await.unwrap();
        assert!(node.db.commit(Change::new(house.scope, fact).statement(statement)).await.is_err(), "read too long ago");
    }
}
