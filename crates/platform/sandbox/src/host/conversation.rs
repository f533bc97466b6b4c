//! The conversation with one call: hand over context and input, pass its output on, take its answer, end it.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use rustix::process::{Signal, pidfd_send_signal};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::net::unix::pipe;
use tokio::sync::{OwnedSemaphorePermit, oneshot, watch};
use tokio::time::timeout;

use super::clock::WallClock;
use super::invocation::invocation;
use super::jail::{Jail, Tickets};
use super::log::LogGate;
use super::question::{OpenQuestion, OutOfTurn};
use crate::call::LogSource;
use crate::message::{Ending, Error, Excess, Exited, Message};
use crate::{
    Call, Clock, Decoder, Failure, Frame, FrameError, Kind, Limits, Outcome, Progress, Report, Usage,
};

/// Longest error frame: the runner cuts message and traceback to less.
const LONGEST_ERROR: usize = 256 << 10;
/// Longest word on how far a call is: the runner cuts the message to 200 characters.
const LONGEST_EMIT: usize = 4 << 10;
/// Longest question: the runner refuses longer ones itself.
const LONGEST_ASK: usize = 32 << 10;
/// Longest piece of output in one frame.
const LONGEST_LOG: usize = 1 << 20;
/// How long the kernel may take to end what was killed before the whole jail is killed.
const BURIAL: Duration = Duration::from_secs(10);

/// Runs one call in `jail` to its end.
pub(super) async fn run(jail: &Jail, call: Call, api_url: &str) -> Report {
    let clock = WallClock::new(call.limits.wall);
    let mut log = LogGate::new(call.logs.clone(), call.limits.log_bytes);
    let (outcome, exited) = match wait_for_turn(jail, &call, &clock).await {
        Ok(turn) => converse(jail, &call, api_url, turn, &clock, &mut log).await,
        Err(outcome) => (outcome, None),
    };
    let usage = Usage {
        wall: clock.elapsed(),
        cpu: exited.as_ref().map_or(Duration::ZERO, |exited| Duration::from_micros(exited.cpu_micros)),
        peak_memory: exited.as_ref().map_or(0, |exited| exited.peak_memory),
    };
    Report { outcome, usage, logs_truncated: log.truncated() }
}

/// The host's ends of what the call inherits.
struct Line {
    frames: UnixStream,
    raw: pipe::Receiver,
}

fn open(jail: &Jail) -> io::Result<(Line, Tickets)> {
    let (ours, theirs) = std::os::unix::net::UnixStream::pair()?;
    let (reader, writer) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
    ours.set_nonblocking(true)?;
    let line = Line { frames: UnixStream::from_std(ours)?, raw: pipe::Receiver::from_owned_fd(reader)? };
    let tickets = jail.fork(&OwnedFd::from(theirs), &writer)?;
    Ok((line, tickets))
}

/// Of very many calls at once most wait here; their clock runs.
async fn wait_for_turn(
    jail: &Jail,
    call: &Call,
    clock: &WallClock,
) -> Result<Option<OwnedSemaphorePermit>, Outcome> {
    tokio::select! {
        biased;
        () = call.cancel.cancelled() => Err(Outcome::Cancelled),
        () = clock.run_out() => Err(Outcome::TimedOut(Clock::Wall)),
        turn = jail.turn() => Ok(turn),
    }
}

async fn converse(
    jail: &Jail,
    call: &Call,
    api_url: &str,
    turn: Option<OwnedSemaphorePermit>,
    clock: &WallClock,
    log: &mut LogGate,
) -> (Outcome, Option<Exited>) {
    let (line, tickets) = match open(jail) {
        Ok(opened) => opened,
        Err(error) => {
            return (Outcome::Crashed { reason: format!("the call cannot be started: {error}") }, None);
        }
    };
    let mut talk = Talk {
        line,
        tickets,
        turn,
        process: Process::default(),
        limits: &call.limits,
        log,
        progress: &call.progress,
        clock,
        question: OpenQuestion::default(),
        exited: None,
    };
    let outcome = tokio::select! {
        biased;
        () = call.cancel.cancelled() => Some(Outcome::Cancelled),
        () = clock.run_out() => Some(Outcome::TimedOut(Clock::Wall)),
        outcome = talk.until_answered(call, api_url) => outcome,
    };
    // Also after an answer: threads and children that the handler left behind end here.
    let exited = talk.bury(jail).await;
    let outcome = outcome.unwrap_or_else(|| how_it_ended(exited.as_ref(), &call.limits));
    (outcome, exited)
}

/// The call's first process. However the conversation ends – also by being dropped – the process ends with it, and its
/// namespace with everything that it started.
#[derive(Default)]
struct Process(Option<OwnedFd>);

impl Process {
    fn kill(&self) {
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

struct Talk<'a> {
    line: Line,
    tickets: Tickets,
    /// Given back as soon as the call is forked.
    turn: Option<OwnedSemaphorePermit>,
    process: Process,
    limits: &'a Limits,
    log: &'a mut LogGate,
    progress: &'a watch::Sender<Option<Progress>>,
    clock: &'a WallClock,
    question: OpenQuestion,
    exited: Option<Exited>,
}

/// Why reading stopped without an answer.
enum Stop {
    Answered(Outcome),
    /// Nothing more to read now.
    Dry,
}

impl Talk<'_> {
    /// `None` when the process ended without an answer: how it ended is then the outcome.
    async fn until_answered(&mut self, call: &Call, api_url: &str) -> Option<Outcome> {
        match (&mut self.tickets.started).await {
            Ok(Ok(process)) => self.process = Process(Some(process)),
            Ok(Err(reason)) => return Some(Outcome::Crashed { reason }),
            Err(_) => return None,
        }
        drop(self.turn.take());
        // The zygote has let go of its copy of the socket by now, so only the call can read this. One that ended
        // meanwhile is heard of below.
        let _written = self.line.frames.write_all(&invocation(call, api_url).encode()).await;
        let (output, log) = (self.limits.output, LONGEST_LOG);
        let mut decoder = Decoder::new(move |kind| match kind {
            Kind::Result => output,
            Kind::Log => log,
            Kind::Emit => LONGEST_EMIT,
            Kind::Ask => LONGEST_ASK,
            Kind::Error => LONGEST_ERROR,
            _ => 64,
        });
        let mut pieces = (vec![0; 16 << 10], vec![0; 4 << 10]);
        let mut raw_open = true;
        loop {
            tokio::select! {
                read = self.line.frames.read(&mut pieces.0) => {
                    let count = read.unwrap_or(0);
                    decoder.feed(pieces.0.get(..count).unwrap_or_default());
                    if let Stop::Answered(outcome) = self.hear(&mut decoder, call).await {
                        return Some(outcome);
                    }
                    if count == 0 {
                        self.exited = (&mut self.tickets.exited).await.ok();
                        return None;
                    }
                }
                read = self.line.raw.read(&mut pieces.1), if raw_open => {
                    let count = read.unwrap_or(0);
                    raw_open = count > 0;
                    self.log.text(LogSource::Raw, pieces.1.get(..count).unwrap_or_default()).await;
                }
                answer = self.question.answered() => {
                    self.clock.go_on();
                    // One that ended meanwhile is heard of below.
                    let _written = self.line.frames.write_all(&answer.encode()).await;
                }
                exited = &mut self.tickets.exited => {
                    self.exited = exited.ok();
                    return self.last_words(&mut decoder, call).await;
                }
            }
        }
    }

    /// What it had sent before it ended. Asks the kernel: the runtime may have heard of the end before it heard of these.
    async fn last_words<A: Fn(Kind) -> usize>(
        &mut self,
        decoder: &mut Decoder<A>,
        call: &Call,
    ) -> Option<Outcome> {
        let mut piece = vec![0; 64 << 10];
        loop {
            let count = at_once(&self.line.frames, &mut piece);
            decoder.feed(piece.get(..count).unwrap_or_default());
            match self.hear(decoder, call).await {
                Stop::Answered(outcome) => return Some(outcome),
                Stop::Dry if count == 0 => return None,
                Stop::Dry => {}
            }
        }
    }

    async fn hear<A: Fn(Kind) -> usize>(&mut self, decoder: &mut Decoder<A>, call: &Call) -> Stop {
        loop {
            let frame = match decoder.next() {
                Ok(Some(frame)) => frame,
                Ok(None) => return Stop::Dry,
                Err(error) => return Stop::Answered(self.broken(&error)),
            };
            match frame.kind {
                Kind::Log => self.log.frame(&frame.payload).await,
                Kind::Emit => self.note(&frame.payload),
                Kind::Ask => match self.question.ask(&frame.payload, &call.questions) {
                    Ok(()) => self.clock.stand_still(),
                    Err(OutOfTurn) => {
                        let reason = "the call asked before it was answered".into();
                        return Stop::Answered(Outcome::Crashed { reason });
                    }
                },
                Kind::Result if serde_json::from_slice::<serde::de::IgnoredAny>(&frame.payload).is_ok() => {
                    return Stop::Answered(Outcome::Succeeded { output: frame.payload });
                }
                Kind::Error => return Stop::Answered(failure(&frame)),
                _ => {
                    let reason = "the call broke the protocol".into();
                    return Stop::Answered(Outcome::Crashed { reason });
                }
            }
        }
    }

    /// An EMIT frame: one byte for what it is, then JSON. What is not as the runner sends it spoils the call's own progress.
    fn note(&self, payload: &[u8]) {
        let Some((1, said)) = payload.split_first() else { return };
        if let Ok(said) = serde_json::from_slice::<Progress>(said)
            && said.fraction.is_none_or(|fraction| (0.0..=1.0).contains(&fraction))
        {
            self.progress.send_replace(Some(said));
        }
    }

    fn broken(&self, error: &FrameError) -> Outcome {
        match error {
            FrameError::TooLarge { kind: Kind::Result, .. } => {
                Outcome::OutputTooLarge { limit: self.limits.output }
            }
            error => Outcome::Crashed { reason: format!("the call broke the protocol: {error}") },
        }
    }

    /// Kills what is left, waits for init's word on it, and takes the raw output that is still in the pipe.
    async fn bury(mut self, jail: &Jail) -> Option<Exited> {
        if self.process.0.is_none() && !self.tickets.started.is_terminated() {
            // Not forked yet: take it as soon as it is there. A jail that does not even fork is given up.
            match timeout(BURIAL, &mut self.tickets.started).await {
                Ok(Ok(Ok(process))) => self.process = Process(Some(process)),
                Ok(_) => return self.exited,
                Err(_) => jail.kill(),
            }
        }
        self.process.kill();
        if self.exited.is_none() {
            self.exited = self.wait_for_end(jail).await;
        }
        let mut piece = vec![0; 16 << 10];
        while let count @ 1.. = at_once(&self.line.raw, &mut piece) {
            self.log.text(LogSource::Raw, piece.get(..count).unwrap_or_default()).await;
        }
        self.exited
    }

    async fn wait_for_end(&mut self, jail: &Jail) -> Option<Exited> {
        let exited: &mut oneshot::Receiver<Exited> = &mut self.tickets.exited;
        if exited.is_terminated() {
            return None;
        }
        match timeout(BURIAL, exited).await {
            Ok(exited) => exited.ok(),
            Err(_) => {
                jail.kill();
                None
            }
        }
    }
}

/// Bytes that are there now; both descriptors never block.
fn at_once(descriptor: impl AsFd, piece: &mut [u8]) -> usize {
    rustix::io::retry_on_intr(|| rustix::io::read(&descriptor, &mut *piece)).unwrap_or(0)
}

/// No answer came: the parent's word on the process is the outcome.
fn how_it_ended(exited: Option<&Exited>, limits: &Limits) -> Outcome {
    let Some(exited) = exited else {
        return Outcome::Crashed { reason: "the jail ended while the call ran".into() };
    };
    // Nobody in the jail can kill the call's first process, and we did not: it was the kernel, for processor time if
    // much of that was used (it counts by ticks, which is far off on a busy machine), for want of memory if not.
    let busy = Duration::from_micros(exited.cpu_micros) >= limits.cpu / 2;
    match (exited.cause, exited.ending) {
        (Some(Excess::Memory), _) => Outcome::MemoryExceeded,
        (Some(Excess::Cpu), _) => Outcome::TimedOut(Clock::Cpu),
        (None, Ending::Signal(libc::SIGKILL | libc::SIGXCPU)) if busy => Outcome::TimedOut(Clock::Cpu),
        (None, Ending::Signal(signal)) => Outcome::Killed { signal },
        (None, Ending::Status(status)) => {
            Outcome::Crashed { reason: format!("the process ended with status {status} before it answered") }
        }
    }
}

fn failure(frame: &Frame) -> Outcome {
    match Error::read(frame) {
        Some(Error { kind, message, .. }) if kind == "not confined" => Outcome::Crashed { reason: message },
        Some(Error { kind, message, traceback, .. }) => Outcome::Failed(Failure { kind, message, traceback }),
        None => Outcome::Crashed { reason: "the call broke the protocol".into() },
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[tokio::test]
    async fn what_the_runtime_has_not_heard_of_is_read_all_the_same() {
        let (ours, mut theirs) = std::os::unix::net::UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        let ours = UnixStream::from_std(ours).unwrap();
        theirs.write_all(b"answer").unwrap();
        let mut piece = [0; 16];
        assert!(ours.try_read(&mut piece).is_err(), "the runtime has not looked since");
        assert_eq!(at_once(&ours, &mut piece), 6);
        assert_eq!(at_once(&ours, &mut piece), 0);
    }
}
