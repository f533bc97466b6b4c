//! Which core does what, and how many processor seconds a process and everything below it have used.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// Processor seconds in a second of a server that has caught up: its heartbeats.
const RESTING: f64 = 0.04;

/// A core for the server, and those for whoever asks it.
pub(crate) struct Cores {
    all: CpuSet,
    /// None: they share all of them.
    server: Option<usize>,
}

impl Cores {
    pub(crate) fn of_machine() -> Result<Self> {
        let all = sched_getaffinity(None)?;
        let server = (0..CpuSet::MAX_CPU).find(|core| all.is_set(*core)).context("no core to run on")?;
        Ok(Self { all, server: Some(server) })
    }

    /// For figures of one thing at a time: who asks does nothing while the server works, which has processes of its own.
    pub(crate) fn shared() -> Result<Self> {
        Ok(Self { all: sched_getaffinity(None)?, server: None })
    }

    /// What `start` starts inherits the server's core; afterwards this thread stands on the others.
    pub(crate) fn on_servers<T>(&self, start: impl FnOnce() -> Result<T>) -> Result<T> {
        let Some(server) = self.server else { return start() };
        let mut one = CpuSet::new();
        one.set(server);
        sched_setaffinity(None, &one)?;
        let started = start();
        self.leave()?;
        started
    }

    /// Puts this thread on the cores that are not the server's; on all of them if there is only that one.
    pub(crate) fn leave(&self) -> Result<()> {
        let Some(server) = self.server else { return Ok(()) };
        let mut others = self.all;
        others.unset(server);
        sched_setaffinity(None, if others.count() == 0 { &self.all } else { &others })?;
        Ok(())
    }
}

/// User and system seconds of a process, of all below it, and of those it has waited for.
pub(crate) fn used(process: u32) -> Result<f64> {
    let mut family = BTreeSet::from([process]);
    let all: Vec<(u32, u32, u64)> =
        std::fs::read_dir("/proc")?.flatten().filter_map(|entry| stat(&entry.path())).collect();
    while let Some((pid, ..)) =
        all.iter().find(|(pid, parent, _)| family.contains(parent) && !family.contains(pid))
    {
        family.insert(*pid);
    }
    let ticks: u64 = all.iter().filter(|(pid, ..)| family.contains(pid)).map(|(.., ticks)| ticks).sum();
    Ok(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
}

/// The same once a process has nothing left to do: what it put off belongs to the work that caused it. Not longer than
/// a minute.
pub(crate) async fn used_at_rest(process: u32) -> Result<f64> {
    let mut last = used(process)?;
    for _ in 0..60 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let now = used(process)?;
        if now - last < RESTING {
            return Ok(now);
        }
        last = now;
    }
    Ok(last)
}

/// Bytes that a process has given to the disk.
pub(crate) fn written(process: u32) -> Result<f64> {
    let io = std::fs::read_to_string(format!("/proc/{process}/io"))?;
    field(&io, "write_bytes:").context("no count of written bytes")
}

/// Resident memory in MB.
pub(crate) fn resident(process: u32) -> Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    Ok(field(&status, "VmRSS:").context("no resident memory")? / 1024.0)
}

fn field(text: &str, name: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Pid, parent and ticks (its own and of the children that it waited for).
fn stat(process: &Path) -> Option<(u32, u32, u64)> {
    let pid = process.file_name()?.to_str()?.parse().ok()?;
    let stat = std::fs::read_to_string(process.join("stat")).ok()?;
    // The name may hold spaces; what follows it does not.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = (11..15).filter_map(|index| fields.get(index)?.parse::<u64>().ok()).sum();
    Some((pid, fields.get(1)?.parse().ok()?, ticks))
}
