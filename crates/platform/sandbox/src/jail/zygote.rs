//! Starts the interpreter in the finished jail: no capabilities, no way to new ones, filtered, with one socket.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::Command;

use rustix::process::{Pid, Resource, Rlimit, getrlimit, setrlimit, setsid};
use rustix::thread::{
    CapabilitySet, CapabilitySets, clear_ambient_capability_set, remove_capability_from_bounding_set,
    set_capabilities, set_no_new_privs,
};

use super::root::RUNNER_PATH;
use super::syscalls;
use crate::guard::Guard;
use crate::message::JailPlan;
use crate::sys::{self, Side};

/// OpenSSL notices a fork by `getpid()` alone. Calls and their children count from 1 in namespaces of their own, so a
/// zygote that far up is never mistaken for one of them.
pub(crate) const PID: i32 = 30_001;
/// Processes of one whole jail; a call's own limit lies below it.
const JAIL_PROCESSES: u64 = 4096;
/// The zygote's end of its socket with init.
const SOCKET: i32 = 3;

/// Forks the zygote; only init returns.
pub(super) fn start(plan: &JailPlan, socket: OwnedFd) -> io::Result<Pid> {
    let pid = if plan.removed.stands(Guard::HighPid) { PID } else { 2 };
    let own_pids = plan.removed.stands(Guard::Processes);
    match if own_pids { sys::fork_with_pid(pid)? } else { sys::clone_into(0)? } {
        Side::Parent(pid) => Ok(pid),
        Side::Child => {
            // An interpreter that cannot start is seen by init as a zygote that ended at once.
            let _ended = become_zygote(plan, socket);
            sys::exit(71)
        }
    }
}

fn become_zygote(plan: &JailPlan, socket: OwnedFd) -> io::Result<()> {
    setsid()?;
    drop_capabilities()?;
    set_no_new_privs(true)?;
    limit_resources()?;
    let null = File::options().read(true).write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdin(&null)?;
    rustix::stdio::dup2_stdout(&null)?;
    rustix::stdio::dup2_stderr(&null)?;
    sys::place(socket.as_fd(), SOCKET)?;
    sys::close_all_but(&[SOCKET])?;
    let narrowing = syscalls::bytes(&syscalls::call_filter().map_err(io::Error::other)?);
    let runner = if plan.removed.stands(Guard::Root) { RUNNER_PATH } else { "/opt/runner.py" };
    let mut python = Command::new(&plan.python);
    python
        .args(["-I", "-S", "-B", runner])
        .arg(hex(&narrowing))
        .env_clear()
        .envs(ENVIRONMENT)
        .current_dir("/tmp");
    if plan.removed.stands(Guard::Syscalls) {
        for filter in syscalls::zygote_filters().map_err(io::Error::other)? {
            seccompiler::apply_filter(&filter).map_err(io::Error::other)?;
        }
    }
    Err(python.exec())
}

const ENVIRONMENT: [(&str, &str); 4] =
    [("HOME", "/tmp"), ("TMPDIR", "/tmp"), ("LANG", "C.UTF-8"), ("PATH", "/usr/bin:/bin")];

fn drop_capabilities() -> io::Result<()> {
    for bit in 0..64 {
        // Numbers past the last capability of this kernel are refused, and there is nothing to remove there.
        let Some(capability) = CapabilitySet::from_bits(1 << bit) else { continue };
        if remove_capability_from_bounding_set(capability).is_err() {
            break;
        }
    }
    clear_ambient_capability_set()?;
    let none = CapabilitySet::empty();
    Ok(set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none })?)
}

fn limit_resources() -> io::Result<()> {
    lower(Resource::Core, 0)?;
    lower(Resource::Nproc, JAIL_PROCESSES)?;
    lower(Resource::Memlock, 64 << 10)?;
    lower(Resource::Msgqueue, 0)?;
    lower(Resource::Nofile, 4096)
}

/// Never above what the operator allows the server, which would be refused.
fn lower(resource: Resource, limit: u64) -> io::Result<()> {
    let limit = Some(getrlimit(resource).maximum.map_or(limit, |hard| hard.min(limit)));
    Ok(setrlimit(resource, Rlimit { current: limit, maximum: limit })?)
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _written = write!(text, "{byte:02x}");
        text
    })
}
