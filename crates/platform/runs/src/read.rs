//! Reading runs: one, many, contents, logs – and waiting for them to move.

use std::time::Duration;

use db::{OrgScope, Select, Statement, Value};
use secrets::Purpose;
use types::{Id, RunId, Timestamp, Uuid};

use crate::house::Runs;
use crate::logs::{self, LogLine};
use crate::model::{Contents, Progress, Run, RunState, Trigger};
use crate::watch::Watched;
use crate::{RunsError, store};

/// Segments read at once; each holds what a fifth of a second brought.
const SEGMENTS: i64 = 200;

/// What a list may be narrowed by.
#[derive(Clone, Debug, Default)]
pub struct RunFilter {
    pub kind: Option<String>,
    pub state: Option<RunState>,
    pub trigger: Option<Trigger>,
    pub target: Option<Uuid>,
    pub subject: Option<Uuid>,
    pub parent: Option<RunId>,
    /// Dead ones that nobody put aside.
    pub letters: bool,
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
    /// Older than this one: where the last page ended.
    pub before: Option<RunId>,
}

/// What a run does next, for whoever watches it.
#[derive(Clone, Debug)]
pub enum Move {
    State(Box<Run>),
    Progress(Progress),
}

impl Runs {
    pub async fn get(&self, scope: &OrgScope, run: RunId) -> Result<Option<Run>, RunsError> {
        let row = self.0.db.read_one(scope, store::get(scope, run)).await?;
        Ok(row.map(|mut row| store::run(&mut row)).transpose()?)
    }

    /// Youngest first; `narrow` adds what the caller may see (columns `id` and `subject`), `most` rows at the utmost.
    pub async fn list(
        &self,
        scope: &OrgScope,
        filter: &RunFilter,
        narrow: impl FnOnce(Select) -> Select,
        most: i64,
    ) -> Result<Vec<Run>, RunsError> {
        let select = narrow(filter.apply(store::select(scope.org()))).order("id DESC").limit(most);
        let rows = self.0.db.read(scope, Statement::from(select)).await?;
        let runs = rows.into_iter().map(|mut row| store::run(&mut row)).collect::<Result<_, _>>();
        Ok(runs?)
    }

    /// Input, output and error, opened.
    pub async fn contents(&self, scope: &OrgScope, run: &Run) -> Result<Contents, RunsError> {
        let mut contents = Contents::NONE;
        let Some(mut row) = self.0.db.read_one(scope, store::contents(scope, run.id)).await? else {
            return Ok(contents);
        };
        let opened = async |column, sealed: Option<Vec<u8>>| match sealed {
            Some(sealed) => self.open(run.org, run.id, column, &sealed).await.map(Some),
            None => Ok(None),
        };
        contents.input = opened("input", row.next()?).await?;
        contents.output = opened("output", row.next()?).await?;
        if let Some(error) = opened("error", row.next()?).await? {
            contents.error = Some(serde_json::from_slice(&error)?);
        }
        if let Some(progress) = opened("progress", row.next()?).await? {
            contents.progress = Some(serde_json::from_slice(&progress)?);
        }
        if let Some(question) = opened("question", row.next()?).await? {
            contents.question = Some(serde_json::from_slice(&question)?);
        }
        Ok(contents)
    }

    /// The input alone, however large.
    pub async fn input_of(&self, scope: &OrgScope, run: &Run) -> Result<Vec<u8>, RunsError> {
        let row = self.0.db.read_one(scope, store::contents(scope, run.id)).await?;
        let inline = row.map_or(Ok(None), |mut row| row.next())?;
        self.input(run, inline).await
    }

    /// Waits until the run has ended or asks something, at most for `patience`; then as it stands.
    pub async fn wait(
        &self,
        scope: &OrgScope,
        run: RunId,
        patience: Duration,
    ) -> Result<Option<Run>, RunsError> {
        let mut watched = self.0.watchers.watch(run);
        let ended = async {
            loop {
                match self.get(scope, run).await? {
                    Some(found) if !found.state.rests() => watched.moved().await,
                    found => return Ok(found),
                }
            }
        };
        tokio::select! {
            found = ended => found,
            () = tokio::time::sleep(patience) => self.get(scope, run).await,
            () = self.0.stopping.cancelled() => self.get(scope, run).await,
        }
    }

    /// Resolves when this server stops: streams of runs end then.
    pub async fn stopping(&self) {
        self.0.stopping.cancelled().await;
    }

    /// The run once its revision is past `after`, or how far it is once that differs from `seen`; `None` if there is no
    /// such run, or nothing will come.
    pub async fn next_move(
        &self,
        scope: &OrgScope,
        run: RunId,
        after: i64,
        seen: Option<&Progress>,
    ) -> Result<Option<Move>, RunsError> {
        let mut watched = self.0.watchers.watch(run);
        loop {
            let Some(mut row) = self.0.db.read_one(scope, store::with_progress(scope, run)).await? else {
                return Ok(None);
            };
            let found = store::run(&mut row)?;
            if found.revision > after {
                return Ok(Some(Move::State(Box::new(found))));
            }
            if found.state.has_ended() {
                return Ok(None);
            }
            if let Some(sealed) = row.next::<Option<Vec<u8>>>()? {
                let opened = self.open(found.org, run, "progress", &sealed).await?;
                let progress: Progress = serde_json::from_slice(&opened)?;
                if seen != Some(&progress) {
                    return Ok(Some(Move::Progress(progress)));
                }
            }
            watched.moved().await;
        }
    }

    /// Stored and living lines after this number, `most` at the utmost.
    pub async fn lines(
        &self,
        scope: &OrgScope,
        run: RunId,
        after: i64,
        most: usize,
    ) -> Result<Vec<LogLine>, RunsError> {
        let held = self.0.live.get(run).filter(|held| held.org == scope.org());
        if let Some(mut lines) = held.as_ref().and_then(|held| held.book.after(after)) {
            lines.truncate(most);
            return Ok(lines);
        }
        let mut lines = Vec::new();
        for row in self.0.db.read(scope, logs::segments(scope, run, after, SEGMENTS)).await? {
            let (first, body) = logs::segment(row)?;
            let place = logs::place(run, first);
            let aad = logs::aad(scope.org(), &place);
            let opened = self.0.keyring.open_sealed(Purpose::Records, &aad, &body).await?;
            let segment: Vec<LogLine> = serde_json::from_slice(&opened)?;
            lines.extend(segment.into_iter().filter(|line| line.number > after));
            if lines.len() >= most {
                break;
            }
        }
        lines.truncate(most);
        Ok(lines)
    }

    /// As [`Runs::lines`], waiting for some; `None` once the run has ended and there are no more.
    pub async fn next_lines(
        &self,
        scope: &OrgScope,
        run: RunId,
        after: i64,
        most: usize,
    ) -> Result<Option<Vec<LogLine>>, RunsError> {
        let mut watched: Watched = self.0.watchers.watch(run);
        loop {
            // Asked before the lines are: what is written until the end is not missed.
            let ended = self.get(scope, run).await?.is_none_or(|run| run.state.has_ended());
            let lines = self.lines(scope, run, after, most).await?;
            match (lines.is_empty(), ended && self.0.live.get(run).is_none()) {
                (false, _) => return Ok(Some(lines)),
                (true, true) => return Ok(None),
                (true, false) => watched.moved().await,
            }
        }
    }
}

impl RunFilter {
    fn apply(&self, select: Select) -> Select {
        select
            .and_some("kind = {}", self.kind.as_deref())
            .and_some("state = {}", self.state.map(RunState::name))
            .and_some("trigger = {}", self.trigger.map(Trigger::name))
            .and_some("target = {}", self.target)
            .and_some("subject = {}", self.subject)
            .and_some("parent = {}", self.parent.map(Id::uuid))
            .and_some("flushed_at IS NULL AND state = {}", self.letters.then_some(RunState::Dead.name()))
            .and_some("queued_at >= {}", self.from.map(Value::from))
            .and_some("queued_at < {}", self.to.map(Value::from))
            .and_some("id < {}", self.before.map(Id::uuid))
    }
}
