//! Growing, resuming and proving, checked against one another and against every small change.

mod grown;

use std::collections::BTreeSet;

use grown::{Grown, entry, leaf};
use merkle::{
    Hash, ProofError, TileId, Tree, VerifyError, consistency, inclusion, root, tiles_for_consistency,
    tiles_for_inclusion, tiles_for_root, verify_consistency, verify_inclusion,
};
use proptest::prelude::*;
use safeconduct_merkle as merkle;

#[test]
fn hashes_are_those_of_rfc_9162() {
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(hex::encode(merkle::empty_root()), empty);
    assert_eq!(Tree::new().root(), merkle::empty_root());
    let of_nothing = "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d";
    assert_eq!(hex::encode(merkle::leaf_hash(b"")), of_nothing);
    let (left, right) = (leaf(0), leaf(1));
    let node = crypto::hash::sha256_concat(&[&[1], &left, &right]);
    assert_eq!(Tree::new().append(&[left, right]).root, node);
}

/// The example of the tlog-tiles text.
#[test]
fn a_tree_of_70_000_has_the_tiles_of_the_specification() {
    let at = |level, index| TileId::at(level, index, 70_000).map(TileId::width);
    assert_eq!((at(0, 0), at(0, 272), at(0, 273), at(0, 274)), (Some(256), Some(256), Some(112), None));
    assert_eq!((at(1, 0), at(1, 1), at(1, 2)), (Some(256), Some(17), None));
    assert_eq!((at(2, 0), at(2, 1), at(3, 0)), (Some(1), None, None));
    let widths =
        |size| TileId::edge(size).into_iter().map(|tile| (tile.level(), tile.width())).collect::<Vec<_>>();
    assert_eq!(widths(70_000), [(0, 112), (1, 17), (2, 1)]);
    assert_eq!(widths(256), [(1, 1)]);
    assert_eq!(widths(0), []);
    assert_eq!(widths(u64::MAX).len(), 8);
}

#[test]
fn batches_of_any_size_grow_the_same_tree() {
    let single = Grown::new(1_500);
    for batch in [2, 3, 255, 256, 257, 600, 1_500] {
        let mut other = Grown { tree: Tree::new(), ..Grown::new(0) };
        for start in (0..1_500).step_by(batch) {
            let leaves: Vec<_> = (start..(start + batch as u64).min(1_500)).map(leaf).collect();
            let appended = other.tree.append(&leaves);
            assert_eq!(&appended.root, single.root(appended.size));
            other.keep(appended.tiles);
        }
        assert_eq!(other.tiles, single.tiles, "batches of {batch}");
    }
    assert!(Tree::new().append(&[]).tiles.is_empty());
}

#[test]
fn appending_reports_only_tiles_that_changed() {
    let mut tree = Tree::new();
    tree.append(&(0..300).map(leaf).collect::<Vec<_>>());
    let names = |tree: &mut Tree, count| {
        let leaves: Vec<_> = (0..count).map(leaf).collect();
        tree.append(&leaves).tiles.iter().map(|tile| tile.id().unwrap().path()).collect::<Vec<_>>()
    };
    assert_eq!(names(&mut tree, 1), ["tile/0/001.p/45"]);
    assert_eq!(names(&mut tree, 0), [""; 0]);
    assert_eq!(names(&mut tree, 211), ["tile/0/001", "tile/1/000.p/2"]);
    assert_eq!(names(&mut tree, 257), ["tile/0/002", "tile/0/003.p/1", "tile/1/000.p/3"]);
}

#[test]
fn a_resumed_tree_goes_on_as_if_it_had_never_stopped() {
    let grown = Grown::new(1_400);
    for size in (0..1_400).step_by(17).chain([255, 256, 257, 512, 1_024]) {
        let edge: BTreeSet<_> = TileId::edge(size).into_iter().collect();
        let reader = |tile: TileId| {
            assert!(edge.contains(&tile), "{tile} is not at the edge");
            Some(grown.tiles[&(tile.level(), tile.index())].clone())
        };
        let mut tree = Tree::resume(size, &reader).unwrap();
        assert_eq!(&tree.root(), grown.root(size), "{size}");
        let rest: Vec<_> = (size..1_400).map(leaf).collect();
        assert_eq!(&tree.append(&rest).root, grown.root(1_400));
    }
    let short = |_: TileId| Some(vec![[0; 32]; 3]);
    assert!(matches!(Tree::resume(4, &short), Err(ProofError::MissingTile(_))));
}

#[test]
fn every_proof_in_small_trees_verifies() {
    let grown = Grown::new(70);
    for size in 1..=70 {
        for index in 0..size {
            let proof = inclusion(&grown, index, size).unwrap();
            verify_inclusion(&leaf(index), index, size, &proof, grown.root(size)).unwrap();
        }
        for old in 0..=size {
            let proof = consistency(&grown, old, size).unwrap();
            verify_consistency(old, grown.root(old), size, grown.root(size), &proof).unwrap();
        }
    }
}

#[test]
fn proofs_read_the_tiles_foretold_and_no_others() {
    let grown = Grown::new(1_000);
    for (one, size) in
        [(0, 1), (0, 1_000), (255, 256), (256, 1_000), (999, 1_000), (511, 777), (512, 512 + 256)]
    {
        let read = std::cell::RefCell::new(BTreeSet::new());
        let reader = |tile: TileId| {
            read.borrow_mut().insert(tile);
            grown.tiles.get(&(tile.level(), tile.index())).cloned()
        };
        inclusion(&reader, one, size).unwrap();
        assert_eq!(read.take().into_iter().collect::<Vec<_>>(), tiles_for_inclusion(one, size).unwrap());
        consistency(&reader, one, size).unwrap();
        assert_eq!(read.take().into_iter().collect::<Vec<_>>(), tiles_for_consistency(one, size).unwrap());
        assert_eq!(&root(&reader, size).unwrap(), grown.root(size));
        assert_eq!(read.take().into_iter().collect::<Vec<_>>(), tiles_for_root(size));
    }
}

#[test]
fn what_is_outside_or_missing_is_named() {
    let grown = Grown::new(10);
    assert_eq!(inclusion(&grown, 10, 10), Err(ProofError::OutOfRange { at: 10, size: 10 }));
    assert_eq!(inclusion(&grown, 0, 0), Err(ProofError::OutOfRange { at: 0, size: 0 }));
    assert_eq!(consistency(&grown, 11, 10), Err(ProofError::OutOfRange { at: 11, size: 10 }));
    let tile = TileId::new(0, 0, 11).unwrap();
    assert_eq!(inclusion(&grown, 0, 11), Err(ProofError::MissingTile(tile)));
    assert_eq!(inclusion(&|_: TileId| None, 0, 11), Err(ProofError::MissingTile(tile)));
    assert_eq!(verify_inclusion(&leaf(0), 0, 0, &[], grown.root(1)), Err(VerifyError::OutOfRange));
    assert_eq!(verify_consistency(2, grown.root(2), 1, grown.root(1), &[]), Err(VerifyError::OutOfRange));
}

#[test]
fn trees_without_leaves_and_equal_trees_need_an_empty_proof() {
    let grown = Grown::new(5);
    let (none, all, other) = (grown.root(0), grown.root(5), grown.root(4));
    assert_eq!(verify_consistency(0, none, 5, all, &[]), Ok(()));
    assert_eq!(verify_consistency(0, none, 0, none, &[]), Ok(()));
    assert_eq!(verify_consistency(5, all, 5, all, &[]), Ok(()));
    assert_eq!(verify_consistency(0, other, 5, all, &[]), Err(VerifyError::Root));
    assert_eq!(verify_consistency(0, other, 0, other, &[]), Err(VerifyError::Root));
    assert_eq!(verify_consistency(5, other, 5, all, &[]), Err(VerifyError::Root));
    assert_eq!(verify_consistency(5, all, 5, all, &[*all]), Err(VerifyError::Length));
    assert_eq!(verify_consistency(0, none, 5, all, &[*all]), Err(VerifyError::Length));
    assert_eq!(verify_consistency(3, grown.root(3), 5, all, &[]), Err(VerifyError::Length));
}

/// Every tree that differs by one flipped bit anywhere in the proof, or by one hash more or less.
fn damaged(proof: &[Hash], bit: usize) -> Vec<Vec<Hash>> {
    let mut damaged: Vec<_> = (0..proof.len())
        .map(|at| {
            let mut copy = proof.to_vec();
            copy[at][bit / 8] ^= 1 << (bit % 8);
            copy
        })
        .collect();
    damaged.extend((0..proof.len()).map(|at| [&proof[..at], &proof[at + 1..]].concat()));
    damaged.extend((0..=proof.len()).map(|at| [&proof[..at], &[entry(7)], &proof[at..]].concat()));
    damaged
}

fn flipped(hash: &Hash, bit: usize) -> Hash {
    let mut copy = *hash;
    copy[bit / 8] ^= 1 << (bit % 8);
    copy
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn no_damaged_inclusion_proof_verifies(size in 1_u64..900, at: prop::sample::Index, bit in 0_usize..256) {
        let grown = Grown::new(size);
        let index = at.index(size as usize) as u64;
        let (leaf, root) = (leaf(index), grown.root(size));
        let proof = inclusion(&grown, index, size).unwrap();
        prop_assert_eq!(verify_inclusion(&leaf, index, size, &proof, root), Ok(()));
        prop_assert!(verify_inclusion(&flipped(&leaf, bit), index, size, &proof, root).is_err());
        prop_assert!(verify_inclusion(&leaf, index, size, &proof, &flipped(root, bit)).is_err());
        for wrong in [index.wrapping_sub(1), index + 1, index ^ 1, size, u64::MAX] {
            prop_assert!(wrong == index || verify_inclusion(&leaf, wrong, size, &proof, root).is_err());
        }
        for damaged in damaged(&proof, bit) {
            prop_assert!(verify_inclusion(&leaf, index, size, &damaged, root).is_err());
        }
    }

    #[test]
    fn no_damaged_consistency_proof_verifies(new in 1_u64..900, at: prop::sample::Index, bit in 0_usize..256) {
        let grown = Grown::new(new);
        let old = at.index(new as usize) as u64 + 1;
        let (before, after) = (grown.root(old), grown.root(new));
        let proof = consistency(&grown, old, new).unwrap();
        prop_assert_eq!(verify_consistency(old, before, new, after, &proof), Ok(()));
        prop_assert!(verify_consistency(old, &flipped(before, bit), new, after, &proof).is_err());
        prop_assert!(verify_consistency(old, before, new, &flipped(after, bit), &proof).is_err());
        for damaged in damaged(&proof, bit) {
            prop_assert!(verify_consistency(old, before, new, after, &damaged).is_err());
        }
    }

    #[test]
    fn verifying_foreign_proofs_is_total(index: u64, size: u64, proof in prop::collection::vec(any::<Hash>(), 0..70)) {
        prop_assert!(verify_inclusion(&leaf(0), index, size, &proof, &entry(0)).is_err());
        prop_assert!(verify_consistency(index, &entry(1), size, &entry(0), &proof).is_err());
        prop_assert!(tiles_for_inclusion(index, size).is_ok() == (index < size));
        prop_assert!(tiles_for_consistency(index, size).is_ok() == (index <= size));
    }
}
