//! Looking at the host's processes from outside every jail.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

/// Every living process below `root` (zombies have ended).
pub(crate) fn below(root: u32) -> BTreeSet<u32> {
    let all: Vec<(u32, u32)> = fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(|pid| Some((pid, parent(pid)?)))
        .collect();
    let mut found = BTreeSet::from([root]);
    while let Some((pid, _)) = all.iter().find(|(pid, parent)| found.contains(parent) && !found.contains(pid))
    {
        found.insert(*pid);
    }
    found.remove(&root);
    found
}

/// Of a jail whose calls have ended four processes are left: init, the zygote, and two forks that wait for calls. What a call left
/// behind would be a fifth, at the latest when both are there.
pub(crate) async fn only_those_at_rest(launcher: u32) {
    let rest = || below(launcher).len();
    for _ in 0..100 {
        if rest() == 4 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(rest(), 4, "{:?}", below(launcher));
}

pub(crate) fn is_alive(pid: u32) -> bool {
    parent(pid).is_some()
}

fn parent(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace();
    (fields.next()? != "Z").then(|| fields.next()?.parse().ok())?
}

/// Waits until `pid` has ended, by its pidfd.
pub(crate) async fn ended(pid: u32) {
    let raw = rustix::process::Pid::from_raw(pid.cast_signed()).unwrap();
    let Ok(process) = rustix::process::pidfd_open(raw, rustix::process::PidfdFlags::empty()) else { return };
    let wait = move || {
        let mut watched = [rustix::event::PollFd::new(&process, rustix::event::PollFlags::IN)];
        rustix::io::retry_on_intr(|| rustix::event::poll(&mut watched, None)).unwrap();
    };
    tokio::task::spawn_blocking(wait).await.unwrap();
}
