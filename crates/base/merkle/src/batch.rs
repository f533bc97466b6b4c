//! One proof for many leaves: the roots of the largest subtrees that hold none of them, from left to right. The verifier
//! folds leaves and proof into the root, so a proof over neighbours is hardly longer than one over a single leaf.

use crate::proof::{Range, hashes, tiles};
use crate::{Hash, ProofError, TileId, TileReader, VerifyError, node_hash};

/// The proof that the leaves at `indices` (growing) are in the tree of `size` leaves.
pub fn batch_inclusion(
    reader: &impl TileReader,
    indices: &[u64],
    size: u64,
) -> Result<Vec<Hash>, ProofError> {
    hashes(reader, &gaps(indices, size)?, size)
}

/// The tiles that [`batch_inclusion`] will read.
pub fn tiles_for_batch(indices: &[u64], size: u64) -> Result<Vec<TileId>, ProofError> {
    Ok(tiles(&gaps(indices, size)?, size))
}

/// The root that the leaves (index and leaf hash, growing) and the proof lead to.
pub fn batch_root(leaves: &[(u64, Hash)], size: u64, proof: &[Hash]) -> Result<Hash, VerifyError> {
    let inside = leaves.last().is_some_and(|(last, _)| *last < size);
    if !inside || !leaves.is_sorted_by(|(left, _), (right, _)| left < right) {
        return Err(VerifyError::OutOfRange);
    }
    let mut rest = proof.iter();
    let root = fold(Range { from: 0, to: size }, leaves, &mut rest)?;
    if rest.next().is_none() { Ok(root) } else { Err(VerifyError::Length) }
}

/// The ranges without a wanted leaf, as the tree divides.
fn gaps(indices: &[u64], size: u64) -> Result<Vec<Range>, ProofError> {
    let outside = indices.iter().find(|index| **index >= size);
    if let Some(at) =
        outside.or(if indices.is_sorted_by(|left, right| left < right) { None } else { Some(&0) })
    {
        return Err(ProofError::OutOfRange { at: *at, size });
    }
    let mut gaps = Vec::new();
    collect(Range { from: 0, to: size }, indices, &mut gaps);
    Ok(gaps)
}

fn collect(range: Range, wanted: &[u64], gaps: &mut Vec<Range>) {
    if wanted.len() as u64 == range.to - range.from {
        return;
    }
    if wanted.is_empty() {
        gaps.push(range);
    } else if let Some((left, right)) = range.halves() {
        let (in_left, in_right) = wanted.split_at(wanted.partition_point(|index| *index < left.to));
        collect(left, in_left, gaps);
        collect(right, in_right, gaps);
    }
}

fn fold<'a>(
    range: Range,
    leaves: &[(u64, Hash)],
    proof: &mut impl Iterator<Item = &'a Hash>,
) -> Result<Hash, VerifyError> {
    match (leaves, range.halves()) {
        ([], _) => proof.next().copied().ok_or(VerifyError::Length),
        ([(_, leaf)], None) => Ok(*leaf),
        (_, None) => Err(VerifyError::OutOfRange),
        (_, Some((left, right))) => {
            let (in_left, in_right) = leaves.split_at(leaves.partition_point(|(index, _)| *index < left.to));
            Ok(node_hash(&fold(left, in_left, proof)?, &fold(right, in_right, proof)?))
        }
    }
}
