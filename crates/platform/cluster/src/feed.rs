//! The revision feed of this node. LISTEN/NOTIFY says only that there is news; what it is, is read from
//! `authority_log` in order. A heartbeat of its own notices when the database stops answering.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{Duration, Instant};

use db::{AuthorityObserver, Db, DbError, SystemScope, sql};
use futures::future::BoxFuture;
use parking_lot::{Mutex, RwLock};
use problem::{Problem, STALE_REVOCATION_FEED};
use types::{OrgId, Timestamp, TokenId, Uuid, World};

use crate::roll::{REMEMBERED, Roll};
use crate::stirs::Stirs;

/// How often the database is asked for its revision.
const HEARTBEAT: Duration = Duration::from_millis(500);
/// Silence after which agents' tokens are refused here and none is issued.
const STALE_AFTER: Duration = Duration::from_secs(2);
const PURPOSE: SystemScope = SystemScope::new("revision feed");

/// What an authority entry that can die is about: `agent`, `user`, `session`, `credential`, `api_key`, `token`, `run`, `org`,
/// `client`, `keys`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Kin {
    pub kind: &'static str,
    pub key: Uuid,
}

impl Kin {
    /// Everything that can die.
    pub const KINDS: [&str; 12] = [
        "agent",
        "user",
        "session",
        "credential",
        "api_key",
        "token",
        "run",
        "org",
        "client",
        "keys",
        "hook",
        "schedule",
    ];

    /// From the words of a log entry or a stored run; none for a kind that only a newer node knows.
    pub fn of(kind: &str, key: Uuid) -> Option<Self> {
        let kind = Self::KINDS.into_iter().find(|known| *known == kind)?;
        Some(Self { kind, key })
    }
}

/// One entry of the log as listeners hear it.
#[derive(Clone, Debug)]
pub struct Heard {
    pub revision: i64,
    pub org: OrgId,
    pub kind: String,
    pub key: Uuid,
    pub dead: bool,
}

/// What died here.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Dead {
    pub tokens: u64,
    /// The first hundred.
    pub jtis: Vec<TokenId>,
    pub runs: u64,
    pub sessions: u64,
}

impl Dead {
    pub fn add(&mut self, other: Self) {
        self.tokens += other.tokens;
        self.runs += other.runs;
        self.sessions += other.sessions;
        let room = 100_usize.saturating_sub(self.jtis.len());
        self.jtis.extend(other.jtis.into_iter().take(room));
    }
}

/// A holder of live things (caches, tokens, runs, streams). Called in revision order, on every node; must not block.
pub trait OnDead: Send + Sync {
    /// Forget what you know of this key; if it is dead, end what lives by it and say what that was.
    fn heard(&self, entry: &Heard) -> Dead;
}

#[derive(Clone)]
pub struct Feed(Arc<Inner>);

struct Inner {
    db: Db,
    world: World,
    roll: Roll,
    stirs: Stirs,
    /// Highest revision that caches may already know of; set before they are told.
    announced: AtomicI64,
    /// Everything up to here is applied.
    applied: AtomicI64,
    answered: Mutex<Instant>,
    paused: AtomicBool,
    applying: tokio::sync::Mutex<()>,
    listeners: RwLock<Vec<Arc<dyn OnDead>>>,
    reports: RwLock<Vec<(i64, Instant, Dead)>>,
    unreported: Mutex<Vec<(i64, Dead)>>,
    deaths: tokio::sync::watch::Sender<i64>,
}

impl Feed {
    /// Reads where the log stands and the deaths that living tokens may predate.
    pub async fn start(db: Db, world: World) -> Result<Self, DbError> {
        let head = sql("SELECT revision FROM authority_head", vec![]);
        let revision = match db.read_one(PURPOSE, head).await? {
            Some(mut row) => row.next()?,
            None => 0,
        };
        let feed = Self(Arc::new(Inner {
            db,
            roll: Roll::default(),
            stirs: Stirs::default(),
            announced: AtomicI64::new(revision),
            applied: AtomicI64::new(revision),
            answered: Mutex::new(Instant::now()),
            paused: AtomicBool::new(false),
            applying: tokio::sync::Mutex::new(()),
            listeners: RwLock::new(Vec::new()),
            reports: RwLock::new(Vec::new()),
            unreported: Mutex::new(Vec::new()),
            deaths: tokio::sync::watch::Sender::new(revision),
            world,
        }));
        feed.remember_deaths(revision).await?;
        feed.0.db.observe_authority(Arc::new(feed.clone()));
        Ok(feed)
    }

    pub fn listen(&self, listener: Arc<dyn OnDead>) {
        self.0.listeners.write().push(listener);
    }

    /// The revision to write into a token; taken before the first authority read of its request.
    pub fn applied(&self) -> i64 {
        self.0.applied.load(Ordering::Acquire)
    }

    /// For caches: load at this revision, and keep the value only if it is still the same when you hold your lock.
    pub fn announced(&self) -> i64 {
        self.0.announced.load(Ordering::Acquire)
    }

    /// Is a token of revision `rev` that stands on these keys void?
    pub fn is_dead(&self, rev: i64, stands_on: &[Kin]) -> bool {
        self.0.roll.is_dead(rev, stands_on)
    }

    /// Did rights of these principals, or of everybody in one of these organizations, change after this revision? For
    /// whoever keeps a decision longer than a request, ten minutes at most.
    pub fn has_stirred(&self, revision: i64, keys: &[Uuid]) -> bool {
        self.0.stirs.since(revision, keys)
    }

    /// Refuses while this node may not have heard of revocations.
    pub fn fresh(&self) -> Result<(), Problem> {
        // With SQLite every change is this process's own, and applied before it is answered: nothing can go unheard.
        let silent = self.0.answered.lock().elapsed();
        if !self.0.db.is_postgres() || silent < STALE_AFTER {
            return Ok(());
        }
        let detail = "This node lost touch with the database and cannot tell which tokens are revoked. Try another node.";
        Err(Problem::new(&STALE_REVOCATION_FEED, detail).with_retry_after(2))
    }

    /// Follows the log until `stop`; spawned once at boot.
    pub async fn follow(self, stop: impl Future<Output = ()>) {
        let mut notices = self.0.db.authority_notices();
        let mut beat = tokio::time::interval(HEARTBEAT);
        beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        tokio::pin!(stop);
        loop {
            tokio::select! {
                () = &mut stop => return,
                _ = beat.tick() => {}
                () = news(&mut notices) => {}
            }
            if self.0.paused.load(Ordering::Acquire) {
                continue;
            }
            let caught_up = tokio::time::timeout(STALE_AFTER, self.catch_up()).await;
            match caught_up {
                Ok(Ok(())) => *self.0.answered.lock() = Instant::now(),
                Ok(Err(error)) => tracing::warn!(%error, "the revision feed got no answer"),
                Err(_) => tracing::warn!("the revision feed got no answer in time"),
            }
            self.0.roll.forget(self.0.world.now());
            self.0.stirs.forget();
        }
    }

    /// For tests of a node that was cut off: hears nothing until resumed.
    pub fn pause(&self, paused: bool) {
        self.0.paused.store(paused, Ordering::Release);
    }

    /// What died here by this revision, and how long ago it was applied.
    pub fn report(&self, revision: i64) -> Option<(Instant, Dead)> {
        let reports = self.0.reports.read();
        reports.iter().find(|(of, _, _)| *of == revision).map(|(_, at, dead)| (*at, dead.clone()))
    }

    pub fn has_died(&self, kind: &'static str, key: Uuid) -> bool {
        self.0.roll.contains(kind, key)
    }

    /// Applies every entry after what is applied, in order.
    pub async fn catch_up(&self) -> Result<(), DbError> {
        let _one_at_a_time = self.0.applying.lock().await;
        loop {
            let select = sql(
                "SELECT revision, org, kind, key, dead, at FROM authority_log \
                 WHERE revision > $1 ORDER BY revision, ordinal LIMIT 1000",
                vec![self.applied().into()],
            );
            let rows = self.0.db.read(PURPOSE, select).await?;
            let full = rows.len() == 1000;
            let mut entries = Vec::with_capacity(rows.len());
            for mut row in rows {
                let heard = Heard {
                    revision: row.next()?,
                    org: row.id()?,
                    kind: row.next()?,
                    key: row.next()?,
                    dead: row.next()?,
                };
                entries.push((heard, row.next::<Timestamp>()?));
            }
            if full {
                // The last revision may go on in the next page.
                let last = entries.last().map_or(0, |(heard, _)| heard.revision);
                if entries.first().is_some_and(|(heard, _)| heard.revision < last) {
                    entries.retain(|(heard, _)| heard.revision < last);
                }
            }
            self.apply(&entries);
            if !full {
                return Ok(());
            }
        }
    }

    fn apply(&self, entries: &[(Heard, Timestamp)]) {
        let Some((last, _)) = entries.last() else { return };
        self.0.announced.store(last.revision, Ordering::Release);
        let listeners = self.0.listeners.read().clone();
        for (heard, at) in entries {
            if let (true, Some(kin)) = (heard.dead, Kin::of(&heard.kind, heard.key)) {
                self.0.roll.add(kin, heard.revision, *at);
            }
            self.0.stirs.heard(heard);
            let mut dead = Dead::default();
            for listener in &listeners {
                dead.add(listener.heard(heard));
            }
            if heard.dead {
                self.remember(heard.revision, dead);
            }
        }
        self.0.applied.store(last.revision, Ordering::Release);
        if entries.iter().any(|(heard, _)| heard.dead) {
            self.0.deaths.send_replace(last.revision);
        }
        metrics::gauge!("safeconduct_authority_revision").set(last.revision as f64);
    }

    /// Fires when something died here; the revision is applied by then.
    pub(crate) fn deaths(&self) -> tokio::sync::watch::Receiver<i64> {
        self.0.deaths.subscribe()
    }

    /// Reports that no other node can read yet.
    pub(crate) fn unreported(&self) -> Vec<(i64, Dead)> {
        std::mem::take(&mut *self.0.unreported.lock())
    }

    fn remember(&self, revision: i64, dead: Dead) {
        if self.0.db.is_postgres() {
            self.0.unreported.lock().push((revision, dead.clone()));
        }
        let mut reports = self.0.reports.write();
        match reports.iter_mut().find(|(of, _, _)| *of == revision) {
            Some((_, _, known)) => known.add(dead),
            None => reports.push((revision, Instant::now(), dead)),
        }
        if reports.len() > 256 {
            reports.remove(0);
        }
    }

    async fn remember_deaths(&self, up_to: i64) -> Result<(), DbError> {
        let since = self.0.world.now().minus(REMEMBERED);
        let select = sql(
            "SELECT revision, kind, key, at FROM authority_log WHERE dead AND at > $1 AND revision <= $2",
            vec![since.into(), up_to.into()],
        );
        for mut row in self.0.db.read(PURPOSE, select).await? {
            let (revision, kind): (i64, String) = (row.next()?, row.next()?);
            let (key, at) = (row.next()?, row.next()?);
            if let Some(kin) = Kin::of(&kind, key) {
                self.0.roll.add(kin, revision, at);
            }
        }
        Ok(())
    }
}

impl AuthorityObserver for Feed {
    /// A change of this node is in force here before its commit is answered.
    fn reached(&self, revision: i64) -> BoxFuture<'static, ()> {
        let feed = self.clone();
        Box::pin(async move {
            if feed.0.paused.load(Ordering::Acquire) {
                return;
            }
            while feed.applied() < revision {
                if let Err(error) = feed.catch_up().await {
                    tracing::warn!(%error, revision, "a change of authority is stored but not yet applied here");
                    return;
                }
            }
        })
    }
}

async fn news(notices: &mut Option<tokio::sync::watch::Receiver<i64>>) {
    let heard = match notices {
        Some(notices) => notices.changed().await.is_ok(),
        None => false,
    };
    if !heard {
        *notices = None;
        std::future::pending().await
    }
}
