//! A tree grown in memory with all its tiles, as a ledger would keep them.

use std::collections::BTreeMap;

use merkle::{Hash, Tile, TileId, TileReader, Tree};
use safeconduct_merkle as merkle;

pub(crate) struct Grown {
    pub(crate) tree: Tree,
    /// The widest form of each tile.
    pub(crate) tiles: BTreeMap<(u8, u64), Vec<Hash>>,
    /// The root after each number of leaves.
    pub(crate) roots: Vec<Hash>,
}

pub(crate) fn entry(index: u64) -> Hash {
    crypto::hash::sha256(format!("entry {index}").as_bytes())
}

pub(crate) fn leaf(index: u64) -> Hash {
    merkle::leaf_hash(&entry(index))
}

impl Grown {
    pub(crate) fn new(leaves: u64) -> Self {
        let mut grown = Self { tree: Tree::new(), tiles: BTreeMap::new(), roots: vec![merkle::empty_root()] };
        for index in 0..leaves {
            let appended = grown.tree.append(&[leaf(index)]);
            grown.roots.push(appended.root);
            grown.keep(appended.tiles);
        }
        grown
    }

    pub(crate) fn keep(&mut self, tiles: Vec<Tile>) {
        for tile in tiles {
            self.tiles.insert((tile.level, tile.index), tile.hashes);
        }
    }

    pub(crate) fn root(&self, size: u64) -> &Hash {
        &self.roots[size as usize]
    }
}

impl TileReader for Grown {
    fn read(&self, tile: TileId) -> Option<Vec<Hash>> {
        self.tiles.get(&(tile.level(), tile.index())).cloned()
    }
}
