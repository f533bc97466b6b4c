//! One call: what goes in, what comes out while it runs, how it ends.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;
use types::Secret;

use crate::{Limits, Outside, ZygoteSpec};

/// What to run and with what.
pub struct Call {
    pub zygote: ZygoteSpec,
    /// JSON, already validated by the caller.
    pub input: Vec<u8>,
    pub context: ContextFrame,
    pub limits: Limits,
    /// Output as it comes. A full channel holds the call back; a closed one drops its output.
    pub logs: mpsc::Sender<LogLine>,
    /// How far the call says it is; only the latest word counts.
    pub progress: watch::Sender<Option<Progress>>,
    /// Answers what the call asks the host for; without it such a question breaks the protocol.
    pub outside: Option<Arc<dyn Outside>>,
    /// What the call asks, one question at a time. Its wall clock stands still until the answer; a closed channel refuses.
    pub questions: mpsc::Sender<Asked>,
    /// Kills the call and everything that it started.
    pub cancel: CancellationToken,
}

/// What `context` offers to the handler. `api_url` is added by the sandbox.
#[derive(Default)]
pub struct ContextFrame {
    pub run_id: String,
    pub org_id: String,
    pub user_id: Option<String>,
    pub user_email: Option<String>,
    pub agent_id: Option<String>,
    pub trigger_type: String,
    pub trigger_id: Option<String>,
    pub chat_id: Option<String>,
    pub attempt: u32,
    /// RFC 3339.
    pub deadline: Option<String>,
    pub access_token: Option<Secret<String>>,
    pub secrets: BTreeMap<String, Secret<String>>,
}

/// `context.progress(…)`: tenant code's word, within bounds.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Progress {
    /// From 0 to 1.
    pub fraction: Option<f64>,
    pub message: Option<String>,
}

/// `context.ask(…)`: tenant code's question, and where its answer goes.
#[derive(Debug)]
pub struct Asked {
    pub question: AskedQuestion,
    pub answer: oneshot::Sender<Told>,
}

/// The words of a question, at most 32 KiB of JSON.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskedQuestion {
    pub prompt: String,
    pub schema: Option<serde_json::Value>,
    /// Seconds.
    pub expires_in: Option<f64>,
}

/// What comes back for a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// JSON.
    Answer(Vec<u8>),
    /// The call may not ask this; raised where it asked.
    Refused(String),
}

/// One piece of output.
#[derive(Clone, Debug, PartialEq)]
pub struct LogLine {
    pub source: LogSource,
    pub level: LogLevel,
    /// Without the newline at its end; may hold others.
    pub text: String,
    /// Given by `context.log(…, key=value)`.
    pub fields: Option<serde_json::Value>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogSource {
    Stdout,
    Stderr,
    /// `context.log`.
    Log,
    /// What processes wrote past the interpreter, straight to descriptors 1 and 2.
    Raw,
    /// The sandbox itself.
    Sandbox,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    Debug,
    Info,
    Warning,
    Error,
}

/// How the call ended and what it used.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    pub outcome: Outcome,
    pub usage: Usage,
    /// The log went past its limit and was cut.
    pub logs_truncated: bool,
}

/// How a call can end.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The handler's answer as JSON.
    Succeeded {
        output: Vec<u8>,
    },
    /// The handler, or loading its module, raised.
    Failed(Failure),
    TimedOut(Clock),
    MemoryExceeded,
    OutputTooLarge {
        limit: usize,
    },
    /// A signal that was not the sandbox's: a crash of native code, or its own hand.
    Killed {
        signal: i32,
    },
    Cancelled,
    /// The process, its jail or the launcher ended without an answer.
    Crashed {
        reason: String,
    },
}

/// An exception, as the function's author should see it.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// The exception's type.
    pub kind: String,
    pub message: String,
    pub traceback: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    Wall,
    Cpu,
}

/// What the call used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    pub wall: Duration,
    /// Of the call's process and everything that it waited for.
    pub cpu: Duration,
    /// Resident peak of its largest process in bytes.
    pub peak_memory: u64,
}
