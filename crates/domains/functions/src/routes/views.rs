//! Functions, versions and runs as the outside sees them.

use authority::Permission;
use named_secrets::SecretName;
use problem::Problem;
use runs::{Contents, Run, RunError};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use types::{FunctionId, FunctionVersionId, Id, RunId, Timestamp, TokenId, TxnId};
use utoipa::ToSchema;
use web::{PrincipalId, Reply};

use crate::model::{Function, Mode, Runtime, Version, Visibility};
use crate::outgoing::EgressRule;
use crate::rate::Rate;
use crate::retry::Retry;
use crate::routes::environments::PackageLockView;
use crate::service::Versioned;

#[derive(Serialize, ToSchema)]
pub struct FunctionView {
    #[serde(flatten)]
    pub function: FunctionSummary,
    /// The version that calls run.
    pub version: VersionView,
}

#[derive(Serialize, ToSchema)]
pub struct FunctionSummary {
    pub id: FunctionId,
    pub namespace: String,
    pub name: String,
    pub description: String,
    pub tags: Vec<String>,
    pub visibility: Visibility,
    pub owner: PrincipalView,
    /// The version that calls run.
    pub live_version: FunctionVersionId,
    /// How many versions there are.
    pub versions: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub deleted_at: Option<Timestamp>,
    pub revision: i64,
}

/// A user or an agent. In the API's description the name `PrincipalView` is that of `auth.me`.
#[derive(Serialize, ToSchema)]
#[schema(as = PrincipalRef)]
pub struct PrincipalView {
    /// `user` or `agent`.
    pub kind: String,
    pub id: String,
}

#[derive(Serialize, ToSchema)]
pub struct VersionView {
    pub id: FunctionVersionId,
    pub function: FunctionId,
    /// From 1.
    pub number: i64,
    pub runtime: Runtime,
    /// How a call gets its interpreter: `fork`ed from a warm one, or one of its own (`cold`).
    pub mode: Mode,
    pub code: String,
    /// SHA-256 of the code.
    pub code_sha256: String,
    /// Empty: `handler`, or the function's own name.
    pub entrypoint: String,
    #[schema(value_type = Option<Object>)]
    pub input_schema: Option<Value>,
    #[schema(value_type = Option<Object>)]
    pub output_schema: Option<Value>,
    pub timeout_seconds: i64,
    pub memory_mb: i64,
    /// None: a failure is the end.
    pub retry: Option<Retry>,
    /// Runs of it at a time, on all servers together.
    pub concurrency: Option<i64>,
    /// Starts in any span of time, on all servers together.
    pub rate: Option<Rate>,
    /// What a run's token may do at the most, beyond its own run.
    #[schema(value_type = Vec<String>)]
    pub permissions: Vec<Permission>,
    /// Secrets that its runs are given, or have put into their requests.
    #[schema(value_type = Vec<String>)]
    pub secrets: Vec<SecretName>,
    /// What `context.http` may call; nothing without.
    pub egress: Vec<EgressRule>,
    /// Packages that it names.
    pub requirements: Vec<String>,
    /// What they led to: exact versions with the hashes of their files.
    pub package_lock: Option<PackageLockView>,
    pub author: PrincipalView,
    pub created_at: Timestamp,
}

#[derive(Serialize, ToSchema)]
pub struct RunView {
    pub id: RunId,
    /// `function`.
    pub kind: String,
    pub status: RunStatus,
    pub trigger: RunTrigger,
    pub trigger_id: Option<String>,
    pub function: FunctionId,
    pub version: Option<FunctionVersionId>,
    pub principal: PrincipalView,
    /// The token that asked for it.
    pub jti: Option<TokenId>,
    pub txn: Option<TxnId>,
    /// The run that asked for it.
    pub parent: Option<RunId>,
    /// The run whose input it repeats.
    pub replay_of: Option<RunId>,
    /// Within its organization: higher first.
    pub priority: i64,
    /// It begins no sooner, while it waits for that.
    pub due_at: Option<Timestamp>,
    /// When somebody put it aside, being dead.
    pub flushed_at: Option<Timestamp>,
    /// How often it was begun.
    pub attempts: i64,
    /// After so many it is given up.
    pub max_attempts: i64,
    /// Not in lists; above a megabyte not here either.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub input: Option<Value>,
    pub input_size: i64,
    /// Not in lists; above a megabyte see `/runs/{run}/output`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub output: Option<Value>,
    pub output_size: Option<i64>,
    pub error: Option<RunErrorView>,
    /// How far it said it is in its present or last attempt; not in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress: Option<ProgressView>,
    /// What it asks, while it waits for the answer; not in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub question: Option<QuestionView>,
    pub usage: Option<UsageView>,
    /// The log went past its limit and was cut.
    pub logs_truncated: bool,
    pub queued_at: Timestamp,
    pub started_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    pub revision: i64,
}

/// Where a run stands.
#[derive(Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    Queued,
    Leased,
    Running,
    /// It waits for the answer to its `question`.
    AwaitingInput,
    Succeeded,
    Failed,
    Cancelled,
    TimedOut,
    Dead,
}

/// What set a run off.
#[derive(Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunTrigger {
    Api,
    Webhook,
    Schedule,
    Agent,
    Mcp,
    Toolkit,
    Manual,
}

macro_rules! the_same_words {
    ($($view:ident = $model:ident { $($word:ident,)+ })+) => {$(
        impl From<runs::$model> for $view {
            fn from(word: runs::$model) -> Self {
                match word { $(runs::$model::$word => Self::$word,)+ }
            }
        }

        impl From<$view> for runs::$model {
            fn from(word: $view) -> Self {
                match word { $($view::$word => Self::$word,)+ }
            }
        }
    )+};
}

the_same_words! {
    RunStatus = RunState { Queued, Leased, Running, AwaitingInput, Succeeded, Failed, Cancelled, TimedOut, Dead, }
    RunTrigger = Trigger { Api, Webhook, Schedule, Agent, Mcp, Toolkit, Manual, }
}

#[derive(Serialize, ToSchema)]
pub struct RunErrorView {
    /// `raised`, `timed_out`, `memory_exceeded`, `output_too_large`, `output_invalid`, `killed`, `crashed`, `cancelled`,
    /// `question_changed`, `unanswered`, `worker_lost`, `permission_denied`, `authority_lost`, `function_deleted`, `secret_unavailable`, `sandbox_unavailable`, `internal`.
    pub kind: String,
    /// Not in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The type of the exception, where there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exception: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traceback: Option<String>,
    /// Where the output does not match its schema.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub violations: Vec<problem::FieldError>,
}

/// How far a run says it is.
#[derive(Serialize, ToSchema)]
#[schema(as = RunProgress)]
pub struct ProgressView {
    /// From 0 to 1.
    pub fraction: Option<f64>,
    pub message: Option<String>,
    pub at: Timestamp,
}

impl From<runs::Progress> for ProgressView {
    fn from(progress: runs::Progress) -> Self {
        Self { fraction: progress.fraction, message: progress.message, at: progress.at }
    }
}

/// What a run asks.
#[derive(Serialize, ToSchema)]
#[schema(as = RunQuestion)]
pub struct QuestionView {
    /// From 1; the first that its run asks.
    pub number: i64,
    /// Text in lines.
    pub prompt: String,
    /// JSON Schema 2020-12 of the answer; anything will do if there is none.
    #[schema(value_type = Option<Object>)]
    pub schema: Option<Value>,
    /// Then the run fails with `unanswered`.
    pub expires_at: Timestamp,
}

impl From<(runs::Asks, runs::Question)> for QuestionView {
    fn from((asks, question): (runs::Asks, runs::Question)) -> Self {
        let runs::Question { prompt, schema } = question;
        Self { number: asks.number, prompt, schema, expires_at: asks.until }
    }
}

#[derive(Serialize, ToSchema)]
pub struct UsageView {
    pub wall_ms: u64,
    pub cpu_ms: u64,
    /// Bytes.
    pub peak_memory: u64,
}

impl From<PrincipalId> for PrincipalView {
    fn from(principal: PrincipalId) -> Self {
        Self { kind: principal.kind().to_owned(), id: principal.to_string() }
    }
}

impl PrincipalView {
    pub(crate) fn parse(text: &str) -> Self {
        let kind = if text.starts_with("agt_") { "agent" } else { "user" };
        Self { kind: kind.to_owned(), id: text.to_owned() }
    }
}

impl From<Function> for FunctionSummary {
    fn from(function: Function) -> Self {
        Self {
            id: function.id,
            namespace: function.namespace,
            name: function.name,
            description: function.description,
            tags: function.tags,
            visibility: function.visibility,
            owner: function.owner.into(),
            live_version: function.live_version,
            versions: function.last_number,
            created_at: function.created_at,
            updated_at: function.updated_at,
            deleted_at: function.deleted_at,
            revision: function.revision,
        }
    }
}

impl From<Version> for VersionView {
    fn from(version: Version) -> Self {
        Self {
            id: version.id,
            function: version.function,
            number: version.number,
            runtime: version.runtime,
            mode: version.mode,
            code: version.code,
            code_sha256: hex::encode(version.code_sha256),
            entrypoint: version.entrypoint,
            input_schema: version.input_schema,
            output_schema: version.output_schema,
            timeout_seconds: version.timeout_seconds,
            memory_mb: version.memory_mb,
            retry: version.retry,
            concurrency: version.concurrency,
            rate: version.rate,
            permissions: version.permissions.permissions().to_vec(),
            secrets: version.secrets,
            egress: version.egress,
            requirements: version.requirements.iter().map(ToString::to_string).collect(),
            package_lock: version.lock.as_ref().map(PackageLockView::from),
            author: PrincipalView::parse(&version.author),
            created_at: version.created_at,
        }
    }
}

impl From<Versioned> for FunctionView {
    fn from(both: Versioned) -> Self {
        Self { function: both.function.into(), version: both.version.into() }
    }
}

impl RunView {
    /// With what is sealed, where it was read; large contents are left out.
    pub(crate) fn new(run: Run, contents: Option<Contents>) -> Self {
        let contents = contents.unwrap_or(Contents::NONE);
        let json = |bytes: Option<Vec<u8>>| bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let error = match (contents.error, run.error_kind) {
            (Some(error), _) => Some(error.into()),
            (None, Some(kind)) => Some(RunErrorView::named(kind)),
            (None, None) => None,
        };
        Self {
            id: run.id,
            kind: run.kind,
            status: run.state.into(),
            trigger: run.trigger.into(),
            trigger_id: run.trigger_id,
            function: FunctionId::from_uuid(run.target),
            version: run.version.map(FunctionVersionId::from_uuid),
            principal: PrincipalView::parse(&run.principal),
            jti: run.jti,
            txn: run.txn,
            parent: run.parent,
            replay_of: run.replay_of,
            priority: run.priority,
            due_at: run.due_at,
            flushed_at: run.flushed_at,
            attempts: run.attempts,
            max_attempts: run.max_attempts,
            input: json(contents.input),
            input_size: run.input_size,
            output: json(contents.output),
            output_size: run.output_size,
            error,
            progress: contents.progress.map(ProgressView::from),
            question: run.asks.zip(contents.question).map(QuestionView::from),
            usage: run.usage.map(UsageView::from),
            logs_truncated: run.logs_truncated,
            queued_at: run.queued_at,
            started_at: run.started_at,
            ended_at: run.ended_at,
            revision: run.revision,
        }
    }
}

impl RunView {
    /// As the answer of whoever set a run off: 200 at its end, 202 before.
    pub(crate) fn reply(status: u16, run: &Run, contents: Option<Contents>) -> Result<Reply, Problem> {
        Reply::with_status(status, &Self::new(run.clone(), contents))
    }
}

impl From<Run> for RunView {
    fn from(run: Run) -> Self {
        Self::new(run, None)
    }
}

impl RunErrorView {
    fn named(kind: String) -> Self {
        Self { kind, message: None, exception: None, traceback: None, violations: Vec::new() }
    }
}

impl From<RunError> for RunErrorView {
    fn from(error: RunError) -> Self {
        Self {
            kind: error.kind,
            message: Some(error.message),
            exception: error.exception,
            traceback: error.traceback,
            violations: error.violations,
        }
    }
}

impl From<runs::Usage> for UsageView {
    fn from(usage: runs::Usage) -> Self {
        let millis = |span: std::time::Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        Self { wall_ms: millis(usage.wall), cpu_ms: millis(usage.cpu), peak_memory: usage.peak_memory }
    }
}
