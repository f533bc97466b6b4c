//! Workers that are lost, servers that stop.

use std::time::Duration;

use db::{Bookkeeping, sql};
use safeconduct_runs::{Order, RunFilter, RunState};
use serde_json::json;
use testing::TestDatabase;
use types::Id;

use crate::{House, LONG};

testing::on_both_databases! {
    async fn a_lost_workers_runs_begin_again_elsewhere(database: TestDatabase) {
        let house = House::new(database).await;
        let mut lost = house.working(4).await;
        let promised = house.queue(&lost, "defy").await;
        lost.next_at_work().await;
        let unpromised = house.begin(&lost, "defy").await;
        lost.next_at_work().await;
        lost.die();
        house.clock.advance(Duration::from_secs(60));

        let mut next = house.working(4).await;
        assert_eq!(next.next_at_work().await, promised.id);
        let running = house.get(&next, promised.id).await;
        assert_eq!((running.attempts, running.state.has_ended()), (2, false));
        let dead = house.ended(&next, unpromised.id).await;
        assert_eq!((dead.state, dead.error_kind.as_deref()), (RunState::Dead, Some("worker_lost")));
        assert_eq!(house.facts(dead.id).await, [("run.dead".to_owned(), "system".to_owned())]);

        // The lost worker was not dead, only slow: it learns that the run is not its own, and its result is refused.
        lost.runs.renew().await.unwrap();
        lost.runs.stop(promised.id).await;
        assert!(!house.get(&next, promised.id).await.state.has_ended());
        house.cancel(&next, promised.id).await;
        assert_eq!(house.facts(promised.id).await, [("run.cancelled".to_owned(), "system".to_owned())]);
    }

    /// What stays when the answer to a lease is lost: the row names this worker, and nobody here knows of it.
    async fn a_lease_that_nobody_carries_is_given_back(database: TestDatabase) {
        let house = House::new(database).await;
        let mut node = house.working(2).await;
        let carried = house.queue(&node, "wait").await;
        node.next_at_work().await;
        let later = Order { due_at: Some(node.world.now().plus(LONG)), ..Order::default() };
        let stray = house.ordered(&node, json!({"do": "succeed"}), later).await;
        let text = "UPDATE runs SET state = 'leased', due_at = 0, attempts = 1, fence = fence + 1, lease_until = $3, \
                    worker = (SELECT worker FROM runs WHERE id = $2) WHERE id = $1";
        let params = vec![stray.id.uuid().into(), carried.id.uuid().into(), node.world.now().plus(LONG).into()];
        let lost = Bookkeeping::new(house.scope).statement(sql(text, params));
        node.db.keep(lost).await.unwrap();

        node.runs.renew().await.unwrap();
        node.runs.renew().await.unwrap();
        assert_eq!(house.get(&node, stray.id).await.state, RunState::Queued);
        assert_eq!(house.get(&node, carried.id).await.state, RunState::Running);
        house.clock.advance(Duration::from_secs(10));
        let ended = house.ended(&node, stray.id).await;
        assert_eq!((ended.state, ended.attempts), (RunState::Succeeded, 2));
    }

    async fn a_clock_that_jumps_back_holds_nothing_up(database: TestDatabase) {
        let house = House::new(database).await;
        let first = house.node(1).await;
        let waiting = house.queue(&first, "succeed").await;
        house.clock.jump_back(Duration::from_secs(3600));
        let later = house.queue(&first, "succeed").await;
        let node = house.working(1).await;
        for run in [waiting.id, later.id] {
            let run = house.ended(&node, run).await;
            assert_eq!(run.state, RunState::Succeeded);
            assert_eq!(house.facts(run.id).await.len(), 1);
        }
    }

    async fn a_run_that_loses_every_worker_is_given_up(database: TestDatabase) {
        let house = House::new(database).await;
        let first = house.node(1).await;
        let run = house.queue(&first, "wait").await;
        for attempt in 1..=3 {
            let mut node = house.working(1).await;
            assert_eq!(node.next_at_work().await, run.id);
            assert_eq!(house.get(&node, run.id).await.attempts, attempt);
            node.die();
            house.clock.advance(Duration::from_secs(60));
        }
        let node = house.working(1).await;
        assert_eq!(house.ended(&node, run.id).await.state, RunState::Dead);
        assert_eq!(house.facts(run.id).await.len(), 1);
    }

    async fn a_promise_outlives_the_worker(database: TestDatabase) {
        let house = House::new(database).await;
        let mut lost = house.working(1).await;
        let run = house.begin(&lost, "wait").await;
        lost.next_at_work().await;
        lost.runs.promise(&house.scope, run.id).await.unwrap();
        lost.die();
        house.clock.advance(Duration::from_secs(60));
        let mut next = house.working(1).await;
        assert_eq!(next.next_at_work().await, run.id);
    }

    async fn a_server_that_stops_hands_its_runs_back(database: TestDatabase) {
        let house = House::new(database).await;
        let mut node = house.working(1).await;
        let run = house.queue(&node, "wait").await;
        node.next_at_work().await;
        node.shut_down().await;
        let run = house.get(&node, run.id).await;
        assert_eq!((run.state, run.attempts), (RunState::Queued, 0), "the attempt does not count");
        let mut next = house.working(1).await;
        assert_eq!(next.next_at_work().await, run.id);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_running_runs_are_queued_again_at_the_start() {
    let house = House::new(TestDatabase::sqlite()).await;
    let node = house.node(1).await;
    futures::future::join_all((0..10_000).map(|_| house.queue(&node, "wait"))).await;
    let all = "UPDATE runs SET state = 'running', worker = $1, lease_until = $2, fence = 1, attempts = 1 WHERE org = $3";
    let params = vec![
        types::Uuid::from_u128(1).into(),
        node.world.now().plus(LONG).into(),
        house.scope.org().uuid().into(),
    ];
    house.db.keep(Bookkeeping::new(house.scope).statement(sql(all, params))).await.unwrap();
    let mut next = house.working(1).await;
    next.next_at_work().await;
    let queued = RunFilter { state: Some(RunState::Queued), ..RunFilter::default() };
    let listed = next.runs.list(&house.scope, &queued, |select| select, 20_000).await.unwrap();
    assert_eq!(listed.len(), 9_999, "all but the one that runs");
}
