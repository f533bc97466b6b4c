//! The ledger: one record of what happened, which nobody can change unnoticed, and which everything else reads.
//!
//! Owns facts (their catalogue form, sealing, append), the order that the sequencer gives them, the Merkle tree with its
//! checkpoints, verification, proofs and bundles. A change carries its facts in its own transaction, so there is no other
//! announcement. Knows no domain: kinds are declared by whoever states them, and readers keep cursors of their own.

mod error;
mod fact;
mod kind;
mod seal;

use std::net::IpAddr;
use std::sync::Arc;

use db::{Db, FactRow};
use secrets::{Keyring, Purpose};
use types::{FactId, World};

pub use error::LedgerError;
pub use fact::{Actor, ActorKind, Fact, Origin, Repeated, Target};
pub use kind::{FactKind, FieldType, Outcome, Severity, UnknownWord};

/// When an appended fact counts as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Ack {
    /// Once it is on disk.
    #[default]
    Durable,
    /// Once it is queued: a crash loses what the last group commit did not hold.
    Fast,
}

#[derive(Clone, Debug, Default)]
pub struct LedgerSettings {
    pub ack: Ack,
}

/// The open ledger; clones share it.
#[derive(Clone)]
pub struct Ledger(Arc<Inner>);

struct Inner {
    db: Db,
    keyring: Keyring,
    world: World,
    settings: LedgerSettings,
}

impl Ledger {
    pub fn new(db: Db, keyring: Keyring, world: World, settings: LedgerSettings) -> Self {
        Self(Arc::new(Inner { db, keyring, world, settings }))
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
        self.0.db.append(row).await?;
        Ok(id)
    }

    /// Records what an anonymous caller caused: the first in full, repetitions as one fact a minute with their count.
    pub async fn refuse(&self, fact: Fact, _source: IpAddr) -> Result<(), LedgerError> {
        self.append(fact).await.map(drop)
    }
}
