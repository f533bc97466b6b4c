//! Ten million leaves (`--features heavy`): proofs, resumption and tile counts at the size that the ledger promises.

#![cfg(feature = "heavy")]
use std::collections::BTreeMap;

use merkle::{
    Hash, TileId, Tree, consistency, inclusion, leaf_hash, tiles_for_inclusion, verify_consistency,
    verify_inclusion,
};
use safeconduct_merkle as merkle;

const LEAVES: u64 = 10_000_000;
const BATCH: u64 = 10_000;

fn leaf(index: u64) -> Hash {
    leaf_hash(&index.to_be_bytes())
}

#[test]
fn proofs_in_a_tree_of_ten_million_leaves() {
    let mut tree = Tree::new();
    let mut upper = BTreeMap::new();
    let mut roots = BTreeMap::new();
    let mut full = 0;
    for start in (0..LEAVES).step_by(BATCH as usize) {
        let leaves: Vec<_> = (start..start + BATCH).map(leaf).collect();
        let appended = tree.append(&leaves);
        roots.insert(appended.size, appended.root);
        full += appended.tiles.iter().filter(|tile| tile.level == 0 && tile.hashes.len() == 256).count();
        // Level 0 is made anew when it is read: 320 MB need not be kept.
        upper.extend(
            appended
                .tiles
                .into_iter()
                .filter(|tile| tile.level > 0)
                .map(|tile| ((tile.level, tile.index), tile.hashes)),
        );
    }
    assert_eq!(full as u64, LEAVES / 256);
    let reader = |tile: TileId| match tile.level() {
        0 => Some((tile.index() * 256..tile.index() * 256 + tile.width() as u64).map(leaf).collect()),
        level => upper.get(&(level, tile.index())).cloned(),
    };
    let root = roots[&LEAVES];
    assert_eq!(merkle::root(&reader, LEAVES).unwrap(), root);
    // A stride that is prime to the tile width walks through all positions within a tile.
    for index in (0..LEAVES).step_by(99_991).chain([LEAVES - 1]) {
        assert!(tiles_for_inclusion(index, LEAVES).unwrap().len() <= 6);
        let proof = inclusion(&reader, index, LEAVES).unwrap();
        verify_inclusion(&leaf(index), index, LEAVES, &proof, &root).unwrap();
        assert!(verify_inclusion(&leaf(index + 1), index, LEAVES, &proof, &root).is_err());
    }
    for (old, before) in &roots {
        let proof = consistency(&reader, *old, LEAVES).unwrap();
        verify_consistency(*old, before, LEAVES, &root, &proof).unwrap();
    }
    let mut resumed = Tree::resume(5_000_000, &reader).unwrap();
    for start in (5_000_000..6_000_000).step_by(BATCH as usize) {
        let leaves: Vec<_> = (start..start + BATCH).map(leaf).collect();
        assert_eq!(resumed.append(&leaves).root, roots[&(start + BATCH)]);
    }
}
