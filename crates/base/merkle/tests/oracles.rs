//! Trees, tiles and proofs against two implementations that are not ours: ct-merkle and tlog_tiles.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod grown;

use ct_merkle::{ConsistencyProof, InclusionProof, RootHash, mem_backed_tree::MemoryBackedTree};
use grown::{Grown, entry};
use merkle::{Hash, TileId, consistency, inclusion};
use proptest::prelude::*;
use safeconduct_merkle as merkle;
use sha2::Sha256;
use tlog_tiles::{HashReader, TileHashReader};

type CtTree = MemoryBackedTree<Sha256, Hash>;

fn ct_tree(leaves: u64) -> CtTree {
    let mut tree = CtTree::new();
    (0..leaves).for_each(|index| tree.push(entry(index)));
    tree
}

/// Serves our tiles to tlog_tiles, which checks them against the root before it uses them.
struct Served<'a>(&'a Grown);

impl tlog_tiles::TileReader for Served<'_> {
    fn height(&self) -> u8 {
        8
    }

    fn read_tiles(&self, tiles: &[tlog_tiles::Tile]) -> Result<Vec<Vec<u8>>, tlog_tiles::Error> {
        let bytes = |tile: &tlog_tiles::Tile| {
            let hashes = &self.0.tiles[&(tile.level(), tile.level_index())];
            hashes[..tile.width() as usize].concat()
        };
        Ok(tiles.iter().map(bytes).collect())
    }

    fn save_tiles(&self, _: &[tlog_tiles::Tile], _: &[Vec<u8>]) {}
}

/// The node hashes that tlog_tiles itself computes from the entries.
struct Stored(Vec<tlog_tiles::Hash>);

impl HashReader for Stored {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog_tiles::Hash>, tlog_tiles::Error> {
        Ok(indexes.iter().map(|index| self.0[*index as usize]).collect())
    }
}

impl Stored {
    fn new(leaves: u64) -> Self {
        let mut stored = Self(Vec::new());
        for index in 0..leaves {
            let hashes = tlog_tiles::stored_hashes(index, &entry(index), &stored).unwrap();
            stored.0.extend(hashes);
        }
        stored
    }
}

fn plain(hashes: &[tlog_tiles::Hash]) -> Vec<Hash> {
    hashes.iter().map(|hash| hash.0).collect()
}

/// Sizes around the edges of tiles, and up to some thousand leaves.
fn sizes() -> impl Strategy<Value = u64> {
    prop_oneof![1_u64..600, 250_u64..262, 500_u64..520, 1_u64..4_000]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn ct_merkle_has_the_same_roots_and_proofs(size in sizes(), at: prop::sample::Index) {
        let (ours, theirs) = (Grown::new(size), ct_tree(size));
        prop_assert_eq!(ours.root(size).to_vec(), theirs.root().as_bytes().to_vec());
        let index = at.index(size as usize);
        let proof = inclusion(&ours, index as u64, size).unwrap().concat();
        prop_assert_eq!(&proof, &theirs.prove_inclusion(index).as_bytes().to_vec());
        let root = RootHash::<Sha256>::new((*ours.root(size)).into(), size);
        let parsed = InclusionProof::<Sha256>::try_from_bytes(proof).unwrap();
        prop_assert!(root.verify_inclusion(&entry(index as u64), index as u64, &parsed).is_ok());

        let old = index as u64 + 1;
        if old < size {
            let proof = consistency(&ours, old, size).unwrap().concat();
            let added = (size - old) as usize;
            prop_assert_eq!(&proof, &theirs.prove_consistency(added).as_bytes().to_vec());
            let before = RootHash::<Sha256>::new((*ours.root(old)).into(), old);
            let parsed = ConsistencyProof::<Sha256>::try_from_bytes(proof).unwrap();
            prop_assert!(root.verify_consistency(&before, &parsed).is_ok());
        }
    }

    #[test]
    fn tlog_tiles_has_the_same_roots_tiles_and_proofs(size in sizes(), at: prop::sample::Index) {
        let (ours, theirs) = (Grown::new(size), Stored::new(size));
        let index = at.index(size as usize) as u64;
        let old = index + 1;
        let root = tlog_tiles::tree_hash(size, &theirs).unwrap();
        prop_assert_eq!(ours.root(size), &root.0);
        prop_assert_eq!(inclusion(&ours, index, size).unwrap(), plain(&tlog_tiles::prove_record(size, index, &theirs).unwrap()));
        prop_assert_eq!(consistency(&ours, old, size).unwrap(), plain(&tlog_tiles::prove_tree(size, old, &theirs).unwrap()));

        for tile in tlog_tiles::Tile::new_tiles(8, 0, size) {
            let id = TileId::at(tile.level(), tile.level_index(), size).unwrap();
            prop_assert_eq!(tile.path().replacen("tile/8/", "tile/", 1), id.path());
            prop_assert_eq!(TileId::parse(&id.path()), Ok(id));
            let hashes = &ours.tiles[&(tile.level(), tile.level_index())];
            prop_assert_eq!(hashes.concat(), tile.read_data(&theirs).unwrap());
        }
    }

    #[test]
    fn tlog_tiles_proves_from_our_tiles(size in sizes(), at: prop::sample::Index) {
        let ours = Grown::new(size);
        let index = at.index(size as usize) as u64;
        let served = Served(&ours);
        let reader = TileHashReader::new(size, tlog_tiles::Hash(*ours.root(size)), &served);
        let record = tlog_tiles::prove_record(size, index, &reader).unwrap();
        prop_assert_eq!(inclusion(&ours, index, size).unwrap(), plain(&record));
        let tree = tlog_tiles::prove_tree(size, index + 1, &reader).unwrap();
        prop_assert_eq!(consistency(&ours, index + 1, size).unwrap(), plain(&tree));
    }
}

#[test]
fn both_verify_proofs_the_way_we_do() {
    let ours = Grown::new(300);
    for (index, size) in [(0, 1), (5, 300), (255, 256), (256, 257), (299, 300)] {
        let proof = inclusion(&ours, index, size).unwrap();
        let theirs: Vec<_> = proof.iter().copied().map(tlog_tiles::Hash).collect();
        let root = tlog_tiles::Hash(*ours.root(size));
        let leaf = tlog_tiles::record_hash(&entry(index));
        assert!(tlog_tiles::check_record(&theirs, size, root, index, leaf).is_ok());
        let proof: Vec<_> =
            consistency(&ours, index + 1, size).unwrap().into_iter().map(tlog_tiles::Hash).collect();
        let old = tlog_tiles::Hash(*ours.root(index + 1));
        assert!(tlog_tiles::check_tree(&proof, size, root, index + 1, old).is_ok());
    }
}
