//! Holds one leaf after the other of an organization against its fact and the chain.

use crypto::hash::sha256;
use evidence::{Erasure, chain, entry};
use merkle::Hash;
use secrets::{OpenError, SecretsError};
use types::OrgId;

use super::{Broken, Ended};
use crate::Inner;
use crate::store::{Leaf, LoggedFact, StoredFact};

/// What the next leaf of an organization must look like.
pub(super) struct Check {
    pub(super) next: u64,
    pub(super) chain: Hash,
    /// Its place in the log lies behind this one.
    after: Option<u64>,
    erasures: Vec<Erasure>,
}

impl Check {
    pub(super) async fn new(ledger: &Inner, org: OrgId, next: u64, chain: Hash) -> Result<Self, Ended> {
        Ok(Self { next, chain, after: None, erasures: ledger.erasures(org).await? })
    }

    /// Goes on behind this leaf.
    pub(super) async fn behind(ledger: &Inner, leaf: &Leaf) -> Result<Self, Ended> {
        Self::new(ledger, leaf.org, leaf.org_seq + 1, chain(&leaf.previous, &leaf.entry)).await
    }

    pub(super) async fn take(&mut self, ledger: &Inner, logged: &LoggedFact) -> Result<(), Ended> {
        let leaf = &logged.leaf;
        if leaf.org_seq != self.next {
            return Err(Broken::at(leaf.fact, format!("record {} is missing before it", self.next)).into());
        }
        if self.after.is_some_and(|after| after >= leaf.seq) {
            return Err(
                Broken::at(leaf.fact, "its place in the log is before that of an earlier record").into()
            );
        }
        if leaf.previous != self.chain {
            return Err(Broken::at(leaf.fact, "the chain does not lead to it").into());
        }
        match &logged.fact {
            Some((fact, sealed)) => hold(ledger, leaf, fact, sealed).await?,
            None if self.erasures.iter().any(|range| (range.first..=range.last).contains(&leaf.org_seq)) => {}
            None => {
                return Err(Broken::at(
                    leaf.fact,
                    "its fact is missing or unreadable, and no purge names it",
                )
                .into());
            }
        }
        (self.next, self.after) = (self.next + 1, Some(leaf.seq));
        self.chain = chain(&leaf.previous, &leaf.entry);
        Ok(())
    }
}

async fn hold(ledger: &Inner, leaf: &Leaf, fact: &StoredFact, sealed: &[u8]) -> Result<(), Ended> {
    if entry(&fact.clear().canonical(leaf.org_seq)) != leaf.entry {
        return Err(Broken::at(leaf.fact, "its clear part is not the one that was recorded").into());
    }
    match ledger.open_private(fact, sealed).await {
        Ok(private) if sha256(&private) == fact.private_hash => Ok(()),
        Ok(_) => Err(Broken::at(leaf.fact, "its private part is not the one that was recorded").into()),
        Err(OpenError::Key(SecretsError::Db(error))) => Err(error.into()),
        Err(error) => Err(Broken::at(leaf.fact, format!("its private part does not open: {error}")).into()),
    }
}
