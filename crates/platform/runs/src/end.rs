//! The end of a run: a change with one fact, which only the holder of the youngest lease can make.

use std::time::Duration;

use db::{Change, CommitError, OrgScope, Statement};
use ledger::{Actor, Fact, Origin};
use problem::RUN_ENDED;
use serde_json::{Map, Value, json};

use crate::house::Runs;
use crate::keep::AUTHORITY_LOST;
use crate::live::{Held, Stop};
use crate::model::{Ending, Finish, Outgoing, Papers, Run, RunError, RunState, RunToken, Shown, Usage};
use crate::store::{self, End};
use crate::{RunsError, facts};

/// Between two tries to record an end while the database is away or full.
const RETRY: Duration = Duration::from_millis(500);

impl Runs {
    /// A result is not lost because the database is away for a while: it is offered again until it is stored, or until
    /// the run belongs to somebody else.
    pub(crate) async fn end_until_it_holds(
        &self,
        run: &Run,
        papers: &Papers,
        finish: Finish,
        held: &Held,
        target: &'static str,
    ) -> Result<(), RunsError> {
        if let Ending::Again(reason) = &finish.ending
            && run.attempts < run.max_attempts
        {
            self.flush(held).await?;
            return self.again(run, reason).await;
        }
        if let (Some(wait), Some(error)) = (finish.again_in, finish.ending.failure())
            && run.attempts < run.max_attempts
            && held.why().is_none()
        {
            return self.try_again(run, error, wait, held).await;
        }
        loop {
            match self.end_held(run, papers, &finish, held, target).await {
                Err(RunsError::Commit(CommitError::Refused(code))) if *code == RUN_ENDED => {
                    tracing::info!(run = %run.id, fence = run.fence, "a late result was refused");
                    metrics::counter!("safeconduct_runs_late_results_total").increment(1);
                    return Ok(());
                }
                Err(RunsError::Commit(CommitError::Db(error))) if held.why() != Some(Stop::Lost) => {
                    tracing::warn!(%error, run = %run.id, "the end of a run is not stored yet; trying again");
                    tokio::time::sleep(RETRY).await;
                }
                other => return other,
            }
        }
    }

    /// A failure that its function wants repeated: said in the log, which goes on with the next attempt.
    async fn try_again(
        &self,
        run: &Run,
        error: &RunError,
        wait: Duration,
        held: &Held,
    ) -> Result<(), RunsError> {
        let (attempt, most) = (run.attempts, run.max_attempts);
        let text = format!(
            "Attempt {attempt} of {most} ended with {}: {}. The next follows in {} s.",
            error.kind,
            error.message,
            wait.as_secs_f64()
        );
        held.book.push(self.0.world.now(), "run", "warning", text, None);
        self.flush(held).await?;
        metrics::counter!("safeconduct_runs_retried_total").increment(1);
        self.0.db.keep(store::hand_back(run, self.0.world.now().plus(wait))).await?;
        self.0.watchers.moved(run.id);
        Ok(())
    }

    async fn end_held(
        &self,
        run: &Run,
        papers: &Papers,
        finish: &Finish,
        held: &Held,
        target: &'static str,
    ) -> Result<(), RunsError> {
        let scope = OrgScope::proven(run.org);
        let _writing = held.book.writing.lock().await;
        let lines = held.book.unwritten();
        let segment = self.segment(held, &lines).await?;
        let progress = self.progress(held).await?;
        let (state, reason, error) = outcome(finish, held.why());
        let mut end = self.ended(run, state, finish, error.as_ref()).await?;
        end.logs_truncated |= held.book.is_full();
        let mut output = None;
        if let Ending::Succeeded(bytes) = &finish.ending {
            end.output_sha256 = Some(crypto::hash::sha256(bytes));
            end.output_size = Some(i64::try_from(bytes.len()).unwrap_or(i64::MAX));
            (end.output, output) = self.store(&scope, run.id, "output", bytes).await?;
        }
        let outgoing = finish.outgoing.as_ref();
        let token = finish.token.as_ref();
        let fact = Ended { run, papers, end: &end, reason, token, outgoing, target }.fact();
        let mut change = Change::new(scope, self.0.ledger.seal(fact).await?).statement(store::end(run, &end));
        // The segment first: after the end its fence still stands, but readers stop at the end.
        for statement in segment.into_iter().map(|(statement, _)| statement).chain(progress).chain(output) {
            change = change.with(statement);
        }
        if let Err(error) = self.0.db.commit_together(change.wake_queue()).await {
            held.progress.put_back();
            return Err(error.into());
        }
        if let Some(last) = lines.last() {
            held.book.wrote(last.number);
        }
        metrics::counter!("safeconduct_runs_total", "state" => state.name()).increment(1);
        self.0.watchers.moved(run.id);
        Ok(())
    }

    /// Ends a run that nobody works on: `dead` when its attempts are spent, `cancelled` when its authority died, `failed`
    /// when nobody answers it.
    pub(crate) async fn end_unheld(
        &self,
        run: &Run,
        papers: &[u8],
        state: RunState,
        why: &'static str,
    ) -> Result<(), RunsError> {
        let papers = self.papers(run, papers).await?;
        let error = match state {
            RunState::Dead => Some(RunError::new(
                "worker_lost",
                "Its worker was lost too often. Run it again if its work may be repeated.",
            )),
            RunState::Failed => Some(RunError::new(
                "unanswered",
                "Nobody answered its question in time. Retry it to have it asked again.",
            )),
            _ => None,
        };
        let finish = Finish::without_work(Ending::Cancelled);
        let end = self.ended(run, state, &finish, error.as_ref()).await?;
        let target = self.executor(&run.kind).map_or("run", |executor| executor.target());
        let reason = Some(why);
        let fact =
            Ended { run, papers: &papers, end: &end, reason, token: None, outgoing: None, target }.fact();
        let change = Change::new(OrgScope::proven(run.org), self.0.ledger.seal(fact).await?);
        let made = self.0.db.commit(change.statement(store::end(run, &end)).wake_queue()).await;
        self.0.watchers.moved(run.id);
        match made {
            // Somebody else was first: another node, or a worker that came back.
            Err(CommitError::Refused(code)) if *code == RUN_ENDED => Ok(()),
            made => Ok(made.map(drop)?),
        }
    }

    /// For whoever cancels by hand: the fact and the statement of the change. Cancelled at once, whoever
    /// holds it; after the commit, [`Runs::stop`] ends what runs here. The change wakes the queue.
    pub async fn cancellation(
        &self,
        scope: &OrgScope,
        run: &Run,
        actor: Actor,
        origin: Origin,
    ) -> Result<(Fact, Statement), RunsError> {
        let (shown, mut data) = self.shown(scope, run).await?;
        data.insert("reason".into(), json!("cancelled"));
        let target = self.executor(&run.kind).map_or("run", |executor| executor.target());
        let fact = Fact::new(&facts::RUN_CANCELLED, run.org, actor)
            .origin(&Origin { run: Some(run.id), ..origin })
            .target(target, &shown.id, shown.name)
            .data(Value::Object(data));
        Ok((fact, store::cancel(scope, run.id, self.0.world.now())))
    }

    /// A run's target as its facts show it, and what every fact of a run tells.
    pub(crate) async fn shown(
        &self,
        scope: &OrgScope,
        run: &Run,
    ) -> Result<(Shown, Map<String, Value>), RunsError> {
        let row = self.0.db.read_one(scope, store::papers(scope, run.id)).await?;
        let sealed: Vec<u8> = row.map_or(Ok(Vec::new()), |mut row| row.next())?;
        let shown = self.papers(run, &sealed).await?.target;
        let data = common(run, shown.version.as_deref());
        Ok((shown, data))
    }

    async fn ended(
        &self,
        run: &Run,
        state: RunState,
        finish: &Finish,
        error: Option<&RunError>,
    ) -> Result<End, RunsError> {
        let sealed = match error {
            Some(error) => {
                let bytes = serde_json::to_vec(error)?;
                Some(self.seal(run.org, run.id, "error", &bytes).await?)
            }
            None => None,
        };
        let cancelled = (state == RunState::Cancelled).then(|| "cancelled".to_owned());
        Ok(End {
            state,
            at: self.0.world.now(),
            output: None,
            output_sha256: None,
            output_size: None,
            error_kind: error.map(|error| error.kind.clone()).or(cancelled),
            error: sealed,
            usage: finish.usage,
            logs_truncated: finish.logs_truncated,
        })
    }
}

/// State, reason of a cancellation, error.
fn outcome(finish: &Finish, why: Option<Stop>) -> (RunState, Option<&'static str>, Option<RunError>) {
    match &finish.ending {
        Ending::Succeeded(_) => (RunState::Succeeded, None, None),
        // It was worth another attempt, and there is none left.
        Ending::Failed(error) | Ending::TimedOut(error) if finish.again_in.is_some() => {
            (RunState::Dead, None, Some(error.clone()))
        }
        Ending::Failed(error) => (RunState::Failed, None, Some(error.clone())),
        Ending::TimedOut(error) => (RunState::TimedOut, None, Some(error.clone())),
        Ending::Cancelled | Ending::Waits => {
            let reason = if why == Some(Stop::AuthorityLost) { AUTHORITY_LOST } else { "cancelled" };
            (RunState::Cancelled, Some(reason), None)
        }
        Ending::Again(reason) => (RunState::Dead, None, Some(RunError::new("internal", reason.clone()))),
    }
}

struct Ended<'a> {
    run: &'a Run,
    papers: &'a Papers,
    end: &'a End,
    reason: Option<&'static str>,
    token: Option<&'a RunToken>,
    outgoing: Option<&'a Outgoing>,
    target: &'static str,
}

impl Ended<'_> {
    /// The principal stands as the actor of what its run did; what the platform did to a run is the platform's act.
    fn fact(&self) -> Fact {
        let Self { run, papers, end, target, .. } = self;
        let mandate = &papers.mandate;
        let (kind, outcome) = end.state.fact().unwrap_or((&facts::RUN_DEAD, ledger::Outcome::Failure));
        let by_platform = matches!(end.state, RunState::Dead | RunState::Cancelled);
        let mut origin = mandate.origin(run.id);
        origin.txn = origin.txn.or(self.token.map(|token| token.txn));
        let actor = if by_platform {
            origin.on_behalf_of = Some(mandate.actor.clone());
            Actor::system("runs")
        } else {
            mandate.actor.clone()
        };
        Fact::new(kind, run.org, actor)
            .origin(&origin)
            .outcome(outcome)
            .target(target, &papers.target.id, papers.target.name.clone())
            .data(Value::Object(self.data()))
    }

    fn data(&self) -> Map<String, Value> {
        let Self { run, end, papers, .. } = self;
        let mut data = common(run, papers.target.version.as_deref());
        if end.state == RunState::Cancelled {
            data.insert("reason".into(), json!(self.reason));
        }
        if let Some(token) = self.token.filter(|_| end.state != RunState::Dead) {
            data.insert("token".into(), json!(token.jti));
            data.insert("token_audience".into(), json!(token.audience));
            data.insert("token_scope".into(), json!(token.scope));
        }
        if let Some(outgoing) = self.outgoing.filter(|_| end.state != RunState::Dead) {
            data.insert("requests".into(), json!(outgoing.requests));
            data.insert("requests_blocked".into(), json!(outgoing.blocked));
            data.insert("requested_hosts".into(), json!(outgoing.hosts));
        }
        if let Some(sha256) = end.output_sha256 {
            data.insert("output_sha256".into(), json!(hex::encode(sha256)));
        }
        if let (Some(error), false) = (&end.error_kind, end.state == RunState::Cancelled) {
            data.insert("error".into(), json!(error));
        }
        if !matches!(end.state, RunState::Cancelled | RunState::Dead) {
            let Usage { wall, cpu, .. } = end.usage;
            let waited = run.started_at.unwrap_or(end.at).since(run.queued_at);
            for (name, span) in [("queued_ms", waited), ("wall_ms", wall), ("cpu_ms", cpu)] {
                data.insert(name.into(), json!(u64::try_from(span.as_millis()).unwrap_or_default()));
            }
        }
        data
    }
}

/// What every end tells.
fn common(run: &Run, version: Option<&str>) -> Map<String, Value> {
    let mut data = Map::new();
    data.insert("kind".into(), json!(run.kind));
    data.insert("trigger".into(), json!(run.trigger.name()));
    data.insert("version".into(), json!(version));
    data.insert("attempts".into(), json!(run.attempts));
    data.insert("input_sha256".into(), json!(hex::encode(run.input_sha256)));
    data
}
