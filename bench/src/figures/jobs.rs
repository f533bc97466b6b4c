//! Runs that do nothing: from being asked for, a hundred at a time, until each has its result and its fact on disk. Beside
//! it, in the same run, what others take for jobs that do nothing: on PostgreSQL those that work on it, on the same server; else Restate.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use db::{Bookkeeping, OrgScope, sql};
use futures::future::{BoxFuture, try_join_all};
use ledger::Actor;
use runs::{
    Ending, Executor, Finish, Footing, Ground, Mandate, NewRun, Order, Runs, RunsSettings, Target, Task,
    Trigger,
};
use safeconduct::House;
use tokio_util::sync::CancellationToken;
use types::{AgentId, FunctionId, Id};

use super::in_process::Inside;
use crate::row::{Row, whole};
use crate::spread::{Spread, millis};
use crate::{Settings, cpu, floor, peers};

/// Runs that are worked on at a time.
const CONCURRENCY: usize = 256;
/// Runs that are asked for together.
const BATCH: u64 = 100;
/// Who asks at once.
const LANES: u64 = 4;
const RUNS: u64 = 40_000;
/// A measurement that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(300);

/// Counts how often it did nothing.
#[derive(Clone, Default)]
struct Nothing(Arc<AtomicU64>);

impl Executor for Nothing {
    fn kind(&self) -> &'static str {
        "nothing"
    }

    fn target(&self) -> &'static str {
        "function"
    }

    fn execute(&self, _: Task) -> BoxFuture<'static, Finish> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Box::pin(async { Finish::without_work(Ending::Succeeded(b"null".to_vec())) })
    }
}

pub(crate) fn measure(settings: &Settings) -> Result<()> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(inside(settings))
}

async fn inside(settings: &Settings) -> Result<()> {
    let inside = Inside::start(settings).await?;
    let house = &inside.server.house;
    let scope = OrgScope::proven(house.people.home().await?.id);
    let nothing = Nothing::default();
    let runs = engine(house, Arc::new(nothing.clone()), CONCURRENCY);
    let stop = CancellationToken::new();
    let working = telemetry::spawn("work", runs.clone().work(stop.clone().cancelled_owned()));
    let total = settings.count.unwrap_or(RUNS) / (BATCH * LANES) * BATCH * LANES;
    let (mut rate, mut asked, mut per_core) = (Spread::default(), Spread::default(), Spread::default());
    let mut done = 0;
    for _ in 0..settings.runs {
        house.ledger.drain().await?;
        let (before, begun) = (cpu::used(std::process::id())?, Instant::now());
        let lanes = (0..LANES).map(|_| ask(&runs, house, scope, total / LANES));
        try_join_all(lanes).await?;
        asked.add(total as f64 / begun.elapsed().as_secs_f64());
        done += total;
        while nothing.0.load(Ordering::Relaxed) < done {
            ensure!(begun.elapsed() < PATIENCE, "{} of {done} runs", nothing.0.load(Ordering::Relaxed));
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        until_stored(house, scope, done).await?;
        house.ledger.drain().await?;
        rate.add(total as f64 / begun.elapsed().as_secs_f64());
        per_core.add(total as f64 / (cpu::used(std::process::id())? - before));
    }
    stop.cancel();
    working.await?;
    let mut syncs = floor::syncs(inside.directory.path(), 64 * 1024, Duration::from_secs(3))?;
    let mut beside = format!(
        "{CONCURRENCY} at a time, asked for {BATCH} together at {} /s; {} runs",
        asked.text(),
        whole(total as f64)
    );
    for (name, told) in peers::jobs(inside.postgres.as_ref(), total, CONCURRENCY, settings.runs)? {
        beside += &format!("; {name} {} /s", told.text());
    }
    let row = Row {
        figure: format!("runs that do nothing, {}", settings.database()),
        goal: if settings.postgres { "≥ 3,000/s" } else { "≥ 10,000/s" },
        measured: format!("{} /s with facts sequenced; {} per core", rate.text(), per_core.text()),
        floor: format!(
            "fdatasync of 64 KB p50 {}, p99 {}",
            millis(syncs.percentile(50.0)),
            millis(syncs.percentile(99.0))
        ),
        beside,
    };
    inside.server.stop().await;
    row.print();
    Ok(())
}

/// An engine of its own on the house's ground, with one executor.
pub(super) fn engine(house: &House, executor: Arc<dyn Executor>, slots: usize) -> Runs {
    let ground = Ground {
        db: house.db.clone(),
        ledger: house.ledger.clone(),
        keyring: house.keyring.clone(),
        blobs: house.blobs.clone(),
        feed: house.feed.clone(),
        world: house.world.clone(),
    };
    Runs::new(ground, vec![executor], RunsSettings { slots, ..RunsSettings::default() })
}

/// Asks for so many, in batches that are one transaction each.
pub(super) async fn ask(runs: &Runs, house: &House, scope: OrgScope, count: u64) -> Result<()> {
    for _ in 0..count / BATCH {
        let batch = try_join_all((0..BATCH).map(|_| runs.prepare(&scope, new_run(house)))).await?;
        let statements = batch.into_iter().flat_map(|prepared| prepared.statements());
        let books = statements.fold(Bookkeeping::new(scope), Bookkeeping::statement);
        house.db.keep(books.wake_queue()).await?;
    }
    Ok(())
}

fn new_run(house: &House) -> NewRun {
    let (agent, function): (AgentId, FunctionId) = (house.world.id(), house.world.id());
    let mandate = Mandate {
        actor: Actor::agent(agent, "reporter"),
        subject: agent.uuid(),
        chain: Vec::new(),
        scope: None,
        jti: Some(house.world.id()),
        credential: None,
        txn: Some(house.world.id()),
        request: Some(house.world.id()),
        run: None,
        revision: house.feed.applied(),
        on_behalf: serde_json::Value::Null,
        stands_on: vec![Footing { kind: "agent".into(), key: agent.uuid() }],
    };
    NewRun {
        kind: "nothing",
        trigger: Trigger::Api,
        trigger_id: None,
        target: Target::new(function, "ops/nothing"),
        mandate,
        input: br#"{"nothing":true}"#.to_vec(),
        order: Order::default(),
    }
}

async fn until_stored(house: &House, scope: OrgScope, count: u64) -> Result<()> {
    let begun = Instant::now();
    loop {
        let text = "SELECT count(*) FROM runs WHERE org = $1 AND kind = 'nothing' AND state = 'succeeded'";
        let row = house.db.read_one(scope, sql(text, vec![scope.org().uuid().into()])).await?;
        let stored: i64 = row.context("a count has a row")?.next()?;
        if stored == count as i64 {
            return Ok(());
        }
        ensure!(begun.elapsed() < PATIENCE, "{stored} of {count} runs have ended well");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
