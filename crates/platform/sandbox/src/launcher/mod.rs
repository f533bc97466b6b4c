//! The launcher: a small process without secrets that makes jails and watches them.
//!
//! It is started before the server's runtime with nothing but its socket, is single-threaded and stays so, and lives
//! exactly as long as the server's end of that socket. It knows neither functions nor calls, only jails.

mod birth;
mod table;
mod watch;

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags};
use rustix::process::{DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit};

use crate::Kind;
use crate::message::{Hello, Launch, Launched, Message};
use crate::packet::{self, Packet};
use crate::sys;
use birth::Jail;

/// How often the jails are looked at.
const SCAN: Duration = Duration::from_millis(25);

/// Becomes the launcher.
pub(crate) fn run() -> ! {
    // Whatever goes wrong here, the server sees its socket close and starts another.
    sys::exit(i32::from(serve().is_err()))
}

fn serve() -> io::Result<()> {
    let server = sys::take_stdin()?;
    sys::close_all_but(&[server.as_raw_fd()])?;
    rustix::stdio::dup2_stdin(File::open("/dev/null")?)?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    forget_groups();
    allow_many_descriptors();
    let mut launcher = Launcher { server, jails: BTreeMap::new(), scanned: Instant::now() };
    launcher.tell(&Hello {}.frame(), &[])?;
    loop {
        match launcher.turn() {
            Ok(()) => {}
            Err(End::Server) => return Ok(()),
            Err(End::Trouble(error)) => return Err(error),
        }
    }
}

/// Only root may, and only root needs to: an ordinary user's jails keep its groups, which open nothing in there.
fn forget_groups() {
    let _dropped = rustix::thread::set_thread_groups(&[]);
}

/// The watch keeps a file open for each process of each jail.
fn allow_many_descriptors() {
    let limit = getrlimit(Resource::Nofile);
    // Refused, the watch reads more slowly and misses nothing.
    let _raised = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
}

struct Launcher {
    server: OwnedFd,
    jails: BTreeMap<u64, Jail>,
    scanned: Instant,
}

enum End {
    /// The server is gone. Exiting takes every jail with it: each init hears it on its socket and by its death signal.
    Server,
    Trouble(io::Error),
}

impl From<Errno> for End {
    fn from(error: Errno) -> Self {
        Self::Trouble(error.into())
    }
}

impl Launcher {
    fn turn(&mut self) -> Result<(), End> {
        let ids: Vec<u64> = self.jails.keys().copied().collect();
        let mut watched = vec![PollFd::new(&self.server, PollFlags::IN)];
        for jail in self.jails.values() {
            watched.push(PollFd::new(&jail.process, PollFlags::IN));
            watched.push(PollFd::new(&jail.link, PollFlags::IN));
        }
        let timeout =
            (!self.jails.is_empty()).then_some(Timespec { tv_sec: 0, tv_nsec: SCAN.subsec_nanos().into() });
        rustix::io::retry_on_intr(|| poll(&mut watched, timeout.as_ref()))?;
        let ready: Vec<bool> = watched.iter().map(|fd| !fd.revents().is_empty()).collect();
        drop(watched);
        let mut ready = ready.into_iter();
        let server = ready.next().unwrap_or(false);
        for id in ids {
            let (ended, spoke) = (ready.next().unwrap_or(false), ready.next().unwrap_or(false));
            if spoke {
                self.hear_init(id);
            }
            if ended {
                self.jails.remove(&id);
                while sys::reap(None).is_some() {}
            }
        }
        if server {
            self.hear_server()?;
        }
        if self.scanned.elapsed() >= SCAN {
            self.scanned = Instant::now();
            for jail in self.jails.values_mut() {
                jail.watch.scan_when_due(&jail.link, &jail.tally);
            }
        }
        Ok(())
    }

    fn hear_server(&mut self) -> Result<(), End> {
        let Packet::Frame(frame, descriptors) = packet::receive(&self.server, RecvFlags::DONTWAIT)? else {
            return Err(End::Server);
        };
        let (Some(launch), Some(control)) = (Launch::read(&frame), descriptors.into_iter().next()) else {
            return Err(End::Server);
        };
        let jail = launch.jail;
        match birth::launch(launch.plan, control) {
            Ok(born) => {
                let process = born.process.try_clone().map_err(End::Trouble)?;
                self.jails.insert(jail, born);
                self.tell(&Launched { jail, error: None }.frame(), &[process.as_fd()])
            }
            Err(error) => self.tell(&Launched { jail, error: Some(error.to_string()) }.frame(), &[]),
        }
        .map_err(End::Trouble)
    }

    /// Init sends its `/proc` once; anything else on this socket is its end, which the pidfd tells as well.
    fn hear_init(&mut self, id: u64) {
        let Some(jail) = self.jails.get_mut(&id) else { return };
        if let Ok(Packet::Frame(frame, descriptors)) = packet::receive(&jail.link, RecvFlags::DONTWAIT)
            && frame.kind == Kind::Hello
            && let Some(proc) = descriptors.into_iter().next()
        {
            jail.watch.begin(proc);
        }
    }

    fn tell(&self, frame: &crate::Frame, descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
        Ok(packet::send(&self.server, frame, descriptors, SendFlags::empty())?)
    }
}
