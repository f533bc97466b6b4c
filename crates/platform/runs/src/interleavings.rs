//! Every order in which leases, ends, expiry and cancellation can come: thousands of runs of one database, each with an
//! order of its own, held against a model of ten lines.

use db::{Change, Db, FactRow, OrgScope, sql};
use futures::future::join_all;
use testing::TestDatabase;
use types::{FactId, Id, OrgId, RunId, Timestamp, Uuid, World};

use crate::answers;
use crate::model::{Asks, Concurrency, Run, RunState, Trigger, Usage};
use crate::store::{self, End, Entry, Lease};

const MAX_ATTEMPTS: i64 = 2;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Lease(usize),
    Begin(usize),
    Finish(usize),
    Expire,
    Cancel,
    Ask(usize),
    Answer,
    /// Through no fault of the run: its attempt is given back.
    LetGo(usize),
}

const STEPS: [Step; 8] = [
    Step::Lease(0),
    Step::Lease(1),
    Step::Begin(0),
    Step::Begin(1),
    Step::Finish(0),
    Step::Finish(1),
    Step::Expire,
    Step::Cancel,
];

/// What must come of it.
#[derive(Clone, Debug)]
struct Model {
    state: RunState,
    fence: i64,
    attempts: i64,
    by: Option<usize>,
    /// The fence under which each worker believes to hold the run.
    hands: [Option<i64>; 2],
    /// Some worker's process waits, or works.
    in_place: bool,
    answers: i64,
}

impl Model {
    fn new() -> Self {
        Self {
            state: RunState::Queued,
            fence: 0,
            attempts: 0,
            by: None,
            hands: [None; 2],
            in_place: false,
            answers: 0,
        }
    }

    fn step(&mut self, step: Step) {
        let asks = self.state == RunState::AwaitingInput;
        let open = matches!(self.state, RunState::Leased | RunState::Running) || asks && self.in_place;
        let holds = |worker: usize| self.hands[worker] == Some(self.fence);
        match step {
            Step::Lease(worker) if self.state == RunState::Queued => {
                self.state = RunState::Leased;
                self.fence += 1;
                self.attempts += 1;
                self.in_place = true;
                self.hands[worker] = Some(self.fence);
            }
            Step::Begin(worker) if self.state == RunState::Leased && holds(worker) => {
                self.state = RunState::Running;
            }
            Step::Finish(worker) if open && holds(worker) => {
                self.state = RunState::Succeeded;
                self.by = Some(worker);
            }
            Step::Expire if asks && self.in_place => self.let_go(),
            Step::Expire if open && self.attempts < MAX_ATTEMPTS => {
                self.state = RunState::Queued;
                self.in_place = false;
                self.fence += 1;
            }
            Step::Expire if open => self.state = RunState::Dead,
            Step::Cancel if !self.state.has_ended() => self.state = RunState::Cancelled,
            Step::Ask(worker) if self.state == RunState::Running && holds(worker) => {
                self.state = RunState::AwaitingInput;
            }
            Step::Answer if asks => {
                self.state = if self.in_place { RunState::Running } else { RunState::Queued };
                self.answers += 1;
            }
            Step::LetGo(worker) if open && holds(worker) => self.let_go(),
            _ => {}
        }
    }

    fn let_go(&mut self) {
        if self.state != RunState::AwaitingInput {
            self.state = RunState::Queued;
        }
        self.in_place = false;
        self.attempts -= 1;
        self.fence += 1;
    }
}

struct Bench {
    db: Db,
    world: World,
    scope: OrgScope,
    workers: [Uuid; 2],
    /// Whether each run has a concurrency key of its own and is leased by it.
    keyed: bool,
}

struct Case {
    id: RunId,
    steps: Vec<Step>,
    hands: [Option<Run>; 2],
    /// Questions that were tried: each has a number of its own.
    asked: i64,
}

impl Bench {
    async fn new(database: &TestDatabase, keyed: bool) -> Self {
        let world = World::system();
        let scope = OrgScope::proven(world.id::<OrgId>());
        let workers = [Uuid::from_u128(1), Uuid::from_u128(2)];
        Self { db: database.open().await, world, scope, workers, keyed }
    }

    fn fact(&self, run: RunId) -> FactRow {
        FactRow {
            id: self.world.id::<FactId>(),
            org: self.scope.org(),
            occurred_at: self.world.now(),
            kind: "test",
            outcome: "success",
            severity: "info",
            actor_kind: "system",
            actor_id: None,
            target_type: None,
            target_id: None,
            jti: None,
            txn: None,
            credential: None,
            run: Some(run.uuid()),
            request: None,
            cause: None,
            private_hash: [0; 32],
            private: Vec::new(),
        }
    }

    async fn case(&self, steps: Vec<Step>) -> Case {
        let id: RunId = self.world.id();
        let now = self.world.now();
        let run = Run {
            id,
            org: self.scope.org(),
            kind: id.to_string(),
            state: RunState::Queued,
            trigger: Trigger::Api,
            trigger_id: None,
            target: Uuid::nil(),
            version: None,
            principal: String::new(),
            subject: Uuid::nil(),
            jti: None,
            txn: None,
            input_sha256: [0; 32],
            input_size: 0,
            output_sha256: None,
            output_size: None,
            error_kind: None,
            attempts: 0,
            max_attempts: MAX_ATTEMPTS,
            fence: 0,
            queued_at: now,
            started_at: None,
            ended_at: None,
            usage: None,
            logs_truncated: false,
            revision: 1,
            parent: None,
            replay_of: None,
            priority: 0,
            due_at: None,
            flushed_at: None,
            asks: None,
        };
        let entry = Entry {
            run,
            credential: None,
            authority_revision: 0,
            papers: Vec::new(),
            input: None,
            concurrency: self.concurrency(id),
            rate: None,
            deduplication_key: None,
            lease: None,
        };
        self.db.keep(db::Bookkeeping::new(self.scope).statement(store::insert(&entry))).await.unwrap();
        Case { id, steps, hands: [None, None], asked: 0 }
    }

    fn concurrency(&self, run: RunId) -> Option<Concurrency> {
        self.keyed.then(|| Concurrency { key: run.to_string(), limit: 1 })
    }

    fn way(&self) -> Lease {
        match (self.keyed, self.db.is_postgres()) {
            (true, _) => Lease::Keyed,
            (false, true) => Lease::Postgres,
            (false, false) => Lease::Sqlite,
        }
    }

    /// One step of one run. Expiry is only marked here: it looks at all runs at once.
    async fn step(&self, case: &mut Case, at: usize) {
        let Some(step) = case.steps.get(at).copied() else { return };
        match step {
            Step::Lease(worker) => {
                let kinds = format!(",{},", case.id);
                let until = Timestamp::from_millis(i64::MAX - 1);
                let lease =
                    store::lease(self.workers[worker], until, self.scope.org(), &kinds, 1, self.way());
                let rows = self.db.keep(lease).await.unwrap();
                if let Some(row) = rows.into_iter().flatten().next() {
                    case.hands[worker] = Some(store::leased(row).unwrap().run);
                }
            }
            Step::Begin(worker) => {
                if let Some(run) = &case.hands[worker] {
                    // Refused where somebody else has it; the model says when that must be so.
                    let _ = self.db.keep(store::begin(std::iter::once(run), self.world.now())).await;
                }
            }
            Step::Finish(worker) => {
                if let Some(run) = &case.hands[worker] {
                    let end = self.end(RunState::Succeeded, worker);
                    let _ = self
                        .db
                        .commit(Change::new(self.scope, self.fact(case.id)).statement(store::end(run, &end)))
                        .await;
                }
            }
            Step::Expire => {
                let silent =
                    "UPDATE runs SET lease_until = 0 WHERE org = $1 AND id = $2 AND lease_until IS NOT NULL";
                let params = vec![self.scope.org().uuid().into(), case.id.uuid().into()];
                self.db.keep(db::Bookkeeping::new(self.scope).statement(sql(silent, params))).await.unwrap();
            }
            Step::Ask(worker) => {
                if let Some(run) = &case.hands[worker] {
                    case.asked += 1;
                    let until = Timestamp::from_millis(i64::MAX - 1);
                    let asks = Asks { number: case.asked, until, in_place: true };
                    self.db.keep(answers::ask(run, asks, vec![1])).await.unwrap();
                }
            }
            Step::Answer => self.answer(case.id).await,
            Step::LetGo(worker) => {
                if let Some(run) = &case.hands[worker] {
                    self.db.keep(store::let_go(run)).await.unwrap();
                }
            }
            Step::Cancel => {
                let cancel = store::cancel(&self.scope, case.id, self.world.now());
                let _ = self.db.commit(Change::new(self.scope, self.fact(case.id)).statement(cancel)).await;
            }
        }
    }

    /// Two answer at once what is asked now; one is taken.
    async fn answer(&self, id: RunId) {
        let row = self.db.read_one(self.scope, store::get(&self.scope, id)).await.unwrap();
        let Some(asks) = store::run(&mut row.unwrap()).unwrap().asks else { return };
        let one = || async {
            let now = self.world.now();
            let go_on = answers::go_on(&self.scope, id, asks.number, now);
            let record = answers::record(&self.scope, id, asks.number, [0; 32], vec![2], "usr_x", now);
            let change = Change::new(self.scope, self.fact(id)).statement(go_on).statement(record);
            self.db.commit(change.wake_queue()).await.is_ok()
        };
        assert!(join_all([one(), one()]).await.iter().filter(|made| **made).count() <= 1);
    }

    /// What a node does when it looks for silent workers.
    async fn expire(&self) {
        let nobody = Uuid::from_u128(3);
        let since = Timestamp::from_millis(1);
        self.db.keep(answers::take_back(nobody, since)).await.unwrap();
        self.db.keep(store::requeue(nobody, since)).await.unwrap();
        loop {
            let spent = self.db.read(store::SCOPE, store::spent(nobody, since)).await.unwrap();
            if spent.is_empty() {
                return;
            }
            let ends = spent.into_iter().map(|row| async {
                let (run, _) = store::with_papers(row).unwrap();
                let end = self.end(RunState::Dead, 9);
                let change = Change::new(self.scope, self.fact(run.id)).statement(store::end(&run, &end));
                self.db.commit(change).await.unwrap();
            });
            join_all(ends).await;
        }
    }

    fn end(&self, state: RunState, worker: usize) -> End {
        End {
            state,
            at: self.world.now(),
            output: None,
            output_sha256: None,
            output_size: None,
            error_kind: Some(worker.to_string()),
            error: None,
            usage: Usage::default(),
            logs_truncated: false,
        }
    }

    async fn play(&self, orders: Vec<Vec<Step>>) {
        let longest = orders.iter().map(Vec::len).max().unwrap_or_default();
        let mut cases = join_all(orders.into_iter().map(|steps| self.case(steps))).await;
        for at in 0..longest {
            join_all(cases.iter_mut().map(|case| self.step(case, at))).await;
            self.expire().await;
        }
        let facts = self.facts().await;
        for case in cases {
            let mut model = Model::new();
            case.steps.iter().for_each(|step| model.step(*step));
            let row = self.db.read_one(self.scope, store::get(&self.scope, case.id)).await.unwrap();
            let run = store::run(&mut row.unwrap()).unwrap();
            let found = (run.state, run.fence, run.attempts);
            assert_eq!(found, (model.state, model.fence, model.attempts), "{:?}", case.steps);
            if run.state == RunState::Succeeded {
                assert_eq!(run.error_kind, model.by.map(|worker| worker.to_string()), "{:?}", case.steps);
            }
            let expected = i64::from(model.state.has_ended()) + model.answers;
            assert_eq!(run.asks.is_some(), run.state == RunState::AwaitingInput, "{:?}", case.steps);
            assert_eq!(
                facts.get(&case.id).copied().unwrap_or_default(),
                expected,
                "facts of {:?}",
                case.steps
            );
            assert!(run.attempts <= MAX_ATTEMPTS);
        }
    }

    async fn facts(&self) -> std::collections::HashMap<RunId, i64> {
        let select = sql(
            "SELECT run, count(*) FROM facts WHERE org = $1 GROUP BY run",
            vec![self.scope.org().uuid().into()],
        );
        let rows = self.db.read(self.scope, select).await.unwrap();
        rows.into_iter().map(|mut row| (row.id().unwrap(), row.next().unwrap())).collect()
    }
}

fn all_orders(length: u32) -> Vec<Vec<Step>> {
    let count = STEPS.len();
    let order =
        |number: usize| (0..length).map(move |place| STEPS[number / count.pow(place) % count]).collect();
    (0..count.pow(length)).map(order).collect()
}

/// Orders that no list could hold; the same on every machine.
fn long_orders(count: usize, length: usize) -> Vec<Vec<Step>> {
    let mut seed = 0x5afe_c0d0_u64;
    let mut next = move || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // Ends are rare, or nothing would be left to happen.
        match (seed >> 33) % 20 {
            draw @ 0..=3 => STEPS[draw as usize],
            4..=9 => Step::Lease((seed >> 40) as usize % 2),
            10..=15 => Step::Expire,
            16 | 17 => Step::Begin((seed >> 40) as usize % 2),
            18 => Step::Finish((seed >> 40) as usize % 2),
            _ => Step::Cancel,
        }
    };
    (0..count).map(|_| (0..length).map(|_| next()).collect()).collect()
}

/// Runs that mostly ask.
fn orders_with_questions(count: usize, length: usize) -> Vec<Vec<Step>> {
    let mut seed = 0xa5c_c0de_u64;
    let mut next = move || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let worker = (seed >> 40) as usize % 2;
        match (seed >> 33) % 40 {
            0..=9 => Step::Lease(worker),
            10..=17 => Step::Begin(worker),
            18..=25 => Step::Ask(worker),
            26..=31 => Step::Answer,
            32..=34 => Step::LetGo(worker),
            35..=37 => Step::Expire,
            38 => Step::Finish(worker),
            _ => Step::Cancel,
        }
    };
    (0..count).map(|_| (0..length).map(|_| next()).collect()).collect()
}

testing::on_both_databases! {
    async fn every_order_of_four_steps_keeps_the_machine(database: TestDatabase) {
        Bench::new(&database, false).await.play(all_orders(4)).await;
    }

    async fn long_orders_keep_the_machine(database: TestDatabase) {
        Bench::new(&database, false).await.play(long_orders(600, 24)).await;
    }

    async fn questions_keep_the_machine(database: TestDatabase) {
        Bench::new(&database, false).await.play(orders_with_questions(600, 24)).await;
    }

    async fn long_orders_keep_the_machine_by_key(database: TestDatabase) {
        Bench::new(&database, true).await.play(long_orders(60, 24)).await;
    }
}
