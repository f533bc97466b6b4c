//! The conversation with one call: hand over context and input, pass its output on, take its answer, end it.

use std::os::fd::AsFd;
use std::pin::Pin;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{OwnedSemaphorePermit, oneshot, watch};
use tokio::time::timeout;

use super::clock::WallClock;
use super::invocation::invocation;
use super::jail::Jail;
use super::line::Line;
use super::log::LogGate;
use super::question::{OpenQuestion, OutOfTurn};
use crate::call::LogSource;
use crate::message::{Ending, Error, Excess, Exited, Message};
use crate::outside::{LONGEST_CALL, read_call, write_reply};
use crate::{
    Call, Clock, Decoder, Failure, Frame, FrameError, HostReply, Kind, Limits, Outcome, Outside, Progress,
    Redactor, Report, Usage,
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
    let mut log = LogGate::new(call.logs.clone(), call.limits.log_bytes, redactor(&call));
    let (outcome, exited) = match line(jail, &call, &clock).await {
        Ok((line, turn)) => converse(jail, &call, api_url, line, turn, &clock, &mut log).await,
        Err(outcome) => (outcome, None),
    };
    let usage = Usage {
        wall: clock.elapsed(),
        cpu: exited.as_ref().map_or(Duration::ZERO, |exited| Duration::from_micros(exited.cpu_micros)),
        peak_memory: exited.as_ref().map_or(0, |exited| exited.peak_memory),
    };
    Report { outcome, usage, logs_truncated: log.truncated() }
}

fn redactor(call: &Call) -> Redactor {
    Redactor::new(call.context.secrets.iter().map(|(name, value)| (name.as_str(), value)))
}

/// The call that was forked ahead, or one that is forked now.
async fn line(
    jail: &Jail,
    call: &Call,
    clock: &WallClock,
) -> Result<(Line, Option<OwnedSemaphorePermit>), Outcome> {
    if let Some(line) = jail.forked_ahead() {
        return Ok((line, None));
    }
    let turn = wait_for_turn(jail, call, clock).await?;
    let started = Line::open(jail).map(|line| (line, turn));
    started.map_err(|error| Outcome::Crashed { reason: format!("the call cannot be started: {error}") })
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
    line: Line,
    turn: Option<OwnedSemaphorePermit>,
    clock: &WallClock,
    log: &mut LogGate,
) -> (Outcome, Option<Exited>) {
    jail.begin(&line);
    let mut talk = Talk {
        jail,
        line,
        turn,
        limits: &call.limits,
        log,
        progress: &call.progress,
        outside: call.outside.as_deref(),
        asked: None,
        reply: Vec::new(),
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
    let exited = talk.bury().await;
    // Not sooner: it would take the processor from the call that somebody waits for.
    jail.fork_ahead();
    let outcome = outcome.unwrap_or_else(|| how_it_ended(exited.as_ref(), &call.limits));
    (outcome, exited)
}

struct Talk<'a> {
    jail: &'a Jail,
    line: Line,
    /// Given back as soon as the call is forked.
    turn: Option<OwnedSemaphorePermit>,
    limits: &'a Limits,
    log: &'a mut LogGate,
    progress: &'a watch::Sender<Option<Progress>>,
    outside: Option<&'a dyn Outside>,
    /// What it asks the host at present.
    asked: Option<Open>,
    /// What it has not taken yet of what it was told.
    reply: Vec<u8>,
    clock: &'a WallClock,
    question: OpenQuestion,
    exited: Option<Exited>,
}

/// A CALL whose answer is being found; dropped with the conversation.
struct Open {
    number: u32,
    answer: Pin<Box<dyn Future<Output = HostReply> + Send>>,
}

/// The reply to the CALL under way, as bytes for the wire; waits for ever where there is none.
async fn answered(asked: &mut Option<Open>) -> Vec<u8> {
    let Some(open) = asked else { return std::future::pending().await };
    let answer = open.answer.as_mut().await;
    Frame::new(Kind::Reply, write_reply(open.number, &answer)).encode()
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
        if let Err(reason) = self.line.started().await {
            return reason.map(|reason| Outcome::Crashed { reason });
        }
        drop(self.turn.take());
        // The zygote has let go of its copy of the socket by now, so only the call can read this. One that ended
        // meanwhile is heard of below.
        let _written = self.line.to_call.write_all(&invocation(call, api_url).encode()).await;
        let (output, log) = (self.limits.output, LONGEST_LOG);
        let asking = if self.outside.is_some() { LONGEST_CALL } else { 0 };
        let mut decoder = Decoder::new(move |kind| match kind {
            Kind::Result => output,
            Kind::Log => log,
            Kind::Emit => LONGEST_EMIT,
            Kind::Call => asking,
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
                        self.exited = (&mut self.line.tickets.exited).await.ok();
                        return None;
                    }
                }
                read = self.line.raw.read(&mut pieces.1), if raw_open => {
                    let count = read.unwrap_or(0);
                    raw_open = count > 0;
                    self.log.text(LogSource::Raw, pieces.1.get(..count).unwrap_or_default()).await;
                }
                reply = answered(&mut self.asked) => {
                    self.asked = None;
                    self.reply.extend_from_slice(&reply);
                }
                answer = self.question.answered() => {
                    self.clock.go_on();
                    self.reply.extend_from_slice(&answer.encode());
                }
                // Never waited for alone: a call that does not read its reply is heard all the same.
                written = self.line.to_call.write(&self.reply), if !self.reply.is_empty() => {
                    match written {
                        Ok(count @ 1..) => drop(self.reply.drain(..count)),
                        _ => self.reply.clear(),
                    }
                }
                exited = &mut self.line.tickets.exited => {
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
            let count = at_once(self.line.frames.as_ref(), &mut piece);
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
                Kind::Ask => {
                    match self.question.ask(&self.log.redactor().json(frame.payload), &call.questions) {
                        Ok(()) => self.clock.stand_still(),
                        Err(OutOfTurn) => {
                            let reason = "the call asked before it was answered".into();
                            return Stop::Answered(Outcome::Crashed { reason });
                        }
                    }
                }
                Kind::Result if serde_json::from_slice::<serde::de::IgnoredAny>(&frame.payload).is_ok() => {
                    let output = self.log.redactor().json(frame.payload);
                    return Stop::Answered(Outcome::Succeeded { output });
                }
                Kind::Error => return Stop::Answered(failure(&frame, self.log.redactor())),
                Kind::Call => {
                    if !self.ask(frame.payload) {
                        return Stop::Answered(nonsense());
                    }
                }
                _ => return Stop::Answered(nonsense()),
            }
        }
    }

    /// A CALL frame. `false` if it is none, or comes before the reply to the last one was taken.
    fn ask(&mut self, payload: Vec<u8>) -> bool {
        let (Some(outside), None, true) = (self.outside, &self.asked, self.reply.is_empty()) else {
            return false;
        };
        let Some((number, asked)) = read_call(payload) else { return false };
        self.asked = Some(Open { number, answer: outside.ask(asked) });
        true
    }

    /// An EMIT frame: one byte for what it is, then JSON. What is not as the runner sends it spoils the call's own progress.
    fn note(&self, payload: &[u8]) {
        let Some((1, said)) = payload.split_first() else { return };
        if let Ok(said) = serde_json::from_slice::<Progress>(said)
            && said.fraction.is_none_or(|fraction| (0.0..=1.0).contains(&fraction))
        {
            let message = said.message.map(|message| self.log.redactor().text(message));
            self.progress.send_replace(Some(Progress { message, ..said }));
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
    async fn bury(mut self) -> Option<Exited> {
        if !self.line.process.is_known() && !self.line.tickets.started.is_terminated() {
            // Not forked yet: take it as soon as it is there. A jail that does not even fork is given up.
            match timeout(BURIAL, self.line.started()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return self.exited,
                Err(_) => self.jail.kill(),
            }
        }
        self.line.process.kill();
        if self.exited.is_none() {
            self.exited = self.wait_for_end().await;
        }
        let mut piece = vec![0; 16 << 10];
        while let count @ 1.. = at_once(&self.line.raw, &mut piece) {
            self.log.text(LogSource::Raw, piece.get(..count).unwrap_or_default()).await;
        }
        self.exited
    }

    async fn wait_for_end(&mut self) -> Option<Exited> {
        let exited: &mut oneshot::Receiver<Exited> = &mut self.line.tickets.exited;
        if exited.is_terminated() {
            return None;
        }
        match timeout(BURIAL, exited).await {
            Ok(exited) => exited.ok(),
            Err(_) => {
                self.jail.kill();
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

fn failure(frame: &Frame, redactor: &Redactor) -> Outcome {
    match Error::read(frame) {
        Some(Error { kind, message, .. }) if kind == "not confined" => Outcome::Crashed { reason: message },
        Some(Error { kind, message, traceback, .. }) => Outcome::Failed(Failure {
            kind: redactor.text(kind),
            message: redactor.text(message),
            traceback: traceback.map(|traceback| redactor.text(traceback)),
        }),
        None => nonsense(),
    }
}

fn nonsense() -> Outcome {
    Outcome::Crashed { reason: "the call broke the protocol".into() }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use tokio::net::UnixStream;

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
