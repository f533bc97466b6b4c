//! What a run is, on whose authority it stands, and how it can end.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use authority::Authority;
use cluster::Kin;
use ledger::{Actor, FactKind, Origin, Outcome};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use types::{CredentialId, Id, OrgId, RequestId, RunId, Timestamp, TokenId, TxnId, Uuid};

use crate::facts;
use crate::interview::Question;

/// The stored word is none of ours.
#[derive(Debug, thiserror::Error)]
#[error("unknown word")]
pub struct UnknownWord;

macro_rules! words {
    ($($(#[$doc:meta])* $kind:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $kind {
            $($(#[$variant_doc])* $variant,)+
        }

        impl $kind {
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }

        impl fmt::Display for $kind {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(self.name())
            }
        }

        impl FromStr for $kind {
            type Err = UnknownWord;
            fn from_str(text: &str) -> Result<Self, UnknownWord> {
                Self::ALL.iter().copied().find(|word| word.name() == text).ok_or(UnknownWord)
            }
        }
    )+};
}

words! {
    /// Where a run stands.
    RunState {
        Queued = "queued",
        /// A worker has it and has not begun.
        Leased = "leased",
        Running = "running",
        /// It has asked something; nobody works on it, or a process waits in its place for a while.
        AwaitingInput = "awaiting_input",
        Succeeded = "succeeded",
        Failed = "failed",
        Cancelled = "cancelled",
        TimedOut = "timed_out",
        /// Given up: its attempts are spent.
        Dead = "dead",
    }
    /// What set a run off.
    Trigger {
        Api = "api",
        Webhook = "webhook",
        Schedule = "schedule",
        Agent = "agent",
        Mcp = "mcp",
        Toolkit = "toolkit",
        Manual = "manual",
    }
}

impl RunState {
    pub const fn has_ended(self) -> bool {
        !matches!(self, Self::Queued | Self::Leased | Self::Running | Self::AwaitingInput)
    }

    /// Nothing happens any more, or not before somebody acts.
    pub const fn rests(self) -> bool {
        self.has_ended() || matches!(self, Self::AwaitingInput)
    }

    /// The fact that this end leaves.
    pub(crate) const fn fact(self) -> Option<(&'static FactKind, Outcome)> {
        match self {
            Self::Queued | Self::Leased | Self::Running | Self::AwaitingInput => None,
            Self::Succeeded => Some((&facts::RUN_SUCCEEDED, Outcome::Success)),
            Self::Failed => Some((&facts::RUN_FAILED, Outcome::Failure)),
            Self::TimedOut => Some((&facts::RUN_TIMED_OUT, Outcome::Failure)),
            Self::Cancelled => Some((&facts::RUN_CANCELLED, Outcome::Failure)),
            Self::Dead => Some((&facts::RUN_DEAD, Outcome::Failure)),
        }
    }
}

/// On whose authority a run stands.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Mandate {
    /// The principal.
    pub actor: Actor,
    /// Its id as a UUID: runs are listed and killed by it.
    #[serde(with = "as_text")]
    pub subject: Uuid,
    /// Who acts for it, outermost first.
    pub chain: Vec<Actor>,
    /// The scope of the token that asked; `None` when a person asked from a session.
    pub scope: Option<Authority>,
    pub jti: Option<TokenId>,
    pub credential: Option<CredentialId>,
    pub txn: Option<TxnId>,
    pub request: Option<RequestId>,
    /// The run that asked for this one.
    pub run: Option<RunId>,
    /// The authority revision at which the caller was admitted; what died later takes the run along.
    pub revision: i64,
    /// What whoever issues the run's token wants to know of the caller; opaque here.
    pub on_behalf: Value,
    /// Everything whose death ends the run.
    pub stands_on: Vec<Footing>,
}

/// What the authority log calls it: `agent`, `user`, `credential`, `org`, and its id.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Footing {
    pub kind: String,
    #[serde(with = "as_text")]
    pub key: Uuid,
}

mod as_text {
    use serde::{Deserialize, Deserializer, Serializer};
    use types::Uuid;

    pub(super) fn serialize<S: Serializer>(uuid: &Uuid, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(uuid)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Uuid, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

impl Mandate {
    pub(crate) fn kin(&self) -> Vec<Kin> {
        self.stands_on.iter().filter_map(|footing| Kin::of(&footing.kind, footing.key)).collect()
    }

    /// What a fact of the run tells of where it comes from.
    pub fn origin(&self, run: RunId) -> Origin {
        Origin {
            request: self.request,
            jti: self.jti,
            txn: self.txn,
            credential: self.credential,
            run: Some(run),
            act: self.chain.clone(),
            ..Origin::default()
        }
    }
}

/// What is run, and which version of it.
#[derive(Clone, Debug)]
pub struct Target {
    pub(crate) id: Uuid,
    pub(crate) version: Option<Uuid>,
    pub(crate) shown: Shown,
}

/// A target as its facts show it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Shown {
    pub(crate) id: String,
    pub(crate) version: Option<String>,
    pub(crate) name: String,
}

impl Target {
    /// `name` is what people know it by; it is private.
    pub fn new(id: impl Id, name: impl Into<String>) -> Self {
        let shown = Shown { id: id.to_string(), version: None, name: name.into() };
        Self { id: id.uuid(), version: None, shown }
    }

    #[must_use]
    pub fn version(mut self, version: impl Id) -> Self {
        self.version = Some(version.uuid());
        self.shown.version = Some(version.to_string());
        self
    }
}

/// What is sealed beside a run, because names stand in it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Papers {
    pub(crate) mandate: Mandate,
    pub(crate) target: Shown,
}

/// A run that is asked for.
pub struct NewRun {
    /// The executor's kind.
    pub kind: &'static str,
    pub trigger: Trigger,
    pub trigger_id: Option<String>,
    pub target: Target,
    pub mandate: Mandate,
    /// JSON.
    pub input: Vec<u8>,
    pub order: Order,
}

/// When and beside which others a run is worked on.
#[derive(Clone, Debug, Default)]
pub struct Order {
    /// Within its organization: higher first.
    pub priority: i64,
    /// Not before.
    pub due_at: Option<Timestamp>,
    pub concurrency: Option<Concurrency>,
    pub rate: Option<Rate>,
    /// While a run of the same subject and target under this key is open, there is no second one.
    pub deduplication_key: Option<String>,
    /// Attempts until it is given up; the engine's own number if left out.
    pub attempts: Option<i64>,
    /// The run whose input this one repeats.
    pub replay_of: Option<RunId>,
}

/// At most `limit` runs of one key are worked on at a time, in the whole installation.
#[derive(Clone, Debug)]
pub struct Concurrency {
    pub key: String,
    pub limit: i64,
}

impl Concurrency {
    /// For what needs a key and has no limit.
    pub(crate) fn none(target: Uuid) -> Self {
        Self { key: format!("{target}:"), limit: i64::MAX }
    }
}

/// In no span of this length do more than so many runs of one target start, in the whole installation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// From 1.
    pub starts: i64,
    /// At most [`Rate::LONGEST`].
    pub span: Duration,
}

impl Rate {
    pub const LONGEST: Duration = Duration::from_secs(24 * 3600);
}

/// One row, without what is sealed.
#[derive(Clone, Debug)]
pub struct Run {
    pub id: RunId,
    pub org: OrgId,
    pub kind: String,
    pub state: RunState,
    pub trigger: Trigger,
    pub trigger_id: Option<String>,
    pub target: Uuid,
    pub version: Option<Uuid>,
    /// `usr_…` or `agt_…`.
    pub principal: String,
    pub subject: Uuid,
    pub jti: Option<TokenId>,
    pub txn: Option<TxnId>,
    pub input_sha256: [u8; 32],
    pub input_size: i64,
    pub output_sha256: Option<[u8; 32]>,
    pub output_size: Option<i64>,
    pub error_kind: Option<String>,
    pub attempts: i64,
    pub max_attempts: i64,
    pub fence: i64,
    pub queued_at: Timestamp,
    pub started_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    pub usage: Option<Usage>,
    pub logs_truncated: bool,
    pub revision: i64,
    /// The run that asked for it.
    pub parent: Option<RunId>,
    /// The run whose input it repeats.
    pub replay_of: Option<RunId>,
    pub priority: i64,
    /// Not before, while it waits for that.
    pub due_at: Option<Timestamp>,
    /// When somebody put it aside, being dead.
    pub flushed_at: Option<Timestamp>,
    /// What it waits to be told.
    pub asks: Option<Asks>,
}

/// The place of an open question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asks {
    /// From 1; the first that its run asks.
    pub number: i64,
    /// Then the run fails.
    pub until: Timestamp,
    /// A process waits for it.
    pub in_place: bool,
}

/// How many runs of one kind stand where, in one organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    pub kind: String,
    /// To be worked on as soon as there is a place.
    pub ready: i64,
    /// Those among them whose target says how often it may start.
    pub rated: i64,
    /// Queued for later.
    pub delayed: i64,
    /// Leased or running.
    pub running: i64,
    /// Waiting for an answer.
    pub awaiting: i64,
    /// Given up and not put aside.
    pub dead: i64,
    /// Since when the oldest ready one waits.
    pub oldest: Option<Timestamp>,
}

/// What is sealed of a run. Large inputs and outputs stand in blobs and are `None` here.
#[derive(Clone, Debug)]
pub struct Contents {
    pub input: Option<Vec<u8>>,
    pub output: Option<Vec<u8>>,
    pub error: Option<RunError>,
    pub progress: Option<Progress>,
    /// While it is open.
    pub question: Option<Question>,
}

impl Contents {
    pub const NONE: Self = Self { input: None, output: None, error: None, progress: None, question: None };
}

/// How far a run says it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// From 0 to 1.
    pub fraction: Option<f64>,
    pub message: Option<String>,
    pub at: Timestamp,
}

impl Progress {
    /// Characters of a message that are kept.
    pub const LONGEST: usize = 200;
}

/// Why a run gave no result. `kind` is a word for programs: `raised`, `timed_out`, `memory_exceeded` …
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunError {
    pub kind: String,
    pub message: String,
    /// The exception's type, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exception: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceback: Option<String>,
    /// What of the output does not match its schema.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub violations: Vec<problem::FieldError>,
}

impl RunError {
    pub fn new(kind: &'static str, message: impl Into<String>) -> Self {
        Self {
            kind: kind.to_owned(),
            message: message.into(),
            exception: None,
            traceback: None,
            violations: Vec::new(),
        }
    }
}

/// What an executor answers.
pub struct Finish {
    pub ending: Ending,
    pub usage: Usage,
    /// The token that the run was given.
    pub token: Option<RunToken>,
    /// The log went past its limit and was cut.
    pub logs_truncated: bool,
    /// Where it failed or timed out: after how long another attempt is worth making. Without attempts left the run is
    /// given up as dead.
    pub again_in: Option<Duration>,
    /// What was asked of others for it in its last attempt.
    pub outgoing: Option<Outgoing>,
}

/// Requests that the house made for a run, as its fact tells them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    pub requests: i64,
    pub blocked: i64,
    /// Some of those that were called.
    pub hosts: Vec<String>,
}

impl Finish {
    /// An end without any work done.
    pub fn without_work(ending: Ending) -> Self {
        Self {
            ending,
            usage: Usage::default(),
            token: None,
            logs_truncated: false,
            again_in: None,
            outgoing: None,
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum Ending {
    /// JSON.
    Succeeded(Vec<u8>),
    Failed(RunError),
    TimedOut(RunError),
    /// Its cancellation token was the reason.
    Cancelled,
    /// Something of ours failed; another attempt may go better.
    Again(String),
    /// It asked something ([`crate::Interview`]), and its place is given up until somebody answers.
    Waits,
}

impl Ending {
    /// The error of a run's own that ended it.
    pub(crate) fn failure(&self) -> Option<&RunError> {
        match self {
            Self::Failed(error) | Self::TimedOut(error) => Some(error),
            Self::Succeeded(_) | Self::Cancelled | Self::Again(_) | Self::Waits => None,
        }
    }
}

/// A run-internal token, as its run's fact names it.
#[derive(Clone, Debug)]
pub struct RunToken {
    pub jti: TokenId,
    pub audience: String,
    pub scope: String,
    /// The chain of acts that the run belongs to, where it begins with the run.
    pub txn: TxnId,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    pub wall: Duration,
    pub cpu: Duration,
    /// Bytes.
    pub peak_memory: u64,
}
