//! The check of one organization: its run of records, against its chain and against the checkpoint.

use db::OrgScope;
use evidence::{GENESIS, chain};
use merkle::{Hash, batch_inclusion, batch_root, leaf_hash, tiles_for_batch};
use types::{FactId, Id};

use super::check::Check;
use super::mark::{self, Mark};
use super::{Broken, Ended, Verification, VerifyFrom};
use crate::position::Position;
use crate::store::{self, LoggedFact, StoredCheckpoint};
use crate::tiles::Fetched;
use crate::{Inner, Ledger, LedgerError};

/// Records at once; short enough that the thread serves others in between.
const PAGE: i64 = 250;

impl Ledger {
    /// Checks an organization's records up to `to` (all, if none).
    ///
    /// # Errors
    /// Only when the check could not be made; what does not hold is an answer.
    pub async fn verify(
        &self,
        scope: &OrgScope,
        from: VerifyFrom,
        to: Option<u64>,
    ) -> Result<Verification, LedgerError> {
        let mut run = Run { ledger: &self.0, scope, to, first: 0, checked: 0, last: 0, checkpoint: None };
        let broken = match run.check(from).await {
            Ok(()) => None,
            Err(ended) => Some(ended.broken()?),
        };
        Ok(Verification {
            verified: broken.is_none(),
            checked_count: run.checked,
            broken_at_event_id: broken.as_ref().and_then(|broken| broken.event),
            reason: broken.map(|broken| broken.reason),
            from: run.first,
            to: run.last,
            checkpoint: run.checkpoint.map(|(_, _, note)| note),
        })
    }
}

struct Run<'a> {
    ledger: &'a Inner,
    scope: &'a OrgScope,
    to: Option<u64>,
    first: u64,
    last: u64,
    checked: u64,
    checkpoint: Option<StoredCheckpoint>,
}

impl Run<'_> {
    async fn check(&mut self, from: VerifyFrom) -> Result<(), Ended> {
        let head = store::head(&self.ledger.db).await?;
        self.checkpoint = self.ledger.newest_trusted(head.size).await?;
        let mut check = self.start(from).await?;
        self.first = check.next;
        let mut last_seq = None;
        loop {
            let to = self.to.unwrap_or(u64::MAX);
            let page = store::run_of(&self.ledger.db, self.scope, check.next, to, PAGE).await?;
            if page.is_empty() {
                break;
            }
            let page: Option<Vec<LoggedFact>> = page.into_iter().collect();
            let page = page.ok_or_else(|| {
                Broken::at(None, format!("a leaf from record {} on is unreadable", check.next))
            })?;
            for logged in &page {
                check.take(self.ledger, logged).await?;
                (self.last, self.checked) = (logged.leaf.org_seq, self.checked + 1);
                last_seq = Some(logged.leaf.seq);
            }
            self.within(&head, page.last()).await?;
            self.prove(&page).await?;
        }
        if self.to.is_none() {
            self.nothing_beside(&head, last_seq, from).await?;
        }
        if !matches!(from, VerifyFrom::Number(_)) && self.checked > 0 {
            let org = Some(self.scope.org());
            mark::save(self.ledger, org, &Mark { at: self.last, hash: check.chain }).await?;
        }
        Ok(())
    }

    async fn start(&self, from: VerifyFrom) -> Result<Check, Ended> {
        let org = self.scope.org();
        let (next, before) = match from {
            VerifyFrom::Start | VerifyFrom::Number(0 | 1) => (1, GENESIS),
            VerifyFrom::LastVerified => match mark::load(self.ledger, Some(org)).await? {
                Some(mark) => (mark.at + 1, mark.hash),
                None => (1, GENESIS),
            },
            VerifyFrom::Number(number) => {
                let before = store::run_of(&self.ledger.db, self.scope, number - 1, number - 1, 1).await?;
                let before = before.into_iter().flatten().next();
                let leaf =
                    before.ok_or_else(|| Broken::at(None, format!("record {} is missing", number - 1)))?.leaf;
                (number, chain(&leaf.previous, &leaf.entry))
            }
        };
        Check::new(self.ledger, org, next, before).await
    }

    /// The last record of the page lies within the log, which may have grown since its head was read.
    async fn within(&self, head: &store::Head, last: Option<&LoggedFact>) -> Result<(), Ended> {
        let Some(leaf) = last.map(|logged| &logged.leaf).filter(|leaf| leaf.seq >= head.size) else {
            return Ok(());
        };
        if leaf.seq < store::head(&self.ledger.db).await?.size {
            return Ok(());
        }
        Err(Broken::at(leaf.fact, "its place lies behind the end of the log").into())
    }

    /// The leaves of the page stand in the tree of the checkpoint. What is younger than it, the next one covers.
    async fn prove(&self, page: &[LoggedFact]) -> Result<(), Ended> {
        let Some((size, root, _)) = &self.checkpoint else { return Ok(()) };
        let covered = page.iter().filter(|logged| logged.leaf.seq < *size);
        let leaves: Vec<(u64, Hash)> =
            covered.map(|logged| (logged.leaf.seq, leaf_hash(&logged.leaf.entry))).collect();
        let Some((first, _)) = leaves.first() else { return Ok(()) };
        let outside =
            || Broken::at(page.first().map(|logged| logged.leaf.fact), "its place in the log is wrong");
        let indices: Vec<u64> = leaves.iter().map(|(seq, _)| *seq).collect();
        let tiles = tiles_for_batch(&indices, *size).map_err(|_| outside())?;
        let tiles = Fetched::new(&self.ledger.db, &tiles).await?;
        let proof = batch_inclusion(&tiles, &indices, *size)
            .map_err(|error| Broken::at(None, format!("no proof from leaf {first} on: {error}")))?;
        if batch_root(&leaves, *size, &proof) == Ok(*root) {
            return Ok(());
        }
        // One of the page; which one, its own proof tells.
        for (logged, (seq, leaf)) in page.iter().zip(&leaves) {
            let proof = merkle::inclusion(&self.ledger.proof_tiles(*seq, *size).await?, *seq, *size);
            let held =
                proof.is_ok_and(|proof| merkle::verify_inclusion(leaf, *seq, *size, &proof, root).is_ok());
            if !held {
                return Err(
                    Broken::at(logged.leaf.fact, "the log's tree does not hold it at its place").into()
                );
            }
        }
        Err(outside().into())
    }

    /// No leaf is missing behind the last one, and no fact was passed over.
    async fn nothing_beside(
        &self,
        head: &store::Head,
        last_seq: Option<u64>,
        from: VerifyFrom,
    ) -> Result<(), Ended> {
        let behind = last_seq.map_or(0, |seq| seq + 1);
        if last_seq.is_some() || from == VerifyFrom::Start {
            let (expected, found) = (
                head.size.saturating_sub(behind),
                store::count_between(&self.ledger.db, behind, head.size).await?,
            );
            if expected != found {
                let reason =
                    format!("{} leaves are missing at or behind {behind} of the log", expected - found);
                return Err(Broken::at(None, reason).into());
            }
        }
        if from == VerifyFrom::Start {
            let position = Position::of(&self.ledger.db, head).await?;
            let passed = position.passed_over(Some(self.scope.org().uuid()));
            if let Some(mut row) = self.ledger.db.read_one(self.scope, passed).await? {
                return Err(Broken::at(
                    row.id::<FactId>()?,
                    "it stands in the table, but was never recorded in the log",
                )
                .into());
            }
        }
        Ok(())
    }
}

impl Inner {
    /// The newest checkpoint, if the log of `size` leaves continues it and the exported one.
    pub(super) async fn newest_trusted(&self, size: u64) -> Result<Option<StoredCheckpoint>, Ended> {
        let stored = store::newest_checkpoint(&self.db).await?;
        if let Some(known) = self.misfit(size).await? {
            let reason = if known == u64::MAX {
                "the newest checkpoint was not signed by this log".to_owned()
            } else {
                format!("the log does not continue its checkpoint of size {known}")
            };
            return Err(Broken::at(None, reason).into());
        }
        Ok(stored)
    }
}
