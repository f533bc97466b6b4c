//! Looks at the memory and processor time of every call of a jail.
//!
//! A call is a child of init with everything below it. The cheap look adds up resident sizes; only when that sum,
//! which counts shared pages often, is over the limit, the exact one is read: proportional anonymous and shared
//! memory, swap, and what lies in the call's tmpfs (files mapped from there are not counted twice).

use std::collections::HashMap;
use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{Dir, Mode, OFlags, openat};
use rustix::net::SendFlags;

use crate::guard::Guard;
use crate::message::{Excess, JailPlan, Limit, Message};
use crate::packet;
use crate::sys::{self, Tally};

/// An idle jail is looked at this much less often.
const IDLE_SCANS: u32 = 40;
/// Processor time that a zygote may use for each fork beside its limit.
const PER_FORK: Duration = Duration::from_millis(20);
const ZYGOTE: u32 = crate::jail::ZYGOTE_PID.unsigned_abs();
/// The tmpfs is bounded by its own size, so it is asked less often than processes.
const SCRATCH_SCANS: u32 = 4;

pub(super) struct Watch {
    memory: u64,
    cpu: Duration,
    enabled: bool,
    /// The jail's `/proc`.
    processes: Option<OwnedFd>,
    turn: u32,
    rest_until: Option<Instant>,
    page: u64,
    ticks: u64,
}

/// One process as the cheap look sees it.
struct Process {
    parent: u32,
    ticks: u64,
    pages: u64,
}

/// One call: its first process and the sums over all of it.
struct Group {
    root: u32,
    members: Vec<u32>,
    ticks: u64,
    pages: u64,
}

impl Watch {
    pub(super) fn new(plan: &JailPlan) -> Self {
        Self {
            memory: plan.memory,
            cpu: plan.cpu,
            // Without a pid namespace the processes of the whole host would be taken for the jail's.
            enabled: plan.removed.stands(Guard::Watch) && plan.removed.stands(Guard::Processes),
            processes: None,
            turn: 0,
            rest_until: None,
            page: rustix::param::page_size() as u64,
            ticks: rustix::param::clock_ticks_per_second(),
        }
    }

    pub(super) fn begin(&mut self, processes: Option<OwnedFd>) {
        self.processes = processes;
    }

    /// One look, if a call runs or the jail was idle for long.
    pub(super) fn scan_when_due(&mut self, init: &OwnedFd, tally: &Tally) {
        self.turn = self.turn.wrapping_add(1);
        if !self.enabled || (tally.busy() == 0 && !self.turn.is_multiple_of(IDLE_SCANS)) {
            return;
        }
        let Some(proc) = &self.processes else { return };
        let mut exact = Exact { rest_until: self.rest_until };
        for group in groups(&processes(proc)) {
            if let Some(cause) = self.excess(proc, &group, tally.forked(), &mut exact) {
                let limit = Limit { pid: Some(group.root), cause: Some(cause) };
                // A full socket means that init has not read the last word yet; the next look says it again.
                let _sent = packet::send(init, &limit.frame(), &[], SendFlags::DONTWAIT);
            }
        }
        self.rest_until = exact.rest_until;
    }

    fn excess(&self, proc: &OwnedFd, group: &Group, forked: u32, exact: &mut Exact) -> Option<Excess> {
        // The zygote lives through many calls and may work for each a little.
        let extra = if group.root == ZYGOTE { PER_FORK * forked } else { Duration::ZERO };
        let used = Duration::from_millis(group.ticks.saturating_mul(1000) / self.ticks.max(1));
        if used > self.cpu + extra {
            return Some(Excess::Cpu);
        }
        let resident = group.pages.saturating_mul(self.page);
        let ask_scratch = resident > self.memory || self.turn.is_multiple_of(SCRATCH_SCANS);
        let scratch = if ask_scratch { scratch_bytes(proc, group.root) } else { 0 };
        if resident + scratch <= self.memory {
            return None;
        }
        exact.exceeds(proc, group, self.memory.saturating_sub(scratch)).then_some(Excess::Memory)
    }
}

/// The exact look. A process with very many maps makes it slow, so it rests after each for many times as long as it
/// took: no jail can keep the launcher from the others.
struct Exact {
    rest_until: Option<Instant>,
}

impl Exact {
    const REST: u32 = 20;

    fn exceeds(&mut self, proc: &OwnedFd, group: &Group, allowed: u64) -> bool {
        let begun = Instant::now();
        if self.rest_until.is_some_and(|until| begun < until) {
            return false;
        }
        let held: u64 = group.members.iter().map(|pid| held_bytes(proc, *pid)).sum();
        // What is mapped from the tmpfs was counted there already. Asked last, because it is slowest.
        let exceeds = held > allowed
            && held - group.members.iter().map(|pid| scratch_mapped_bytes(proc, *pid)).sum::<u64>().min(held)
                > allowed;
        self.rest_until = Some(begun + begun.elapsed() * (Self::REST + 1));
        exceeds
    }
}

fn processes(proc: &OwnedFd) -> HashMap<u32, Process> {
    // Read through a fresh descriptor: the position of a directory belongs to its open file.
    let Ok(directory) =
        openat(proc, ".", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
    else {
        return HashMap::new();
    };
    let Ok(entries) = Dir::new(directory) else { return HashMap::new() };
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str().ok()?.parse::<u32>().ok());
    pids.filter(|pid| *pid != 1)
        .filter_map(|pid| Some((pid, parse_stat(&read(proc, pid, "stat")?)?)))
        .collect()
}

/// Each child of init with its descendants. The call is pid 1 of a namespace, so none of them can leave the tree.
fn groups(processes: &HashMap<u32, Process>) -> Vec<Group> {
    let mut groups: HashMap<u32, Group> = HashMap::new();
    for (pid, process) in processes {
        let root = root_of(*pid, processes);
        let group =
            groups.entry(root).or_insert_with(|| Group { root, members: Vec::new(), ticks: 0, pages: 0 });
        group.members.push(*pid);
        group.ticks += process.ticks;
        group.pages += process.pages;
    }
    groups.into_values().collect()
}

fn root_of(pid: u32, processes: &HashMap<u32, Process>) -> u32 {
    let mut root = pid;
    // As many steps as there are processes: the table may have changed while it was read.
    for _ in 0..processes.len() {
        match processes.get(&root) {
            Some(process) if process.parent > 1 && processes.contains_key(&process.parent) => {
                root = process.parent
            }
            _ => break,
        }
    }
    root
}

/// `proc_pid_stat(5)`: the name in brackets may hold anything, so fields are counted from the last bracket.
fn parse_stat(stat: &str) -> Option<Process> {
    let (_, fields) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
    Some(Process {
        parent: u32::try_from(number(1)?).ok()?,
        ticks: number(11)? + number(12)? + number(13)? + number(14)?,
        pages: number(21)?,
    })
}

fn scratch_bytes(proc: &OwnedFd, pid: u32) -> u64 {
    let path: PathBuf = [pid.to_string().as_str(), "root", "tmp"].iter().collect();
    // Gone between two looks: it holds nothing any more.
    sys::used_bytes(proc.as_fd(), &path).unwrap_or(0)
}

fn held_bytes(proc: &OwnedFd, pid: u32) -> u64 {
    let sums = read(proc, pid, "smaps_rollup").unwrap_or_default();
    ["Pss_Anon:", "Pss_Shmem:", "SwapPss:"].iter().map(|name| kilobytes(&sums, name)).sum::<u64>() * 1024
}

fn scratch_mapped_bytes(proc: &OwnedFd, pid: u32) -> u64 {
    read(proc, pid, "smaps").map_or(0, |maps| mapped_from_scratch(&maps) * 1024)
}

fn kilobytes(text: &str, name: &str) -> u64 {
    text.lines().find_map(|line| line.strip_prefix(name)).and_then(first_number).unwrap_or(0)
}

fn first_number(text: &str) -> Option<u64> {
    text.split_whitespace().next()?.parse().ok()
}

/// Kilobytes that are mapped from files below `/tmp`.
fn mapped_from_scratch(maps: &str) -> u64 {
    let mut inside = false;
    let mut sum = 0;
    for line in maps.lines() {
        if let Some(rest) = line.strip_prefix("Pss:") {
            sum += if inside { first_number(rest).unwrap_or(0) } else { 0 };
        } else if line.as_bytes().first().is_some_and(u8::is_ascii_hexdigit) && line.contains('-') {
            inside = line.split_once(" /tmp/").is_some();
        }
    }
    sum
}

fn read(proc: &OwnedFd, pid: u32, file: &str) -> Option<String> {
    let path: PathBuf = Path::new(&pid.to_string()).join(file);
    let file = openat(proc, path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).ok()?;
    let mut text = Vec::with_capacity(4096);
    std::fs::File::from(file).read_to_end(&mut text).ok()?;
    Some(String::from_utf8_lossy(&text).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_full_of_brackets_does_not_shift_the_fields() {
        let stat = "7 (a) b) 3 (c) S 5 7 7 0 -1 4194560 100 0 0 0 3 4 5 6 20 0 1 0 99 1000000 321 18446744073709551615 1";
        let process = parse_stat(stat).unwrap();
        assert_eq!((process.parent, process.ticks, process.pages), (5, 18, 321));
        assert!(parse_stat("").is_none());
    }

    #[test]
    fn descendants_belong_to_the_child_of_init() {
        let process = |parent, pages| Process { parent, ticks: 1, pages };
        let table =
            HashMap::from([(5, process(1, 10)), (6, process(5, 1)), (7, process(6, 2)), (9, process(1, 4))]);
        let mut sums: Vec<_> =
            groups(&table).into_iter().map(|g| (g.root, g.members.len(), g.pages)).collect();
        sums.sort_unstable();
        assert_eq!(sums, [(5, 3, 13), (9, 1, 4)]);
    }

    #[test]
    fn only_maps_of_scratch_files_are_taken_off() {
        let maps = "7f00-7f01 rw-s 00000000 00:2a 3    /tmp/a\nPss: 40 kB\n7f01-7f02 rw-p 0 00:00 0\nPss: 7 kB\n\
                    7f02-7f03 rw-s 0 00:01 9   /dev/zero (deleted)\nPss: 9 kB\n";
        assert_eq!(mapped_from_scratch(maps), 40);
    }
}
