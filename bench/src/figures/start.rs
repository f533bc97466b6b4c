//! From the start of the process to `/health/ready` on an empty SQLite, and its memory ten seconds later.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use tokio::time::{sleep, timeout};

use super::over_http::on_one_thread;
use crate::Settings;
use crate::cpu::{self, Cores};
use crate::http::{Connection, get};
use crate::row::Row;
use crate::serve::{Served, binary};
use crate::spread::Spread;

const PATIENCE: Duration = Duration::from_secs(30);
const IDLE: Duration = Duration::from_secs(10);

pub(crate) fn measure(settings: &Settings) -> Result<()> {
    on_one_thread(all(settings))
}

async fn all(settings: &Settings) -> Result<()> {
    let cores = Cores::of_machine()?;
    let (mut first, mut again, mut idle, mut bare) =
        (Spread::default(), Spread::default(), Spread::default(), Spread::default());
    for _ in 0..settings.runs {
        let data = settings.directory()?;
        drop(ready(settings, &cores, data.path(), &mut first).await?);
        let served = ready(settings, &cores, data.path(), &mut again).await?;
        sleep(IDLE).await;
        idle.add(cpu::resident(served.pid())?);
        let begun = Instant::now();
        let mut version = Command::new(binary(settings)?);
        ensure!(version.arg("--version").stdout(Stdio::null()).status()?.success(), "--version failed");
        bare.add(begun.elapsed().as_secs_f64() * 1000.0);
    }
    let row = Row {
        figure: "ready on an empty SQLite".into(),
        goal: "≤ 300 ms",
        measured: format!("{} ms", first.text()),
        floor: format!("the same program's `--version` {} ms", bare.text()),
        beside: format!("one core; {} ms where it has been before", again.text()),
    };
    row.print();
    let row = Row {
        figure: "memory after 10 s idle".into(),
        goal: "≤ 50 MB",
        measured: format!("{} MB resident", idle.text_with(|size| format!("{size:.1}"))),
        ..Row::default()
    };
    row.print();
    Ok(())
}

async fn ready(settings: &Settings, cores: &Cores, data: &Path, took: &mut Spread) -> Result<Served> {
    let begun = Instant::now();
    let served = Served::start(settings, cores, data, None)?;
    let answered = async {
        let mut connection = Connection::open(served.address).await?;
        while connection.ask(&get("/health/ready")).await?.status != 200 {
            sleep(Duration::from_millis(1)).await;
        }
        Ok::<(), anyhow::Error>(())
    };
    timeout(PATIENCE, answered).await??;
    took.add(begun.elapsed().as_secs_f64() * 1000.0);
    Ok(served)
}
