//! One attempt: from the lease to the end.

use std::sync::Arc;
use std::time::Duration;

use db::OrgScope;
use tokio::sync::OwnedSemaphorePermit;

use crate::house::{Executor, Runs, Task};
use crate::interview::Interview;
use crate::keep::AUTHORITY_LOST;
use crate::live::{Held, Live, LogSink, Stop};
use crate::model::{Ending, Finish, Mandate, Papers, Run, RunError, RunState};
use crate::store::Leased;
use crate::{RunsError, logs, store};

/// Wait before another attempt, for each attempt made.
const PATIENCE: Duration = Duration::from_secs(2);

impl Runs {
    /// Begins what was leased, all of it in one transaction, and carries each run. In a task of its own: what was leased must not
    /// be left lying when the loop ends.
    pub(crate) fn start(&self, leased: Vec<(Leased, OwnedSemaphorePermit)>) {
        let runs = self.clone();
        let begun = self.0.carried.track_future(async move { runs.take_up(leased).await });
        telemetry::spawn("begin runs", begun);
    }

    /// The same for a run that never was in the queue, and whose papers are open already.
    pub(crate) fn start_here(&self, here: Here, permit: OwnedSemaphorePermit) {
        let (runs, run) = (self.clone(), here.run.clone());
        here.held.held.set_stored();
        self.carry(run, permit, async move { runs.attempt(here).await });
    }

    fn carry(
        &self,
        run: Run,
        permit: OwnedSemaphorePermit,
        work: impl Future<Output = Result<(), RunsError>> + Send + 'static,
    ) {
        let runs = self.clone();
        let carried = self.0.carried.track_future(async move {
            if let Err(error) = work.await {
                runs.give_up(&run, &error).await;
            }
            runs.0.watchers.moved(run.id);
            drop(permit);
        });
        telemetry::spawn("run", carried);
    }

    async fn take_up(&self, leased: Vec<(Leased, OwnedSemaphorePermit)>) {
        let mut held = Vec::with_capacity(leased.len());
        for (leased, permit) in leased {
            let run = leased.run.clone();
            match self.hold_leased(leased).await {
                Ok(one) => held.push((one, permit)),
                Err(error) => self.give_up(&run, &error).await,
            }
        }
        // Awaited: whoever cancels from here on finds it among the living; what was cancelled before does not begin.
        let begin = store::begin(held.iter().map(|(one, _)| &one.run), self.0.world.now());
        let begun = match self.0.db.keep(begin).await {
            Ok(begun) => begun,
            Err(error) => {
                let error = RunsError::from(error);
                for (one, _) in &held {
                    self.give_up(&one.run, &error).await;
                }
                return;
            }
        };
        for ((one, permit), rows) in held.into_iter().zip(begun) {
            if !rows.is_empty() {
                one.held.held.set_stored();
                self.0.watchers.moved(one.run.id);
                let (runs, run) = (self.clone(), one.run.clone());
                self.carry(run, permit, async move { runs.read_and_attempt(one).await });
            }
        }
    }

    async fn hold_leased(&self, leased: Leased) -> Result<HeldLease, RunsError> {
        let Leased { run, papers, input } = leased;
        let papers = self.papers(&run, &papers).await?;
        let first_line = if run.fence > 1 { self.lines_so_far(&run).await? + 1 } else { 1 };
        let held = self.hold(&run, &papers, first_line);
        Ok(HeldLease { run, papers, input, held })
    }

    async fn read_and_attempt(&self, lease: HeldLease) -> Result<(), RunsError> {
        let HeldLease { run, papers, input, held } = lease;
        let input = match self.input(&run, input).await {
            Ok(input) => input,
            Err(error) => return self.again(&run, &error.to_string()).await,
        };
        self.attempt(Here { run, papers, input, held }).await
    }

    /// From now on, until the guard goes, the run is among those that can be stopped here.
    pub(crate) fn hold(&self, run: &Run, papers: &Papers, first_line: i64) -> Entered {
        let held = Held::new(run, papers.mandate.kin(), first_line);
        self.0.live.enter(held.clone());
        // Too late for the word that goes to all when this process stops.
        if self.0.stopping.is_cancelled() {
            held.stop(Stop::HandedBack);
        }
        Entered { live: self.0.live.clone(), held }
    }

    async fn attempt(&self, here: Here) -> Result<(), RunsError> {
        let Here { run, papers, input, held: entered } = here;
        let held = &entered.held;
        // What died between admission and now: the listener tells of everything later.
        if self.0.feed.is_dead(papers.mandate.revision, &held.kin) {
            held.stop(Stop::AuthorityLost);
        }
        let Some(executor) = self.executor(&run.kind) else { return Ok(()) };
        let finish = if held.why().is_some() {
            Finish::without_work(Ending::Cancelled)
        } else {
            self.work_on(&run, &papers.mandate, input, held, executor).await
        };
        self.finish(&run, &papers, finish, held, executor.target()).await
    }

    async fn work_on(
        &self,
        run: &Run,
        mandate: &Mandate,
        input: Vec<u8>,
        held: &Arc<Held>,
        executor: &Arc<dyn Executor>,
    ) -> Finish {
        let task = Task {
            run: run.clone(),
            mandate: mandate.clone(),
            input,
            logs: LogSink {
                held: held.clone(),
                world: self.0.world.clone(),
                watchers: self.0.watchers.clone(),
            },
            cancel: held.cancel.clone(),
            interview: Interview::of(self, run, held),
        };
        // A task of its own: a defect of the executor ends its run, not this worker.
        match telemetry::spawn("run executor", executor.execute(task)).await {
            Ok(finish) => finish,
            Err(_) => Finish::without_work(Ending::Failed(RunError::new(
                "crashed",
                "The server failed while it worked on this run. Its log says more.",
            ))),
        }
    }

    async fn finish(
        &self,
        run: &Run,
        papers: &Papers,
        finish: Finish,
        held: &Held,
        target: &'static str,
    ) -> Result<(), RunsError> {
        match held.why() {
            // Its row has moved on without us.
            Some(Stop::Cancelled | Stop::Lost) => self.flush(held).await,
            Some(Stop::HandedBack) if matches!(finish.ending, Ending::Cancelled | Ending::Waits) => {
                self.let_go(run, held).await
            }
            None if finish.ending == Ending::Waits => self.let_go(run, held).await,
            _ => self.end_until_it_holds(run, papers, finish, held, target).await,
        }
    }

    async fn let_go(&self, run: &Run, held: &Held) -> Result<(), RunsError> {
        self.flush(held).await?;
        // Answered by now, it waits for nothing but a place.
        self.0.db.keep(store::let_go(run).wake_queue()).await?;
        Ok(())
    }

    /// After a defect of ours: what cannot be carried here must not stay leased for ever.
    async fn give_up(&self, run: &Run, error: &RunsError) {
        tracing::error!(%error, run = %run.id, "a run could not be carried to its end");
        let away = self.again(run, "it could not be carried to its end").await;
        if let Err(error) = away {
            tracing::error!(%error, run = %run.id, "its lease stays until this server starts again");
        }
    }

    /// Gives the run back for another attempt, or gives it up if this was the last one.
    pub(crate) async fn again(&self, run: &Run, reason: &str) -> Result<(), RunsError> {
        tracing::warn!(run = %run.id, attempt = run.attempts, reason, "a run is tried again");
        if run.attempts >= run.max_attempts {
            let row =
                self.0.db.read_one(store::SCOPE, store::papers(&OrgScope::proven(run.org), run.id)).await?;
            let papers: Vec<u8> = row.map_or(Ok(Vec::new()), |mut row| row.next())?;
            return self.end_unheld(run, &papers, RunState::Dead, AUTHORITY_LOST).await;
        }
        let wait = PATIENCE * u32::try_from(run.attempts).unwrap_or(1);
        self.0.db.keep(store::hand_back(run, self.0.world.now().plus(wait))).await?;
        Ok(())
    }

    pub(crate) async fn input(&self, run: &Run, inline: Option<Vec<u8>>) -> Result<Vec<u8>, RunsError> {
        match inline {
            Some(sealed) => self.open(run.org, run.id, "input", &sealed).await,
            None => {
                let size = u64::try_from(run.input_size).unwrap_or_default();
                Ok(self.0.blobs.read(&OrgScope::proven(run.org), run.input_sha256, size).await?)
            }
        }
    }

    pub(crate) async fn papers(&self, run: &Run, sealed: &[u8]) -> Result<Papers, RunsError> {
        Ok(serde_json::from_slice(&self.open(run.org, run.id, "papers", sealed).await?)?)
    }

    async fn lines_so_far(&self, run: &Run) -> Result<i64, RunsError> {
        let last = self.0.db.read_one(store::SCOPE, logs::last_line(run.org, run.id)).await?;
        Ok(last.map_or(Ok(0), |mut row| row.next())?)
    }
}

/// A run that was leased and is among those that can be stopped here; its row does not say so yet.
struct HeldLease {
    run: Run,
    papers: Papers,
    input: Option<Vec<u8>>,
    held: Entered,
}

/// A run that this process is about to work on.
pub(crate) struct Here {
    pub(crate) run: Run,
    pub(crate) papers: Papers,
    pub(crate) input: Vec<u8>,
    pub(crate) held: Entered,
}

/// Takes the run off the list of those that are here, however the attempt ends.
pub(crate) struct Entered {
    live: Live,
    pub(crate) held: Arc<Held>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        self.live.leave(&self.held);
    }
}
