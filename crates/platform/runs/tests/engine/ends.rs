//! How runs end: by themselves, by hand, with their principal or their parent.

use db::{Change, sql};
use ledger::{Actor, Origin};
use safeconduct_runs::{Promised, Run, RunState};
use testing::TestDatabase;
use types::{FunctionId, Id, TokenId};

use crate::{House, Node};

testing::on_both_databases! {
    async fn a_run_begins_at_once_and_leaves_one_fact(database: TestDatabase) {
        let house = House::new(database).await;
        let node = house.working(4).await;
        let begun = house.begin(&node, "succeed").await;
        assert_eq!((begun.state, begun.attempts), (RunState::Running, 1));
        let run = house.ended(&node, begun.id).await;
        assert_eq!(run.state, RunState::Succeeded);
        assert_eq!(run.usage.unwrap().peak_memory, 9);
        assert_eq!(run.principal, house.agent.to_string());
        let contents = node.runs.contents(&house.scope, &run).await.unwrap();
        assert_eq!(contents.output.unwrap(), b"{\"fine\":true}");
        assert_eq!(contents.input.unwrap(), br#"{"do":"succeed","lines":2}"#);
        assert_eq!(house.facts(run.id).await, [("run.succeeded".to_owned(), "agent".to_owned())]);

        let text = "SELECT jti, target_type, target_id, actor_id, txn FROM facts WHERE run = $1 AND org = $2";
        let params = vec![run.id.uuid().into(), house.scope.org().uuid().into()];
        let mut fact = house.db.read_one(house.scope, sql(text, params)).await.unwrap().unwrap();
        assert_eq!(fact.id::<TokenId>().unwrap(), house.jti);
        assert_eq!(fact.next::<String>().unwrap(), "function");
        assert_eq!(fact.next::<String>().unwrap(), FunctionId::from_uuid(run.target).to_string());
        assert_eq!(fact.next::<String>().unwrap(), house.agent.to_string());
        assert_eq!(fact.optional_id().unwrap(), run.txn);
    }

    async fn every_end_has_its_state_its_error_and_its_fact(database: TestDatabase) {
        let house = House::new(database).await;
        let node = house.working(4).await;
        for (act, state, kind, fact) in [
            ("raise", RunState::Failed, "raised", "run.failed"),
            ("time out", RunState::TimedOut, "timed_out", "run.timed_out"),
            ("panic", RunState::Failed, "crashed", "run.failed"),
            ("again", RunState::Dead, "internal", "run.dead"),
        ] {
            let run = house.begin(&node, act).await;
            let run = house.ended(&node, run.id).await;
            assert_eq!((run.state, run.error_kind.as_deref()), (state, Some(kind)), "{act}");
            assert_eq!(node.runs.contents(&house.scope, &run).await.unwrap().error.unwrap().kind, kind);
            let facts = house.facts(run.id).await;
            assert_eq!(facts.iter().map(|(kind, _)| kind.as_str()).collect::<Vec<_>>(), [fact]);
        }
    }

    async fn cancelling_ends_a_run_wherever_it_stands(database: TestDatabase) {
        let house = House::new(database).await;
        let mut node = house.working(1).await;
        for act in ["wait", "defy"] {
            let running = house.begin(&node, act).await;
            node.next_at_work().await;
            let queued = house.queue(&node, "succeed").await;
            house.cancel(&node, queued.id).await;
            house.cancel(&node, running.id).await;
            for run in [queued.id, running.id] {
                assert_eq!(house.get(&node, run).await.state, RunState::Cancelled, "{act}");
                assert_eq!(house.facts(run).await, [("run.cancelled".to_owned(), "system".to_owned())]);
            }
            let lines = node.runs.lines(&house.scope, running.id, 0, 100).await.unwrap();
            assert_eq!(lines.len(), 2, "what it said before stays");
        }
        let ended = house.begin(&node, "succeed").await;
        let ended = house.ended(&node, ended.id).await;
        let by = (Actor::system("test"), Origin::default());
        let (fact, statement) = node.runs.cancellation(&house.scope, &ended, by.0, by.1).await.unwrap();
        let change = Change::new(house.scope, node.ledger.seal(fact).await.unwrap()).statement(statement);
        let refused = node.db.commit(change).await.unwrap_err();
        assert!(matches!(refused, db::CommitError::Refused(code) if code.name == "run_ended"));
        assert_eq!(house.facts(ended.id).await.len(), 1);
    }

    async fn runs_die_with_their_principal(database: TestDatabase) {
        let house = House::new(database).await;
        let mut node = house.working(1).await;
        let running = house.begin(&node, "wait").await;
        node.next_at_work().await;
        let queued = house.queue(&node, "succeed").await;
        // Admitted before the death, prepared after it: as a request that was under way.
        let late = house.new_run(&node, "succeed");
        house.kill_agent(&node).await;
        let revision = node.feed.applied();
        assert_eq!(node.feed.report(revision).unwrap().1.runs, 1);
        for run in [running.id, queued.id] {
            assert_eq!(house.ended(&node, run).await.state, RunState::Cancelled);
            assert_eq!(house.facts(run).await, [("run.cancelled".to_owned(), "system".to_owned())]);
        }
        let late = node.runs.prepare(&house.scope, late).await.unwrap();
        let late = node.runs.begin(&house.scope, late, Promised::NotYet, Vec::new()).await.unwrap();
        assert_eq!(house.ended(&node, late.id).await.state, RunState::Cancelled);
        assert!(node.at_work.try_recv().is_err(), "neither the queued nor the late one began");
    }

    async fn queued_runs_of_the_dead_do_not_outlive_a_restart(database: TestDatabase) {
        let house = House::new(database).await;
        let node = house.node(1).await;
        let queued = house.queue(&node, "succeed").await;
        house.kill_agent(&node).await;
        drop(node);
        let mut again = house.working(1).await;
        assert_eq!(house.ended(&again, queued.id).await.state, RunState::Cancelled);
        assert!(again.at_work.try_recv().is_err());
    }

    async fn a_cancelled_run_takes_its_family_along(database: TestDatabase) {
        let house = House::new(database).await;
        let mut node = house.working(2).await;
        let child = async |node: &Node, of: &Run, act: &str| {
            let mut new = house.new_run(node, act);
            new.mandate.run = Some(of.id);
            let prepared = node.runs.prepare(&house.scope, new).await.unwrap();
            node.runs.queue(&house.scope, prepared, Vec::new()).await.unwrap()
        };
        let eldest = house.queue(&node, "wait").await;
        let running = child(&node, &eldest, "wait").await;
        for _ in 0..2 {
            node.next_at_work().await;
        }
        // May begin in the place that the eldest leaves: it does not end by itself.
        let queued = child(&node, &running, "wait").await;
        assert_eq!(queued.parent, Some(running.id));
        let neighbour = house.queue(&node, "succeed").await;
        house.cancel(&node, eldest.id).await;
        node.runs.cancel_family(&house.scope, eldest.id).await.unwrap();
        for run in [eldest.id, running.id, queued.id] {
            assert_eq!(house.get(&node, run).await.state, RunState::Cancelled);
            assert_eq!(house.facts(run).await, [("run.cancelled".to_owned(), "system".to_owned())]);
        }
        assert_eq!(house.ended(&node, neighbour.id).await.state, RunState::Succeeded);

        // A server that is lost in between: whoever looks next goes on.
        let eldest = house.queue(&node, "wait").await;
        let left = child(&node, &eldest, "wait").await;
        house.cancel(&node, eldest.id).await;
        node.runs.expire().await.unwrap();
        assert_eq!(house.ended(&node, left.id).await.state, RunState::Cancelled);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_node_notices_a_cancellation() {
    let house = House::new(TestDatabase::postgres().await).await;
    let mut works = house.working(1).await;
    let run = house.queue(&works, "wait").await;
    works.next_at_work().await;
    let other = house.node(1).await;
    house.cancel(&other, run.id).await;
    // The slot is free again once the run is gone from the node that worked on it.
    let next = house.queue(&other, "succeed").await;
    assert_eq!(works.next_at_work().await, next.id);
}
