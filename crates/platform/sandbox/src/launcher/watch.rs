//! Looks at the memory and processor time of every call of a jail.
//!
//! A call is a child of init with everything below it. The cheap look adds up resident sizes; only when that sum,
//! which counts shared pages often, is over the limit, the exact one is read: proportional anonymous and shared
//! memory, swap, and what lies in the call's tmpfs (files mapped from there are not counted twice).

use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use rustix::net::SendFlags;

use super::table::{Group, Table, read};
use crate::guard::Guard;
use crate::message::{Excess, JailPlan, Limit, Message};
use crate::packet;
use crate::sys::{self, Tally};

/// An idle jail is looked at this much less often.
const IDLE_SCANS: u32 = 40;
/// Processor time that a zygote may use for each fork beside its limit.
const PER_FORK: Duration = Duration::from_millis(20);
/// What calls that are just being forked may hold together before init knows them.
const WHOLE_SLACK: u64 = 256 << 20;
const ZYGOTE: u32 = crate::jail::ZYGOTE_PID.unsigned_abs();
/// What grows slowly or has a bound of its own (processor time, the tmpfs) is asked this much less often than memory.
const SLOW_SCANS: u32 = 8;

pub(super) struct Watch {
    memory: u64,
    cpu: Duration,
    enabled: bool,
    table: Option<Table>,
    turn: u32,
    rest_until: Option<Instant>,
    page: u64,
    ticks: u64,
}

impl Watch {
    pub(super) fn new(plan: &JailPlan) -> Self {
        Self {
            memory: plan.memory,
            cpu: plan.cpu,
            // Without a pid namespace the processes of the whole host would be taken for the jail's.
            enabled: plan.removed.stands(Guard::Watch) && plan.removed.stands(Guard::Processes),
            table: None,
            turn: 0,
            rest_until: None,
            page: rustix::param::page_size() as u64,
            ticks: rustix::param::clock_ticks_per_second(),
        }
    }

    /// From now on the jail can be looked at, through its own `/proc`.
    pub(super) fn begin(&mut self, proc: OwnedFd) {
        self.table = Table::new(proc).ok();
    }

    /// One look, if a call runs or the jail was idle for long.
    pub(super) fn scan_when_due(&mut self, init: &OwnedFd, tally: &Tally) {
        self.turn = self.turn.wrapping_add(1);
        if !self.enabled || (tally.busy() == 0 && !self.turn.is_multiple_of(IDLE_SCANS)) {
            return;
        }
        let Some(mut table) = self.table.take() else { return };
        table.refresh(self.turn.is_multiple_of(SLOW_SCANS));
        let mut exact = Exact::begin(self.rest_until);
        let groups = table.groups();
        for group in &groups {
            if let Some(cause) = self.excess(table.proc(), group, tally.forked(), &mut exact) {
                tell(init, group.root, cause);
            }
        }
        if self.exceeds_whole(table.proc(), groups, tally.busy(), &mut exact) {
            tell(init, ZYGOTE, Excess::Memory);
        }
        self.rest_until = exact.end();
        self.table = Some(table);
    }

    /// All calls and the zygote may hold what each may hold. More is in processes that the zygote started on the side,
    /// each of which looks like a call.
    fn exceeds_whole(&self, proc: &OwnedFd, groups: Vec<Group>, busy: u32, exact: &mut Exact) -> bool {
        let allowed = self.memory.saturating_mul(u64::from(busy) + 2).saturating_add(WHOLE_SLACK);
        let pages: u64 = groups.iter().map(|group| group.pages).sum();
        let members = groups.into_iter().flat_map(|group| group.members).collect();
        pages.saturating_mul(self.page) > allowed
            && exact.own_bytes(proc, &Group { root: ZYGOTE, members, ticks: 0, pages }, allowed) > allowed
    }

    fn excess(&self, proc: &OwnedFd, group: &Group, forked: u32, exact: &mut Exact) -> Option<Excess> {
        // The zygote lives through many calls and may work for each a little.
        let extra = if group.root == ZYGOTE { PER_FORK * forked } else { Duration::ZERO };
        let used = Duration::from_millis(group.ticks.saturating_mul(1000) / self.ticks.max(1));
        if used > self.cpu + extra {
            return Some(Excess::Cpu);
        }
        let resident = group.pages.saturating_mul(self.page);
        let ask_scratch = resident > self.memory || self.turn.is_multiple_of(SLOW_SCANS);
        let scratch = if ask_scratch { scratch_bytes(proc, group.root) } else { 0 };
        if resident + scratch <= self.memory {
            return None;
        }
        let own = exact.own_bytes(proc, group, self.memory.saturating_sub(scratch));
        // Scratch files that went away meanwhile may have become the memory that was just counted.
        let exceeds = own + scratch > self.memory && own + scratch_bytes(proc, group.root) > self.memory;
        exceeds.then_some(Excess::Memory)
    }
}

fn tell(init: &OwnedFd, pid: u32, cause: Excess) {
    let limit = Limit { pid: Some(pid), cause: Some(cause) };
    // A full socket means that init has not read the last word yet; the next look says it again.
    let _sent = packet::send(init, &limit.frame(), &[], SendFlags::DONTWAIT);
}

/// The exact looks of one scan. Processes with very many maps make them slow, so after a scan with any they rest for
/// many times as long as they took: no jail can keep the launcher from the others.
struct Exact {
    rest_until: Option<Instant>,
    resting: bool,
    took: Duration,
}

impl Exact {
    const REST: u32 = 20;

    fn begin(rest_until: Option<Instant>) -> Self {
        let resting = rest_until.is_some_and(|until| Instant::now() < until);
        Self { rest_until, resting, took: Duration::ZERO }
    }

    /// What the processes hold beside the call's tmpfs; none while resting. Only what is above `allowed` is exact.
    fn own_bytes(&mut self, proc: &OwnedFd, group: &Group, allowed: u64) -> u64 {
        if self.resting {
            return 0;
        }
        let begun = Instant::now();
        let sum =
            |bytes: fn(&OwnedFd, u32) -> u64| group.members.iter().map(|pid| bytes(proc, *pid)).sum::<u64>();
        let mut own = sum(held_bytes);
        if own > allowed {
            // What is mapped from the tmpfs was counted there already. Nothing stands still while it is read: maps are
            // undone and processes end, and pages that they shared move to those read later. So all is read once more,
            // and only what was held both times counts.
            let mapped = sum(scratch_mapped_bytes);
            own = own.min(sum(held_bytes)).saturating_sub(mapped);
        }
        self.took += begun.elapsed();
        own
    }

    /// Until when to rest.
    fn end(self) -> Option<Instant> {
        if self.took.is_zero() { self.rest_until } else { Some(Instant::now() + self.took * Self::REST) }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_maps_of_scratch_files_are_taken_off() {
        let maps = "7f00-7f01 rw-s 00000000 00:2a 3    /tmp/a\nPss: 40 kB\n7f01-7f02 rw-p 0 00:00 0\nPss: 7 kB\n\
                    7f02-7f03 rw-s 0 00:01 9   /dev/zero (deleted)\nPss: 9 kB\n";
        assert_eq!(mapped_from_scratch(maps), 40);
    }
}
