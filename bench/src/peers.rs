//! Others who do what we do, in the same minutes, those that work on PostgreSQL on the same server: `bench/peers/`.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::postgres::Postgres;
use crate::spread::Spread;

/// Jobs that do nothing, per second, by each peer's name.
pub(crate) fn jobs(
    postgres: Option<&Postgres>,
    count: u64,
    concurrency: usize,
    runs: usize,
) -> Result<Vec<(&'static str, Spread)>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let said = output(Command::new(root.join("scripts/setup.sh")).arg("peers"))?;
    let python = said.trim();
    let peers = root.join("bench/peers");
    let (count, concurrency) = (count.to_string(), concurrency.to_string());
    let started = |program: &str, script: &str, arguments: &[&str]| {
        let mut command = Command::new(program);
        command.arg(peers.join(script)).args(arguments);
        command
    };
    let names: &[&str] = match postgres {
        Some(_) => &["graphile-worker", "pg-boss", "procrastinate"],
        // It has a store of its own.
        None => &["restate"],
    };
    let url = postgres.map(Postgres::url).unwrap_or_default();
    let mut told = Vec::new();
    for name in names {
        let mut spread = Spread::default();
        for _ in 0..runs {
            let mut command = match *name {
                "procrastinate" => started(python, "jobs.py", &[url, &count, &concurrency]),
                "restate" => started("node", "restate.mjs", &[&count]),
                name => started("node", "jobs.mjs", &[name, url, &count, &concurrency]),
            };
            let rate = output(&mut command).with_context(|| (*name).to_owned())?;
            spread.add(rate.trim().parse().with_context(|| format!("{name} said {rate:?}"))?);
        }
        told.push((*name, spread));
    }
    Ok(told)
}

fn output(command: &mut Command) -> Result<String> {
    let output = command.output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}
