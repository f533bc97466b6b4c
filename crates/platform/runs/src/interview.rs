//! What a run asks while it runs, and what it is told. An answer is recorded before the run goes on, so a run that is begun
//! again asks the same questions and finds the answers: nothing of a process is kept.

use std::sync::Arc;
use std::time::Duration;

use crypto::hash::sha256;
use db::{OrgScope, Statement};
use ledger::{Actor, Fact, Origin};
use secrets::Purpose;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout_at};
use types::Timestamp;

use crate::house::Runs;
use crate::live::{Held, Stop, harmless};
use crate::model::{Asks, Run, RunState};
use crate::{RunsError, answers, facts, logs, store};

/// A question, as its run words it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Question {
    pub prompt: String,
    /// What the answer must match; anything if there is none.
    pub schema: Option<Value>,
}

impl Question {
    /// Questions of one run, all attempts together.
    pub const MOST: i64 = 100;

    /// The prompt is read as it stands, in lines: what else would steer a terminal or turn the text is left out.
    pub fn new(prompt: &str, schema: Option<Value>) -> Self {
        let letter = |letter| if letter == '\n' { letter } else { harmless(letter) };
        Self { prompt: prompt.chars().map(letter).collect(), schema }
    }

    /// What a later attempt is held against.
    fn hash(&self) -> Result<[u8; 32], RunsError> {
        Ok(sha256(&serde_json::to_vec(self)?))
    }
}

/// What comes of a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// JSON.
    Answer(Vec<u8>),
    /// Nobody has answered while the process may wait: the attempt ends with [`crate::Ending::Waits`].
    NotYet,
    /// An earlier attempt asked something else at this place, and that was answered.
    Changed {
        number: i64,
    },
    TooMany,
    /// The run is over here, or others have it.
    Gone,
}

/// The questions of one attempt; clones share it.
#[derive(Clone)]
pub struct Interview {
    runs: Runs,
    run: Run,
    held: Arc<Held>,
    course: Arc<Mutex<Course>>,
}

struct Course {
    /// The number of the next question.
    next: i64,
    /// How long the process may still keep its place while it waits.
    patience: Duration,
}

impl Interview {
    pub(crate) fn of(runs: &Runs, run: &Run, held: &Arc<Held>) -> Self {
        let course = Course { next: 1, patience: runs.0.settings.question_wait };
        Self {
            runs: runs.clone(),
            run: run.clone(),
            held: held.clone(),
            course: Arc::new(Mutex::new(course)),
        }
    }

    /// The answer that was recorded, or that comes while this process waits.
    pub async fn ask(&self, question: &Question, expires_in: Duration) -> Result<Said, RunsError> {
        let mut course = self.course.lock().await;
        let number = course.next;
        if number > Question::MOST {
            return Ok(Said::TooMany);
        }
        let hash = question.hash()?;
        if let Some(said) = self.recorded(number, hash).await? {
            course.next += 1;
            return Ok(said);
        }
        let until = self.runs.0.world.now().plus(expires_in);
        if !self.open(question, Asks { number, until, in_place: true }).await? {
            return Ok(self.gone());
        }
        metrics::counter!("safeconduct_runs_asked_total").increment(1);
        let begun = Instant::now();
        let said = self.wait(number, hash, begun + course.patience).await;
        course.patience = course.patience.saturating_sub(begun.elapsed());
        course.next += 1;
        said
    }

    async fn recorded(&self, number: i64, hash: [u8; 32]) -> Result<Option<Said>, RunsError> {
        let row = self.runs.0.db.read_one(store::SCOPE, answers::recorded(&self.run, number)).await?;
        let Some(mut row) = row else { return Ok(None) };
        let asked: [u8; 32] = row.next()?;
        if asked != hash {
            return Ok(Some(Said::Changed { number }));
        }
        let sealed: Vec<u8> = row.next()?;
        let place = logs::place(self.run.id, number);
        let aad = answers::aad(self.run.org, &place);
        let keyring = &self.runs.0.keyring;
        Ok(Some(Said::Answer(keyring.open_sealed(Purpose::Records, &aad, &sealed).await?)))
    }

    /// Puts the question down, with everything that was said before it; whether the run is still ours.
    async fn open(&self, question: &Question, asks: Asks) -> Result<bool, RunsError> {
        self.runs.flush(&self.held).await?;
        let plain = serde_json::to_vec(question)?;
        let sealed = self.runs.seal(self.run.org, self.run.id, "question", &plain).await?;
        let asked = self.runs.0.db.keep(answers::ask(&self.run, asks, sealed)).await?;
        self.runs.0.watchers.moved(self.run.id);
        Ok(asked.iter().any(|rows| !rows.is_empty()))
    }

    async fn wait(&self, number: i64, hash: [u8; 32], until: Instant) -> Result<Said, RunsError> {
        let mut watched = self.runs.0.watchers.watch(self.run.id);
        let scope = OrgScope::proven(self.run.org);
        loop {
            match self.runs.get(&scope, self.run.id).await? {
                Some(now) if now.fence == self.run.fence && now.state == RunState::Running => {
                    return Ok(self.recorded(number, hash).await?.unwrap_or_else(|| self.gone()));
                }
                Some(now) if now.fence == self.run.fence && now.state == RunState::AwaitingInput => {}
                _ => return Ok(self.gone()),
            }
            if timeout_at(until, watched.moved()).await.is_err() {
                return Ok(Said::NotYet);
            }
        }
    }

    /// What happens here no longer counts.
    fn gone(&self) -> Said {
        self.held.stop(Stop::Lost);
        Said::Gone
    }
}

/// What somebody answers.
pub struct Answer {
    pub number: i64,
    /// JSON.
    pub body: Vec<u8>,
    /// `usr_…` or `agt_…`.
    pub author: String,
}

impl Runs {
    /// For whoever answers an open question: the fact and the statements of the change, which wakes the queue, and the run as
    /// it then stands. After the commit, [`Runs::answered`].
    pub async fn continuing(
        &self,
        scope: &OrgScope,
        run: &Run,
        question: &Question,
        answer: &Answer,
        actor: Actor,
        origin: Origin,
    ) -> Result<(Fact, [Statement; 2], Run), RunsError> {
        let now: Timestamp = self.0.world.now();
        let (shown, mut data) = self.shown(scope, run).await?;
        let hash = question.hash()?;
        data.insert("question".into(), json!(answer.number));
        data.insert("question_sha256".into(), json!(hex::encode(hash)));
        data.insert("answer_sha256".into(), json!(hex::encode(sha256(&answer.body))));
        let target = self.executor(&run.kind).map_or("run", |executor| executor.target());
        let fact = Fact::new(&facts::RUN_CONTINUED, run.org, actor)
            .origin(&Origin { run: Some(run.id), ..origin })
            .target(target, &shown.id, shown.name)
            .data(Value::Object(data));
        let place = logs::place(run.id, answer.number);
        let aad = answers::aad(run.org, &place);
        let sealed = self.0.keyring.seal(Purpose::Records, &aad, &answer.body).await?;
        let record = answers::record(scope, run.id, answer.number, hash, sealed, &answer.author, now);
        let go_on = answers::go_on(scope, run.id, answer.number, now);
        let in_place = run.asks.is_some_and(|asks| asks.in_place);
        let state = if in_place { RunState::Running } else { RunState::Queued };
        let after = Run { state, asks: None, revision: run.revision + 1, ..run.clone() };
        Ok((fact, [go_on, record], after))
    }

    /// Tells the process that waits, if it is this one.
    pub fn answered(&self, run: types::RunId) {
        metrics::counter!("safeconduct_runs_answered_total").increment(1);
        self.0.watchers.moved(run);
    }
}
