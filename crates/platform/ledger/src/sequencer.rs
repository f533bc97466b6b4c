//! The sequencer: gives every fact its place in the log and in its organization, and the log its tree.
//!
//! One leads at a time. The lease only keeps others from trying; what keeps the log whole is the fence: each batch moves
//! `log_head` from the size and term that its maker knows, in the same transaction as the leaves, so a sequencer that was
//! replaced – paused, cut off, restored from a snapshot – writes nothing.

use std::collections::HashMap;
use std::time::Duration;

use db::CommitError;
use evidence::{GENESIS, chain, entry};
use merkle::{Hash, TileId, Tree, leaf_hash};
use types::OrgId;

use crate::position::Position;
use crate::store::{self, Leaf, StoredFact};
use crate::tiles::Fetched;
use crate::{Inner, Ledger, LedgerError};

/// Facts of one transaction at most: the writer of an embedded database serves others in between.
const BATCH: i64 = 1024;
pub(crate) const LEASE: Duration = Duration::from_secs(3);

pub(crate) struct Sequencer {
    term: i64,
    position: Position,
    tree: Box<Tree>,
    heads: HashMap<OrgId, Head>,
}

/// Where an organization's own order stands.
#[derive(Clone, Copy)]
struct Head {
    org_seq: u64,
    chain: Hash,
}

impl Sequencer {
    /// Takes the lead if nobody holds it. An embedded database has one server, so whatever held it is gone.
    pub(crate) async fn take_over(ledger: &Inner, by_force: bool) -> Result<Option<Self>, LedgerError> {
        let now = ledger.world.now();
        let by_force = by_force || !ledger.db.is_postgres();
        let head = store::take_over(&ledger.db, ledger.node, now, now.plus(LEASE), by_force).await?;
        let Some(head) = head else { return Ok(None) };
        let position = Position::of(&ledger.db, &head).await?;
        let tree = Box::new(ledger.resume_tree(head.size).await?);
        Ok(Some(Self { term: head.term, position, tree, heads: HashMap::new() }))
    }

    pub(crate) fn size(&self) -> u64 {
        self.tree.size()
    }

    pub(crate) fn root(&self) -> Hash {
        self.tree.root()
    }

    pub(crate) fn term(&self) -> i64 {
        self.term
    }

    /// Sequences one batch; how many facts it held.
    pub(crate) async fn step(&mut self, ledger: &Inner) -> Result<usize, LedgerError> {
        let batch = store::unsequenced(&ledger.db, &self.position, BATCH).await?;
        let Some((last, _)) = batch.last() else { return Ok(0) };
        let (last, taken) = (last.clone(), batch.len());
        let facts: Vec<StoredFact> = batch.into_iter().filter_map(|(_, fact)| fact).collect();
        let (leaves, heads) = self.place(ledger, &facts).await?;
        let mut tree = self.tree.clone();
        let hashes: Vec<Hash> = leaves.iter().map(|leaf| leaf_hash(&leaf.entry)).collect();
        let appended = tree.append(&hashes);
        let until = ledger.world.now().plus(LEASE);
        let written =
            store::append(&ledger.db, self.term, self.size(), &last, until, &leaves, &appended.tiles);
        written.await.map_err(fenced)?;
        (self.tree, self.position) = (tree, last);
        self.heads.extend(heads);
        Ok(taken)
    }

    /// Stays the leader while there is nothing to do.
    pub(crate) async fn hold(&self, ledger: &Inner) -> Result<(), LedgerError> {
        store::hold(&ledger.db, self.term, ledger.world.now().plus(LEASE)).await.map_err(fenced)
    }

    /// Lets another node lead at once.
    pub(crate) async fn resign(self, ledger: &Inner) -> Result<(), LedgerError> {
        store::hold(&ledger.db, self.term, types::Timestamp::from_millis(0)).await.map_err(fenced)
    }

    async fn place(
        &self,
        ledger: &Inner,
        facts: &[StoredFact],
    ) -> Result<(Vec<Leaf>, HashMap<OrgId, Head>), LedgerError> {
        let mut heads = HashMap::new();
        let mut leaves = Vec::with_capacity(facts.len());
        for (seq, fact) in (self.size()..).zip(facts) {
            let before = match heads.get(&fact.org).or_else(|| self.heads.get(&fact.org)) {
                Some(head) => *head,
                None => Head::load(ledger, fact.org).await?,
            };
            let org_seq = before.org_seq + 1;
            let entry = entry(&fact.clear().canonical(org_seq));
            heads.insert(fact.org, Head { org_seq, chain: chain(&before.chain, &entry) });
            leaves.push(Leaf { seq, org: fact.org, org_seq, fact: fact.id, entry, previous: before.chain });
        }
        Ok((leaves, heads))
    }
}

impl Head {
    async fn load(ledger: &Inner, org: OrgId) -> Result<Self, LedgerError> {
        Ok(match store::last_leaf(&ledger.db, org).await? {
            None => Self { org_seq: 0, chain: GENESIS },
            Some(leaf) => Self { org_seq: leaf.org_seq, chain: chain(&leaf.previous, &leaf.entry) },
        })
    }
}

impl Inner {
    /// The tree as the tiles have it; rebuilt from the leaves where tiles are missing or lead elsewhere than a checkpoint
    /// that we know.
    async fn resume_tree(&self, size: u64) -> Result<Tree, LedgerError> {
        let edge = Fetched::new(&self.db, &TileId::edge(size)).await?;
        if let Ok(tree) = Tree::resume(size, &edge)
            && self.misfit(size).await?.is_none()
        {
            self.set_rewritten(None);
            return Ok(tree);
        }
        tracing::warn!(size, "the tiles of the log are missing or wrong; rebuilding them from the leaves");
        let tree = self.rebuild_tiles().await?;
        if tree.size() != size {
            return Err(LedgerError::Broken(format!(
                "the log has {size} leaves, but {} are there",
                tree.size()
            )));
        }
        self.set_rewritten(self.misfit(size).await?);
        Ok(tree)
    }

    /// Writes every tile again, from the leaves.
    pub(crate) async fn rebuild_tiles(&self) -> Result<Tree, LedgerError> {
        let mut tree = Tree::new();
        loop {
            let entries = store::entries(&self.db, tree.size(), 4 * BATCH).await?;
            if entries.is_empty() {
                return Ok(tree);
            }
            let hashes: Vec<Hash> = entries.iter().map(|entry| leaf_hash(entry)).collect();
            store::put_tiles(&self.db, &tree.append(&hashes).tiles).await?;
        }
    }
}

/// Every write of a sequencer stands behind the fence, so stale rows mean another term.
pub(crate) fn fenced(error: CommitError) -> LedgerError {
    match error {
        CommitError::Stale => LedgerError::Fenced,
        other => other.into(),
    }
}

/// A sequencer that is driven by hand: for tools on the database of a stopped server, and for tests of the fence.
pub struct Drive {
    ledger: Ledger,
    sequencer: Sequencer,
}

impl Ledger {
    /// Takes the log over, whoever leads it.
    pub async fn drive(&self) -> Result<Drive, LedgerError> {
        let sequencer = Sequencer::take_over(&self.0, true).await?.ok_or(LedgerError::Fenced)?;
        Ok(Drive { ledger: self.clone(), sequencer })
    }
}

impl Drive {
    /// Sequences one batch; how many facts it held.
    ///
    /// # Errors
    /// [`LedgerError::Fenced`] once another sequencer leads.
    pub async fn step(&mut self) -> Result<usize, LedgerError> {
        self.sequencer.step(&self.ledger.0).await
    }

    /// Signs a checkpoint of what was sequenced.
    ///
    /// # Errors
    /// As [`Drive::step`].
    pub async fn sign(&self) -> Result<(), LedgerError> {
        self.ledger.0.sign(&self.sequencer).await
    }
}
