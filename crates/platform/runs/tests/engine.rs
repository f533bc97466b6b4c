//! The engine against both databases: an executor that does as its input says.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot be set up has failed"
)]

use std::sync::Arc;
use std::time::Duration;

use blobs::{BlobSettings, Blobs};
use cluster::Feed;
use db::{AuthorityEntry, Bookkeeping, Change, Db, OrgScope, Select, sql};
use futures::future::BoxFuture;
use ledger::{Actor, Fact, Ledger, LedgerSettings, Origin};
use safeconduct_runs::{
    Act, Concurrency, Ending, Executor, Finish, Footing, Ground, Mandate, Move, NewRun, Order, Progress,
    Promised, Rate, Run, RunError, RunFilter, RunState, RunToken, Runs, RunsSettings, Target, Task, Trigger,
    Usage,
};
use secrets::{KeySource, Keyring};
use serde_json::json;
use testing::TestDatabase;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use types::{
    AgentId, FunctionId, FunctionVersionId, Id, OrgId, RunId, Secret, SteeredClock, SystemEntropy, TokenId,
    World,
};

const LONG: Duration = Duration::from_secs(30);

ledger::fact_kinds! {
    pub KILLED = "test.killed", Info, "An agent died.", {};
}

/// Does what its input says; tells the test when it is at work.
#[derive(Clone)]
struct Script {
    world: World,
    at_work: mpsc::UnboundedSender<RunId>,
}

impl Executor for Script {
    fn kind(&self) -> &'static str {
        "script"
    }

    fn target(&self) -> &'static str {
        "function"
    }

    fn execute(&self, task: Task) -> BoxFuture<'static, Finish> {
        let script = self.clone();
        Box::pin(async move { script.act(task).await })
    }
}

impl Script {
    async fn act(&self, task: Task) -> Finish {
        let input: serde_json::Value = serde_json::from_slice(&task.input).unwrap();
        for line in 0..input["lines"].as_i64().unwrap_or_default() {
            task.logs.line("stdout", "info", format!("attempt {} line {line}", task.run.attempts), None);
        }
        for said in input["progress"].as_array().into_iter().flatten() {
            task.logs.progress(said[0].as_f64(), said[1].as_str().map(str::to_owned));
        }
        self.at_work.send(task.run.id).unwrap();
        let again_in = input["again_in_ms"].as_u64().map(Duration::from_millis);
        let ending = match input["do"].as_str().unwrap() {
            "succeed" => Ending::Succeeded(b"{\"fine\":true}".to_vec()),
            "grow" => Ending::Succeeded(format!("\"{}\"", "x".repeat(3 << 20)).into_bytes()),
            "raise" => Ending::Failed(RunError::new("raised", "no")),
            "time out" => Ending::TimedOut(RunError::new("timed_out", "late")),
            "panic" => panic!("as the test asked"),
            "again" => Ending::Again("the disk was away".into()),
            "wait" => {
                task.cancel.cancelled().await;
                Ending::Cancelled
            }
            // Ignores that it is cancelled: the result comes late.
            "defy" => {
                task.cancel.cancelled().await;
                Ending::Succeeded(b"\"late\"".to_vec())
            }
            other => panic!("{other}?"),
        };
        let token = RunToken {
            jti: self.world.id(),
            audience: "api".into(),
            scope: "state:read".into(),
            txn: self.world.id(),
        };
        let usage = Usage { wall: Duration::from_millis(5), cpu: Duration::from_millis(3), peak_memory: 9 };
        Finish { ending, usage, token: Some(token), logs_truncated: false, again_in, outgoing: None }
    }
}

/// One process of an installation.
struct Node {
    db: Db,
    runs: Runs,
    feed: Feed,
    ledger: Ledger,
    world: World,
    at_work: mpsc::UnboundedReceiver<RunId>,
    stop: CancellationToken,
    working: Option<tokio::task::JoinHandle<()>>,
}

struct House {
    clock: Arc<SteeredClock>,
    db: Db,
    database: TestDatabase,
    scope: OrgScope,
    agent: AgentId,
    version: FunctionVersionId,
    jti: TokenId,
}

impl House {
    async fn new(database: TestDatabase) -> Self {
        let clock = Arc::new(SteeredClock::default());
        let world = World::new(clock.clone(), Arc::new(SystemEntropy));
        let db = database.open().await;
        Self {
            clock,
            db,
            database,
            scope: OrgScope::proven(world.id::<OrgId>()),
            agent: world.id(),
            version: world.id(),
            jti: world.id(),
        }
    }

    async fn node(&self, slots: usize) -> Node {
        let world = World::new(self.clock.clone(), Arc::new(SystemEntropy));
        // On PostgreSQL a node of its own; on SQLite the one database that this process holds.
        let db = if self.db.is_postgres() { self.database.open().await } else { self.db.clone() };
        let source = KeySource::Value(Secret::new("07".repeat(32)));
        let keyring = Keyring::open(db.clone(), world.clone(), &source).await.unwrap();
        let ledger = Ledger::new(db.clone(), keyring.clone(), world.clone(), LedgerSettings::default());
        let directory = self.database.directory().join("blobs");
        let settings = BlobSettings { directory, keep_unreferenced: Duration::from_secs(3600), bucket: None };
        let blobs = Blobs::open(db.clone(), keyring.clone(), world.clone(), settings).await.unwrap();
        let feed = Feed::start(db.clone(), world.clone()).await.unwrap();
        let (send, at_work) = mpsc::unbounded_channel();
        let script = Script { world: world.clone(), at_work: send };
        let settings = RunsSettings { slots, ..RunsSettings::default() };
        let ground = Ground {
            db: db.clone(),
            ledger: ledger.clone(),
            keyring,
            blobs,
            feed: feed.clone(),
            world: world.clone(),
        };
        let runs = Runs::new(ground, vec![Arc::new(script)], settings);
        Node { db, runs, feed, ledger, world, at_work, stop: CancellationToken::new(), working: None }
    }

    async fn working(&self, slots: usize) -> Node {
        let mut node = self.node(slots).await;
        node.work();
        node
    }

    fn new_run(&self, node: &Node, act: &str) -> NewRun {
        self.with_input(node, json!({"do": act, "lines": 2}).to_string().into_bytes())
    }

    fn with_input(&self, node: &Node, input: Vec<u8>) -> NewRun {
        let mandate = Mandate {
            actor: Actor::agent(self.agent, "reporter"),
            subject: self.agent.uuid(),
            chain: vec![Actor::system("in between")],
            scope: None,
            jti: Some(self.jti),
            credential: None,
            txn: Some(node.world.id()),
            request: None,
            run: None,
            revision: node.feed.applied(),
            on_behalf: serde_json::Value::Null,
            stands_on: vec![Footing { kind: "agent".into(), key: self.agent.uuid() }],
        };
        let function: FunctionId = node.world.id();
        let target = Target::new(function, "ops/report").version(self.version);
        NewRun {
            kind: "script",
            trigger: Trigger::Api,
            trigger_id: None,
            target,
            mandate,
            input,
            order: Order::default(),
        }
    }

    async fn queue(&self, node: &Node, act: &str) -> Run {
        let prepared = node.runs.prepare(&self.scope, self.new_run(node, act)).await.unwrap();
        node.runs.queue(&self.scope, prepared, Vec::new()).await.unwrap()
    }

    async fn begin(&self, node: &Node, act: &str) -> Run {
        let prepared = node.runs.prepare(&self.scope, self.new_run(node, act)).await.unwrap();
        node.runs.begin(&self.scope, prepared, Promised::NotYet, Vec::new()).await.unwrap()
    }

    async fn ended(&self, node: &Node, run: RunId) -> Run {
        let run = node.runs.wait(&self.scope, run, LONG).await.unwrap().unwrap();
        assert!(run.state.has_ended(), "still {}", run.state);
        run
    }

    async fn get(&self, node: &Node, run: RunId) -> Run {
        node.runs.get(&self.scope, run).await.unwrap().unwrap()
    }

    /// Kinds and actors of the facts of a run, in order.
    async fn facts(&self, run: RunId) -> Vec<(String, String)> {
        let text = "SELECT kind, actor_kind FROM facts WHERE org = $1 AND run = $2 ORDER BY id";
        let params = vec![self.scope.org().uuid().into(), run.uuid().into()];
        let rows = self.db.read(self.scope, sql(text, params)).await.unwrap();
        rows.into_iter().map(|mut row| (row.next().unwrap(), row.next().unwrap())).collect()
    }

    async fn ordered(&self, node: &Node, act: serde_json::Value, order: Order) -> Run {
        let new = NewRun { order, ..self.with_input(node, act.to_string().into_bytes()) };
        let prepared = node.runs.prepare(&self.scope, new).await.unwrap();
        node.runs.queue(&self.scope, prepared, Vec::new()).await.unwrap()
    }

    async fn cancel(&self, node: &Node, run: RunId) {
        let found = self.get(node, run).await;
        let by = (Actor::system("test"), Origin::default());
        let (fact, statement) = node.runs.cancellation(&self.scope, &found, by.0, by.1).await.unwrap();
        let change = Change::new(self.scope, node.ledger.seal(fact).await.unwrap()).statement(statement);
        node.db.commit(change.wake_queue()).await.unwrap();
        node.runs.stop(run).await;
    }

    async fn kill_agent(&self, node: &Node) {
        let fact = Fact::new(&KILLED, self.scope.org(), Actor::system("test"));
        let entry = AuthorityEntry::changed(self.scope.org(), "agent", self.agent.uuid()).died();
        let change = Change::new(self.scope, node.ledger.seal(fact).await.unwrap()).authority(entry);
        node.db.commit(change).await.unwrap();
    }
}

impl Node {
    #[expect(clippy::disallowed_methods, reason = "the node's own task, in tests")]
    fn work(&mut self) {
        let stop = self.stop.clone();
        let runs = self.runs.clone();
        self.working = Some(tokio::spawn(async move { runs.work(stop.cancelled_owned()).await }));
    }

    async fn shut_down(&mut self) {
        self.stop.cancel();
        self.working.take().unwrap().await.unwrap();
    }

    /// Ends as by kill -9: nothing is handed back, nothing is written.
    fn die(&mut self) {
        self.working.take().unwrap().abort();
    }

    async fn next_at_work(&mut self) -> RunId {
        tokio::time::timeout(LONG, self.at_work.recv()).await.expect("a run begins").unwrap()
    }
}

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
        assert_eq!(all.iter().map(|line| line.number).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(next.runs.next_lines(&house.scope, run.id, 2, 100).await.unwrap(), None);
        assert_eq!(next.runs.lines(&house.scope, run.id, 1, 100).await.unwrap().len(), 1);

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
