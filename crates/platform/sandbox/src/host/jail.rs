//! One jail as the server sees it: its door, its zygote's readiness, and the calls that run in it.

use std::collections::{HashMap, VecDeque};
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use rustix::fs::{MemfdFlags, memfd_create};
use rustix::net::{SendFlags, Shutdown, shutdown};
use rustix::process::{Signal, pidfd_send_signal};
use tokio::io::unix::AsyncFd;
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio_util::sync::CancellationToken;

use super::launcher::{Births, receive};
use super::line::Line;
use super::sandbox::JailDoor;
use super::warm::resident_below;
use crate::message::{
    Begin, Ending, Error, Excess, Exited, Fork, Forked, Hello, JailPlan, Load, Message, Ready, Source, Step,
};
use crate::packet::{self, Packet};
use crate::{Failure, Frame, Kind, Outcome, SandboxError, sys};

/// Calls of one jail that may be between FORK and FORKED at once.
const FORKING: usize = 32;
/// Forks of one jail that wait for a call: one for the next, and one for that which comes before another is made.
const AHEAD: usize = 2;
/// Connections through one jail's door at once; tenant code opens them, the server's descriptors pay for them.
const CONNECTIONS: usize = 64;
/// How long the door waits when the server has no descriptor left.
const BREATH: Duration = Duration::from_millis(100);

/// Why a jail did not come to be.
pub(super) enum NoJail {
    /// The sandbox's own trouble.
    Sandbox(SandboxError),
    /// The function's: its module does not load.
    Code(Outcome),
}

/// A loaded zygote in its jail. Dropping it ends the jail and everything in it.
pub(super) struct Jail {
    control: Arc<AsyncFd<OwnedFd>>,
    /// Init: for when it does not listen.
    process: OwnedFd,
    calls: Arc<Calls>,
    door: CancellationToken,
    forking: Arc<Semaphore>,
    /// Calls have namespaces of their own. Without them the jail serves one call.
    pub(super) nested: bool,
    /// The kernel's version of Landlock, below 1 without.
    pub(super) landlock: i64,
    claimed: AtomicBool,
    /// Forks asked for; each has its number.
    forks: AtomicU64,
    /// Calls that have begun.
    begun: AtomicU64,
    keeps_ahead: bool,
    ahead: Mutex<VecDeque<Line>>,
}

#[derive(Default)]
struct Calls {
    waiting: Mutex<HashMap<u64, Waiting>>,
    over: AtomicBool,
}

struct Waiting {
    started: Option<oneshot::Sender<Result<OwnedFd, String>>>,
    exited: oneshot::Sender<Exited>,
}

/// What a started call is waited for with. A dropped sender means that the jail is gone.
pub(super) struct Tickets {
    call: u64,
    pub(super) started: oneshot::Receiver<Result<OwnedFd, String>>,
    pub(super) exited: oneshot::Receiver<Exited>,
}

impl Jail {
    /// Has the jail made, opens its door and loads the code.
    pub(super) async fn open(
        births: &Births,
        plan: JailPlan,
        steps: Vec<Step>,
        source: &Source,
        handler: &JailDoor,
    ) -> Result<Self, NoJail> {
        let trouble = |error: io::Error| NoJail::Sandbox(SandboxError::Jail(error.to_string()));
        let (ours, theirs) = packet::pair().map_err(|error| trouble(error.into()))?;
        let process = births.launch(plan, theirs).await.map_err(NoJail::Sandbox)?;
        let control = Arc::new(sys::when_readable(ours).map_err(trouble)?);
        let door = CancellationToken::new();
        // From here on a failure drops this, and the jail with it.
        let mut jail = Self {
            control,
            process,
            calls: Arc::default(),
            door,
            forking: Arc::new(Semaphore::new(FORKING)),
            nested: false,
            landlock: 0,
            claimed: AtomicBool::new(false),
            forks: AtomicU64::new(0),
            begun: AtomicU64::new(0),
            keeps_ahead: false,
            ahead: Mutex::default(),
        };
        let file = source_file(source).map_err(trouble)?;
        jail.send(&Load { steps }.frame(), &[&file]).map_err(trouble)?;
        let ready = jail.wait_until_ready(handler).await?;
        (jail.nested, jail.landlock) = (ready.nested, ready.landlock);
        telemetry::spawn("sandbox jail", listen(jail.control.clone(), jail.calls.clone()));
        Ok(jail)
    }

    async fn wait_until_ready(&self, handler: &JailDoor) -> Result<Ready, NoJail> {
        let mut furnished = false;
        loop {
            let packet = receive(&self.control).await;
            let Ok(Packet::Frame(frame, descriptors)) = packet else { return Err(ended("the jail ended")) };
            match frame.kind {
                Kind::Hello if Hello::read(&frame).is_some() => {
                    furnished = true;
                    self.open_door(descriptors, handler)?;
                }
                Kind::Ready => {
                    return Ready::read(&frame).ok_or_else(|| ended("the zygote answers nonsense"));
                }
                Kind::Error => return Err(refusal(Error::read(&frame), furnished)),
                Kind::Exited => return Err(exit_while_loading(Exited::read(&frame))),
                _ => return Err(ended("the zygote answers nonsense")),
            }
        }
    }

    fn open_door(&self, descriptors: Vec<OwnedFd>, handler: &JailDoor) -> Result<(), NoJail> {
        let listener = descriptors.into_iter().next().ok_or_else(|| ended("the jail has no door"))?;
        let listener = TcpListener::from_std(listener.into())
            .map_err(|error| NoJail::Sandbox(SandboxError::Jail(error.to_string())))?;
        telemetry::spawn("sandbox door", serve_door(listener, handler.clone(), self.door.clone()));
        Ok(())
    }

    /// Waits for a turn to fork: a crowd of calls must not fill the sockets on the way to the zygote.
    pub(super) async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        self.forking.clone().acquire_owned().await.ok()
    }

    /// Forks one call. The descriptors are its end of the conversation and of its raw output.
    pub(super) fn fork(&self, conversation: &OwnedFd, raw: &OwnedFd) -> io::Result<Tickets> {
        let call = self.forks.fetch_add(1, Ordering::Relaxed);
        let (started, when_started) = oneshot::channel();
        let (exited, when_exited) = oneshot::channel();
        self.calls.waiting.lock().insert(call, Waiting { started: Some(started), exited });
        self.send(&Fork { call }.frame(), &[conversation, raw])?;
        // The listener may have gone through the list for the last time before this call was on it.
        if self.is_over() {
            self.calls.waiting.lock().clear();
        }
        Ok(Tickets { call, started: when_started, exited: when_exited })
    }

    /// This jail serves many calls: some forks wait, so that a call finds one.
    pub(super) fn keep_ahead(mut self) -> Self {
        self.keeps_ahead = self.nested;
        self.fork_ahead();
        self
    }

    /// Forks for calls that have not come yet. Such a fork knows nothing of any call until input is sent to it, and serves one.
    pub(super) fn fork_ahead(&self) {
        let mut ahead = self.ahead.lock();
        while self.keeps_ahead && !self.is_over() && ahead.len() < AHEAD {
            // What cannot be forked now is forked when it is called for.
            let Ok(line) = Line::open(self) else { return };
            ahead.push_back(line);
        }
    }

    /// The fork that has waited longest of those that can still be used.
    pub(super) fn forked_ahead(&self) -> Option<Line> {
        let mut ahead = self.ahead.lock();
        while let Some(mut line) = ahead.pop_front() {
            if !line.has_ended() {
                return Some(line);
            }
        }
        None
    }

    /// From now on the fork is somebody's call, whose memory and time are watched closely.
    pub(super) fn begin(&self, line: &Line) {
        self.begun.fetch_add(1, Ordering::Relaxed);
        // A jail that is gone is heard of by the call itself.
        let _sent = self.send(&Begin { call: line.tickets.call }.frame(), &[]);
    }

    pub(super) fn is_over(&self) -> bool {
        self.calls.over.load(Ordering::Acquire)
    }

    /// Calls that have not ended.
    pub(super) fn calls_running(&self) -> usize {
        self.calls.waiting.lock().len().saturating_sub(self.ahead.lock().len())
    }

    /// Resident bytes of everything in the jail; what several processes share is counted for each.
    pub(super) fn memory(&self) -> Option<u64> {
        resident_below(&self.process)
    }

    pub(super) fn calls_begun(&self) -> u64 {
        self.begun.load(Ordering::Relaxed)
    }

    /// Whether this caller may use the jail: a jail without nesting serves one call and no other.
    pub(super) fn claim(&self) -> bool {
        self.nested || !self.claimed.swap(true, Ordering::AcqRel)
    }

    /// Ends everything in the jail at once.
    pub(super) fn kill(&self) {
        // Already dead is as good.
        let _killed = pidfd_send_signal(&self.process, Signal::KILL);
    }

    fn send(&self, frame: &Frame, descriptors: &[&OwnedFd]) -> io::Result<()> {
        let descriptors: Vec<_> = descriptors.iter().map(|descriptor| descriptor.as_fd()).collect();
        Ok(packet::send(&*self.control, frame, &descriptors, SendFlags::DONTWAIT)?)
    }
}

impl Drop for Jail {
    fn drop(&mut self) {
        self.door.cancel();
        // The listener's copy of the socket must not keep init waiting.
        let _closed = shutdown(&*self.control, Shutdown::Both);
        self.kill();
    }
}

/// Accepts until the jail ends.
async fn serve_door(listener: TcpListener, handler: JailDoor, closed: CancellationToken) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let accepted = closed.run_until_cancelled(async {
            let place = places.clone().acquire_owned().await;
            (listener.accept().await, place)
        });
        match accepted.await {
            None => return,
            Some((Ok((stream, _)), place)) => {
                let (serving, closed) = (handler(stream), closed.clone());
                telemetry::spawn("sandbox door connection", async move {
                    closed.run_until_cancelled(serving).await;
                    drop(place);
                });
            }
            // No descriptor is left for this one; the others end some day.
            Some((Err(_), _)) => tokio::time::sleep(BREATH).await,
        }
    }
}

/// Hands what init says to the calls that wait for it, until the jail is gone.
async fn listen(control: Arc<AsyncFd<OwnedFd>>, calls: Arc<Calls>) {
    while let Ok(Packet::Frame(frame, descriptors)) = receive(&control).await {
        calls.hear(&frame, descriptors);
    }
    calls.over.store(true, Ordering::Release);
    calls.waiting.lock().clear();
}

impl Calls {
    fn hear(&self, frame: &Frame, descriptors: Vec<OwnedFd>) {
        if let (Some(forked), Some(process)) = (Forked::read(frame), descriptors.into_iter().next()) {
            self.start(forked.call, Ok(process));
        } else if let Some(Exited { call: Some(call), .. }) = Exited::read(frame) {
            let exited = Exited::read(frame);
            if let (Some(waiting), Some(exited)) = (self.waiting.lock().remove(&call), exited) {
                // A call that nobody waits for any more has still ended.
                let _heard = waiting.exited.send(exited);
            }
        } else if let Some(Error { call: Some(call), message, .. }) = Error::read(frame) {
            self.start(call, Err(message));
            self.waiting.lock().remove(&call);
        }
    }

    fn start(&self, call: u64, process: Result<OwnedFd, String>) {
        let started = self.waiting.lock().get_mut(&call).and_then(|waiting| waiting.started.take());
        if let Some(started) = started {
            // Nobody waits: the pidfd closes, and the call sees its conversation closed.
            let _heard = started.send(process);
        }
    }
}

/// The code travels in a file of memory, because it may be longer than a packet.
fn source_file(source: &Source) -> io::Result<OwnedFd> {
    let file = memfd_create("function", MemfdFlags::CLOEXEC)?;
    let mut file = std::fs::File::from(file);
    file.write_all(&serde_json::to_vec(source)?)?;
    std::io::Seek::rewind(&mut file)?;
    Ok(file.into())
}

fn ended(how: &str) -> NoJail {
    NoJail::Sandbox(SandboxError::Jail(how.to_owned()))
}

/// Before its hello it is init that fails, after it the zygote, whatever it says of itself.
fn refusal(error: Option<Error>, furnished: bool) -> NoJail {
    match error {
        Some(error) if !furnished => NoJail::Sandbox(SandboxError::Jail(error.message)),
        Some(Error { kind, message, traceback, .. }) => {
            NoJail::Code(Outcome::Failed(Failure { kind, message, traceback }))
        }
        None => ended("the zygote answers nonsense"),
    }
}

fn exit_while_loading(exited: Option<Exited>) -> NoJail {
    match exited {
        Some(Exited { cause: Some(Excess::Memory), .. }) => NoJail::Code(Outcome::MemoryExceeded),
        Some(Exited { cause: Some(Excess::Cpu), .. }) => NoJail::Code(Outcome::TimedOut(crate::Clock::Cpu)),
        Some(Exited { ending: Ending::Signal(signal), .. }) => NoJail::Code(Outcome::Killed { signal }),
        Some(Exited { ending: Ending::Status(71), .. }) => {
            ended("the interpreter cannot be started in the jail")
        }
        _ => {
            NoJail::Code(Outcome::Crashed { reason: "the interpreter ended while it loaded the code".into() })
        }
    }
}
