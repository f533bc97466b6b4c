//! The system calls that have no safe wrapper. All `unsafe` of the product's own code is in this file.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::path::Path;
use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::io::Errno;
use rustix::process::Pid;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::message::Ending;

/// Which side of a fork this is.
pub(crate) enum Side {
    Parent(Pid),
    Child,
}

/// Forks into new namespaces (`CLONE_NEW…` flags). The caller must be single-threaded.
pub(crate) fn clone_into(namespaces: i32) -> io::Result<Side> {
    let flags = libc::c_long::from(namespaces | libc::SIGCHLD);
    let none = 0 as libc::c_long;
    // SAFETY: without CLONE_VM and with a null stack this is fork(2): the child goes on with a copy of our memory. The
    // process is single-threaded, so no lock can be held by a thread that the child lacks.
    side(unsafe { libc::syscall(libc::SYS_clone, flags, none, none, none, none) })
}

/// Forks a child whose pid in this namespace is `pid`.
pub(crate) fn fork_with_pid(pid: i32) -> io::Result<Side> {
    let wanted = [pid];
    let arguments = libc::clone_args {
        flags: 0,
        pidfd: 0,
        child_tid: 0,
        parent_tid: 0,
        exit_signal: libc::SIGCHLD as u64,
        stack: 0,
        stack_size: 0,
        tls: 0,
        set_tid: wanted.as_ptr() as u64,
        set_tid_size: wanted.len() as u64,
        cgroup: 0,
    };
    // SAFETY: as in `clone_into`; `arguments` and the array that it points to outlive the call.
    side(unsafe { libc::syscall(libc::SYS_clone3, &raw const arguments, size_of_val(&arguments)) })
}

fn side(answer: libc::c_long) -> io::Result<Side> {
    match answer {
        0 => Ok(Side::Child),
        pid => i32::try_from(pid)
            .ok()
            .and_then(Pid::from_raw)
            .filter(|_| pid > 0)
            .map(Side::Parent)
            .ok_or_else(io::Error::last_os_error),
    }
}

/// Ends this process without running anything of it.
pub(crate) fn exit(status: i32) -> ! {
    // SAFETY: always allowed; never returns.
    unsafe { libc::_exit(status) }
}

/// A child that was reaped.
pub(crate) struct Reaped {
    pub(crate) pid: u32,
    pub(crate) ending: Ending,
    pub(crate) cpu_micros: u64,
    pub(crate) peak_memory: u64,
}

/// Reaps one ended child, if there is one: `child`, or any.
pub(crate) fn reap(child: Option<u32>) -> Option<Reaped> {
    let child = child.map_or(Some(-1), |pid| i32::try_from(pid).ok())?;
    let mut status = 0;
    // SAFETY: rusage is plain data for which zeroes are valid.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: both pointers are to live values of the right type.
    let pid = unsafe { libc::wait4(child, &raw mut status, libc::WNOHANG, &raw mut usage) };
    let micros = |time: libc::timeval| time.tv_sec.unsigned_abs() * 1_000_000 + time.tv_usec.unsigned_abs();
    let pid = u32::try_from(pid).ok().filter(|pid| *pid > 0)?;
    let ending = if libc::WIFSIGNALED(status) {
        Ending::Signal(libc::WTERMSIG(status))
    } else {
        Ending::Status(libc::WEXITSTATUS(status))
    };
    Some(Reaped {
        pid,
        ending,
        cpu_micros: micros(usage.ru_utime) + micros(usage.ru_stime),
        peak_memory: usage.ru_maxrss.unsigned_abs() * 1024,
    })
}

/// Closes every descriptor but the standard three and `kept`.
pub(crate) fn close_all_but(kept: &[RawFd]) -> io::Result<()> {
    let mut kept: Vec<u32> =
        kept.iter().filter_map(|fd| u32::try_from(*fd).ok()).filter(|fd| *fd > 2).collect();
    kept.sort_unstable();
    let mut first = 3;
    for fd in kept {
        if first < fd {
            close_range(first, fd - 1)?;
        }
        first = fd + 1;
    }
    close_range(first, u32::MAX)
}

fn close_range(first: u32, last: u32) -> io::Result<()> {
    // SAFETY: the callers are about to use only the descriptors that they named; owners of the others are forgotten
    // with the process image they came from.
    match unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Puts a copy of `fd` at the fixed number `at`, open across exec.
pub(crate) fn place(fd: BorrowedFd<'_>, at: RawFd) -> io::Result<()> {
    // SAFETY: `fd` is open; whatever was at `at` belongs to nobody in the child that is about to exec.
    match unsafe { libc::dup2(fd.as_raw_fd(), at) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

/// The socket that the server left at descriptor 0 of the launcher.
pub(crate) fn take_stdin() -> io::Result<OwnedFd> {
    // SAFETY: dup gives a fresh descriptor that nobody else owns.
    match unsafe { libc::fcntl(0, libc::F_DUPFD_CLOEXEC, 3) } {
        -1 => Err(io::Error::last_os_error()),
        // SAFETY: just made, owned by nobody.
        fd => Ok(unsafe { OwnedFd::from_raw_fd(fd) }),
    }
}

/// Lets the runtime say when `socket` can be read.
pub(crate) fn when_readable(socket: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: an OwnedFd is open until it is dropped, names one description all that time and never another.
    Ok(unsafe { AsyncFd::register_with_interest(socket, Interest::READABLE) }?)
}

/// Sets `flags` (`MOUNT_ATTR_…`) on the mount behind `fd` and all below it.
pub(crate) fn set_mount_flags(fd: BorrowedFd<'_>, flags: u64) -> io::Result<()> {
    let attributes = libc::mount_attr { attr_set: flags, attr_clr: 0, propagation: 0, userns_fd: 0 };
    let at = libc::AT_EMPTY_PATH | libc::AT_RECURSIVE;
    // SAFETY: the path is an empty C string and `attributes` outlives the call.
    let answer = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            fd.as_raw_fd(),
            c"".as_ptr(),
            at,
            &raw const attributes,
            size_of_val(&attributes),
        )
    };
    if answer == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Brings the interface `lo` up in the current network namespace.
pub(crate) fn bring_loopback_up(socket: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: ifreq is plain data for which zeroes are valid.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(b"lo") {
        *to = *from as libc::c_char;
    }
    request.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as libc::c_short;
    // SAFETY: the request is a live ifreq with a terminated name.
    match unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS, &raw const request) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Two numbers that a jail's init writes and the launcher reads without a system call.
pub(crate) struct Tally(*mut Counters);

struct Counters {
    /// Processes that the launcher should look at.
    busy: AtomicU32,
    /// Calls that the zygote has forked.
    forked: AtomicU32,
}

impl Tally {
    pub(crate) fn new() -> io::Result<Self> {
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_SHARED | libc::MAP_ANONYMOUS;
        // SAFETY: a fresh anonymous mapping; it starts as zeroes, which are valid counters.
        match unsafe { libc::mmap(ptr::null_mut(), size_of::<Counters>(), protection, flags, -1, 0) } {
            libc::MAP_FAILED => Err(io::Error::last_os_error()),
            address => Ok(Self(address.cast())),
        }
    }

    fn counters(&self) -> &Counters {
        // SAFETY: the mapping lives until drop and is page-aligned.
        unsafe { &*self.0 }
    }

    pub(crate) fn begin(&self) {
        self.counters().busy.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn end(&self) {
        self.counters().busy.fetch_sub(1, Ordering::Relaxed);
    }

    pub(crate) fn count_fork(&self) {
        self.counters().forked.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn busy(&self) -> u32 {
        self.counters().busy.load(Ordering::Relaxed)
    }

    pub(crate) fn forked(&self) -> u32 {
        self.counters().forked.load(Ordering::Relaxed)
    }
}

impl Drop for Tally {
    fn drop(&mut self) {
        // SAFETY: mapped in `new`, unmapped once.
        unsafe { libc::munmap(self.0.cast(), size_of::<Counters>()) };
    }
}

/// Bytes in use on the filesystem behind `path`.
pub(crate) fn used_bytes(directory: BorrowedFd<'_>, path: &Path) -> Result<u64, Errno> {
    let place = rustix::fs::openat(
        directory,
        path,
        rustix::fs::OFlags::PATH | rustix::fs::OFlags::CLOEXEC,
        rustix::fs::Mode::empty(),
    )?;
    let space = rustix::fs::fstatfs(&place)?;
    let used = space.f_blocks.saturating_sub(space.f_bfree);
    Ok(used.saturating_mul(space.f_bsize.unsigned_abs()))
}
