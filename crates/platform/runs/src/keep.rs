//! Leases renewed, silent workers' runs taken back, logs stored, the dead's queued runs ended.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use db::{Bookkeeping, Row, Statement};
use types::{RunId, Timestamp};

use crate::house::Runs;
use crate::live::{Held, Stop};
use crate::model::{Rate, RunState};
use crate::{RunsError, answers, store};

/// Why a run was cancelled, as its fact says. A dead run's fact says nothing of this.
pub(crate) const AUTHORITY_LOST: &str = "authority_lost";
pub(crate) const PARENT_CANCELLED: &str = "parent_cancelled";
const UNANSWERED: &str = "unanswered";

impl Runs {
    /// Takes up what an earlier process left. With SQLite there was no other: its leases are void at once.
    pub(crate) async fn resume(&self) {
        let silent_since =
            if self.0.db.is_postgres() { None } else { Some(Timestamp::from_millis(i64::MAX)) };
        if let Err(error) = self.try_resume(silent_since).await {
            tracing::warn!(%error, "what an earlier process left is not taken up yet");
        }
    }

    async fn try_resume(&self, silent_since: Option<Timestamp>) -> Result<(), RunsError> {
        self.take_back(silent_since.unwrap_or(self.0.world.now())).await?;
        while self.end_all(store::orphaned(), RunState::Cancelled, AUTHORITY_LOST).await? {}
        while self.end_all(store::left_behind(), RunState::Cancelled, PARENT_CANCELLED).await? {}
        Ok(())
    }

    /// One round of looking for runs whose worker is silent, for what a lost server left open, and for what nobody answers. Called now and then by
    /// [`Runs::work`].
    pub async fn expire(&self) -> Result<(), RunsError> {
        while self.end_all(store::left_behind(), RunState::Cancelled, PARENT_CANCELLED).await? {}
        while self.end_all(answers::unanswered(self.0.world.now()), RunState::Failed, UNANSWERED).await? {}
        self.take_back(self.0.world.now()).await
    }

    /// Makes ready what was queued for later and is due.
    pub(crate) async fn promote(&self) -> Result<(), RunsError> {
        self.0.db.keep(store::promote(self.0.world.now())).await?;
        Ok(())
    }

    /// Forgets starts that no rate looks back to.
    pub async fn sweep(&self) {
        let before = self.0.world.now().minus(Rate::LONGEST);
        if let Err(error) = self.0.db.keep(store::forget_starts(before)).await {
            tracing::warn!(%error, "old starts of runs were not swept");
        }
    }

    async fn take_back(&self, silent_since: Timestamp) -> Result<(), RunsError> {
        let requeue = store::requeue(self.0.worker, silent_since).wake_queue();
        let requeued = self.0.db.keep(requeue).await?;
        for mut row in requeued.into_iter().flatten() {
            let run: RunId = row.id()?;
            tracing::warn!(%run, "its worker is silent; the run is queued again");
            self.0.watchers.moved(run);
        }
        let left = self.0.db.keep(answers::take_back(self.0.worker, silent_since)).await?;
        for mut row in left.into_iter().flatten() {
            let run: RunId = row.id()?;
            tracing::info!(%run, "its worker is silent; the run waits for its answer without");
            self.0.watchers.moved(run);
        }
        while self.end_all(store::spent(self.0.worker, silent_since), RunState::Dead, AUTHORITY_LOST).await? {
        }
        Ok(())
    }

    /// Ends each run of the page; whether there may be another page.
    async fn end_all(
        &self,
        select: db::Statement,
        state: RunState,
        why: &'static str,
    ) -> Result<bool, RunsError> {
        let rows = self.0.db.read(store::SCOPE, select).await?;
        let full = rows.len() == 500;
        for row in rows {
            let (run, papers) = store::with_papers(row)?;
            self.end_unheld(&run, &papers, state, why).await?;
        }
        Ok(full)
    }

    /// Renews this worker's leases, and stops what was taken away from it.
    pub async fn renew(&self) -> Result<(), RunsError> {
        // Taken before the question: what is leased while it is under way is not missing from the answer.
        let here = self.0.live.stored();
        let until = self.0.world.now().plus(self.0.settings.lease);
        let rows = self.0.db.keep(store::renew(self.0.worker, until)).await?;
        let leased = leases(rows.into_iter().flatten())?;
        self.stop_lost(&here, &leased);
        self.give_back_strays(&leased).await
    }

    /// Gives back what is leased to this worker and carried by nobody here: the database was away between the lease and the
    /// beginning, so its answer never came. A lease is a stray when two beats in a row find it so; the fence keeps whoever
    /// does carry it after all from being heard twice.
    async fn give_back_strays(&self, leased: &HashMap<RunId, i64>) -> Result<(), RunsError> {
        let carried = |run, fence| self.0.live.get(run).is_some_and(|held| held.fence == fence);
        let strays: HashSet<(RunId, i64)> = leased
            .iter()
            .map(|(run, fence)| (*run, *fence))
            .filter(|(run, fence)| !carried(*run, *fence))
            .collect();
        let before = std::mem::replace(&mut *self.0.strays.lock(), strays.clone());
        if strays.is_disjoint(&before) {
            return Ok(());
        }
        for mut row in self.0.db.read(store::SCOPE, store::leased_by(self.0.worker)).await? {
            let run = store::run(&mut row)?;
            let stray = (run.id, run.fence);
            if !(strays.contains(&stray) && before.contains(&stray)) {
                continue;
            }
            match run.state {
                RunState::AwaitingInput => drop(self.0.db.keep(store::let_go(&run)).await?),
                _ => self.again(&run, "nobody here has begun it").await?,
            }
        }
        Ok(())
    }

    pub(crate) async fn notice_lost(&self) -> Result<(), RunsError> {
        let here = self.0.live.stored();
        let rows = self.0.db.read(store::SCOPE, store::held(self.0.worker)).await?;
        self.stop_lost(&here, &leases(rows.into_iter())?);
        Ok(())
    }

    fn stop_lost(&self, here: &[Arc<Held>], leased: &HashMap<RunId, i64>) {
        for held in here.iter().filter(|held| leased.get(&held.id) != Some(&held.fence)) {
            held.stop(Stop::Lost);
        }
    }

    /// Ends what runs of a cancelled run here, and waits until nothing of it is left.
    pub async fn stop(&self, run: RunId) {
        if let Some(held) = self.0.live.get(run) {
            held.stop(Stop::Cancelled);
            held.gone.cancelled().await;
        }
        self.0.watchers.moved(run);
    }

    /// Stores the lines that are not stored yet.
    pub(crate) async fn flush(&self, held: &Held) -> Result<(), RunsError> {
        let _writing = held.book.writing.lock().await;
        let lines = held.book.unwritten();
        if let Some((statement, last)) = self.segment(held, &lines).await? {
            self.0.db.keep(Bookkeeping::new(store::SCOPE).statement(statement)).await?;
            held.book.wrote(last);
        }
        if let Some(statement) = self.progress(held).await? {
            if let Err(error) = self.0.db.keep(Bookkeeping::new(store::SCOPE).statement(statement)).await {
                held.progress.put_back();
                return Err(error.into());
            }
            self.0.watchers.moved(held.id);
        }
        Ok(())
    }

    /// The statement that stores what is not stored yet of how far the run is.
    pub(crate) async fn progress(&self, held: &Held) -> Result<Option<Statement>, RunsError> {
        let Some(progress) = held.progress.take() else { return Ok(None) };
        let sealed = self.seal(held.org, held.id, "progress", &serde_json::to_vec(&progress)?).await?;
        Ok(Some(store::progress(held.org, held.id, held.fence, sealed)))
    }

    /// Ends the queued runs of whoever dies; those that run end where they run.
    pub(crate) async fn bury_forever(&self) {
        let deaths = self.0.deaths.lock().take();
        let Some(mut deaths) = deaths else { return std::future::pending().await };
        while let Some(death) = deaths.recv().await {
            loop {
                let orphans = store::orphaned_by(death.org, death.key, death.revision);
                match self.end_all(orphans, RunState::Cancelled, AUTHORITY_LOST).await {
                    Ok(true) => {}
                    Ok(false) => break,
                    Err(error) => {
                        tracing::warn!(%error, key = %death.key, "the queued runs of the dead are not ended yet");
                        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
                    }
                }
            }
        }
    }
}

/// Runs with their fences.
fn leases(rows: impl Iterator<Item = Row>) -> Result<HashMap<RunId, i64>, RunsError> {
    rows.map(|mut row| Ok((row.id()?, row.next()?))).collect()
}
