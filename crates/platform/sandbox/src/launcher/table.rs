//! The processes of one jail, as its `/proc` shows them, and to which call each belongs.
//!
//! Looked at every 25 ms, so it is thrifty: what a process holds is read from a file that stays open, the rest only
//! when it is new and now and then.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Dir, Mode, OFlags, openat};

pub(super) struct Table {
    proc: OwnedFd,
    listing: Dir,
    processes: HashMap<u32, Process>,
}

/// One process as the cheap look sees it.
struct Process {
    parent: u32,
    /// Processor time of its own and of the children that it waited for.
    ticks: u64,
    /// Resident size.
    pages: u64,
    size: Option<File>,
}

/// One call: its first process and the sums over all of it.
pub(super) struct Group {
    pub(super) root: u32,
    pub(super) members: Vec<u32>,
    pub(super) ticks: u64,
    pub(super) pages: u64,
}

impl Table {
    pub(super) fn new(proc: OwnedFd) -> io::Result<Self> {
        let listing = Dir::new(proc.try_clone()?)?;
        Ok(Self { proc, listing, processes: HashMap::new() })
    }

    pub(super) fn proc(&self) -> &OwnedFd {
        &self.proc
    }

    /// Learns who is there and what each holds; `all` also asks again for what changes slowly.
    pub(super) fn refresh(&mut self, all: bool) {
        self.listing.rewind();
        let entries = self.listing.by_ref().flatten();
        let pids: HashSet<u32> = entries
            .filter_map(|entry| entry.file_name().to_str().ok()?.parse().ok())
            .filter(|pid| *pid != 1)
            .collect();
        self.processes.retain(|pid, _| pids.contains(pid));
        for pid in pids {
            let held = self.processes.get_mut(&pid).filter(|_| !all).and_then(Process::look);
            // New, ended meanwhile, or time to ask for everything.
            if held.is_none() {
                self.learn(pid);
            }
        }
    }

    fn learn(&mut self, pid: u32) {
        let stat = read(&self.proc, pid, "stat").and_then(|stat| parse_stat(&stat));
        let Some(mut process) = stat else {
            self.processes.remove(&pid);
            return;
        };
        let known = self.processes.remove(&pid).and_then(|process| process.size);
        process.size = known.or_else(|| open(&self.proc, pid, "statm"));
        self.processes.insert(pid, process);
    }

    pub(super) fn groups(&self) -> Vec<Group> {
        groups(&self.processes)
    }
}

impl Process {
    /// `proc_pid_statm(5)`: the second number is the resident size.
    fn look(&mut self) -> Option<()> {
        let mut text = [0; 96];
        let count = self.size.as_ref()?.read_at(&mut text, 0).ok()?;
        let text = std::str::from_utf8(text.get(..count)?).ok()?;
        self.pages = text.split_whitespace().nth(1)?.parse().ok()?;
        Some(())
    }
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
        size: None,
    })
}

/// The text of `<pid>/<file>`, if the process is still there.
pub(super) fn read(proc: &OwnedFd, pid: u32, file: &str) -> Option<String> {
    let mut text = Vec::with_capacity(4096);
    open(proc, pid, file)?.read_to_end(&mut text).ok()?;
    Some(String::from_utf8_lossy(&text).into_owned())
}

fn open(proc: &OwnedFd, pid: u32, file: &str) -> Option<File> {
    let path: PathBuf = Path::new(&pid.to_string()).join(file);
    Some(openat(proc, path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).ok()?.into())
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
        let process = |parent, pages| Process { parent, ticks: 1, pages, size: None };
        let table =
            HashMap::from([(5, process(1, 10)), (6, process(5, 1)), (7, process(6, 2)), (9, process(1, 4))]);
        let mut sums: Vec<_> =
            groups(&table).into_iter().map(|g| (g.root, g.members.len(), g.pages)).collect();
        sums.sort_unstable();
        assert_eq!(sums, [(5, 3, 13), (9, 1, 4)]);
    }
}
