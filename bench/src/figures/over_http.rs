//! What figures over HTTP share: a run as fast as it goes, one at 70 % of that, and the floors of the same run.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use crate::Settings;
use crate::cpu::{self, Cores};
use crate::floor::{self, Bare};
use crate::http::{Connection, Request};
use crate::load::Plan;
use crate::postgres::{Postgres, WalCounts};
use crate::row::{Row, whole};
use crate::serve::{Counts, Served};
use crate::spread::{Spread, millis};

pub(crate) struct Figure {
    pub(crate) name: &'static str,
    pub(crate) goal: &'static str,
    /// Whether each answer waits for the disk, so that the bare sync is its floor.
    pub(crate) durable: bool,
}

/// The server with its surroundings; what was started last ends first.
pub(crate) struct Scene {
    pub(crate) served: Served,
    postgres: Option<Postgres>,
    directory: tempfile::TempDir,
    cores: Cores,
}

#[derive(Clone, Copy)]
struct Sample {
    postgres: f64,
    written: f64,
    counts: Counts,
    wal: WalCounts,
}

#[derive(Default)]
struct Results {
    rate: Spread,
    per_core: Spread,
    postgres_cores: Spread,
    paced_p50: Spread,
    paced_p99: Spread,
    bare: Spread,
    sync_p50: Spread,
    sync_p99: Spread,
    batch_bytes: Spread,
}

impl Scene {
    pub(crate) fn set(settings: &Settings) -> Result<Self> {
        Self::on(Cores::of_machine()?, settings)
    }

    pub(crate) fn on(cores: Cores, settings: &Settings) -> Result<Self> {
        let directory = settings.directory()?;
        let postgres = settings.postgres.then(|| Postgres::start(settings, directory.path())).transpose()?;
        let data = directory.path().join("data");
        std::fs::create_dir(&data)?;
        let served = Served::start(settings, &cores, &data, postgres.as_ref())?;
        Ok(Self { served, postgres, directory, cores })
    }

    async fn sample(&self) -> Result<Sample> {
        let (postgres, wal) = match &self.postgres {
            Some(postgres) => (cpu::used(postgres.pid())?, postgres.wal().await?),
            None => (0.0, WalCounts::default()),
        };
        let pid = self.served.pid();
        Ok(Sample { counts: self.served.counts().await?, written: cpu::written(pid)?, postgres, wal })
    }

    pub(crate) fn disk(&self) -> &Path {
        self.directory.path()
    }
}

/// Runs on the calling thread alone, so that the generator keeps off the server's core.
pub(crate) fn on_one_thread<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}

pub(crate) async fn measure(
    settings: &Settings,
    figure: &Figure,
    scene: &Scene,
    requests: &[Request],
) -> Result<()> {
    let mut results = Results::default();
    let size = Connection::open(scene.served.address).await?.ask(&requests[0]).await?.body.len();
    for _ in 0..settings.runs {
        run(settings, figure, scene, requests, size, &mut results).await?;
    }
    row(settings, figure, &results).print();
    Ok(())
}

async fn run(
    settings: &Settings,
    figure: &Figure,
    scene: &Scene,
    requests: &[Request],
    size: usize,
    results: &mut Results,
) -> Result<()> {
    let time = Duration::from_secs(settings.seconds);
    let warm_up = (time / 10).max(Duration::from_secs(2));
    let address = scene.served.address;
    let plan = Plan { address, requests, connections: settings.connections, warm_up, time, pace: None };
    let at_rest = cpu::used_at_rest(scene.served.pid()).await?;
    let taken = plan.run(async || scene.sample().await).await?;
    let (before, after) = (taken.before, taken.after);
    results.rate.add(taken.rate());
    let used = cpu::used_at_rest(scene.served.pid()).await? - at_rest;
    results.per_core.add(taken.answers as f64 / used);
    results.postgres_cores.add((after.postgres - before.postgres) / taken.seconds);
    let bytes = match &scene.postgres {
        None => (after.written - before.written) / (after.counts.batches - before.counts.batches),
        Some(_) => (after.wal.bytes - before.wal.bytes) / (after.wal.syncs - before.wal.syncs),
    };
    if settings.rate_only {
        return Ok(());
    }
    let mut paced =
        Plan { pace: Some(0.7 * taken.rate()), ..plan }.run(async || scene.sample().await).await?;
    results.paced_p50.add(paced.times.percentile(50.0));
    results.paced_p99.add(paced.times.percentile(99.0));
    let (bare, short) = (Bare::start(&scene.cores, size)?, time / 4);
    let plan = Plan { address: bare.address, time: short, ..plan };
    let taken = plan.run(async || cpu::used(bare.pid())).await?;
    results.bare.add(taken.times.len() as f64 / (taken.after - taken.before));
    if figure.durable {
        let mut syncs = floor::syncs(scene.disk(), bytes as usize, short)?;
        results.batch_bytes.add(bytes / 1024.0);
        results.sync_p50.add(syncs.percentile(50.0));
        results.sync_p99.add(syncs.percentile(99.0));
    }
    Ok(())
}

fn row(settings: &Settings, figure: &Figure, results: &Results) -> Row {
    let mut measured = format!("{} per core; {} req/s", results.per_core.text(), results.rate.text());
    let mut floor = String::new();
    if !settings.rate_only {
        let at = whole(0.7 * results.rate.median());
        measured += &format!(
            "; at {at}/s p50 {}, p99 {}",
            results.paced_p50.text_with(millis),
            results.paced_p99.text_with(millis)
        );
        floor = format!("bare axum {} per core", results.bare.text());
    }
    if figure.durable && !settings.rate_only {
        floor += &format!(
            "; fdatasync of {:.0} KB p50 {}, p99 {}",
            results.batch_bytes.median(),
            results.sync_p50.text_with(millis),
            results.sync_p99.text_with(millis)
        );
    }
    let mut beside = format!("{} connections", settings.connections);
    if settings.postgres {
        let cores = results.postgres_cores.text_with(|cores| format!("{cores:.2}"));
        beside += &format!("; PostgreSQL used {cores} cores");
    }
    let figure_name = format!("{}, {}", figure.name, settings.database());
    Row { figure: figure_name, goal: figure.goal, measured, floor, beside }
}
