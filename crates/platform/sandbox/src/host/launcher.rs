//! The server's handle of the launcher: starts it, asks it for jails, starts another when it has died.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{RecvFlags, SendFlags};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::message::{Hello, JailPlan, Launch, Launched, Message};
use crate::packet::{self, Packet};
use crate::{LAUNCHER_ARGUMENT, SandboxError, Settings, sys};

/// How long a launcher may take to say hello, or to make a jail.
const PATIENCE: Duration = Duration::from_secs(10);

/// The running launcher. Made before the runtime, so that its memory never holds anything of the server's.
pub struct Launcher {
    program: PathBuf,
    process: Process,
}

struct Process {
    child: Child,
    socket: Option<OwnedFd>,
}

impl Launcher {
    /// Starts the launcher with an empty environment and no descriptor but its socket.
    pub fn start(settings: &Settings) -> Result<Self, SandboxError> {
        let process = Process::start(&settings.launcher)?;
        Ok(Self { program: settings.launcher.clone(), process })
    }

    /// Its process id, for `doctor` and for tests that end it.
    pub fn pid(&self) -> u32 {
        self.process.child.id()
    }
}

impl Process {
    fn start(program: &Path) -> Result<Self, SandboxError> {
        let failed = |error: io::Error| SandboxError::Launcher(error.to_string());
        let (ours, theirs) = packet::pair().map_err(|error| failed(error.into()))?;
        let child = Command::new(program)
            .arg(LAUNCHER_ARGUMENT)
            .env_clear()
            .stdin(Stdio::from(theirs))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .current_dir("/")
            .spawn()
            .map_err(|error| SandboxError::Launcher(format!("{}: {error}", program.display())))?;
        let process = Self { child, socket: Some(ours) };
        process.wait_for_hello().map_err(failed)?;
        Ok(process)
    }

    fn wait_for_hello(&self) -> io::Result<()> {
        let Some(socket) = &self.socket else { return Err(io::ErrorKind::NotConnected.into()) };
        let patience = Timespec { tv_sec: PATIENCE.as_secs().cast_signed(), tv_nsec: 0 };
        rustix::io::retry_on_intr(|| poll(&mut [PollFd::new(socket, PollFlags::IN)], Some(&patience)))?;
        match packet::receive(socket, RecvFlags::DONTWAIT)? {
            Packet::Frame(frame, _) if Hello::read(&frame).is_some() => Ok(()),
            _ => Err(io::Error::other("it ended before it said hello")),
        }
    }
}

impl Process {
    fn end(&mut self) {
        // It ends by itself when its socket closes; the signal is for one that cannot.
        drop(self.socket.take());
        let _killed = self.child.kill();
        let _reaped = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

/// The launcher as the runtime uses it: one question at a time.
pub(super) struct Births {
    program: PathBuf,
    state: tokio::sync::Mutex<State>,
    pid: std::sync::atomic::AtomicU32,
}

struct State {
    process: Process,
    socket: Option<AsyncFd<OwnedFd>>,
    next: u64,
    /// No launcher is started any more.
    closed: bool,
}

impl Births {
    pub(super) fn new(launcher: Launcher) -> Self {
        let pid = launcher.pid().into();
        let state = State { process: launcher.process, socket: None, next: 1, closed: false };
        Self { program: launcher.program, state: state.into(), pid }
    }

    pub(super) fn pid(&self) -> u32 {
        self.pid.load(std::sync::atomic::Ordering::Relaxed)
    }

    /// Ends the launcher, and every jail with it.
    pub(super) async fn close(&self) {
        let mut state = self.state.lock().await;
        state.closed = true;
        state.socket = None;
        state.process.end();
    }

    /// Has a jail made and gives init's pidfd. A dead launcher is replaced once; its jails died with it.
    pub(super) async fn launch(&self, plan: JailPlan, control: OwnedFd) -> Result<OwnedFd, SandboxError> {
        let mut state = self.state.lock().await;
        if state.closed {
            return Err(SandboxError::Launcher("the server stops".into()));
        }
        match state.ask(&plan, &control).await {
            Err(Trouble::Launcher(error)) => {
                tracing::warn!(%error, "the sandbox launcher is gone; starting another")
            }
            Err(Trouble::Jail(error)) => return Err(SandboxError::Jail(error)),
            Ok(process) => return Ok(process),
        }
        let process = Process::start(&self.program)?;
        self.pid.store(process.child.id(), std::sync::atomic::Ordering::Relaxed);
        *state = State { process, socket: None, next: state.next, closed: false };
        state.ask(&plan, &control).await.map_err(|trouble| match trouble {
            Trouble::Launcher(error) => SandboxError::Launcher(error.to_string()),
            Trouble::Jail(error) => SandboxError::Jail(error),
        })
    }
}

enum Trouble {
    Launcher(io::Error),
    Jail(String),
}

impl State {
    async fn ask(&mut self, plan: &JailPlan, control: &OwnedFd) -> Result<OwnedFd, Trouble> {
        let jail = self.next;
        self.next += 1;
        let frame = Launch { jail, plan: plan.clone() }.frame();
        let socket = self.socket().map_err(Trouble::Launcher)?;
        packet::send(socket, &frame, &[control.as_fd()], SendFlags::empty())
            .map_err(|error| Trouble::Launcher(error.into()))?;
        loop {
            let answer = tokio::time::timeout(PATIENCE, receive(socket)).await;
            let Ok(Ok(Packet::Frame(frame, descriptors))) = answer else {
                return Err(Trouble::Launcher(io::Error::other("it does not answer")));
            };
            // An answer to a question whose asker went away is skipped; its descriptor closes here.
            let Some(launched) = Launched::read(&frame).filter(|launched| launched.jail == jail) else {
                continue;
            };
            if let Some(error) = launched.error {
                return Err(Trouble::Jail(error));
            }
            let process = descriptors.into_iter().next();
            return process.ok_or_else(|| Trouble::Launcher(io::Error::other("it sent no descriptor")));
        }
    }

    /// Registered with the runtime at first use, because the launcher is older than the runtime.
    fn socket(&mut self) -> io::Result<&AsyncFd<OwnedFd>> {
        if self.socket.is_none() {
            let socket = self.process.socket.take().ok_or(io::ErrorKind::NotConnected)?;
            self.socket = Some(sys::when_readable(socket)?);
        }
        self.socket.as_ref().ok_or_else(|| io::ErrorKind::NotConnected.into())
    }
}

/// One packet, when there is one.
pub(super) async fn receive(socket: &AsyncFd<OwnedFd>) -> io::Result<Packet> {
    socket.async_io(Interest::READABLE, |socket| Ok(packet::receive(socket, RecvFlags::DONTWAIT)?)).await
}
