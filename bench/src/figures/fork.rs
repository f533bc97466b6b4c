//! The sandbox's own measurement (`--example fork_call`), told as the others are.

use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::Settings;
use crate::row::Row;
use crate::spread::Spread;

const CALLS: u64 = 2_000;

pub(crate) fn measure(settings: &Settings) -> Result<()> {
    let (mut above, mut bare, mut per_core, mut said) =
        (Spread::default(), Spread::default(), Spread::default(), String::new());
    let calls = settings.count.unwrap_or(CALLS);
    for _ in 0..settings.runs {
        said = example(calls)?;
        above.add(number(&said, "above the bare fork", "p50 ")?);
        bare.add(number(&said, "bare fork", "p50 ")?);
        per_core.add(number(&said, "four at a time", "= ")?);
    }
    eprintln!("{said}");
    let row = Row {
        figure: "fork call".into(),
        goal: "≤ 1.5 ms above the bare fork; ≥ 400/s per core",
        measured: format!("{} µs above; {} per core", above.text(), per_core.text()),
        floor: format!("bare fork of the interpreter {} µs", bare.text()),
        beside: format!("{calls} calls a run"),
    };
    row.print();
    Ok(())
}

fn example(calls: u64) -> Result<String> {
    let mut cargo = Command::new("cargo");
    cargo.args(["run", "--quiet", "--release", "--package", "safeconduct-sandbox", "--example", "fork_call"]);
    cargo.args(["--", "python3", &calls.to_string()]).current_dir(env!("CARGO_MANIFEST_DIR"));
    let output = cargo.output()?;
    ensure!(output.status.success(), "fork_call: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}

/// The number behind `mark` on the line that begins with `name`.
fn number(said: &str, name: &str, mark: &str) -> Result<f64> {
    let line = said.lines().find(|line| line.starts_with(name));
    let rest = line.and_then(|line| line.split_once(mark)).map(|(_, rest)| rest);
    let digits = rest.and_then(|rest| rest.split_whitespace().next());
    digits.and_then(|digits| digits.parse().ok()).with_context(|| format!("no {name:?} in:\n{said}"))
}
