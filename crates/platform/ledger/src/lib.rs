//! The ledger: one record of what happened, which nobody can change unnoticed, and which everything else reads.
//!
//! Owns facts (their catalogue form, sealing, append), the order that the sequencer gives them, the Merkle tree with its
//! checkpoints, verification, proofs and bundles. A change carries its facts in its own transaction, so there is no other
//! announcement. Knows no domain: kinds are declared by whoever states them, and readers keep cursors of their own.

#[macro_use]
mod store;

mod background;
mod bundle;
mod checkpoint;
mod coalesce;
mod disk;
mod error;
mod event;
mod fact;
mod key;
mod kind;
mod lead;
mod many;
mod position;
mod progress;
mod proof;
mod purge;
mod read;
mod seal;
mod sequencer;
mod tiles;
mod verify;

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use db::{Db, DbError, FactRow};
use merkle::NoteSigner;
use parking_lot::Mutex;
use secrets::{Keyring, Purpose};
use tokio::sync::{OnceCell, mpsc};
use types::{FactId, Id, RequestId, Uuid, World};

use crate::coalesce::Coalescer;
use crate::disk::Disk;
use crate::progress::Tracker;

pub use bundle::{BundleExport, BundleRange};
pub use disk::DiskSettings;
pub use error::LedgerError;
pub use event::{DataHash, Event, EventTarget};
pub use evidence::Erasure;
pub use fact::{Actor, ActorKind, Fact, Origin, Repeated, Target};
pub use kind::{FactKind, FieldType, Outcome, Severity, UnknownWord};
pub use many::insert as insert_many;
pub use progress::Progress;
pub use proof::{FactProof, LogProof};
pub use purge::{AUDIT_PURGED, KINDS, ORG_ERASED};
pub use read::{Follow, LedgerReader};
pub use sequencer::Drive;
pub use verify::{Verification, VerifyFrom};

/// When an appended fact counts as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Ack {
    /// Once it is on disk.
    #[default]
    Durable,
    /// Once it is queued: a crash loses what the last group commit did not hold.
    Fast,
}

#[derive(Clone, Debug)]
pub struct LedgerSettings {
    pub ack: Ack,
    /// Names the log for ever, from the first start on; a name of its own if none. Without spaces and `+`.
    pub origin: Option<String>,
    /// Where the newest checkpoint is written outside the database.
    pub export: Option<PathBuf>,
    /// Facts in full that anonymous callers of one address prefix can cause in a minute.
    pub anonymous_budget: u32,
    /// Which disk must have room for new acts; not watched if none.
    pub disk: Option<DiskSettings>,
}

impl Default for LedgerSettings {
    fn default() -> Self {
        Self { ack: Ack::Durable, origin: None, export: None, anonymous_budget: 30, disk: None }
    }
}

/// The open ledger; clones share it.
#[derive(Clone)]
pub struct Ledger(Arc<Inner>);

struct Inner {
    db: Db,
    keyring: Keyring,
    world: World,
    settings: LedgerSettings,
    /// Which process this is, for the sequencer's lease.
    node: Uuid,
    signer: OnceCell<Arc<NoteSigner>>,
    coalescer: Coalescer,
    tracker: Tracker,
    disk: Option<Disk>,
    fast: mpsc::Sender<FactRow>,
    /// Taken by the background work.
    fast_queue: Mutex<Option<mpsc::Receiver<FactRow>>>,
    /// Size of a known checkpoint that the log does not continue, plus one; 0 if there is none.
    rewritten: AtomicU64,
}

/// Facts that may wait for the disk while nobody waits for them.
const FAST_QUEUE: usize = 16 * 1024;

impl Ledger {
    pub fn new(db: Db, keyring: Keyring, world: World, settings: LedgerSettings) -> Self {
        let (fast, fast_queue) = mpsc::channel(FAST_QUEUE);
        Self(Arc::new(Inner {
            db,
            keyring,
            node: world.id::<RequestId>().uuid(),
            world,
            signer: OnceCell::new(),
            coalescer: Coalescer::new(settings.anonymous_budget),
            tracker: Tracker::new(),
            disk: settings.disk.clone().map(Disk::new),
            fast,
            fast_queue: Mutex::new(Some(fast_queue)),
            rewritten: AtomicU64::new(0),
            settings,
        }))
    }

    /// Makes the row that a change carries: checks the data against its kind, hashes and seals the private part.
    pub async fn seal(&self, fact: Fact) -> Result<FactRow, LedgerError> {
        let Inner { keyring, world, .. } = &*self.0;
        let key = keyring.key(fact.org, Purpose::Ledger).await?;
        seal::seal(world, &key, fact)
    }

    /// Records a fact that no change carries (a token issued, a denial).
    pub async fn append(&self, fact: Fact) -> Result<FactId, LedgerError> {
        let row = self.seal(fact).await?;
        let id = row.id;
        match self.queue(row) {
            None => {}
            Some(row) => self.0.db.append(row).await?,
        }
        Ok(id)
    }

    /// Records what an anonymous caller caused: the first in full, repetitions as one fact a minute with their count.
    pub async fn refuse(&self, fact: Fact, source: IpAddr) -> Result<(), LedgerError> {
        match self.0.coalescer.admit(fact, source, self.0.world.now()) {
            Some(fact) => self.append(fact).await.map(drop),
            None => Ok(()),
        }
    }

    /// Counts what is recorded as one fact per subject (a token, a principal) and minute: allowed decisions,
    /// introspections. Never writes by itself.
    pub fn tally(&self, fact: &Fact, subject: &str) {
        self.0.coalescer.tally(fact, subject, self.0.world.now());
    }

    /// Whether there is room for new acts. Revocations and kills do not ask: a reserve is kept for them.
    ///
    /// # Errors
    /// [`DbError::Full`], which is told as `storage_full`.
    pub fn may_act(&self) -> Result<(), LedgerError> {
        match &self.0.disk {
            Some(disk) if disk.is_low() => Err(DbError::Full.into()),
            _ => Ok(()),
        }
    }

    /// How far the log has come, as far as this node has heard.
    pub fn progress(&self) -> Progress {
        self.0.tracker.get()
    }

    /// Whether the log continues every checkpoint that is known of it; false means that history was rewritten, and that
    /// nothing more is signed.
    pub fn is_whole(&self) -> bool {
        self.0.rewritten().is_none()
    }

    /// Waits until every committed fact is sequenced and under a checkpoint, and every reader that runs in this process has
    /// seen it. Counts of minutes that are over are written first. Needs [`Ledger::background`] to run somewhere.
    pub async fn drain(&self) -> Result<(), LedgerError> {
        self.write_due_counts(false).await;
        let mut changes = self.0.tracker.changes();
        loop {
            changes.borrow_and_update();
            if self.is_drained().await? {
                return Ok(());
            }
            self.0.tracker.nudge.notify_one();
            if changes.changed().await.is_err() {
                return Ok(());
            }
        }
    }

    async fn is_drained(&self) -> Result<bool, LedgerError> {
        let Inner { db, tracker, .. } = &*self.0;
        if tracker.fast_pending() > 0 || store::has_unsequenced(db).await? {
            return Ok(false);
        }
        let size = store::head(db).await?.size;
        let Progress { size: heard, checkpoint } = tracker.get();
        let signed = checkpoint == heard || !self.is_whole();
        Ok(heard == size && signed && tracker.readers_at(size))
    }

    /// None if nobody has to wait for the row; otherwise it comes back.
    fn queue(&self, row: FactRow) -> Option<FactRow> {
        if self.0.settings.ack == Ack::Durable {
            return Some(row);
        }
        self.0.tracker.fast_accepted();
        match self.0.fast.try_send(row) {
            Ok(()) => None,
            // Full or at its end: then the caller waits after all.
            Err(refused) => {
                self.0.tracker.fast_written();
                Some(refused.into_inner())
            }
        }
    }
}

impl Inner {
    fn rewritten(&self) -> Option<u64> {
        self.rewritten.load(Ordering::SeqCst).checked_sub(1)
    }

    fn set_rewritten(&self, size: Option<u64>) {
        self.rewritten.store(size.map_or(0, |size| size.saturating_add(1)), Ordering::SeqCst);
    }
}
