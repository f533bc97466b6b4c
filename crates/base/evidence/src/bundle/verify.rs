//! Verifying a bundle: needs its bytes and something to trust, nothing else.

use std::io::BufRead;

use merkle::{
    Checkpoint, CheckpointError, Hash, Note, Verified, VerifierKey, batch_root, verify_consistency,
};
use serde::Serialize;
use types::{OrgId, Timestamp};

use super::error::BundleError;
use super::read::Lines;
use super::run::Run;

/// Whom the verifier believes.
pub struct Trust<'a> {
    /// The log's key, or that of a witness.
    pub key: &'a VerifierKey,
    /// The log's name, where it is not the key's own (a witness's key).
    pub origin: Option<&'a str>,
    /// A checkpoint kept from before: the bundle must show that the log only grew since.
    pub checkpoint: Option<&'a Checkpoint>,
}

/// What was proven.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    pub org: OrgId,
    pub origin: String,
    /// Numbers of the first and last record in the organization's own order; the run has no gap between them.
    pub first: u64,
    pub last: u64,
    /// Facts shown in full.
    pub records: u64,
    /// Facts shown without their private part.
    pub withheld: u64,
    /// Facts that were purged; a purge record names each of them.
    pub erased: u64,
    /// Earliest and latest time of the records.
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
    pub tree_size: u64,
    #[serde(with = "hex::serde")]
    pub root: Hash,
    /// The key that the checkpoint was verified with.
    pub key: String,
    /// When a witness signed, if its key was used.
    pub witnessed_at: Option<Timestamp>,
    /// Size of the earlier checkpoint that the log was shown to have grown from.
    pub grown_from: Option<u64>,
}

/// Checks a bundle in memory.
///
/// # Errors
/// What does not hold, with the event where it is known.
pub fn verify_bundle(bytes: &[u8], trust: &Trust<'_>) -> Result<Report, BundleError> {
    verify_reader(bytes, trust)
}

/// Checks a bundle as it is read; memory grows by 40 bytes a record.
///
/// # Errors
/// As [`verify_bundle`].
pub fn verify_reader(input: impl BufRead, trust: &Trust<'_>) -> Result<Report, BundleError> {
    let mut lines = Lines::new(input);
    let mut run = Run::default();
    loop {
        let number = lines.number + 1;
        let Some(line) = lines.next()? else { break };
        let taken = run.take(line);
        taken.map_err(|problem| BundleError::Broken { line: number, event: run.event(), problem })?;
    }
    if run.is_over() { conclude(run, trust) } else { Err(BundleError::Cut) }
}

fn conclude(mut run: Run, trust: &Trust<'_>) -> Result<Report, BundleError> {
    let (checkpoint, verified) = open(&run.checkpoint, trust)?;
    run.leaves.append(&mut run.outside);
    run.leaves.sort_unstable_by_key(|(seq, _)| *seq);
    if batch_root(&run.leaves, checkpoint.size, &run.nodes) != Ok(checkpoint.root) {
        return Err(BundleError::Root);
    }
    let explained =
        |number: &u64| run.erasures.iter().any(|erasure| (erasure.first..=erasure.last).contains(number));
    if let Some(number) = run.erased.iter().find(|number| !explained(number)) {
        return Err(BundleError::Unexplained(*number));
    }
    let grown_from = grown_from(&run, trust, &checkpoint)?;
    Ok(Report {
        org: run.org.parse().map_err(|_| BundleError::Malformed { line: 2 })?,
        first: run.first,
        last: run.next - 1,
        records: run.records,
        withheld: run.withheld,
        erased: run.erased.len() as u64,
        from: run.times.as_ref().and_then(|(from, _)| from.parse().ok()),
        to: run.times.as_ref().and_then(|(_, to)| to.parse().ok()),
        tree_size: checkpoint.size,
        root: checkpoint.root,
        origin: checkpoint.origin,
        key: trust.key.to_string(),
        witnessed_at: verified.at,
        grown_from,
    })
}

fn open(note: &str, trust: &Trust<'_>) -> Result<(Checkpoint, Verified), CheckpointError> {
    Checkpoint::open(&Note::parse(note)?, trust.origin.unwrap_or(trust.key.name()), trust.key)
}

/// Holds the earlier checkpoint of the bundle, and the one that the verifier kept, against the newest.
fn grown_from(run: &Run, trust: &Trust<'_>, newest: &Checkpoint) -> Result<Option<u64>, BundleError> {
    let earlier = match &run.earlier {
        None => None,
        Some(note) => {
            let (earlier, _) = open(note, trust)?;
            verify_consistency(earlier.size, &earlier.root, newest.size, &newest.root, &run.grown)
                .map_err(|_| BundleError::Rewritten(earlier.size))?;
            Some(earlier)
        }
    };
    if let Some(kept) = trust.checkpoint {
        let shown = [Some(newest), earlier.as_ref()];
        if !shown.into_iter().flatten().any(|one| (one.size, one.root) == (kept.size, kept.root)) {
            return Err(BundleError::Rewritten(kept.size));
        }
    }
    Ok(earlier.map(|earlier| earlier.size))
}
