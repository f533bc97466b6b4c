//! The engine against both databases: an executor that does as its input says.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot be set up has failed"
)]

mod ends;
mod letters;
mod losses;
mod questions;
mod queueing;
mod watching;

use std::sync::Arc;
use std::time::Duration;

use blobs::{BlobSettings, Blobs};
use cluster::Feed;
use db::{AuthorityEntry, Change, Db, OrgScope, sql};
use futures::future::BoxFuture;
use ledger::{Actor, Fact, Ledger, LedgerSettings, Origin};
use safeconduct_runs::{
    Ending, Executor, Finish, Footing, Ground, Mandate, NewRun, Order, Promised, Question, Run, RunError,
    RunToken, Runs, RunsSettings, Said, Target, Task, Trigger, Usage,
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
            "ask" => ask(&task, &input).await,
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

/// Asks one question after the other; gives what it was told.
async fn ask(task: &Task, input: &serde_json::Value) -> Ending {
    let mut told = Vec::new();
    for prompt in input["questions"].as_array().unwrap() {
        // A prompt that is `attempt` differs whenever the run is begun.
        let prompt = prompt.as_str().unwrap().replace("attempt", &task.run.fence.to_string());
        let question = Question { prompt, schema: None };
        let patience = Duration::from_secs(input["expires_in"].as_u64().unwrap_or(3600));
        let said = tokio::select! {
            said = task.interview.ask(&question, patience) => said.unwrap(),
            () = task.cancel.cancelled() => return Ending::Cancelled,
        };
        match said {
            Said::Answer(answer) => told.push(serde_json::from_slice::<serde_json::Value>(&answer).unwrap()),
            Said::NotYet => return Ending::Waits,
            Said::Changed { number } => {
                return Ending::Failed(RunError::new("question_changed", number.to_string()));
            }
            Said::TooMany => return Ending::Failed(RunError::new("raised", "too many questions")),
            Said::Gone => return Ending::Cancelled,
        }
    }
    Ending::Succeeded(serde_json::to_vec(&told).unwrap())
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
        self.node_with(RunsSettings { slots, ..RunsSettings::default() }).await
    }

    async fn node_with(&self, settings: RunsSettings) -> Node {
        let world = World::new(self.clock.clone(), Arc::new(SystemEntropy));
        // On PostgreSQL a node of its own; on SQLite the one database that this process holds.
        let db = if self.db.is_postgres() { self.database.open().await } else { self.db.clone() };
        let source = KeySource::Value(Secret::new("07".repeat(32)));
        let keyring = Keyring::open(db.clone(), world.clone(), &source).await.unwrap();
        let ledger = Ledger::new(db.clone(), keyring.clone(), world.clone(), LedgerSettings::default());
        let directory = self.database.directory().join("blobs");
        let kept = BlobSettings { directory, keep_unreferenced: Duration::from_secs(3600), bucket: None };
        let blobs = Blobs::open(db.clone(), keyring.clone(), world.clone(), kept).await.unwrap();
        let feed = Feed::start(db.clone(), world.clone()).await.unwrap();
        let (send, at_work) = mpsc::unbounded_channel();
        let script = Script { world: world.clone(), at_work: send };
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
        let ended = async {
            loop {
                let run = node.runs.wait(&self.scope, run, LONG).await.unwrap().unwrap();
                if run.state.has_ended() {
                    return run;
                }
                // It asks something, and is about to be ended.
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(LONG, ended).await.expect("it ends")
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
