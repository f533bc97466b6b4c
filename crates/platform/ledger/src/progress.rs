//! How far the log has come, for whoever waits: readers, live streams, tests.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use tokio::sync::{Notify, watch};

/// Values only grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Leaves in the log.
    pub size: u64,
    /// Leaves under the newest checkpoint.
    pub checkpoint: u64,
}

pub(crate) struct Tracker {
    progress: watch::Sender<Progress>,
    /// How far each reader of this process has come, by its name.
    readers: Mutex<HashMap<&'static str, u64>>,
    /// Grows when a reader is to start over.
    rewinds: watch::Sender<u64>,
    /// Grows with each change of the above.
    changes: watch::Sender<u64>,
    /// Somebody waits for the sequencer to be done.
    pub(crate) nudge: Notify,
    /// Facts accepted without waiting (`ack = fast`) that are not written yet.
    fast: AtomicU64,
}

impl Tracker {
    pub(crate) fn new() -> Self {
        Self {
            progress: watch::Sender::new(Progress::default()),
            readers: Mutex::default(),
            rewinds: watch::Sender::new(0),
            changes: watch::Sender::new(0),
            nudge: Notify::new(),
            fast: AtomicU64::new(0),
        }
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<Progress> {
        self.progress.subscribe()
    }

    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    pub(crate) fn get(&self) -> Progress {
        *self.progress.borrow()
    }

    pub(crate) fn reached(&self, size: u64, checkpoint: u64) {
        self.progress.send_if_modified(|now| {
            let next = Progress { size: size.max(now.size), checkpoint: checkpoint.max(now.checkpoint) };
            std::mem::replace(now, next) != next
        });
        self.changed();
    }

    pub(crate) fn reader_reached(&self, name: &'static str, seq: u64) {
        self.readers.lock().insert(name, seq);
        self.changed();
    }

    pub(crate) fn rewinds(&self) -> watch::Receiver<u64> {
        self.rewinds.subscribe()
    }

    /// The reader starts over; if it runs here, it is waited for again.
    pub(crate) fn reader_rewound(&self, name: &'static str) {
        if let Some(seq) = self.readers.lock().get_mut(name) {
            *seq = 0;
        }
        self.rewinds.send_modify(|count| *count += 1);
    }

    pub(crate) fn reader_stopped(&self, name: &'static str) {
        self.readers.lock().remove(name);
        self.changed();
    }

    /// Whether every reader that runs here has seen so many leaves.
    pub(crate) fn readers_at(&self, size: u64) -> bool {
        self.readers.lock().values().all(|seq| *seq >= size)
    }

    pub(crate) fn fast_accepted(&self) {
        self.fast.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn fast_written(&self) {
        self.fast.fetch_sub(1, Ordering::SeqCst);
        self.changed();
    }

    pub(crate) fn fast_pending(&self) -> u64 {
        self.fast.load(Ordering::SeqCst)
    }

    fn changed(&self) {
        self.changes.send_modify(|count| *count += 1);
    }
}
