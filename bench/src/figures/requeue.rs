//! Ten thousand runs that are worked on when their server is killed: from the start of the next server until all of them are in
//! the queue again and have been listed over HTTP, page by page.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use db::OrgScope;
use futures::future::BoxFuture;
use runs::{Executor, Finish, Task};
use serde_json::Value;
use tokio::time::sleep;

use super::in_process;
use super::jobs;
use super::over_http::on_one_thread;
use crate::Settings;
use crate::cpu::Cores;
use crate::http::{Connection, get_as};
use crate::row::{Row, whole};
use crate::serve::Served;
use crate::spread::Spread;

const RUNS: u64 = 10_000;
const PAGE: usize = 200;
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn measure(settings: &Settings) -> Result<()> {
    ensure!(
        !settings.postgres,
        "on PostgreSQL the leases of the dead run out first: this is about the embedded database"
    );
    let count = settings.count.unwrap_or(RUNS) / 400 * 400;
    let (mut took, mut bare) = (Spread::default(), Spread::default());
    for _ in 0..settings.runs {
        let data = settings.directory()?;
        let mut holder = hold(settings, data.path(), count)?;
        holder.kill()?;
        holder.wait()?;
        on_one_thread(async {
            let begun = Instant::now();
            let served = Served::start(settings, &Cores::of_machine()?, data.path(), None)?;
            bare.add(begun.elapsed().as_secs_f64() * 1000.0);
            until_listed(&served, count).await?;
            took.add(begun.elapsed().as_secs_f64() * 1000.0);
            Ok(())
        })?;
    }
    let row = Row {
        figure: "runs of a killed server queued again and listed, SQLite".into(),
        goal: "10,000 in ≤ 2 s",
        measured: format!("{} ms", took.text()),
        floor: format!("the server says that it listens after {} ms", bare.text()),
        beside: format!("{} runs, in pages of {PAGE}", whole(count as f64)),
    };
    row.print();
    Ok(())
}

/// Another process that works on so many runs and never comes to an end with any.
fn hold(settings: &Settings, data: &Path, count: u64) -> Result<Child> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("hold-runs").arg("--dir").arg(data).args(["--count", &count.to_string()]);
    command.args(settings.set.iter().flat_map(|pair| ["--set", pair]));
    let mut holder = command.stdout(Stdio::piped()).spawn()?;
    let mut said = String::new();
    BufReader::new(holder.stdout.take().context("no output")?).read_line(&mut said)?;
    ensure!(said.trim() == "held", "it works on nothing: {said:?}");
    Ok(holder)
}

/// What the process that is killed does.
pub(crate) fn hold_runs(settings: &Settings) -> Result<()> {
    let data = settings.dir.clone().context("--dir is where the database is")?;
    let count = settings.count.unwrap_or(RUNS);
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
        let server = in_process::server(settings, &data, None).await?;
        let house = &server.house;
        let endless = Endless::default();
        let runs = jobs::engine(house, Arc::new(endless.clone()), usize::try_from(count)?);
        telemetry::spawn("work", runs.clone().work(std::future::pending::<()>()));
        jobs::ask(&runs, house, OrgScope::proven(house.people.home().await?.id), count).await?;
        let begun = Instant::now();
        while endless.0.load(Ordering::Relaxed) < count {
            ensure!(begun.elapsed() < PATIENCE, "not all of them have begun");
            sleep(Duration::from_millis(5)).await;
        }
        writeln!(std::io::stdout(), "held")?;
        std::future::pending::<Result<()>>().await
    })
}

/// Counts what has begun, and waits.
#[derive(Clone, Default)]
struct Endless(Arc<AtomicU64>);

impl Executor for Endless {
    fn kind(&self) -> &'static str {
        "nothing"
    }

    fn target(&self) -> &'static str {
        "function"
    }

    fn execute(&self, _: Task) -> BoxFuture<'static, Finish> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Box::pin(std::future::pending())
    }
}

async fn until_listed(served: &Served, count: u64) -> Result<()> {
    let owner = served.owner().await?;
    let mut connection = Connection::open(served.address).await?;
    let begun = Instant::now();
    loop {
        let queues = connection.json(&get_as(&owner, "/api/v1/queues")).await?;
        if queues["items"][0]["ready"].as_u64() == Some(count) {
            break;
        }
        ensure!(begun.elapsed() < PATIENCE, "{queues}");
        sleep(Duration::from_millis(5)).await;
    }
    let (mut listed, mut cursor) = (0, String::new());
    loop {
        let path = format!("/api/v1/runs?status=queued&limit={PAGE}{cursor}");
        let page = connection.json(&get_as(&owner, &path)).await?;
        listed += page["items"].as_array().map_or(0, Vec::len) as u64;
        match &page["next_cursor"] {
            Value::String(next) => cursor = format!("&cursor={next}"),
            _ => break,
        }
    }
    ensure!(listed == count, "{listed} of {count} are listed");
    Ok(())
}
