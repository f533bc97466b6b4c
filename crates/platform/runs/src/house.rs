//! The engine of this process: executors, slots, and the loop that takes runs from the queue.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use blobs::Blobs;
use cluster::Feed;
use db::{CommitError, Db};
use futures::future::BoxFuture;
use ledger::Ledger;
use parking_lot::Mutex;
use secrets::Keyring;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use types::{Id, OrgId, RunId, Timestamp, Uuid, WorkerId, World};

use crate::interview::Interview;
use crate::live::{Live, LogSink, Stop};
use crate::model::{Finish, Mandate, Run};
use crate::store::{Keyed, Lease};
use crate::turns::Turns;
use crate::underway::Underway;
use crate::watch::Watchers;
use crate::{RunsError, store};

/// Does the work of one kind of run.
pub trait Executor: Send + Sync {
    /// Which runs it takes: the `kind` of [`crate::NewRun`].
    fn kind(&self) -> &'static str;

    /// What their target is called in facts, such as `function`.
    fn target(&self) -> &'static str;

    /// Works until it is done or `task.cancel` fires; then it must end soon, with nothing of the run left behind.
    fn execute(&self, task: Task) -> BoxFuture<'static, Finish>;
}

/// One attempt at a run.
pub struct Task {
    pub run: Run,
    pub mandate: Mandate,
    /// JSON, as it was asked for.
    pub input: Vec<u8>,
    pub logs: LogSink,
    pub cancel: CancellationToken,
    /// For what it asks while it runs.
    pub interview: Interview,
}

#[derive(Clone, Debug)]
pub struct RunsSettings {
    /// Runs that are worked on at the same time in this process.
    pub slots: usize,
    /// How long a silent worker keeps its runs (PostgreSQL; with SQLite the next start takes them at once).
    pub lease: Duration,
    /// Attempts until a run whose worker was lost each time is given up.
    pub attempts: i64,
    /// How long a process that has asked something keeps its place, all its questions of one attempt together.
    pub question_wait: Duration,
    /// Whether this process works on runs, or leaves that to others.
    pub executes: bool,
    /// What its machine is called.
    pub name: String,
    pub version: String,
}

impl Default for RunsSettings {
    fn default() -> Self {
        Self {
            slots: 64,
            lease: Duration::from_secs(15),
            attempts: 3,
            question_wait: Duration::from_secs(60),
            executes: true,
            name: String::new(),
            version: String::new(),
        }
    }
}

/// What runs stand on in this process.
pub struct Ground {
    pub db: Db,
    pub ledger: Ledger,
    pub keyring: Keyring,
    pub blobs: Blobs,
    pub feed: Feed,
    pub world: World,
}

/// The runs of this installation as this process works on them; clones share it.
#[derive(Clone)]
pub struct Runs(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) db: Db,
    pub(crate) ledger: Ledger,
    pub(crate) keyring: Keyring,
    pub(crate) blobs: Blobs,
    pub(crate) feed: Feed,
    pub(crate) world: World,
    pub(crate) settings: RunsSettings,
    pub(crate) executors: Vec<Arc<dyn Executor>>,
    /// `,function,agent,`: what this process can lease.
    pub(crate) kinds: String,
    /// This process, among all that ever held a lease.
    pub(crate) worker: Uuid,
    pub(crate) live: Live,
    /// Leases, with their fences, that nobody here carried at the last beat.
    pub(crate) strays: Mutex<HashSet<(RunId, i64)>>,
    pub(crate) turns: Turns,
    pub(crate) watchers: Watchers,
    pub(crate) slots: Arc<Semaphore>,
    pub(crate) carried: TaskTracker,
    pub(crate) started_at: Timestamp,
    /// From here on nothing is begun, and what was begun is brought to its end.
    pub(crate) draining: CancellationToken,
    /// From here on nothing is begun.
    pub(crate) stopping: CancellationToken,
    pub(crate) deaths: Mutex<Option<mpsc::UnboundedReceiver<cluster::Heard>>>,
}

#[derive(Clone, Copy)]
enum Way {
    At(Lease),
    Rated,
}

/// How often leases are renewed, in parts of their length.
const BEATS: u32 = 3;
const FLUSH: Duration = Duration::from_millis(200);
const LOOK: Duration = Duration::from_secs(1);

impl Runs {
    pub fn new(ground: Ground, executors: Vec<Arc<dyn Executor>>, settings: RunsSettings) -> Self {
        let Ground { db, ledger, keyring, blobs, feed, world } = ground;
        let (send, deaths) = mpsc::unbounded_channel();
        let live = Live::new(send);
        feed.listen(Arc::new(live.clone()));
        let names: Vec<&str> = executors.iter().map(|executor| executor.kind()).collect();
        let kinds = format!(",{},", names.join(","));
        let (worker, started_at) = (world.id::<WorkerId>().uuid(), world.now());
        let slots = Arc::new(Semaphore::new(settings.slots));
        Self(Arc::new(Inner {
            db,
            ledger,
            keyring,
            blobs,
            feed,
            world,
            settings,
            executors,
            kinds,
            worker,
            live,
            strays: Mutex::default(),
            turns: Turns::default(),
            watchers: Watchers::default(),
            slots,
            carried: TaskTracker::new(),
            started_at,
            draining: CancellationToken::new(),
            stopping: CancellationToken::new(),
            deaths: Mutex::new(Some(deaths)),
        }))
    }

    /// Takes up what an earlier process left, then works until `stop`; returns when nothing is left running. Runs that
    /// are still at work then go back to the queue.
    pub async fn work(self, stop: impl Future<Output = ()>) {
        self.resume().await;
        tokio::select! {
            () = stop => {}
            () = Box::pin(self.lease_until_drained()) => {}
            () = Box::pin(self.beat_forever()) => {}
            () = Box::pin(self.look_forever()) => {}
            () = Box::pin(self.flush_forever()) => {}
            () = Box::pin(self.bury_forever()) => {}
        }
        self.0.stopping.cancel();
        for held in self.0.live.all() {
            held.stop(Stop::HandedBack);
        }
        self.0.carried.close();
        // Logs and leases are still kept while the last runs come to their end.
        tokio::select! {
            () = self.0.carried.wait() => {}
            () = Box::pin(self.flush_forever()) => {}
            () = Box::pin(self.beat_forever()) => {}
        }
        self.sign_off().await;
    }

    /// For whoever only asks which runs are being worked on.
    pub fn underway(&self) -> Underway {
        Underway { live: self.0.live.clone(), db: self.0.db.clone() }
    }

    /// Whether runs of this kind are worked on here.
    pub fn works_on(&self, kind: &str) -> bool {
        self.executor(kind).is_some()
    }

    pub(crate) fn executor(&self, kind: &str) -> Option<&Arc<dyn Executor>> {
        self.0.executors.iter().find(|executor| executor.kind() == kind)
    }

    /// A free place to work in, if there is one and nobody waits for it.
    pub(crate) fn slot(&self) -> Option<OwnedSemaphorePermit> {
        if !self.begins() {
            return None;
        }
        self.0.slots.clone().try_acquire_owned().ok()
    }

    /// Whether anything is begun here.
    fn begins(&self) -> bool {
        let inner = &*self.0;
        inner.settings.executes && !inner.draining.is_cancelled() && !inner.stopping.is_cancelled()
    }

    async fn lease_until_drained(&self) {
        if self.0.settings.executes {
            self.lease_while_begun().await;
        }
        std::future::pending().await
    }

    /// Ends between two leases, never within one: what was leased and not begun would wait until the lease is over.
    async fn lease_while_begun(&self) {
        let mut queued = self.0.db.queue_signal();
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while self.begins() {
            queued.mark_unchanged();
            if let Err(error) = self.promote().await {
                tracing::warn!(%error, "what is due is not made ready; trying again");
            }
            match self.lease_some().await {
                Ok(true) => continue,
                Ok(false) => {}
                Err(error) => tracing::warn!(%error, "no runs can be leased; trying again"),
            }
            tokio::select! {
                changed = queued.changed() => if changed.is_err() { return },
                _ = look.tick() => {}
                () = self.0.draining.cancelled() => {}
            }
        }
    }

    /// Fills the free slots from the queue; whether there may be more.
    async fn lease_some(&self) -> Result<bool, RunsError> {
        let slots = &self.0.slots;
        // Asked first: slots must not be held while there is nothing to do with them.
        let waiting =
            [self.waiting(Keyed::No).await?, self.waiting(Keyed::Yes).await?, self.startable().await?];
        if waiting.iter().all(Vec::is_empty) {
            return Ok(false);
        }
        let Ok(first) = slots.clone().acquire_owned().await else { return Ok(false) };
        if !self.begins() {
            return Ok(false);
        }
        let mut permits = vec![first];
        while let Some(permit) = self.slot() {
            permits.push(permit);
        }
        let mut some = false;
        let mut orgs: Vec<OrgId> = waiting.concat();
        orgs.sort_unstable();
        orgs.dedup();
        // An organization that leaves a part of its share – its keys are all taken, or it had no more – makes room for the
        // others.
        while !permits.is_empty() && !orgs.is_empty() {
            for (org, slots) in self.0.turns.share(&orgs, permits.len()) {
                let begun = self.lease_of(org, slots, &waiting, &mut permits).await?;
                if begun > 0 {
                    self.0.turns.served(org, begun);
                    some = true;
                }
                if begun < slots {
                    orgs.retain(|other| *other != org);
                }
            }
        }
        Ok(some)
    }

    /// Begins up to so many runs of one organization; how many it were.
    async fn lease_of(
        &self,
        org: OrgId,
        slots: usize,
        waiting: &[Vec<OrgId>; 3],
        permits: &mut Vec<OwnedSemaphorePermit>,
    ) -> Result<usize, RunsError> {
        let Inner { db, world, settings, worker, kinds, .. } = &*self.0;
        let mut begun = 0;
        for (how, waiting) in self.ways().into_iter().zip(waiting) {
            if begun == slots || !waiting.contains(&org) {
                continue;
            }
            let until = world.now().plus(settings.lease);
            let more = slots - begun;
            let lease = match how {
                Way::At(how) => store::lease(*worker, until, org, kinds, more, how),
                Way::Rated => store::lease_rated(*worker, until, org, kinds, more, world.now()),
            };
            let rows = match db.keep(lease).await {
                // Another node took the place of a key that was free; the next round looks again.
                Err(CommitError::Refused(_)) => continue,
                rows => rows?,
            };
            let leased = rows.into_iter().flatten().map(store::leased).collect::<Result<Vec<_>, _>>()?;
            begun += leased.len();
            self.start(leased.into_iter().zip(std::iter::from_fn(|| permits.pop())).collect());
        }
        Ok(begun)
    }

    async fn waiting(&self, keyed: Keyed) -> Result<Vec<OrgId>, RunsError> {
        let rows = self.0.db.read(store::SCOPE, store::waiting(keyed)).await?;
        Ok(rows.into_iter().map(|mut row| row.id()).collect::<Result<_, _>>()?)
    }

    /// Organizations with a run that has a rate and may start now. What must wait is found again by the next look.
    async fn startable(&self) -> Result<Vec<OrgId>, RunsError> {
        let Inner { db, world, kinds, .. } = &*self.0;
        let mut startable = Vec::new();
        for org in self.waiting(Keyed::Rated).await? {
            if db.read_one(store::SCOPE, store::may_start(org, kinds, world.now())).await?.is_some() {
                startable.push(org);
            }
        }
        Ok(startable)
    }

    /// How runs without a key, with one, and with a rate are leased.
    fn ways(&self) -> [Way; 3] {
        let plain = if self.0.db.is_postgres() { Lease::Postgres } else { Lease::Sqlite };
        [Way::At(plain), Way::At(Lease::Keyed), Way::Rated]
    }

    async fn beat_forever(&self) {
        let mut beats = tokio::time::interval(self.0.settings.lease / BEATS);
        beats.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut renewed = tokio::time::Instant::now();
        loop {
            beats.tick().await;
            if let Err(error) = self.say().await {
                tracing::warn!(%error, "this worker is not heard of");
            }
            match self.renew().await {
                Ok(()) => renewed = tokio::time::Instant::now(),
                Err(error) => {
                    tracing::warn!(%error, "leases are not renewed");
                    // Others may have taken over by now; our results would be refused.
                    if self.0.db.is_postgres() && renewed.elapsed() > self.0.settings.lease {
                        self.0.live.all().iter().for_each(|held| held.stop(Stop::Lost));
                    }
                }
            }
        }
    }

    /// Looks for what no signal tells: silent workers, runs that were taken away, how far the queue has come.
    async fn look_forever(&self) {
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut moved = self.0.db.queue_signal();
        loop {
            tokio::select! {
                _ = look.tick() => {
                    if let Err(error) = self.expire().await {
                        tracing::warn!(%error, "expired leases are not seen to; trying again");
                    }
                }
                changed = moved.changed(), if self.0.db.is_postgres() => {
                    // Another node may have cancelled a run of ours.
                    if changed.is_ok() && self.0.live.len() > 0 && let Err(error) = self.notice_lost().await {
                        tracing::warn!(%error, "runs that were taken away are not noticed yet");
                    }
                }
            }
        }
    }

    async fn flush_forever(&self) {
        let mut flushes = tokio::time::interval(FLUSH);
        flushes.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            flushes.tick().await;
            for held in self.0.live.all() {
                if let Err(error) = self.flush(&held).await {
                    tracing::warn!(%error, run = %held.id, "log lines are not stored yet");
                }
            }
        }
    }
}
