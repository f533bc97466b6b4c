//! What the host holds of one forked call: its ends of the conversation and of the raw output, and the news of it.

use std::io;
use std::os::fd::OwnedFd;

use rustix::process::{Signal, pidfd_send_signal};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf, pipe};

use super::jail::{Jail, Tickets};

/// A call that the zygote was asked to fork. It confines itself and then waits for its input, so it may be asked for before
/// anybody calls.
pub(super) struct Line {
    pub(super) frames: OwnedReadHalf,
    pub(super) to_call: OwnedWriteHalf,
    pub(super) raw: pipe::Receiver,
    pub(super) tickets: Tickets,
    pub(super) process: Process,
}

impl Line {
    pub(super) fn open(jail: &Jail) -> io::Result<Self> {
        let (ours, theirs) = std::os::unix::net::UnixStream::pair()?;
        let (reader, writer) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
        ours.set_nonblocking(true)?;
        let (frames, to_call) = UnixStream::from_std(ours)?.into_split();
        let raw = pipe::Receiver::from_owned_fd(reader)?;
        let tickets = jail.fork(&OwnedFd::from(theirs), &writer)?;
        Ok(Self { frames, to_call, raw, tickets, process: Process::default() })
    }

    /// Waits until it is forked. The error is the zygote's, or none if the jail ended.
    pub(super) async fn started(&mut self) -> Result<(), Option<String>> {
        match (&mut self.tickets.started).await {
            Ok(Ok(process)) => self.process = Process(Some(process)),
            Ok(Err(reason)) => return Err(Some(reason)),
            Err(_) => return Err(None),
        }
        Ok(())
    }

    /// Whether it has ended already, as what waited for long may have.
    pub(super) fn has_ended(&mut self) -> bool {
        !matches!(self.tickets.exited.try_recv(), Err(tokio::sync::oneshot::error::TryRecvError::Empty))
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if let Ok(Ok(process)) = self.tickets.started.try_recv() {
            Process(Some(process)).kill();
        }
    }
}

/// The call's first process. However the conversation ends – also by being dropped – the process ends with it, and its
/// namespace with everything that it started.
#[derive(Default)]
pub(super) struct Process(Option<OwnedFd>);

impl Process {
    pub(super) fn is_known(&self) -> bool {
        self.0.is_some()
    }

    pub(super) fn kill(&self) {
        if let Some(process) = &self.0 {
            // Already dead is as good.
            let _killed = pidfd_send_signal(process, Signal::KILL);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
