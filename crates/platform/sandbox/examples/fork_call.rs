//! Measures one fork call beside the bare fork of the same interpreter, and calls per second per core used.
//!
//! `cargo run --release -p safeconduct-sandbox --example fork_call [python] [calls]`

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use safeconduct_sandbox::{
    Call, ContextFrame, Identity, Interpreter, Launcher, Limits, LogLine, OrgSlot, Outcome, Sandbox,
    Settings, ZygoteSpec,
};
use tokio::sync::mpsc::Sender;
use tokio_util::sync::CancellationToken;

type Failure = Box<dyn std::error::Error>;

/// Forks as often as asked and prints the median in microseconds; loads what the zygote has loaded.
const BARE: &str =
    "import ctypes, gc, io, json, linecache, os, resource, socket, struct, sys, time, traceback, types
gc.collect(); gc.freeze(); took = []
for _ in range(int(sys.argv[1])):
    begun = time.perf_counter()
    pid = os.fork()
    if pid == 0: os._exit(0)
    os.waitpid(pid, 0)
    took.append(time.perf_counter() - begun)
took.sort(); print(int(took[len(took) // 2] * 1e6))";

fn main() -> Result<(), Failure> {
    safeconduct_sandbox::become_launcher_if_asked();
    let mut arguments = std::env::args().skip(1);
    let python = arguments.next().unwrap_or_else(|| "python3".into());
    let calls: usize = arguments.next().map_or(Ok(1000), |calls| calls.parse())?;
    let interpreter = Interpreter::discover(Path::new(&python))?;
    let bare = Command::new(&interpreter.path).args(["-I", "-S", "-c", BARE, &calls.to_string()]).output()?;
    let bare: u128 = String::from_utf8(bare.stdout)?.trim().parse()?;
    let settings = Settings::new(interpreter, Identity::detect(2_000_000, 65_536));
    let launcher = Launcher::start(&settings)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let mut figures = runtime.block_on(measure(launcher, settings, calls))?;
    figures.took.sort_unstable();
    let at = |share: usize| figures.took.get(figures.took.len() * share / 100).map_or(0, Duration::as_micros);
    let (rate, cores) = (calls as f64 / figures.wall, figures.used / figures.wall);
    let mut out = std::io::stdout();
    writeln!(out, "bare fork                 p50 {bare} µs")?;
    writeln!(out, "fork call, one at a time  p50 {} µs  p99 {} µs", at(50), at(99))?;
    figures.apart.sort_unstable();
    let apart =
        |share: usize| figures.apart.get(figures.apart.len() * share / 100).map_or(0, Duration::as_micros);
    writeln!(out, "fork call, 10 ms apart    p50 {} µs  p99 {} µs", apart(50), apart(99))?;
    writeln!(out, "above the bare fork       p50 {} µs", at(50).saturating_sub(bare))?;
    writeln!(
        out,
        "four at a time            {rate:.0} calls/s on {cores:.2} cores = {:.0} per core",
        rate / cores
    )?;
    writeln!(out, "watch over 100 calls      {:.1} % of a core", figures.watch)?;
    Ok(())
}

struct Figures {
    /// One call at a time.
    took: Vec<Duration>,
    /// One call after each 10 ms.
    apart: Vec<Duration>,
    /// Seconds for as many calls four at a time, and processor seconds.
    wall: f64,
    used: f64,
    watch: f64,
}

async fn measure(launcher: Launcher, settings: Settings, calls: usize) -> Result<Figures, Failure> {
    let sandbox =
        Sandbox::new(launcher, settings, Arc::new(|_, stream| Box::pin(async move { drop(stream) })));
    for _ in 0..20 {
        one(&sandbox).await?;
    }
    let mut took = Vec::with_capacity(calls);
    for _ in 0..calls {
        let begun = Instant::now();
        one(&sandbox).await?;
        took.push(begun.elapsed());
    }
    let mut apart = Vec::with_capacity(calls / 4);
    for _ in 0..calls / 4 {
        tokio::time::sleep(Duration::from_millis(10)).await;
        let begun = Instant::now();
        one(&sandbox).await?;
        apart.push(begun.elapsed());
    }
    let (begun, before) = (Instant::now(), used_seconds(sandbox.launcher_pid())?);
    let lanes = (0..4).map(|_| async {
        for _ in 0..calls / 4 {
            one(&sandbox).await?;
        }
        Ok::<(), Failure>(())
    });
    for lane in futures::future::join_all(lanes).await {
        lane?;
    }
    let wall = begun.elapsed().as_secs_f64();
    let used = used_seconds(sandbox.launcher_pid())? - before;
    Ok(Figures { took, apart, wall, used, watch: watch(&sandbox).await? })
}

/// The launcher's share of a core while a hundred calls sleep.
async fn watch(sandbox: &Sandbox) -> Result<f64, Failure> {
    let code = "import time\ndef handler(input, context):\n    print('asleep')\n    time.sleep(4)\n";
    let (logs, mut lines) = tokio::sync::mpsc::channel(100);
    let calls = (0..100).map(|_| run(sandbox, "asleep", code, logs.clone()));
    let launcher = Path::new("/proc").join(sandbox.launcher_pid().to_string());
    let measured = async {
        for _ in 0..100 {
            lines.recv().await.ok_or("a call ended early")?;
        }
        let (begun, before) = (Instant::now(), stat(&launcher).ok_or("no launcher")?.2);
        tokio::time::sleep(Duration::from_secs(2)).await;
        let ticks = stat(&launcher).ok_or("no launcher")?.2 - before;
        Ok::<f64, Failure>(ticks as f64 / begun.elapsed().as_secs_f64())
    };
    let (ended, share) = tokio::join!(futures::future::join_all(calls), measured);
    ended.into_iter().collect::<Result<Vec<()>, Failure>>()?;
    share
}

async fn one(sandbox: &Sandbox) -> Result<(), Failure> {
    let (logs, _unread) = tokio::sync::mpsc::channel(1);
    run(sandbox, "bench", "def handler(input, context):\n    return input\n", logs).await
}

async fn run(sandbox: &Sandbox, version: &str, code: &str, logs: Sender<LogLine>) -> Result<(), Failure> {
    let call = Call {
        zygote: ZygoteSpec::new(OrgSlot::new(0).ok_or("no such slot")?, version, code, &["handler"]),
        input: b"{\"n\":1}".to_vec(),
        context: ContextFrame::default(),
        limits: Limits::default(),
        logs,
        progress: tokio::sync::watch::Sender::default(),
        outside: None,
        questions: tokio::sync::mpsc::channel(1).0,
        cancel: CancellationToken::new(),
    };
    match sandbox.call(call).await?.outcome {
        Outcome::Succeeded { .. } => Ok(()),
        outcome => Err(format!("{outcome:?}").into()),
    }
}

/// Processor seconds of this process, the launcher and everything below it, with all that init has reaped: what the
/// calls cost, however busy the machine is otherwise.
fn used_seconds(launcher: u32) -> Result<f64, Failure> {
    let mut ours = BTreeSet::from([std::process::id(), launcher]);
    let all: Vec<(u32, u32, u64)> =
        std::fs::read_dir("/proc")?.flatten().filter_map(|entry| stat(&entry.path())).collect();
    while let Some((pid, _, _)) =
        all.iter().find(|(pid, parent, _)| ours.contains(parent) && !ours.contains(pid))
    {
        ours.insert(*pid);
    }
    let ticks: u64 = all.iter().filter(|(pid, _, _)| ours.contains(pid)).map(|(_, _, ticks)| ticks).sum();
    Ok(ticks as f64 / 100.0)
}

/// Pid, parent and ticks (its own and of the children that it waited for).
fn stat(process: &Path) -> Option<(u32, u32, u64)> {
    let pid = process.file_name()?.to_str()?.parse().ok()?;
    let stat = std::fs::read_to_string(process.join("stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = (11..15).filter_map(|index| fields.get(index)?.parse::<u64>().ok()).sum();
    Some((pid, fields.get(1)?.parse().ok()?, ticks))
}
