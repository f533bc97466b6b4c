//! What the quick start says: a line for each act, its tables, and the sum at the end.

use client::{CredentialKind, Error, Kill, Run};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::evidence::Proven;
use crate::desk::Desk;
use crate::failure::Failure;
use crate::screen::Form;
use crate::table::{Cell, Tone, plain};

/// Everything that happened.
pub(crate) struct Story {
    pub(crate) server: String,
    /// The one that may, and the one that may not.
    pub(crate) agents: [String; 2],
    pub(crate) credentials: [CredentialKind; 2],
    pub(crate) function: String,
    pub(crate) run: Run,
    pub(crate) refusal: Error,
    pub(crate) kill: Kill,
    pub(crate) dead_token: Error,
    pub(crate) proven: Proven,
    pub(crate) millis: u128,
}

/// Numbers the acts and says how long each took.
pub(crate) struct Stopwatch {
    begun: Instant,
    last: Instant,
    act: u32,
}

impl Stopwatch {
    pub(crate) fn start() -> Self {
        let now = Instant::now();
        Self { begun: now, last: now, act: 0 }
    }

    pub(crate) fn tell(&mut self, desk: &mut Desk<'_>, text: &str) -> Result<(), Failure> {
        let now = Instant::now();
        let took = now.duration_since(std::mem::replace(&mut self.last, now)).as_millis();
        self.act += 1;
        let took = desk.screen.painted(&format!("({took} ms)"), Tone::Faint);
        desk.screen.note(&format!("{:>2}  {} {took}", self.act, plain(text)))
    }

    pub(crate) fn total(&self) -> u128 {
        self.begun.elapsed().as_millis()
    }
}

/// Availability and percentiles, as the function gave them.
pub(crate) fn report(desk: &mut Desk<'_>, run: &Run) -> Result<(), Failure> {
    if desk.screen.form != Form::Table {
        return Ok(());
    }
    let services = run.output.as_ref().and_then(|output| output.get("services")).and_then(Value::as_array);
    let rows: Vec<Vec<Cell>> = services.into_iter().flatten().map(row).collect();
    desk.screen.table(&["service", "checks", "failed", "available", "p50", "p95", "p99"], &rows)?;
    match run.output.as_ref().and_then(|output| output.get("skipped_count")).and_then(Value::as_u64) {
        Some(skipped @ 1..) => desk
            .screen
            .warn(&format!("{skipped} lines could not be read; see `safeconduct runs show {}`", run.id)),
        _ => Ok(()),
    }
}

fn row(service: &Value) -> Vec<Cell> {
    let text = |name: &str| match service.get(name) {
        Some(Value::String(text)) => Cell::from(text),
        Some(other) => Cell::from(other.to_string()),
        None => Cell::default(),
    };
    let latency =
        |name: &str| match service.get("latency_ms").and_then(|all| all.get(name)).and_then(Value::as_i64) {
            Some(millis) => Cell::from(format!("{millis} ms")),
            None => Cell::from("–"),
        };
    let ppm = service.get("availability_ppm").and_then(Value::as_u64).unwrap_or_default();
    let tone = if ppm >= 999_000 {
        Tone::Good
    } else if ppm >= 990_000 {
        Tone::Warn
    } else {
        Tone::Bad
    };
    let available = Cell::toned(format!("{}.{:04} %", ppm / 10_000, ppm % 10_000), tone);
    vec![
        text("service"),
        text("checks"),
        text("failed"),
        available,
        latency("p50"),
        latency("p95"),
        latency("p99"),
    ]
}

pub(crate) fn refusal(desk: &mut Desk<'_>, error: &Error) -> Result<(), Failure> {
    let request = error.request_id().map_or_else(String::new, |id| format!(" [{id}]"));
    for line in [format!("{} ({}){request}", error.title(), error.code()), error.detail().to_owned()] {
        desk.screen.note(&format!("      {}", plain(&line)))?;
    }
    Ok(())
}

pub(crate) fn receipt(desk: &mut Desk<'_>, kill: &Kill) -> Result<(), Failure> {
    let dead = format!(
        "{} dead tokens, {} stopped runs, {} ended sessions",
        kill.tokens.count, kill.runs, kill.sessions
    );
    desk.screen.note(&format!("      {} {dead}", kill.id))?;
    for node in &kill.nodes {
        let after = node.applied_ms.map_or_else(String::new, |ms| format!(" after {ms} ms"));
        desk.screen.note(&format!("      node {} {}{after}", plain(&node.id), plain(&node.state)))?;
    }
    Ok(())
}

/// The short table at the end; `console` where there is one that stays.
pub(crate) fn sum_up(desk: &mut Desk<'_>, story: &Story, console: Option<&str>) -> Result<(), Failure> {
    let Story { run, kill, proven, .. } = story;
    let slowest = kill.nodes.iter().filter_map(|node| node.applied_ms).max().unwrap_or_default();
    let good = |text: String| Cell::toned(text, Tone::Good);
    let rows = [
        ("agents", Cell::from(story.agents.join(", "))),
        ("credentials", Cell::from(story.credentials.each_ref().map(|kind| kind.as_str()).join(", "))),
        ("function", Cell::from(&story.function)),
        ("run", Cell::from(format!("{} {}", run.id, run.status))),
        ("refused", Cell::from(format!("{} {}", story.agents[1], story.refusal.code()))),
        ("killed", Cell::from(format!("{} by {}, everywhere after {slowest} ms", story.agents[0], kill.id))),
        ("ledger", good(format!("{} records verified", proven.checked))),
        (
            "proof",
            good(format!(
                "{}, {} hashes to the root of {} leaves",
                proven.fact.id, proven.hashes, proven.tree_size
            )),
        ),
        (
            "bundle",
            good(format!("{}, {} records, verified offline", proven.bundle.display(), proven.report.records)),
        ),
        ("took", Cell::from(format!("{} ms", story.millis))),
        ("console", Cell::from(console.unwrap_or_default())),
    ];
    if desk.screen.form == Form::Table {
        desk.screen.line("")?;
    }
    desk.screen.record(&whole(story, console), &run.id, &rows)?;
    match console {
        Some(_) => Ok(()),
        None => {
            desk.screen.note("The server ended with this command. Start one that stays: safeconduct serve")
        }
    }
}

fn whole(story: &Story, console: Option<&str>) -> Value {
    let Story { run, kill, proven, .. } = story;
    json!({
        "server": story.server,
        "agents": story.agents,
        "credentials": story.credentials,
        "function": story.function,
        "run": run,
        "refusal": story.refusal,
        "kill": kill,
        "dead_token": story.dead_token,
        "ledger": { "verified": true, "checked_count": proven.checked },
        "proof": { "fact": proven.fact.id, "seq": proven.fact.seq, "tree_size": proven.tree_size, "hashes": proven.hashes },
        "bundle": { "path": proven.bundle, "report": proven.report, "believed": proven.believed },
        "took_ms": u64::try_from(story.millis).unwrap_or(u64::MAX),
        "console": console,
    })
}
