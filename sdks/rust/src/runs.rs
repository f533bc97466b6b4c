//! Runs: work that was asked for, its output and its log.

use futures::Stream;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::audit::Download;
use crate::functions::PREFER;
use crate::words::words;
use crate::{Client, Error, Event, Events, FieldError, Owner, Page, Time, page};

words! {
    RunStatus {
        Queued = "queued",
        Leased = "leased",
        Running = "running",
        AwaitingInput = "awaiting_input",
        Succeeded = "succeeded",
        Failed = "failed",
        Cancelled = "cancelled",
        TimedOut = "timed_out",
        Dead = "dead",
    }
}

impl RunStatus {
    pub fn has_ended(&self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled | Self::TimedOut | Self::Dead)
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    pub id: String,
    pub kind: String,
    pub status: RunStatus,
    pub trigger: String,
    pub trigger_id: Option<String>,
    pub function: String,
    pub version: Option<String>,
    /// Who asked for it.
    pub principal: Owner,
    /// The token that asked for it.
    pub jti: Option<String>,
    pub txn: Option<String>,
    /// The run that asked for it.
    pub parent: Option<String>,
    /// The run whose input it repeats.
    pub replay_of: Option<String>,
    pub priority: i64,
    /// It begins no sooner, while it waits for that.
    pub due_at: Option<Time>,
    /// When somebody put it aside, being dead.
    pub flushed_at: Option<Time>,
    /// How often it was begun.
    pub attempts: i64,
    /// After so many it is given up.
    pub max_attempts: i64,
    /// Not in lists; above a megabyte not here either.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<Value>,
    pub input_size: i64,
    /// Not in lists; above a megabyte see [`Runs::output`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Value>,
    pub output_size: Option<i64>,
    pub error: Option<RunError>,
    /// How far it said it is in its present or last attempt; not in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
    /// What it asks, while it waits for the answer; not in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<Question>,
    pub usage: Option<Usage>,
    /// The log went past its limit and was cut.
    pub logs_truncated: bool,
    pub queued_at: Time,
    pub started_at: Option<Time>,
    pub ended_at: Option<Time>,
    pub revision: i64,
}

/// Why a run gave no result. `kind` is a word for programs: `raised`, `timed_out`, `memory_exceeded` …
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunError {
    pub kind: String,
    #[serde(default)]
    pub message: Option<String>,
    #[serde(default)]
    pub exception: Option<String>,
    #[serde(default)]
    pub traceback: Option<String>,
    /// What of the output does not match its schema.
    #[serde(default)]
    pub violations: Vec<FieldError>,
}

/// How far a run says it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// From 0 to 1.
    pub fraction: Option<f64>,
    pub message: Option<String>,
    pub at: Time,
}

/// What a run asks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Question {
    /// From 1; the first that its run asks.
    pub number: i64,
    pub prompt: String,
    /// JSON Schema of the answer; anything will do if there is none.
    pub schema: Option<Value>,
    /// Then the run fails.
    pub expires_at: Time,
}

/// What a run does, as it is watched.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum RunMove {
    State(Box<Run>),
    Progress(Progress),
}

/// States of a run and how far it is, until it ends.
pub struct RunStream {
    events: Events,
    ended: bool,
}

impl RunStream {
    /// What comes next; `None` after the last state.
    pub async fn next(&mut self) -> Result<Option<RunMove>, Error> {
        while !self.ended {
            let event = self.events.next().await?;
            match event.event.as_str() {
                "run" => {
                    let run: Run = read(&event)?;
                    self.ended = run.status.has_ended();
                    return Ok(Some(RunMove::State(Box::new(run))));
                }
                "progress" => return read(&event).map(|progress| Some(RunMove::Progress(progress))),
                _ => {}
            }
        }
        Ok(None)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    pub wall_ms: u64,
    pub cpu_ms: u64,
    /// Bytes.
    pub peak_memory: u64,
}

/// One piece of output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogLine {
    /// From 1.
    pub number: i64,
    pub at: Time,
    /// `stdout`, `stderr`, `log`, `raw` or `sandbox`.
    pub source: String,
    pub level: String,
    pub text: String,
    pub fields: Option<Value>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct RunFilter {
    pub status: Option<String>,
    pub trigger: Option<String>,
    /// Id of a function.
    pub function: Option<String>,
    pub agent: Option<String>,
    /// Runs that this one asked for.
    pub parent: Option<String>,
    /// `usr_…` or `agt_…`.
    pub principal: Option<String>,
    /// RFC 3339: queued at or after this time.
    pub from: Option<String>,
    /// RFC 3339: queued before this time.
    pub to: Option<String>,
    pub limit: Option<u32>,
    pub cursor: Option<String>,
}

/// Lines of a log as they are written, until the run ends.
pub struct LogStream(Events);

impl LogStream {
    /// The next line; `None` when the run has ended.
    pub async fn next(&mut self) -> Result<Option<LogLine>, Error> {
        loop {
            let event = self.0.next().await?;
            match event.event.as_str() {
                "line" => return read(&event).map(Some),
                "end" => return Ok(None),
                _ => {}
            }
        }
    }
}

/// How many runs of one kind stand where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queue {
    /// The kind of its runs: `function`.
    pub name: String,
    pub ready: i64,
    /// Those among them whose function says how often it may start.
    pub rated: i64,
    pub delayed: i64,
    pub running: i64,
    /// Waiting for an answer.
    pub awaiting: i64,
    /// Dead letters.
    pub dead: i64,
    /// Since when the oldest ready one waits.
    pub oldest_ready_at: Option<Time>,
}

/// A process that works on runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Worker {
    pub id: String,
    /// Of its machine.
    pub name: String,
    pub version: String,
    /// `working`, `draining` or `silent`.
    pub status: String,
    pub queues: Vec<String>,
    pub slots: i64,
    pub running: i64,
    pub started_at: Time,
    pub seen_at: Time,
}

/// `client.workers()`.
#[derive(Clone, Copy)]
pub struct Workers<'a>(&'a Client);

impl Client {
    pub fn workers(&self) -> Workers<'_> {
        Workers(self)
    }
}

impl Workers<'_> {
    /// All of the instance, the oldest first; for operators.
    pub async fn list(&self) -> Result<Page<Worker>, Error> {
        self.0.get(&["api", "v1", "workers"]).answer().await
    }
}

/// An interpreter that a server keeps warm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WarmInterpreter {
    pub organization: String,
    pub function: String,
    pub version: String,
    pub mode: String,
    /// `busy` or `idle`.
    pub status: String,
    pub calls: i64,
    pub running: i64,
    pub age_seconds: i64,
    pub idle_seconds: i64,
    /// Bytes.
    pub memory: Option<i64>,
}

/// What was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recycled {
    pub recycled: i64,
}

/// `client.pools()`.
#[derive(Clone, Copy)]
pub struct Pools<'a>(&'a Client);

impl Client {
    pub fn pools(&self) -> Pools<'_> {
        Pools(self)
    }
}

impl Pools<'_> {
    /// Of the server that answers, the last used first; for operators.
    pub async fn list(&self) -> Result<Page<WarmInterpreter>, Error> {
        self.0.get(&["api", "v1", "pools"]).answer().await
    }

    /// Gives up those of one function, or all.
    pub async fn recycle(&self, function: Option<&str>) -> Result<Recycled, Error> {
        let body = match function {
            Some(function) => serde_json::json!({ "function": function }),
            None => serde_json::json!({}),
        };
        self.0.post(&["api", "v1", "pools", "recycle"]).json(&body).once().answer().await
    }
}

/// `client.queues()`.
#[derive(Clone, Copy)]
pub struct Queues<'a>(&'a Client);

impl Client {
    pub fn queues(&self) -> Queues<'_> {
        Queues(self)
    }
}

impl Queues<'_> {
    pub async fn list(&self) -> Result<Page<Queue>, Error> {
        self.0.get(&["api", "v1", "queues"]).answer().await
    }

    /// Runs that were given up and that nobody tried again or put aside, newest first.
    pub async fn dead(
        &self,
        queue: &str,
        limit: Option<u32>,
        cursor: Option<&str>,
    ) -> Result<Page<Run>, Error> {
        let filter = RunFilter { limit, cursor: cursor.map(str::to_owned), ..RunFilter::default() };
        self.0.get(&["api", "v1", "queues", queue, "dead"]).query(&filter).answer().await
    }
}

/// `client.runs()`.
#[derive(Clone, Copy)]
pub struct Runs<'a>(&'a Client);

impl Client {
    pub fn runs(&self) -> Runs<'_> {
        Runs(self)
    }
}

impl Runs<'_> {
    /// Newest first.
    pub async fn list(&self, filter: &RunFilter) -> Result<Page<Run>, Error> {
        self.0.get(&path(&[])).query(filter).answer().await
    }

    pub fn all(&self, filter: &RunFilter) -> impl Stream<Item = Result<Run, Error>> {
        page::all(filter.cursor.clone(), move |cursor| async move {
            self.list(&RunFilter { cursor, ..filter.clone() }).await
        })
    }

    pub async fn get(&self, run: &str) -> Result<Run, Error> {
        self.0.get(&path(&[run])).answer().await
    }

    /// The output of a run that succeeded, however large.
    pub async fn output(&self, run: &str) -> Result<Download, Error> {
        self.0.get(&path(&[run, "output"])).timeout(None).send().await.map(Download)
    }

    /// Ends a run with everything that it has started.
    pub async fn cancel(&self, run: &str) -> Result<Run, Error> {
        self.0.post(&path(&[run, "cancel"])).once().answer().await
    }

    /// Puts a run that failed, timed out or is dead back into the queue.
    pub async fn retry(&self, run: &str) -> Result<Run, Error> {
        self.0.post(&path(&[run, "retry"])).once().answer().await
    }

    /// Queues the same version with the same input once more, as a new run on your own authority.
    pub async fn replay(&self, run: &str) -> Result<Run, Error> {
        self.0.post(&path(&[run, "replay"])).once().header(PREFER, "respond-async").answer().await
    }

    /// Answers what a run asks; refused if it is another question than this one by now.
    pub async fn answer(&self, run: &str, question: Option<i64>, input: &Value) -> Result<Run, Error> {
        let mut body = serde_json::json!({ "input": input });
        if let Some(number) = question {
            body["question"] = number.into();
        }
        self.0.post(&path(&[run, "continue"])).json(&body).once().answer().await
    }

    /// Puts a dead run aside.
    pub async fn flush(&self, run: &str) -> Result<Run, Error> {
        self.0.post(&path(&[run, "flush"])).once().answer().await
    }

    pub async fn logs(
        &self,
        run: &str,
        limit: Option<u32>,
        cursor: Option<&str>,
    ) -> Result<Page<LogLine>, Error> {
        let filter = RunFilter { limit, cursor: cursor.map(str::to_owned), ..RunFilter::default() };
        self.0.get(&path(&[run, "logs"])).query(&filter).answer().await
    }

    /// All lines written so far.
    pub fn all_logs<'a>(&'a self, run: &'a str) -> impl Stream<Item = Result<LogLine, Error>> + 'a {
        page::all(None, move |cursor| async move { self.logs(run, Some(200), cursor.as_deref()).await })
    }

    /// Lines from the first on, and on as they are written.
    pub fn follow_logs(&self, run: &str) -> LogStream {
        LogStream(Events::new(self.0, &path(&[run, "logs"]), Vec::new()))
    }

    /// Waits for the run's end.
    pub async fn wait(&self, run: &str) -> Result<Run, Error> {
        let mut moves = self.watch(run);
        loop {
            match moves.next().await? {
                Some(RunMove::State(state)) if state.status.has_ended() => return Ok(*state),
                _ => {}
            }
        }
    }

    /// Its states and how far it is, as they come, until it ends.
    pub fn watch(&self, run: &str) -> RunStream {
        RunStream { events: Events::new(self.0, &path(&[run, "events"]), Vec::new()), ended: false }
    }
}

fn path<'a>(rest: &[&'a str]) -> Vec<&'a str> {
    [&["api", "v1", "runs"], rest].concat()
}

fn read<T: DeserializeOwned>(event: &Event) -> Result<T, Error> {
    serde_json::from_str(&event.data).map_err(|error| {
        let detail =
            format!("An event does not have the expected shape: {error}. Are both versions the same?");
        Error::new("unreadable_answer", "The stream could not be read", detail)
    })
}
