//! Which run begins when: turns, priorities, delays, keys and rates.

use std::time::Duration;

use db::{Change, OrgScope, sql};
use ledger::{Actor, Fact};
use safeconduct_runs::{Concurrency, NewRun, Order, Rate, Run, RunFilter, RunState, Target};
use serde_json::json;
use types::{FunctionId, Id, OrgId};

use crate::{House, KILLED, LONG, Node};

testing::on_both_databases! {
    async fn what_is_queued_is_worked_on_and_large_contents_stand_in_blobs(database: TestDatabase) {
        let house = House::new(database).await;
        let node = house.working(2).await;
        let mut input = json!({"do": "grow", "padding": "y".repeat(2 << 20)}).to_string().into_bytes();
        input.push(b'\n');
        let prepared = node.runs.prepare(&house.scope, house.with_input(&node, input.clone())).await.unwrap();
        let run = node.runs.queue(&house.scope, prepared, Vec::new()).await.unwrap();
        let run = house.ended(&node, run.id).await;
        assert_eq!((run.state, run.output_size), (RunState::Succeeded, Some((3 << 20) + 2)));
        let contents = node.runs.contents(&house.scope, &run).await.unwrap();
        assert!(contents.input.is_none() && contents.output.is_none());
        let held = sql("SELECT count(*) FROM blob_references WHERE org = $1 AND holder = $2", vec![
            house.scope.org().uuid().into(),
            run.id.uuid().into(),
        ]);
        assert_eq!(house.db.read_one(house.scope, held).await.unwrap().unwrap().next::<i64>().unwrap(), 2);
    }

    async fn runs_wait_for_a_slot_in_the_order_of_their_turns(database: TestDatabase) {
        let house = House::new(database).await;
        let mut node = house.working(1).await;
        let first = house.begin(&node, "wait").await;
        node.next_at_work().await;
        let late = house.begin(&node, "succeed").await;
        assert_eq!(late.state, RunState::Queued, "no slot is free: it waits in the queue");
        let crowd = futures::future::join_all((0..5).map(|_| house.queue(&node, "succeed"))).await;
        let other = OrgScope::proven(node.world.id::<OrgId>());
        let theirs = node.runs.prepare(&other, house.new_run(&node, "succeed")).await.unwrap();
        let theirs = node.runs.queue(&other, theirs, Vec::new()).await.unwrap();
        house.cancel(&node, first.id).await;
        let mut order = Vec::new();
        for _ in 0..7 {
            order.push(node.next_at_work().await);
        }
        let place = order.iter().position(|run| *run == theirs.id).unwrap();
        assert!(place <= 1, "the other organization waits for one run of the crowd, not for {place}");
        assert!(order.contains(&late.id) && crowd.iter().all(|run| order.contains(&run.id)));
    }

    async fn the_higher_priority_goes_first_and_equals_by_age(database: TestDatabase) {
        let house = House::new(database).await;
        let mut node = house.working(1).await;
        let blocker = house.begin(&node, "wait").await;
        node.next_at_work().await;
        let mut queued = Vec::new();
        for priority in [0, -5, 9, 0, 9] {
            let order = Order { priority, ..Order::default() };
            queued.push(house.ordered(&node, json!({ "do": "succeed" }), order).await);
        }
        house.cancel(&node, blocker.id).await;
        let mut order = Vec::new();
        for _ in 0..5 {
            order.push(node.next_at_work().await);
        }
        assert_eq!(order, [2, 4, 0, 3, 1].map(|at: usize| queued[at].id));
    }

    async fn what_is_for_later_waits_for_its_time(database: TestDatabase) {
        let house = House::new(database).await;
        let mut node = house.working(2).await;
        let due_at = Some(node.world.now().plus(Duration::from_secs(3600)));
        let later = house.ordered(&node, json!({ "do": "succeed" }), Order { due_at, ..Order::default() }).await;
        assert_eq!((later.state, later.due_at), (RunState::Queued, due_at));
        let now = house.queue(&node, "succeed").await;
        assert_eq!(node.next_at_work().await, now.id);
        house.ended(&node, now.id).await;
        let queues = node.runs.queues(&house.scope, |select| select).await.unwrap();
        assert_eq!((queues[0].ready, queues[0].delayed, queues[0].running), (0, 1, 0));
        assert_eq!(house.get(&node, later.id).await.state, RunState::Queued);
        house.clock.advance(Duration::from_secs(3601));
        assert_eq!(node.next_at_work().await, later.id);
        assert_eq!(house.ended(&node, later.id).await.due_at, None);
    }

    /// Two nodes with room enough for all of them.
    async fn of_one_key_no_more_run_than_its_limit(database: TestDatabase) {
        let house = House::new(database).await;
        let mut one = house.working(8).await;
        let mut other = if house.db.is_postgres() { Some(house.working(8).await) } else { None };
        let keyed = |key: &str| {
            let concurrency = Some(Concurrency { key: key.to_owned(), limit: 2 });
            Order { concurrency, ..Order::default() }
        };
        let mut queued = Vec::new();
        for key in ["a", "b", "a", "a", "a", "b", "a"] {
            queued.push(house.ordered(&one, json!({ "do": "wait" }), keyed(key)).await.id);
        }
        let free = house.queue(&one, "succeed").await;
        house.ended(&one, free.id).await;
        let mut left = queued.clone();
        while !left.is_empty() {
            let filter = RunFilter { state: Some(RunState::Running), ..RunFilter::default() };
            let running = one.runs.list(&house.scope, &filter, |select| select, 20).await.unwrap();
            let of_a = |run: &&Run| [0, 2, 3, 4, 6].iter().any(|at| queued[*at] == run.id);
            assert!(running.iter().filter(of_a).count() <= 2 && running.len() <= 4, "{running:?}");
            let Some(run) = running.first().map(|run| run.id) else {
                tokio::task::yield_now().await;
                continue;
            };
            for node in [Some(&mut one), other.as_mut()].into_iter().flatten() {
                let fence = house.get(node, run).await.fence;
                if node.runs.underway().is_on(house.scope.org(), run, fence).await.unwrap() {
                    house.cancel(node, run).await;
                    break;
                }
            }
            left.retain(|waiting| *waiting != run);
        }
        for run in queued {
            assert_eq!(house.ended(&one, run).await.state, RunState::Cancelled);
        }
    }

    /// Beside a limit of another kind, with several nodes that look at the same time.
    async fn no_span_holds_more_starts_than_the_rate(database: TestDatabase) {
        const SPAN: i64 = 10_000;
        let house = House::new(database).await;
        let one = house.working(8).await;
        let other = if house.db.is_postgres() { Some(house.working(8).await) } else { None };
        let function: FunctionId = one.world.id();
        let mut queued = Vec::new();
        for number in 0..8 {
            // Every second one under a key of its own, too.
            let concurrency = (number % 2 == 0).then(|| Concurrency { key: "k".into(), limit: 1 });
            let rate = Some(Rate { starts: 3, span: Duration::from_millis(10_000) });
            let order = Order { rate, concurrency, ..Order::default() };
            let input = json!({ "do": "succeed" }).to_string().into_bytes();
            let target = Target::new(function, "ops/rated").version(house.version);
            let new = NewRun { order, target, ..house.with_input(&one, input) };
            let prepared = one.runs.prepare(&house.scope, new).await.unwrap();
            queued.push(one.runs.queue(&house.scope, prepared, Vec::new()).await.unwrap().id);
        }
        let filter = |state| RunFilter { state: Some(state), target: Some(function.uuid()), ..RunFilter::default() };
        let in_state = async |node: &Node, state| {
            node.runs.list(&house.scope, &filter(state), |select| select, 20).await.unwrap().len()
        };
        for (done, left) in [(3, 5), (6, 2), (8, 0)] {
            while in_state(&one, RunState::Succeeded).await < done {
                tokio::task::yield_now().await;
            }
            // Whoever has no rate is not held up; when the second of two in a row is over, the queue was looked through.
            for _ in 0..2 {
                let free = house.queue(&one, "succeed").await;
                house.ended(&one, free.id).await;
            }
            assert_eq!(in_state(&one, RunState::Queued).await, left);
            let queues = one.runs.queues(&house.scope, |select| select).await.unwrap();
            let rated = queues.first().map(|queue| (queue.ready, queue.rated)).unwrap_or_default();
            assert_eq!(rated, (i64::try_from(left).unwrap(), i64::try_from(left).unwrap()));
            house.clock.advance(Duration::from_millis(10_000));
        }
        let text = "SELECT number, at FROM run_starts WHERE org = $1 AND target = $2 ORDER BY number";
        let params = vec![house.scope.org().uuid().into(), function.uuid().into()];
        let rows = house.db.read(house.scope, sql(text, params)).await.unwrap();
        let starts: Vec<(i64, i64)> =
            rows.into_iter().map(|mut row| (row.next().unwrap(), row.next().unwrap())).collect();
        assert_eq!(starts.iter().map(|(number, _)| *number).collect::<Vec<_>>(), (1..=8).collect::<Vec<_>>());
        for (later, earlier) in starts.iter().skip(3).zip(&starts) {
            assert!(later.1 - earlier.1 >= SPAN, "{starts:?}");
        }
        house.clock.advance(Rate::LONGEST);
        house.clock.advance(Duration::from_millis(1));
        one.runs.sweep().await;
        let left = sql("SELECT count(*) FROM run_starts WHERE org = $1", vec![house.scope.org().uuid().into()]);
        assert_eq!(house.db.read_one(house.scope, left).await.unwrap().unwrap().next::<i64>().unwrap(), 0);
        for mut node in [Some(one), other].into_iter().flatten() {
            node.shut_down().await;
        }
    }

    /// An organization that waits for its own key leaves its share of the slots to the others.
    async fn a_key_that_is_taken_holds_up_nobody_else(database: TestDatabase) {
        let house = House::new(database).await;
        let mut node = house.working(2).await;
        let concurrency = || Some(Concurrency { key: "k".into(), limit: 1 });
        let keyed = || Order { concurrency: concurrency(), ..Order::default() };
        let long = house.ordered(&node, json!({ "do": "wait" }), keyed()).await;
        node.next_at_work().await;
        let behind = house.ordered(&node, json!({ "do": "succeed" }), keyed()).await;
        let other = OrgScope::proven(node.world.id::<OrgId>());
        for _ in 0..4 {
            let theirs = node.runs.prepare(&other, house.new_run(&node, "succeed")).await.unwrap();
            let theirs = node.runs.queue(&other, theirs, Vec::new()).await.unwrap();
            let ended = node.runs.wait(&other, theirs.id, LONG).await.unwrap().unwrap();
            assert_eq!(ended.state, RunState::Succeeded, "a slot was free all the time");
        }
        assert_eq!(house.get(&node, long.id).await.state, RunState::Running);
        house.cancel(&node, long.id).await;
        assert_eq!(house.ended(&node, behind.id).await.state, RunState::Succeeded);
    }

    async fn of_a_hundred_under_one_key_one_is_accepted(database: TestDatabase) {
        let house = House::new(database).await;
        let mut node = house.working(1).await;
        let order = Order { deduplication_key: Some("invoice 7".into()), ..Order::default() };
        let new = |node: &Node| NewRun { order: order.clone(), ..house.new_run(node, "wait") };
        let target = new(&node).target;
        let tries = futures::future::join_all((0..100).map(|_| async {
            let new = NewRun { target: target.clone(), ..new(&node) };
            let prepared = node.runs.prepare(&house.scope, new).await.unwrap();
            node.runs.queue(&house.scope, prepared, Vec::new()).await
        }));
        let accepted: Vec<Run> = tries.await.into_iter().flatten().collect();
        let [run] = &accepted[..] else { panic!("{} were accepted", accepted.len()) };
        let open = node.runs.duplicate(&house.scope, run.subject, run.target, "invoice 7").await.unwrap();
        assert_eq!(open.unwrap().id, run.id);
        node.next_at_work().await;
        house.cancel(&node, run.id).await;
        assert!(node.runs.duplicate(&house.scope, run.subject, run.target, "invoice 7").await.unwrap().is_none());
        let again = node.runs.prepare(&house.scope, NewRun { target: target.clone(), ..new(&node) }).await.unwrap();
        node.runs.queue(&house.scope, again, Vec::new()).await.unwrap();
    }

    async fn what_a_change_causes_is_queued_with_it_or_not_at_all(database: TestDatabase) {
        let house = House::new(database).await;
        let mut node = house.working(1).await;
        for fails in [true, false] {
            let prepared = node.runs.prepare(&house.scope, house.new_run(&node, "succeed")).await.unwrap();
            let id = prepared.run().id;
            let fact = Fact::new(&KILLED, house.scope.org(), Actor::system("test"));
            let mut change = Change::new(house.scope, node.ledger.seal(fact).await.unwrap());
            for statement in prepared.statements() {
                change = change.with(statement);
            }
            if fails {
                let never = sql("DELETE FROM blobs WHERE org = $1", vec![house.scope.org().uuid().into()]);
                change = change.statement(never.fresh());
            }
            let made = node.db.commit(change.wake_queue()).await;
            assert_eq!(made.is_err(), fails);
            assert_eq!(node.runs.get(&house.scope, id).await.unwrap().is_none(), fails);
            if !fails {
                assert_eq!(node.next_at_work().await, id);
            }
        }
    }
}
