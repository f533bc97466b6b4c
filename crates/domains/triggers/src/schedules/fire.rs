//! Acting when the time has come. Every node looks; the one whose transaction moves the schedule on has set off the run in
//! the same transaction, so a tick runs once, whoever dies in between.

use std::time::Duration;

use db::{Bookkeeping, Change, CommitError};
use functions::CallFunction;
use futures::{StreamExt, TryStreamExt};
use ledger::{Actor, Fact, Outcome as FactOutcome};
use problem::{ALREADY_EXISTS, CONFLICT, Problem};
use runs::Run;
use serde_json::json;
use telemetry::Stop;
use types::Timestamp;
use web::{Allowance, Contact};

use super::act::{call, target_of};
use super::model::{Outcome, Schedule, Tick};
use super::plan::{Plan, plan};
use super::store::{self, CLOCK};
use crate::{TriggerError, Triggers, facts};

/// Schedules of one look.
const PAGE: i64 = 200;
/// Schedules that are seen to at a time.
const BESIDE: usize = 16;
/// How soon a node notices what another has changed.
const GLANCE: Duration = Duration::from_secs(1);
/// When one that could not be seen to is tried again.
const LATER: Duration = Duration::from_secs(5);
/// Between two looks when something is due all the time.
const BREATH: Duration = Duration::from_millis(20);

impl Triggers {
    /// Sees to schedules until asked to stop.
    pub async fn keep_time(self, stop: Stop) {
        loop {
            let pause = match self.look().await {
                Ok(pause) => pause,
                Err(error) => {
                    tracing::warn!(%error, "schedules could not be looked at");
                    GLANCE
                }
            };
            tokio::select! {
                () = stop.requested() => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Sees to everything that is due; answers how long nothing else is.
    async fn look(&self) -> Result<Duration, TriggerError> {
        let inner = self.inner();
        let due = store::due(&inner.db, inner.world.now(), PAGE).await?;
        if due.is_empty() {
            let earliest = store::earliest(&inner.db).await?;
            let left = earliest.map_or(GLANCE, |due| due.since(inner.world.now()));
            return Ok(left.clamp(BREATH, GLANCE));
        }
        let seen_to = futures::stream::iter(due).map(|(org, id, row)| async move {
            let seen_to = async { self.see_to(&store::of_row(&inner.keyring, row).await?).await };
            let Err(error) = seen_to.await else { return Ok(()) };
            tracing::warn!(%error, schedule = %id, "a schedule was not seen to; it is tried again");
            let until = inner.world.now().plus(LATER);
            inner.db.keep(Bookkeeping::new(CLOCK).statement(store::put_off(org, id, until))).await.map(drop)
        });
        seen_to.buffer_unordered(BESIDE).try_for_each(async |()| Ok(())).await?;
        Ok(BREATH)
    }

    async fn see_to(&self, schedule: &Schedule) -> Result<(), TriggerError> {
        let (Some(waited_for), now) = (schedule.next_at, self.inner().world.now()) else { return Ok(()) };
        let ticks = schedule.ticks()?;
        let plan =
            plan(&ticks, (schedule.missed, schedule.backfill), schedule.jitter_seconds, waited_for, now);
        let Some(tick) = plan.fire else {
            return self.left_out(schedule, waited_for, &plan, now).await;
        };
        let outcome = self.run_for(schedule, tick, &plan, now).await;
        let Err(problem) = outcome else { return Ok(()) };
        if *problem.code() == CONFLICT {
            // Another node was faster, or somebody has just changed the schedule.
            return Ok(());
        }
        if problem.status() >= 500 {
            return Err(problem.into());
        }
        let outcome = if *problem.code() == ALREADY_EXISTS { Outcome::Skipped } else { Outcome::Refused };
        self.did_not_run(schedule, tick, &plan, now, outcome, &problem).await
    }

    /// Asks for the run as the owner would; it is accepted and the schedule moved on, or neither.
    async fn run_for(
        &self,
        schedule: &Schedule,
        tick: Timestamp,
        plan: &Plan,
        now: Timestamp,
    ) -> Result<(), Problem> {
        let inner = self.inner();
        let caller = self.caller(&schedule.standing()).await?;
        let next = self.next(schedule, plan, now);
        let key = schedule.id.to_string();
        let accept = |owner: Allowance| async move {
            let prepared = inner.functions.prepared(&owner, &call(schedule, &key)).await?;
            let note = |run: &Run| {
                let run = Some(run.id);
                let tick =
                    Tick { number: 0, tick, until: None, at: now, outcome: Outcome::Ran, run, code: None };
                vec![store::advance(schedule, next, None), store::note(schedule, &tick)]
            };
            inner.functions.accept(&owner, prepared, note).await
        };
        inner.door.stand_in::<CallFunction, _, _>(caller, Contact::default(), accept).await?;
        counted(Outcome::Ran);
        Ok(())
    }

    fn next(&self, schedule: &Schedule, plan: &Plan, now: Timestamp) -> Option<(Timestamp, Timestamp)> {
        let due = |tick: Timestamp| if tick <= now { tick } else { self.due(schedule, tick) };
        plan.next.map(|tick| (tick, due(tick)))
    }

    /// Ticks that nobody was there for.
    async fn left_out(
        &self,
        schedule: &Schedule,
        first: Timestamp,
        plan: &Plan,
        now: Timestamp,
    ) -> Result<(), TriggerError> {
        let until = plan.left_out_until.filter(|last| *last > first);
        let tick =
            Tick { number: 0, tick: first, until, at: now, outcome: Outcome::Missed, run: None, code: None };
        let books = Bookkeeping::new(CLOCK)
            .statement(store::advance(schedule, self.next(schedule, plan, now), schedule.refusal.as_deref()))
            .statement(store::note(schedule, &tick));
        self.kept(self.inner().db.keep(books).await.map(drop), Outcome::Missed)
    }

    /// Moves on without a run. The ledger hears of a refusal once, until a tick goes well or the reason changes.
    async fn did_not_run(
        &self,
        schedule: &Schedule,
        tick: Timestamp,
        plan: &Plan,
        now: Timestamp,
        outcome: Outcome,
        problem: &Problem,
    ) -> Result<(), TriggerError> {
        let inner = self.inner();
        let code = (outcome == Outcome::Refused).then_some(problem.code().name);
        let noted =
            Tick { number: 0, tick, until: None, at: now, outcome, run: None, code: code.map(str::to_owned) };
        let advance = store::advance(schedule, self.next(schedule, plan, now), code);
        let note = store::note(schedule, &noted);
        let Some(code) = code.filter(|code| schedule.refusal.as_deref() != Some(*code)) else {
            let books = Bookkeeping::new(CLOCK).statement(advance).statement(note);
            return self.kept(inner.db.keep(books).await.map(drop), outcome);
        };
        let fact = Fact::new(&facts::SCHEDULE_REFUSED, schedule.org, Actor::schedule(schedule.id));
        let fact = target_of(fact, schedule)
            .outcome(FactOutcome::Denied)
            .data(json!({ "code": code, "tick": tick.to_string() }));
        let change = Change::new(CLOCK, inner.ledger.seal(fact).await?).statement(advance).statement(note);
        self.kept(inner.db.commit(change).await.map(drop), outcome)
    }

    fn kept(&self, kept: Result<(), CommitError>, outcome: Outcome) -> Result<(), TriggerError> {
        match kept {
            Ok(()) => counted(outcome),
            // Another node was faster, or somebody has just changed the schedule.
            Err(CommitError::Stale | CommitError::Refused(_)) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// Forgets what became of ticks long ago.
    pub(crate) async fn forget_ticks(&self) {
        let books = Bookkeeping::new(CLOCK).statement(store::forget_ticks());
        if let Err(error) = self.inner().db.keep(books).await {
            tracing::warn!(%error, "old ticks of schedules were not forgotten");
        }
    }
}

fn counted(outcome: Outcome) {
    metrics::counter!("safeconduct_schedule_ticks_total", "outcome" => outcome.name()).increment(1);
}
