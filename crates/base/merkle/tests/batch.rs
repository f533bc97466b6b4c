//! One proof for many leaves: agrees with the root, with single proofs, and with nothing that was changed.

mod grown;

use grown::{Grown, leaf};
use merkle::{Hash, ProofError, VerifyError, batch_inclusion, batch_root, inclusion, tiles_for_batch};
use proptest::prelude::*;
use safeconduct_merkle as merkle;

fn leaves(indices: &[u64]) -> Vec<(u64, Hash)> {
    indices.iter().map(|index| (*index, leaf(*index))).collect()
}

#[test]
fn a_proof_over_one_leaf_is_its_path_from_left_to_right() {
    let log = Grown::new(700);
    for index in [0, 255, 256, 511, 699] {
        let (mut batch, mut path) =
            (batch_inclusion(&log, &[index], 700).unwrap(), inclusion(&log, index, 700).unwrap());
        batch.sort_unstable();
        path.sort_unstable();
        assert_eq!(batch, path);
    }
}

#[test]
fn all_leaves_need_no_proof_and_none_is_refused() {
    let log = Grown::new(300);
    let all: Vec<u64> = (0..300).collect();
    assert!(batch_inclusion(&log, &all, 300).unwrap().is_empty());
    assert!(tiles_for_batch(&all, 300).unwrap().is_empty());
    assert_eq!(batch_root(&leaves(&all), 300, &[]), Ok(*log.root(300)));
    assert_eq!(batch_root(&[], 300, &[*log.root(300)]), Err(VerifyError::OutOfRange));
    assert_eq!(batch_root(&leaves(&[300]), 300, &[]), Err(VerifyError::OutOfRange));
    for unfit in [vec![300], vec![2, 1], vec![1, 1]] {
        assert!(matches!(batch_inclusion(&log, &unfit, 300), Err(ProofError::OutOfRange { .. })));
        assert_eq!(batch_root(&leaves(&unfit), 300, &[]), Err(VerifyError::OutOfRange));
    }
}

proptest! {
    #[test]
    fn every_set_is_proven_and_no_changed_one(
        size in 1_u64..1_500,
        picks in prop::collection::vec(any::<prop::sample::Index>(), 1..40),
        change: prop::sample::Index,
        bit in 0_usize..256,
    ) {
        let log = Grown::new(size);
        let indices: std::collections::BTreeSet<u64> =
            picks.iter().map(|pick| pick.index(usize::try_from(size).unwrap()) as u64).collect();
        let indices: Vec<u64> = indices.into_iter().collect();
        let proof = batch_inclusion(&log, &indices, size).unwrap();
        let proven = leaves(&indices);
        let root = *log.root(size);
        prop_assert_eq!(batch_root(&proven, size, &proof), Ok(root));

        let mut changed = proven.clone();
        changed[change.index(proven.len())].1[bit / 8] ^= 1 << (bit % 8);
        prop_assert_ne!(batch_root(&changed, size, &proof), Ok(root));

        let mut longer = proof.clone();
        longer.push([0; 32]);
        prop_assert_eq!(batch_root(&proven, size, &longer), Err(VerifyError::Length));
        if !proof.is_empty() {
            let mut other = proof.clone();
            other[change.index(proof.len())][bit / 8] ^= 1 << (bit % 8);
            prop_assert_ne!(batch_root(&proven, size, &other), Ok(root));
            prop_assert_eq!(batch_root(&proven, size, &proof[1..]), Err(VerifyError::Length));
        }
        if proven.len() > 1 {
            let mut fewer = proven;
            fewer.remove(change.index(fewer.len()));
            prop_assert_ne!(batch_root(&fewer, size, &proof), Ok(root));
        }
    }
}
