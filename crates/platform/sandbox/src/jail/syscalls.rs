//! Which system calls sandboxed code may make.
//!
//! Three filters: an allow-list whose rest does not exist (`ENOSYS`, so that a C library falls back, as it must for
//! `clone3`, whose flags no filter can read); a list of refusals with `EPERM`, so that a program can tell; and the
//! call's own narrowing, which takes back what the zygote needs to make the call's namespaces.

use std::collections::BTreeMap;

use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen as Width, SeccompCmpOp as Is, SeccompCondition,
    SeccompFilter, SeccompRule, TargetArch,
};

use super::syscall_lists::{ALLOWED, LEGACY, REFUSED};

const NAMESPACES: u64 = (libc::CLONE_NEWNS
    | libc::CLONE_NEWCGROUP
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUSER
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET) as u64
    & 0xffff_ffff;
/// The only namespaces that a zygote may make, and only together.
const CALL_NAMESPACES: u64 = (libc::CLONE_NEWUSER | libc::CLONE_NEWPID | libc::CLONE_NEWNS) as u64;

/// Flags with which a call mounts: scratch, its `/proc`, and the empty directory where it may not have a `/proc`.
const SCRATCH: u64 = libc::MS_NOSUID | libc::MS_NODEV;
const PROC: u64 = SCRATCH | libc::MS_NOEXEC;
const NO_PROC: u64 = PROC | libc::MS_RDONLY;

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// What the zygote and everything below it runs under: allow-list first, then refusals.
pub(crate) fn zygote_filters() -> Result<[BpfProgram; 2], BackendError> {
    let mut allowed: Rules = ALLOWED.iter().chain(LEGACY).map(|number| (*number, Vec::new())).collect();
    allowed.insert(
        libc::SYS_clone,
        vec![all([masked(0, NAMESPACES, 0)?])?, all([masked(0, NAMESPACES, CALL_NAMESPACES)?])?],
    );
    allowed.insert(
        libc::SYS_mount,
        [SCRATCH, PROC, NO_PROC]
            .map(|flags| all([is(3, Is::Eq, flags)?]))
            .into_iter()
            .collect::<Result<_, _>>()?,
    );
    let mut refused: Rules = REFUSED.iter().map(|number| (*number, Vec::new())).collect();
    refused.insert(
        libc::SYS_socket,
        vec![all(FAMILIES
            .map(|family| is(0, Is::Ne, family))
            .into_iter()
            .collect::<Result<Vec<_>, _>>()?)?],
    );
    refused.insert(
        libc::SYS_ioctl,
        TERMINAL
            .map(|request| all([masked(1, 0xffff_ffff, request)?]))
            .into_iter()
            .collect::<Result<_, _>>()?,
    );
    Ok([
        program(allowed, SeccompAction::Errno(libc::ENOSYS as u32), SeccompAction::Allow)?,
        program(refused, SeccompAction::Allow, SeccompAction::Errno(libc::EPERM as u32))?,
    ])
}

/// What a call adds for itself: no namespaces, no mounts.
pub(crate) fn call_filter() -> Result<BpfProgram, BackendError> {
    let mut refused: Rules = [libc::SYS_mount, libc::SYS_umount2, libc::SYS_unshare, libc::SYS_setns]
        .into_iter()
        .map(|number| (number, Vec::new()))
        .collect();
    refused.insert(libc::SYS_clone, vec![all([masked(0, CALL_NAMESPACES, CALL_NAMESPACES)?])?]);
    program(refused, SeccompAction::Allow, SeccompAction::Errno(libc::EPERM as u32))
}

/// A filter as the kernel reads it (`struct sock_filter[]`), for the runner to install.
pub(crate) fn bytes(program: &BpfProgram) -> Vec<u8> {
    program
        .iter()
        .flat_map(|step| {
            let [a, b] = step.code.to_ne_bytes();
            let [c, d, e, f] = step.k.to_ne_bytes();
            [a, b, step.jt, step.jf, c, d, e, f]
        })
        .collect()
}

fn program(
    rules: Rules,
    otherwise: SeccompAction,
    matched: SeccompAction,
) -> Result<BpfProgram, BackendError> {
    SeccompFilter::new(rules, otherwise, matched, TargetArch::try_from(std::env::consts::ARCH)?)?.try_into()
}

fn all(conditions: impl Into<Vec<SeccompCondition>>) -> Result<SeccompRule, BackendError> {
    SeccompRule::new(conditions.into())
}

fn is(argument: u8, operator: Is, value: u64) -> Result<SeccompCondition, BackendError> {
    SeccompCondition::new(argument, Width::Dword, operator, value)
}

fn masked(argument: u8, mask: u64, value: u64) -> Result<SeccompCondition, BackendError> {
    SeccompCondition::new(argument, Width::Qword, Is::MaskedEq(mask), value)
}

/// Sockets within the machine and to the jail's own `lo`. Packet, netlink, vsock, kernel crypto and the rest are not
/// bound by a network namespace or are needless kernel surface.
const FAMILIES: [u64; 3] = [libc::AF_UNIX as u64, libc::AF_INET as u64, libc::AF_INET6 as u64];

/// Requests that type into somebody's terminal.
const TERMINAL: [u64; 2] = [libc::TIOCSTI, libc::TIOCLINUX];
