//! What runs ask, and how they go on: in the process that waits, or begun again with what was answered.

use std::time::Duration;

use db::{Bookkeeping, Change, sql};
use ledger::{Actor, Origin};
use problem::{Code, RUN_NOT_AWAITING};
use safeconduct_runs::{Act, Answer, Order, Question, Run, RunFilter, RunState, RunsSettings};
use serde_json::json;
use types::{Id, RunId};

use crate::{House, LONG, Node};

impl House {
    /// A node whose processes don't wait for answers.
    async fn impatient(&self, slots: usize) -> Node {
        let settings = RunsSettings { slots, question_wait: Duration::ZERO, ..RunsSettings::default() };
        let mut node = self.node_with(settings).await;
        node.work();
        node
    }

    async fn asking(&self, node: &Node, questions: &[&str]) -> Run {
        self.ordered(node, json!({"do": "ask", "questions": questions}), Order::default()).await
    }

    /// The run once it asks its question of this number, in a process or without one.
    async fn asks(&self, node: &Node, run: RunId, number: i64, in_place: bool) -> Run {
        let asks = async {
            loop {
                let found = self.get(node, run).await;
                assert!(!found.state.has_ended(), "{} {:?}", found.state, found.error_kind);
                if found.asks.is_some_and(|asks| asks.number == number && asks.in_place == in_place) {
                    return found;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(LONG, asks).await.expect("it asks")
    }

    async fn answer(&self, node: &Node, asking: &Run, answer: &str) -> Result<(), &'static Code> {
        let question = node.runs.contents(&self.scope, asking).await.unwrap().question.unwrap();
        self.answer_to(node, asking, &question, answer).await
    }

    /// By somebody who saw the question a while ago.
    async fn answer_as_seen(&self, node: &Node, asking: &Run, answer: &str) -> Result<(), &'static Code> {
        let question = Question { prompt: "one?".into(), schema: None };
        self.answer_to(node, asking, &question, answer).await
    }

    async fn answer_to(
        &self,
        node: &Node,
        asking: &Run,
        question: &Question,
        answer: &str,
    ) -> Result<(), &'static Code> {
        let number = asking.asks.unwrap().number;
        let answer = Answer { number, body: answer.as_bytes().to_vec(), author: "usr_x".into() };
        let by = (Actor::system("test"), Origin::default());
        let continuing =
            node.runs.continuing(&self.scope, asking, question, &answer, by.0, by.1).await.unwrap();
        let (fact, statements, _) = continuing;
        let change = Change::new(self.scope, node.ledger.seal(fact).await.unwrap()).statements(statements);
        let made = node.db.commit(change.wake_queue()).await;
        node.runs.answered(asking.id);
        match made {
            Ok(_) => Ok(()),
            Err(db::CommitError::Refused(code)) => Err(code),
            Err(error) => panic!("{error}"),
        }
    }

    async fn output(&self, node: &Node, run: &Run) -> String {
        String::from_utf8(node.runs.contents(&self.scope, run).await.unwrap().output.unwrap()).unwrap()
    }
}

testing::on_both_databases! {
    async fn an_answer_in_time_lets_the_same_process_go_on(database: TestDatabase) {
        let house = House::new(database).await;
        let mut node = house.working(1).await;
        let run = house.asking(&node, &["one?", "two?"]).await;
        let asking = house.asks(&node, run.id, 1, true).await;
        let contents = node.runs.contents(&house.scope, &asking).await.unwrap();
        assert_eq!(contents.question.unwrap().prompt, "one?");
        let filter = RunFilter { state: Some(RunState::AwaitingInput), ..RunFilter::default() };
        let listed = node.runs.list(&house.scope, &filter, |select| select, 10).await.unwrap();
        assert_eq!(listed.iter().map(|run| run.id).collect::<Vec<_>>(), [run.id]);
        let queue = node.runs.queues(&house.scope, |select| select).await.unwrap().remove(0);
        assert_eq!((queue.awaiting, queue.running, queue.ready), (1, 0, 0));
        // Whoever waits for the run hears of the question at once.
        let rests = node.runs.wait(&house.scope, run.id, LONG).await.unwrap().unwrap();
        assert_eq!(rests.state, RunState::AwaitingInput);

        house.answer(&node, &asking, "1").await.unwrap();
        let asking = house.asks(&node, run.id, 2, true).await;
        house.answer(&node, &asking, "{\"two\":2}").await.unwrap();
        let ended = house.ended(&node, run.id).await;
        assert_eq!((ended.state, ended.attempts, ended.fence), (RunState::Succeeded, 1, 1));
        assert_eq!(house.output(&node, &ended).await, r#"[1,{"two":2}]"#);
        assert_eq!(node.next_at_work().await, run.id);
        assert!(node.at_work.try_recv().is_err(), "it was begun once");
        let kinds: Vec<_> = house.facts(run.id).await.into_iter().map(|(kind, _)| kind).collect();
        assert_eq!(kinds, ["run.continued", "run.continued", "run.succeeded"]);
        assert!(node.runs.contents(&house.scope, &ended).await.unwrap().question.is_none());
    }

    async fn without_a_process_a_run_holds_no_place_and_finds_its_answers(database: TestDatabase) {
        let house = House::new(database).await;
        let node = house.impatient(1).await;
        let act = json!({"do": "ask", "questions": ["one?", "two?"], "lines": 2});
        let run = house.ordered(&node, act, Order::default()).await;
        for number in [1, 2] {
            let asking = house.asks(&node, run.id, number, false).await;
            assert_eq!(asking.attempts, 0, "waiting spends no attempt");
            // The only slot is free.
            let other = house.queue(&node, "succeed").await;
            assert_eq!(house.ended(&node, other.id).await.state, RunState::Succeeded);
            house.answer(&node, &asking, &number.to_string()).await.unwrap();
        }
        let ended = house.ended(&node, run.id).await;
        assert_eq!((ended.state, ended.attempts), (RunState::Succeeded, 1));
        assert_eq!(house.output(&node, &ended).await, "[1,2]");
        let lines = node.runs.lines(&house.scope, run.id, 0, 100).await.unwrap();
        let numbers: Vec<i64> = lines.iter().map(|line| line.number).collect();
        assert_eq!(numbers, [1, 2, 3, 4, 5, 6], "each time it was begun said two lines");
    }

    async fn a_lost_worker_loses_no_question_and_no_answer(database: TestDatabase) {
        let house = House::new(database).await;
        let mut lost = house.working(2).await;
        let run = house.asking(&lost, &["one?", "two?"]).await;
        let asking = house.asks(&lost, run.id, 1, true).await;
        house.answer(&lost, &asking, "1").await.unwrap();
        house.asks(&lost, run.id, 2, true).await;
        lost.die();
        house.clock.advance(Duration::from_secs(60));
        let next = house.working(2).await;
        next.runs.expire().await.unwrap();
        let asking = house.asks(&next, run.id, 2, false).await;
        assert_eq!((asking.state, asking.attempts), (RunState::AwaitingInput, 0));
        house.answer(&next, &asking, "2").await.unwrap();
        let ended = house.ended(&next, run.id).await;
        assert_eq!((ended.state, ended.attempts), (RunState::Succeeded, 1));
        assert_eq!(house.output(&next, &ended).await, "[1,2]");
    }

    async fn a_server_that_stops_leaves_the_question_open(database: TestDatabase) {
        let house = House::new(database).await;
        let mut node = house.working(1).await;
        let run = house.asking(&node, &["one?"]).await;
        house.asks(&node, run.id, 1, true).await;
        node.shut_down().await;
        let next = house.working(1).await;
        let asking = house.asks(&next, run.id, 1, false).await;
        house.answer(&next, &asking, "1").await.unwrap();
        assert_eq!(house.ended(&next, run.id).await.state, RunState::Succeeded);
    }

    async fn of_many_answers_one_is_taken_and_none_is_changed(database: TestDatabase) {
        let house = House::new(database).await;
        let node = house.impatient(1).await;
        let run = house.asking(&node, &["one?"]).await;
        let asking = house.asks(&node, run.id, 1, false).await;
        let answers: Vec<String> = (0..20).map(|number| number.to_string()).collect();
        let made = futures::future::join_all(answers.iter().map(|answer| house.answer_as_seen(&node, &asking, answer)));
        let made = made.await;
        let taken = made.iter().position(Result::is_ok).unwrap();
        assert!(made.iter().enumerate().all(|(at, made)| at == taken || *made == Err(&RUN_NOT_AWAITING)));
        let ended = house.ended(&node, run.id).await;
        assert_eq!(house.output(&node, &ended).await, format!("[{taken}]"));
        let facts = house.facts(run.id).await;
        assert_eq!(facts.iter().filter(|(kind, _)| kind == "run.continued").count(), 1);

        let params = || vec![house.scope.org().uuid().into(), run.id.uuid().into()];
        let change = sql("UPDATE run_answers SET author = 'x' WHERE org = $1 AND run = $2", params());
        assert!(house.db.keep(Bookkeeping::new(house.scope).statement(change)).await.is_err());
        let stored = sql("SELECT body FROM run_answers WHERE org = $1 AND run = $2", params());
        let body: Vec<u8> = house.db.read_one(house.scope, stored).await.unwrap().unwrap().next().unwrap();
        assert!(body.len() > 16, "sealed");
    }

    async fn another_question_at_the_same_place_is_no_answered_one(database: TestDatabase) {
        let house = House::new(database).await;
        let node = house.impatient(1).await;
        let run = house.asking(&node, &["one?", "in attempt?"]).await;
        for number in [1, 2] {
            let asking = house.asks(&node, run.id, number, false).await;
            house.answer(&node, &asking, "0").await.unwrap();
        }
        let ended = house.ended(&node, run.id).await;
        assert_eq!((ended.state, ended.error_kind.as_deref()), (RunState::Failed, Some("question_changed")));
        assert_eq!(node.runs.contents(&house.scope, &ended).await.unwrap().error.unwrap().message, "2");
    }

    async fn a_question_that_nobody_answers_fails_its_run_which_may_be_retried(database: TestDatabase) {
        let house = House::new(database).await;
        let node = house.impatient(2).await;
        let run = house.asking(&node, &["one?", "two?"]).await;
        let asking = house.asks(&node, run.id, 1, false).await;
        house.answer(&node, &asking, "1").await.unwrap();
        let late = house.asks(&node, run.id, 2, false).await;
        house.clock.advance(Duration::from_secs(3599));
        node.runs.expire().await.unwrap();
        assert_eq!(house.get(&node, run.id).await.state, RunState::AwaitingInput);
        house.clock.advance(Duration::from_secs(1));
        assert_eq!(house.answer_as_seen(&node, &late, "2").await, Err(&RUN_NOT_AWAITING));
        node.runs.expire().await.unwrap();
        let failed = house.ended(&node, run.id).await;
        assert_eq!((failed.state, failed.error_kind.as_deref()), (RunState::Failed, Some("unanswered")));

        let by = (Actor::system("test"), Origin::default());
        let Act { fact, statement, .. } =
            node.runs.retrying(&house.scope, &failed, None, by.0, by.1).await.unwrap();
        let change = Change::new(house.scope, node.ledger.seal(fact).await.unwrap()).statement(statement);
        node.db.commit(change.wake_queue()).await.unwrap();
        let asking = house.asks(&node, run.id, 2, false).await;
        house.answer(&node, &asking, "2").await.unwrap();
        let ended = house.ended(&node, run.id).await;
        assert_eq!(house.output(&node, &ended).await, "[1,2]");
    }

    async fn who_waits_is_cancelled_and_dies_with_its_principal(database: TestDatabase) {
        let house = House::new(database).await;
        let (here, away) = (house.working(4).await, house.impatient(0).await);
        let in_place = house.asking(&here, &["one?"]).await;
        let asking = house.asks(&here, in_place.id, 1, true).await;
        house.cancel(&away, in_place.id).await;
        assert_eq!(house.ended(&here, in_place.id).await.state, RunState::Cancelled);
        assert_eq!(house.answer_as_seen(&here, &asking, "1").await, Err(&RUN_NOT_AWAITING));
        drop(away);

        let (living, mut stopped) = (house.asking(&here, &["one?"]).await, house.impatient(1).await);
        house.asks(&here, living.id, 1, true).await;
        stopped.shut_down().await;
        house.kill_agent(&here).await;
        let ended = house.ended(&here, living.id).await;
        assert_eq!((ended.state, ended.error_kind.as_deref()), (RunState::Cancelled, Some("cancelled")));
        let facts = house.facts(living.id).await;
        assert_eq!(facts, [("run.cancelled".to_owned(), "system".to_owned())]);
    }

    async fn who_waits_without_a_process_dies_with_its_principal(database: TestDatabase) {
        let house = House::new(database).await;
        let node = house.impatient(1).await;
        let run = house.asking(&node, &["one?"]).await;
        house.asks(&node, run.id, 1, false).await;
        let cancelled = house.asking(&node, &["one?"]).await;
        house.asks(&node, cancelled.id, 1, false).await;
        house.cancel(&node, cancelled.id).await;
        house.kill_agent(&node).await;
        for run in [run, cancelled] {
            assert_eq!(house.ended(&node, run.id).await.state, RunState::Cancelled);
            assert_eq!(house.facts(run.id).await, [("run.cancelled".to_owned(), "system".to_owned())]);
        }
    }

    async fn what_asks_is_open_for_its_keys(database: TestDatabase) {
        let house = House::new(database).await;
        let node = house.impatient(2).await;
        let target = safeconduct_runs::Target::new(node.world.id::<types::FunctionId>(), "ops/keyed");
        let again = async || {
            let input = json!({"do": "ask", "questions": ["one?"]}).to_string().into_bytes();
            let concurrency = safeconduct_runs::Concurrency { key: "one".into(), limit: 1 };
            let order = Order {
                deduplication_key: Some("once".into()), concurrency: Some(concurrency), ..Order::default()
            };
            let new = house.with_input(&node, input);
            let new = safeconduct_runs::NewRun { target: target.clone(), order, ..new };
            let prepared = node.runs.prepare(&house.scope, new).await.unwrap();
            node.runs.queue(&house.scope, prepared, Vec::new()).await
        };
        let run = again().await.unwrap();
        house.asks(&node, run.id, 1, false).await;
        assert!(again().await.is_err(), "there is an open one");
        let found = node.runs.duplicate(&house.scope, run.subject, run.target, "once").await.unwrap();
        assert_eq!(found.unwrap().id, run.id);
        // Its place is free for others.
        let concurrency = safeconduct_runs::Concurrency { key: "one".into(), limit: 1 };
        let order = Order { concurrency: Some(concurrency), ..Order::default() };
        let other = house.ordered(&node, json!({"do": "succeed"}), order).await;
        assert_eq!(house.ended(&node, other.id).await.state, RunState::Succeeded);
    }
}
