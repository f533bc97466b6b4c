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
    Call, ContextFrame, Identity, Interpreter, Launcher, Limits, OrgSlot, Outcome, Sandbox, Settings,
    ZygoteSpec,
};
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
    let (mut took, cores) = runtime.block_on(measure(launcher, settings, calls))?;
    took.sort_unstable();
    let at = |share: usize| took.get(took.len() * share / 100).map_or(0, Duration::as_micros);
    let mut out = std::io::stdout();
    writeln!(out, "bare fork                 p50 {bare} µs")?;
    writeln!(out, "fork call, one at a time  p50 {} µs  p99 {} µs", at(50), at(99))?;
    writeln!(out, "above the bare fork       p50 {} µs", at(50).saturating_sub(bare))?;
    writeln!(
        out,
        "four at a time            {:.0} calls/s on {:.2} cores = {:.0} per core",
        cores.0,
        cores.1,
        cores.0 / cores.1
    )?;
    Ok(())
}

async fn measure(
    launcher: Launcher,
    settings: Settings,
    calls: usize,
) -> Result<(Vec<Duration>, (f64, f64)), Failure> {
    let sandbox = Sandbox::new(launcher, settings, Arc::new(|stream| Box::pin(async move { drop(stream) })));
    for _ in 0..20 {
        one(&sandbox).await?;
    }
    let mut took = Vec::with_capacity(calls);
    for _ in 0..calls {
        let begun = Instant::now();
        one(&sandbox).await?;
        took.push(begun.elapsed());
    }
    let (begun, busy) = (Instant::now(), used_seconds(sandbox.launcher_pid())?);
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
    Ok((took, (calls as f64 / wall, (used_seconds(sandbox.launcher_pid())? - busy) / wall)))
}

async fn one(sandbox: &Sandbox) -> Result<(), Failure> {
    let code = "def handler(input, context):\n    return input\n";
    let (logs, _unread) = tokio::sync::mpsc::channel(1);
    let call = Call {
        zygote: ZygoteSpec::new(OrgSlot::new(0).ok_or("no such slot")?, "bench", code, &["handler"]),
        input: b"{\"n\":1}".to_vec(),
        context: ContextFrame::default(),
        limits: Limits::default(),
        logs,
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
