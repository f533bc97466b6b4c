//! A growing tree as a compact range: the roots of its perfect subtrees and the tiles still open at its right edge.

use crate::proof::perfect_root;
use crate::{Hash, ProofError, TILE_WIDTH, Tile, TileId, TileReader, empty_root, node_hash};

/// Some 20 KB however many leaves there are.
#[derive(Clone)]
pub struct Tree {
    size: u64,
    /// The root of the perfect subtree of height h, valid where bit h of `size` is set.
    peaks: [Hash; 64],
    /// The hashes of the rightmost, not yet full tile of each level.
    open: Vec<Vec<Hash>>,
}

/// What appending changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appended {
    pub size: u64,
    pub root: Hash,
    /// Tiles completed on the way, then the partial ones at the edge that grew; each replaces its narrower self.
    pub tiles: Vec<Tile>,
}

impl Default for Tree {
    fn default() -> Self {
        Self { size: 0, peaks: [[0; 32]; 64], open: Vec::new() }
    }
}

impl Tree {
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes up a tree of `size` leaves from the tiles that [`TileId::edge`] names. The reader is believed:
    /// compare the root with a checkpoint before going on.
    pub fn resume(size: u64, reader: &impl TileReader) -> Result<Self, ProofError> {
        let mut tree = Self { size, ..Self::default() };
        for tile in TileId::edge(size) {
            let mut hashes = reader.read(tile).ok_or(ProofError::MissingTile(tile))?;
            if hashes.len() < tile.width() {
                return Err(ProofError::MissingTile(tile));
            }
            hashes.truncate(tile.width());
            let mut rest = &hashes[..];
            for bit in (0..8).rev().filter(|bit| tile.width() >> bit & 1 == 1) {
                let (subtree, right) = rest.split_at(1 << bit);
                tree.peaks[8 * usize::from(tile.level()) + bit] = perfect_root(subtree);
                rest = right;
            }
            *tree.open_at(tile.level()) = hashes;
        }
        Ok(tree)
    }

    pub fn size(&self) -> u64 {
        self.size
    }

    pub fn root(&self) -> Hash {
        let heights = (0..64).filter(|height| self.size >> height & 1 == 1);
        let root = heights.fold(None, |right: Option<Hash>, height| {
            let left = self.peaks[height];
            Some(right.map_or(left, |right| node_hash(&left, &right)))
        });
        root.unwrap_or_else(empty_root)
    }

    pub fn append(&mut self, leaf_hashes: &[Hash]) -> Appended {
        let before = self.size;
        let mut tiles = Vec::new();
        for leaf in leaf_hashes {
            self.push(*leaf, &mut tiles);
        }
        tiles.extend(self.grown_since(before));
        Appended { size: self.size, root: self.root(), tiles }
    }

    fn push(&mut self, leaf: Hash, completed: &mut Vec<Tile>) {
        self.open_at(0).push(leaf);
        let (mut node, mut height) = (leaf, 0);
        while self.size >> height & 1 == 1 {
            node = node_hash(&self.peaks[height], &node);
            height += 1;
            if height % 8 == 0 {
                let level = (height / 8 - 1) as u8;
                let hashes = std::mem::replace(self.open_at(level), Vec::with_capacity(TILE_WIDTH));
                completed.push(Tile { level, index: self.size >> height, hashes });
                self.open_at(level + 1).push(node);
            }
        }
        self.peaks[height] = node;
        self.size += 1;
    }

    fn grown_since(&self, before: u64) -> impl Iterator<Item = Tile> {
        let grown = move |tile: &TileId| before >> (8 * tile.level()) != self.size >> (8 * tile.level());
        TileId::edge(self.size).into_iter().filter(grown).filter_map(|tile| {
            let hashes = self.open.get(usize::from(tile.level()))?.clone();
            Some(Tile { level: tile.level(), index: tile.index(), hashes })
        })
    }

    fn open_at(&mut self, level: u8) -> &mut Vec<Hash> {
        let level = usize::from(level);
        if self.open.len() <= level {
            self.open.resize_with(level + 1, Vec::new);
        }
        &mut self.open[level]
    }
}
