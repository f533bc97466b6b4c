//! Exports the evidence bundle of a run of an organization's record, piece by piece.

use db::OrgScope;
use evidence::{BundleWriter, Erasure, PURGED};
use merkle::{Hash, batch_inclusion, consistency, tiles_for_batch, tiles_for_consistency};

use crate::store::{self, LoggedFact, StoredCheckpoint};
use crate::tiles::Fetched;
use crate::{Ledger, LedgerError};

const PAGE: i64 = 500;

/// What goes into a bundle.
#[derive(Clone, Copy, Debug, Default)]
pub struct BundleRange {
    /// First number of the organization's own order; 1 if none.
    pub first: Option<u64>,
    /// Last number; the newest one under a checkpoint if none.
    pub last: Option<u64>,
    /// Size of a checkpoint that the reader keeps: the bundle shows that the log only grew since.
    pub since: Option<u64>,
    /// Leaves the private parts out; what is left still verifies.
    pub withhold_private: bool,
}

/// A bundle in the making.
pub struct BundleExport {
    ledger: Ledger,
    scope: OrgScope,
    range: BundleRange,
    checkpoint: StoredCheckpoint,
    writer: Option<BundleWriter<Vec<u8>>>,
    next: u64,
    last: u64,
    seqs: Vec<u64>,
    erased: Vec<u64>,
    shown: Vec<Erasure>,
}

impl Ledger {
    /// # Errors
    /// [`LedgerError::NotYet`] if no checkpoint covers the first record, [`LedgerError::Unknown`] for a run without
    /// records or a checkpoint that there is not.
    pub async fn bundle(&self, scope: &OrgScope, range: BundleRange) -> Result<BundleExport, LedgerError> {
        let first = range.first.unwrap_or(1).max(1);
        let checkpoint = store::newest_checkpoint(&self.0.db).await?.ok_or(LedgerError::NotYet)?;
        let newest = store::last_leaf_before(&self.0.db, scope.org(), checkpoint.0).await?;
        let newest = newest.ok_or(LedgerError::NotYet)?.org_seq;
        let last = range.last.unwrap_or(newest);
        if first > last {
            return Err(LedgerError::Unknown);
        }
        if last > newest {
            return Err(LedgerError::NotYet);
        }
        Ok(BundleExport {
            ledger: self.clone(),
            scope: *scope,
            range,
            checkpoint,
            writer: Some(BundleWriter::new(Vec::new(), scope.org(), first)?),
            next: first,
            last,
            seqs: Vec::new(),
            erased: Vec::new(),
            shown: Vec::new(),
        })
    }
}

impl BundleExport {
    /// The next bytes; none after the last.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, LedgerError> {
        let Some(mut writer) = self.writer.take() else { return Ok(None) };
        if self.next > self.last {
            self.end(&mut writer).await?;
            return Ok(Some(writer.finish()?));
        }
        let page = store::run_of(&self.ledger.0.db, &self.scope, self.next, self.last, PAGE).await?;
        if page.is_empty() {
            return Err(LedgerError::Broken(format!("record {} is missing", self.next)));
        }
        for logged in page {
            let logged = logged.filter(|logged| logged.leaf.org_seq == self.next);
            let logged =
                logged.ok_or_else(|| LedgerError::Broken(format!("record {} is missing", self.next)))?;
            self.record(&mut writer, logged).await?;
        }
        let bytes = std::mem::take(writer.get_mut());
        self.writer = Some(writer);
        Ok(Some(bytes))
    }

    /// All of it at once.
    pub async fn collect(mut self) -> Result<Vec<u8>, LedgerError> {
        let mut all = Vec::new();
        while let Some(bytes) = self.next().await? {
            all.extend(bytes);
        }
        Ok(all)
    }

    async fn record(
        &mut self,
        writer: &mut BundleWriter<Vec<u8>>,
        logged: LoggedFact,
    ) -> Result<(), LedgerError> {
        let leaf = logged.leaf;
        self.seqs.push(leaf.seq);
        self.next += 1;
        let Some((fact, sealed)) = logged.fact else {
            self.erased.push(leaf.org_seq);
            return Ok(writer.erased(leaf.seq, &leaf.entry)?);
        };
        let clear = fact.clear().canonical(leaf.org_seq);
        let private = self.ledger.0.open_private(&fact, &sealed).await;
        let private = private.map_err(|error| LedgerError::Broken(format!("fact {}: {error}", fact.id)))?;
        // A purge's private part is what explains the gap that it left.
        let purge = fact.kind == PURGED;
        if purge {
            self.shown.extend(crate::purge::erasure(&private));
        }
        let shown = if self.range.withhold_private && !purge { None } else { Some(&private[..]) };
        Ok(writer.record(leaf.seq, &clear, shown)?)
    }

    async fn end(&mut self, writer: &mut BundleWriter<Vec<u8>>) -> Result<(), LedgerError> {
        self.explain(writer).await?;
        self.seqs.sort_unstable();
        let (size, _, note) = &self.checkpoint;
        let db = &self.ledger.0.db;
        let tiles = tiles_for_batch(&self.seqs, *size).map_err(broken)?;
        let proof = batch_inclusion(&Fetched::new(db, &tiles).await?, &self.seqs, *size).map_err(broken)?;
        writer.proof(&proof)?;
        writer.checkpoint(note)?;
        if let Some(since) = self.range.since {
            let (_, _, earlier) = store::checkpoint_of(db, since).await?.ok_or(LedgerError::Unknown)?;
            writer.earlier(&earlier, &self.growth(since, *size).await?)?;
        }
        Ok(())
    }

    async fn growth(&self, first: u64, second: u64) -> Result<Vec<Hash>, LedgerError> {
        let tiles = tiles_for_consistency(first, second).map_err(broken)?;
        consistency(&Fetched::new(&self.ledger.0.db, &tiles).await?, first, second).map_err(broken)
    }

    /// Adds the purge records outside the run that name what was erased inside.
    async fn explain(&mut self, writer: &mut BundleWriter<Vec<u8>>) -> Result<(), LedgerError> {
        let explained = |number: &u64, shown: &[Erasure]| {
            shown.iter().any(|range| (range.first..=range.last).contains(number))
        };
        if self.erased.iter().all(|number| explained(number, &self.shown)) {
            return Ok(());
        }
        let ledger = &self.ledger.0;
        for (fact, sealed) in store::purge_facts(&ledger.db, self.scope.org()).await? {
            let private = ledger.open_private(&fact, &sealed).await.map_err(broken)?;
            let leaf = store::logged_fact(&ledger.db, &self.scope, fact.id).await?.map(|logged| logged.leaf);
            let Some(leaf) = leaf.filter(|leaf| leaf.seq < self.checkpoint.0 && leaf.org_seq > self.last)
            else {
                continue;
            };
            let Some(erasure) = crate::purge::erasure(&private) else { continue };
            if self.erased.iter().any(|number| explained(number, &[erasure])) {
                writer.purge(leaf.seq, &fact.clear().canonical(leaf.org_seq), &private)?;
                self.seqs.push(leaf.seq);
            }
        }
        Ok(())
    }
}

fn broken(error: impl std::fmt::Display) -> LedgerError {
    LedgerError::Broken(error.to_string())
}
