//! What others see of a run while it runs.

use db::{Change, OrgScope, Select, sql};
use ledger::{Actor, Origin};
use safeconduct_runs::{Move, Order, Progress, Run, RunFilter, RunState};
use serde_json::json;
use types::{Id, OrgId, RunId};

use crate::House;

testing::on_both_databases! {
    async fn logs_are_followed_live_and_read_back_in_order(database: TestDatabase) {
        let house = House::new(database).await;
        let mut node = house.working(1).await;
        let run = house.queue(&node, "wait").await;
        node.next_at_work().await;
        let live = node.runs.next_lines(&house.scope, run.id, 0, 100).await.unwrap().unwrap();
        assert_eq!(live.iter().map(|line| line.number).collect::<Vec<_>>(), [1, 2]);
        // The next attempt goes on counting.
        node.shut_down().await;
        let mut next = house.working(1).await;
        next.next_at_work().await;
        house.cancel(&next, run.id).await;
        let all = next.runs.lines(&house.scope, run.id, 0, 100).await.unwrap();
        assert_eq!(all.iter().map(|line| line.number).collect::<Vec<_>>(), [1, 2, 3, 4]);
        assert_eq!(next.runs.next_lines(&house.scope, run.id, 4, 100).await.unwrap(), None);
        assert_eq!(next.runs.lines(&house.scope, run.id, 1, 100).await.unwrap().len(), 3);

        let theirs = OrgScope::proven(next.world.id::<OrgId>());
        assert!(next.runs.get(&theirs, run.id).await.unwrap().is_none());
        assert!(next.runs.lines(&theirs, run.id, 0, 100).await.unwrap().is_empty());
        assert!(next.runs.next_lines(&theirs, run.id, 0, 100).await.unwrap().is_none());
    }

    async fn states_are_followed_and_lists_are_narrowed(database: TestDatabase) {
        let house = House::new(database).await;
        let mut node = house.working(1).await;
        let run = house.begin(&node, "wait").await;
        node.next_at_work().await;
        let next_state = async |after| match node.runs.next_move(&house.scope, run.id, after, None).await.unwrap() {
            Some(Move::State(run)) => Some(run),
            Some(Move::Progress(progress)) => panic!("{progress:?}"),
            None => None,
        };
        let seen = next_state(0).await.unwrap();
        assert_eq!(seen.state, RunState::Running);
        house.cancel(&node, run.id).await;
        let ended = next_state(seen.revision).await.unwrap();
        assert_eq!(ended.state, RunState::Cancelled);
        assert!(next_state(ended.revision).await.is_none());

        let other = house.begin(&node, "succeed").await;
        house.ended(&node, other.id).await;
        let all = RunFilter::default();
        let ids = |runs: Vec<Run>| runs.into_iter().map(|run| run.id).collect::<Vec<_>>();
        let list = async |filter: &RunFilter| ids(node.runs.list(&house.scope, filter, |select| select, 10).await.unwrap());
        assert_eq!(list(&all).await, [other.id, run.id]);
        assert_eq!(list(&RunFilter { state: Some(RunState::Cancelled), ..all.clone() }).await, [run.id]);
        assert_eq!(list(&RunFilter { target: Some(other.target), ..all.clone() }).await, [other.id]);
        assert_eq!(list(&RunFilter { before: Some(other.id), ..all.clone() }).await, [run.id]);
        let none = |select: Select| select.and("subject = {}", types::Uuid::nil());
        assert!(node.runs.list(&house.scope, &all, none, 10).await.unwrap().is_empty());
    }

    async fn how_far_a_run_is_is_bounded_sealed_and_kept_with_its_end(database: TestDatabase) {
        let house = House::new(database).await;
        let mut node = house.working(4).await;
        let said = json!([[0.25, "first"], [7.5, "ö".repeat(500)]]);
        let waits = json!({ "do": "wait", "progress": said });
        let run = house.ordered(&node, waits, Order::default()).await;
        node.next_at_work().await;
        let (before, moved) = {
            let state = house.get(&node, run.id).await;
            let mut seen = None;
            // From its state on: what comes next is how far it is.
            loop {
                match node.runs.next_move(&house.scope, run.id, state.revision, seen.as_ref()).await.unwrap().unwrap() {
                    Move::Progress(progress) if progress.fraction == Some(1.0) => break (state.revision, progress),
                    Move::Progress(progress) => seen = Some(progress),
                    Move::State(_) => {}
                }
            }
        };
        assert_eq!(moved.message.as_deref(), Some("ö".repeat(Progress::LONGEST).as_str()));
        assert_eq!(house.get(&node, run.id).await.revision, before);
        let text = "SELECT progress FROM runs WHERE org = $1 AND id = $2";
        let stored = async |run: RunId| -> Option<Vec<u8>> {
            let params = vec![house.scope.org().uuid().into(), run.uuid().into()];
            house.db.read_one(house.scope, sql(text, params)).await.unwrap().unwrap().next().unwrap()
        };
        let sealed = stored(run.id).await.unwrap();
        assert!(!sealed.windows("ööö".len()).any(|part| part == "ööö".as_bytes()), "a message is private");
        house.cancel(&node, run.id).await;
        let cancelled = house.get(&node, run.id).await;
        assert_eq!(node.runs.contents(&house.scope, &cancelled).await.unwrap().progress, Some(moved));

        // Said in its last moment: the end carries it. Another attempt begins without.
        let quick = json!({ "do": "succeed", "progress": [[1.0, null]] });
        let quick = house.ordered(&node, quick, Order::default()).await;
        let ended = house.ended(&node, quick.id).await;
        assert_eq!(node.runs.contents(&house.scope, &ended).await.unwrap().progress.unwrap().fraction, Some(1.0));
        let fails = house.ordered(&node, json!({ "do": "raise", "progress": [[0.5, null]] }), Order::default()).await;
        let failed = house.ended(&node, fails.id).await;
        assert!(stored(fails.id).await.is_some());
        node.shut_down().await;
        let act = node.runs.retrying(&house.scope, &failed, None, Actor::system("test"), Origin::default()).await.unwrap();
        let change = Change::new(house.scope, node.ledger.seal(act.fact).await.unwrap()).statement(act.statement);
        house.db.commit(change).await.unwrap();
        assert_eq!(stored(fails.id).await, None);
    }
}
