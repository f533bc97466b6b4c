//! What is kept warm, for whoever looks after it.

use std::os::fd::{AsRawFd, OwnedFd};
use std::time::Duration;

use tokio::time::Instant;

use super::pool::{Key, Place, Zygotes};
use crate::OrgSlot;

/// An interpreter that has loaded one version and waits for calls.
#[derive(Clone, Debug)]
pub struct WarmInterpreter {
    pub slot: OrgSlot,
    /// As [`crate::ZygoteSpec::new`] was told.
    pub version: String,
    /// Calls that it was forked for.
    pub calls: u64,
    pub running: usize,
    pub age: Duration,
    /// Since it was last asked for.
    pub idle: Duration,
    /// Resident bytes of its processes, where the system tells.
    pub memory: Option<u64>,
}

impl Zygotes {
    pub(super) fn list(&self) -> Vec<WarmInterpreter> {
        let now = Instant::now();
        let mut all: Vec<WarmInterpreter> =
            self.places.lock().iter().filter_map(|(key, place)| warm(key, place, now)).collect();
        all.sort_by_key(|one| one.idle);
        all
    }

    pub(super) fn has_room(&self) -> bool {
        self.places.lock().len() < self.settings.capacity
    }
}

fn warm(key: &Key, place: &Place, now: Instant) -> Option<WarmInterpreter> {
    let jail = place.jail.get().filter(|jail| !jail.is_over() && key.slot != OrgSlot::PLATFORM)?;
    Some(WarmInterpreter {
        slot: key.slot,
        version: key.version.clone(),
        calls: jail.calls_begun(),
        running: jail.calls_running(),
        age: now.duration_since(place.made),
        idle: now.duration_since(place.used),
        memory: jail.memory(),
    })
}

/// Resident bytes of the children of a process: `proc_pid_fdinfo(5)`, `proc_pid_statm(5)`.
pub(super) fn resident_below(process: &OwnedFd) -> Option<u64> {
    let read = |path: String| std::fs::read_to_string(path).ok();
    let info = read(format!("/proc/self/fdinfo/{}", process.as_raw_fd()))?;
    let pid: u32 = info.lines().find_map(|line| line.strip_prefix("Pid:"))?.trim().parse().ok()?;
    let children = read(format!("/proc/{pid}/task/{pid}/children"))?;
    let pages = |child: &str| -> Option<u64> {
        // One that ended meanwhile holds nothing.
        read(format!("/proc/{child}/statm"))?.split_whitespace().nth(1)?.parse().ok()
    };
    let pages: u64 = children.split_whitespace().filter_map(pages).sum();
    Some(pages * rustix::param::page_size() as u64)
}
