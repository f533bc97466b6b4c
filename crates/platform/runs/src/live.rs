//! The runs that this process holds: how each is stopped, and its log while it grows.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use cluster::{Dead, Heard, Kin, OnDead};
use parking_lot::Mutex;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use types::{Id, OrgId, RunId, World};

use crate::logs::LogBook;
use crate::model::{Progress, Run};
use crate::watch::Watchers;

/// Why a run is stopped from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Somebody cancelled it; its row says so already.
    Cancelled,
    /// Another worker has it, or nobody: what happens here no longer counts.
    Lost,
    /// What it stood on died.
    AuthorityLost,
    /// The server stops; the run goes back to the queue.
    HandedBack,
}

/// One run in this process.
pub(crate) struct Held {
    pub(crate) id: RunId,
    pub(crate) org: OrgId,
    pub(crate) fence: i64,
    pub(crate) kin: Vec<Kin>,
    pub(crate) cancel: CancellationToken,
    /// Cancelled when nothing of the run is left here.
    pub(crate) gone: CancellationToken,
    pub(crate) book: LogBook,
    pub(crate) progress: Latest,
    why: OnceLock<Stop>,
    /// Its row says that it is here. Before, its absence there means nothing.
    stored: AtomicBool,
}

impl Held {
    pub(crate) fn new(run: &Run, kin: Vec<Kin>, first_line: i64) -> Arc<Self> {
        Arc::new(Self {
            id: run.id,
            org: run.org,
            fence: run.fence,
            kin,
            cancel: CancellationToken::new(),
            gone: CancellationToken::new(),
            book: LogBook::new(first_line),
            progress: Latest::default(),
            why: OnceLock::new(),
            stored: AtomicBool::new(false),
        })
    }

    pub(crate) fn is_stored(&self) -> bool {
        self.stored.load(Ordering::Acquire)
    }

    pub(crate) fn set_stored(&self) {
        self.stored.store(true, Ordering::Release);
    }

    /// The first reason stands.
    pub(crate) fn stop(&self, why: Stop) {
        let _ = self.why.set(why);
        self.cancel.cancel();
    }

    pub(crate) fn why(&self) -> Option<Stop> {
        self.why.get().copied()
    }
}

/// What a run said last of how far it is. Only that is kept: it is stored a few times a second at the utmost, however often
/// it is said.
#[derive(Default)]
pub(crate) struct Latest(Mutex<(Option<Progress>, bool)>);

impl Latest {
    fn set(&self, progress: Progress) {
        *self.0.lock() = (Some(progress), true);
    }

    /// What is not stored yet; from now on it counts as stored.
    pub(crate) fn take(&self) -> Option<Progress> {
        let mut latest = self.0.lock();
        std::mem::take(&mut latest.1).then(|| latest.0.clone()).flatten()
    }

    /// Storing it failed; what was said since stands.
    pub(crate) fn put_back(&self) {
        self.0.lock().1 = true;
    }
}

/// A message is one line for whoever reads it: nothing in it breaks the line, or turns the direction of what follows.
pub(crate) fn harmless(letter: char) -> char {
    let turns = matches!(letter, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
    if turns || letter.is_control() { ' ' } else { letter }
}

/// All of them.
#[derive(Clone)]
pub(crate) struct Live {
    held: Arc<Mutex<HashMap<RunId, Arc<Held>>>>,
    /// Deaths, for those that look for queued runs.
    deaths: mpsc::UnboundedSender<Heard>,
}

impl Live {
    pub(crate) fn new(deaths: mpsc::UnboundedSender<Heard>) -> Self {
        Self { held: Arc::default(), deaths }
    }

    pub(crate) fn enter(&self, held: Arc<Held>) {
        self.held.lock().insert(held.id, held);
    }

    /// Only this holding: a later lease of the same run in the same process stays.
    pub(crate) fn leave(&self, held: &Held) {
        let mut all = self.held.lock();
        if all.get(&held.id).is_some_and(|known| known.fence == held.fence) {
            all.remove(&held.id);
        }
        held.gone.cancel();
    }

    pub(crate) fn get(&self, run: RunId) -> Option<Arc<Held>> {
        self.held.lock().get(&run).cloned()
    }

    pub(crate) fn all(&self) -> Vec<Arc<Held>> {
        self.held.lock().values().cloned().collect()
    }

    /// Those whose rows say so.
    pub(crate) fn stored(&self) -> Vec<Arc<Held>> {
        self.held.lock().values().filter(|held| held.is_stored()).cloned().collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.held.lock().len()
    }
}

impl OnDead for Live {
    fn heard(&self, entry: &Heard) -> Dead {
        let mut dead = Dead::default();
        if !entry.dead {
            return dead;
        }
        let dies = |kin: &Kin| kin.kind == entry.kind && kin.key == entry.key;
        for held in self.all().into_iter().filter(|held| held.org.uuid() == entry.org.uuid()) {
            if held.kin.iter().any(dies) {
                held.stop(Stop::AuthorityLost);
                dead.runs += 1;
            }
        }
        // Nobody listens any more when the server stops.
        let _ = self.deaths.send(entry.clone());
        dead
    }
}

/// Where an executor puts its run's output.
#[derive(Clone)]
pub struct LogSink {
    pub(crate) held: Arc<Held>,
    pub(crate) world: World,
    pub(crate) watchers: Watchers,
}

impl LogSink {
    /// One piece of output; visible to those who follow at once, stored a moment later.
    pub fn line(&self, source: &'static str, level: &'static str, text: String, fields: Option<Value>) {
        self.held.book.push(self.world.now(), source, level, text, fields);
        self.watchers.moved(self.held.id);
    }

    /// How far the run is: a fraction from 0 to 1, a few words. Visible when it is stored, a moment later.
    pub fn progress(&self, fraction: Option<f64>, message: Option<String>) {
        let fraction =
            fraction.filter(|fraction| fraction.is_finite()).map(|fraction| fraction.clamp(0.0, 1.0));
        let message = message.map(|text| text.chars().take(Progress::LONGEST).map(harmless).collect());
        self.held.progress.set(Progress { fraction, message, at: self.world.now() });
    }
}
