//! Others who do what we do, on the same PostgreSQL server and in the same minutes: `bench/peers/`.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::postgres::Postgres;
use crate::spread::Spread;

/// Jobs that do nothing, per second, by each peer's name.
pub(crate) fn jobs(
    postgres: &Postgres,
    count: u64,
    concurrency: usize,
    runs: usize,
) -> Result<Vec<(&'static str, Spread)>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let said = output(Command::new(root.join("scripts/setup.sh")).arg("peers"))?;
    let python = said.trim();
    let peers = root.join("bench/peers");
    let (count, concurrency) = (count.to_string(), concurrency.to_string());
    let rest = [postgres.url(), &count, &concurrency];
    let mut told = Vec::new();
    for name in ["graphile-worker", "pg-boss", "procrastinate"] {
        let mut spread = Spread::default();
        for _ in 0..runs {
            let mut command = match name {
                "procrastinate" => {
                    let mut command = Command::new(python);
                    command.arg(peers.join("jobs.py"));
                    command
                }
                name => {
                    let mut command = Command::new("node");
                    command.arg(peers.join("jobs.mjs")).arg(name);
                    command
                }
            };
            let rate = output(command.args(rest)).with_context(|| name.to_owned())?;
            spread.add(rate.trim().parse().with_context(|| format!("{name} said {rate:?}"))?);
        }
        told.push((name, spread));
    }
    Ok(told)
}

fn output(command: &mut Command) -> Result<String> {
    let output = command.output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}
