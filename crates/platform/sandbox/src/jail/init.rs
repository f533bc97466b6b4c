//! Pid 1 of a jail: furnishes it, then stands between the server and the zygote and reaps.

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, SocketType};
use rustix::process::{
    DumpableBehavior, Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, kill_process, pidfd_open,
    set_dumpable_behavior, set_parent_process_death_signal, waitid,
};
use rustix::thread::{Gid, Uid, set_thread_res_gid, set_thread_res_uid};

use super::{root, zygote};
use crate::guard::Guard;
use crate::identity::INSIDE;
use crate::message::{Begin, Ending, Error, Excess, Exited, Fork, Forked, Hello, JailPlan, Limit, Message};
use crate::packet::{self, Packet};
use crate::sys::{self, Reaped, Tally};
use crate::{Frame, Kind};

/// What the launcher gives to a new init.
pub(crate) struct Init {
    pub(crate) plan: JailPlan,
    /// To the server.
    pub(crate) control: OwnedFd,
    /// To the launcher; its end is our end.
    pub(crate) launcher: OwnedFd,
    /// Tells the launcher what to look at.
    pub(crate) tally: Tally,
}

/// Runs in the fresh namespaces and never returns.
pub(crate) fn run(init: Init) -> ! {
    let control = init.control.try_clone();
    if let Err(error) = furnish_and_serve(init)
        && let Ok(control) = control
    {
        let said = Error { kind: "jail".into(), message: error.to_string(), traceback: None, call: None };
        // Whether or not the server still listens, the jail ends here.
        let _sent = packet::send(control, &said.frame(), &[], SendFlags::DONTWAIT);
    }
    sys::exit(1)
}

fn furnish_and_serve(init: Init) -> io::Result<()> {
    sys::close_all_but(&[init.control.as_raw_fd(), init.launcher.as_raw_fd()])?;
    match packet::receive(&init.launcher, RecvFlags::empty())? {
        Packet::Frame(frame, _) if frame.kind == Kind::Limit => {}
        _ => return Ok(()),
    }
    let door = furnish(&init)?;
    let (ours, theirs) = packet::pair()?;
    let zygote = named("the zygote's process", zygote::start(&init.plan, theirs))?;
    packet::send(&init.launcher, &Hello {}.frame(), &[root::open_proc()?.as_fd()], SendFlags::empty())?;
    packet::send(&init.control, &Hello {}.frame(), &[door.as_fd()], SendFlags::empty())?;
    drop(door);
    // Counted as busy until its code is loaded.
    init.tally.begin();
    let service = Service {
        init,
        zygote: zygote.as_raw_nonzero().get().unsigned_abs(),
        zygote_cause: None,
        zygote_socket: ours,
        zygote_process: pidfd_open(zygote, PidfdFlags::empty())?,
        loading: true,
        calls: HashMap::new(),
        pending: Vec::new(),
    };
    service.serve()
}

fn furnish(init: &Init) -> io::Result<TcpListener> {
    let plan = &init.plan;
    prefer_as_victim();
    rustix::system::sethostname(b"sandbox")?;
    let door = named("its network", open_door(plan))?;
    named("its mounts", root::stop_propagation())?;
    let sources = if plan.removed.stands(Guard::Root) {
        named("the allow-list", root::open_sources(&plan.allow_list, &plan.binds))?
    } else {
        Vec::new()
    };
    named("its user", become_inside())?;
    let entered =
        if plan.removed.stands(Guard::Root) { root::enter(plan, sources) } else { root::keep_host(plan) };
    named("its root", entered)?;
    Ok(door)
}

fn open_door(plan: &JailPlan) -> io::Result<TcpListener> {
    let own = plan.removed.stands(Guard::Network);
    if own {
        let socket = rustix::net::socket(rustix::net::AddressFamily::INET, SocketType::DGRAM, None)?;
        sys::bring_loopback_up(socket.as_fd())?;
    }
    let door = TcpListener::bind((Ipv4Addr::LOCALHOST, if own { plan.door_port } else { 0 }))?;
    door.set_nonblocking(true)?;
    Ok(door)
}

fn named<T>(what: &str, result: io::Result<T>) -> io::Result<T> {
    result.map_err(|error| io::Error::new(error.kind(), format!("{what}: {error}")))
}

/// When the host runs out of memory, a jail goes before anything else. Where it cannot be said, nothing is lost.
fn prefer_as_victim() {
    let _written = std::fs::write("/proc/self/oom_score_adj", "1000");
}

/// Leaves the launcher's user. The death signal comes after, because a change of user clears it.
fn become_inside() -> io::Result<()> {
    let (user, group) = (Uid::from_raw(INSIDE), Gid::from_raw(INSIDE));
    set_thread_res_gid(group, group, group)?;
    set_thread_res_uid(user, user, user)?;
    set_parent_process_death_signal(Some(Signal::KILL))?;
    Ok(set_dumpable_behavior(DumpableBehavior::NotDumpable)?)
}

/// One call's process, alive or a zombie of ours: its pid cannot be another's.
struct Running {
    call: u64,
    process: OwnedFd,
    cause: Option<Excess>,
    begun: bool,
}

/// A fork that was asked for and is not there yet.
struct Pending {
    call: u64,
    begun: bool,
}

struct Service {
    init: Init,
    zygote: u32,
    zygote_cause: Option<Excess>,
    zygote_socket: OwnedFd,
    /// Processes that the zygote started may hold its socket open, so its end is watched by itself.
    zygote_process: OwnedFd,
    loading: bool,
    calls: HashMap<u32, Running>,
    /// Handed to the zygote, not forked yet.
    pending: Vec<Pending>,
}

/// The jail is over: a peer is gone, or the zygote lied.
struct Over;

impl From<Errno> for Over {
    fn from(_: Errno) -> Self {
        Self
    }
}

impl Service {
    /// Until the server or the launcher hangs up; then init exits and the kernel kills the rest of the jail.
    fn serve(mut self) -> io::Result<()> {
        while self.wait().is_ok() {}
        Ok(())
    }

    fn wait(&mut self) -> Result<(), Over> {
        let mut watched = vec![
            PollFd::new(&self.init.control, PollFlags::IN),
            PollFd::new(&self.init.launcher, PollFlags::IN),
            PollFd::new(&self.zygote_socket, PollFlags::IN),
            PollFd::new(&self.zygote_process, PollFlags::IN),
        ];
        watched.extend(self.calls.values().map(|call| PollFd::new(&call.process, PollFlags::IN)));
        rustix::io::retry_on_intr(|| poll(&mut watched, None))?;
        let ready: Vec<bool> = watched.iter().map(|fd| !fd.revents().is_empty()).collect();
        drop(watched);
        let is_ready = |index: usize| ready.get(index).copied().unwrap_or(false);
        if is_ready(1) {
            self.hear_launcher()?;
        }
        if is_ready(0) {
            self.hear_server()?;
        }
        if is_ready(2) {
            self.hear_zygote()?;
        }
        if ready.iter().skip(4).any(|ready| *ready) {
            self.reap()?;
        }
        if is_ready(3) {
            self.bury_zygote()?;
        }
        Ok(())
    }

    /// A process over its limit: the cause is remembered, so that its end can be told from any other.
    fn hear_launcher(&mut self) -> Result<(), Over> {
        loop {
            match packet::receive(&self.init.launcher, RecvFlags::DONTWAIT) {
                Ok(Packet::Frame(frame, _)) => self.enforce(&Limit::read(&frame).ok_or(Over)?),
                Err(Errno::AGAIN) => return Ok(()),
                _ => return Err(Over),
            }
        }
    }

    fn enforce(&mut self, limit: &Limit) {
        let Some(pid) = limit.pid else { return };
        match self.calls.get_mut(&pid) {
            Some(running) => running.cause = limit.cause,
            None if pid == self.zygote => self.zygote_cause = limit.cause,
            None => {}
        }
        if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
            // The pid is one of our children or gone; gone is what we want.
            let _killed = kill_process(pid, Signal::KILL);
        }
    }

    fn hear_server(&mut self) -> Result<(), Over> {
        let Packet::Frame(frame, descriptors) = packet::receive(&self.init.control, RecvFlags::DONTWAIT)?
        else {
            return Err(Over);
        };
        if let Some(begin) = Begin::read(&frame) {
            self.begin(begin.call);
            return Ok(());
        }
        let descriptors: Vec<BorrowedFd<'_>> = descriptors.iter().map(AsFd::as_fd).collect();
        let sent = packet::send(&self.zygote_socket, &frame, &descriptors, SendFlags::DONTWAIT);
        let Some(fork) = Fork::read(&frame) else { return Ok(sent?) };
        match sent {
            Ok(()) => self.pending.push(Pending { call: fork.call, begun: false }),
            // A zygote that does not read costs this call, never init's attention.
            Err(_) => self.refuse(fork.call, "the zygote does not answer")?,
        }
        Ok(())
    }

    /// What waits for a call is looked at as seldom as an idle jail; from now on this one is looked at closely.
    fn begin(&mut self, call: u64) {
        if let Some(pending) = self.pending.iter_mut().find(|pending| pending.call == call) {
            pending.begun = true;
        } else if let Some(running) =
            self.calls.values_mut().find(|running| running.call == call && !running.begun)
        {
            running.begun = true;
            self.init.tally.begin();
        }
    }

    fn hear_zygote(&mut self) -> Result<(), Over> {
        let (frame, descriptors) = match packet::receive(&self.zygote_socket, RecvFlags::DONTWAIT) {
            Ok(Packet::Frame(frame, descriptors)) => (frame, descriptors),
            Err(Errno::AGAIN) => return Ok(()),
            Ok(Packet::End) | Err(Errno::CONNRESET) => return self.bury_zygote(),
            _ => return Err(Over),
        };
        // Nothing that a zygote sends along is wanted.
        drop(descriptors);
        match frame.kind {
            Kind::Ready | Kind::Error => {
                if std::mem::take(&mut self.loading) {
                    self.init.tally.end();
                }
                self.tell(&frame, &[])
            }
            Kind::Forked => self.adopt(&Forked::read(&frame).ok_or(Over)?),
            _ => Err(Over),
        }
    }

    /// The zygote names a child. It must have been asked for it, and the kernel must say that it is ours.
    fn adopt(&mut self, forked: &Forked) -> Result<(), Over> {
        let place = self.pending.iter().position(|pending| pending.call == forked.call).ok_or(Over)?;
        let Pending { call, begun } = self.pending.swap_remove(place);
        let pid = i32::try_from(forked.pid).ok().and_then(Pid::from_raw).ok_or(Over)?;
        if forked.pid == self.zygote || self.calls.contains_key(&forked.pid) {
            return Err(Over);
        }
        let ours = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        waitid(WaitId::Pid(pid), ours)?;
        let process = pidfd_open(pid, PidfdFlags::empty())?;
        self.tell(&forked.frame(), &[process.as_fd()])?;
        self.calls.insert(forked.pid, Running { call, process, cause: None, begun });
        self.init.tally.count_fork();
        if begun {
            self.init.tally.begin();
        }
        Ok(())
    }

    fn reap(&mut self) -> Result<(), Over> {
        // A limit's cause must be known before the end that it brought is told.
        self.hear_launcher()?;
        let known: Vec<u32> = self.calls.keys().copied().collect();
        for pid in known {
            if let Some(reaped) = sys::reap(Some(pid)) {
                self.say_call_ended(&reaped)?;
            }
        }
        // The rest are orphans that the zygote left behind – unless one is a call that it has not named yet.
        while self.pending.is_empty()
            && let Some(reaped) = sys::reap(None)
        {
            if reaped.pid == self.zygote {
                return Err(Over);
            }
            self.say_call_ended(&reaped)?;
        }
        Ok(())
    }

    fn say_call_ended(&mut self, reaped: &Reaped) -> Result<(), Over> {
        let Some(running) = self.calls.remove(&reaped.pid) else { return Ok(()) };
        if running.begun {
            self.init.tally.end();
        }
        let exited = Exited {
            call: Some(running.call),
            ending: reaped.ending,
            cause: running.cause,
            cpu_micros: reaped.cpu_micros,
            peak_memory: reaped.peak_memory,
        };
        self.tell(&exited.frame(), &[])
    }

    /// The zygote ended, or closed its socket. Without it the jail takes no more calls, so it ends, and those in it with it.
    fn bury_zygote(&mut self) -> Result<(), Over> {
        self.hear_launcher()?;
        let ending = sys::reap(Some(self.zygote)).map_or(Ending::Status(0), |reaped| reaped.ending);
        let cause = self.zygote_cause;
        self.tell(&Exited { call: None, ending, cause, cpu_micros: 0, peak_memory: 0 }.frame(), &[])?;
        Err(Over)
    }

    fn refuse(&self, call: u64, why: &str) -> Result<(), Over> {
        let error = Error { kind: "zygote".into(), message: why.into(), traceback: None, call: Some(call) };
        self.tell(&error.frame(), &[])
    }

    fn tell(&self, frame: &Frame, descriptors: &[BorrowedFd<'_>]) -> Result<(), Over> {
        Ok(packet::send(&self.init.control, frame, descriptors, SendFlags::empty())?)
    }
}
