//! Inclusion and consistency proofs (RFC 9162 §2.1.3.1, §2.1.4.1) computed from tiles.
//!
//! A proof is a list of ranges of leaves; each range falls into perfect subtrees, each of which lies inside one tile.

use crate::{Hash, TileId, empty_root, node_hash};

/// Gives a tile's hashes, at least as many as the id is wide (a wider tile of a later tree serves as well).
pub trait TileReader {
    fn read(&self, tile: TileId) -> Option<Vec<Hash>>;
}

impl<F: Fn(TileId) -> Option<Vec<Hash>>> TileReader for F {
    fn read(&self, tile: TileId) -> Option<Vec<Hash>> {
        self(tile)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    #[error("{at} is outside a tree of {size} leaves; ask within the size of a checkpoint")]
    OutOfRange { at: u64, size: u64 },
    #[error("the tile {0} is missing or shorter than its width; rebuild the tiles from the leaves")]
    MissingTile(TileId),
}

/// The proof that the leaf at `index` is in the tree of `size` leaves.
pub fn inclusion(reader: &impl TileReader, index: u64, size: u64) -> Result<Vec<Hash>, ProofError> {
    hashes(reader, &inclusion_ranges(index, size)?, size)
}

/// The proof that the tree of `old` leaves is the beginning of the one of `new` leaves.
pub fn consistency(reader: &impl TileReader, old: u64, new: u64) -> Result<Vec<Hash>, ProofError> {
    hashes(reader, &consistency_ranges(old, new)?, new)
}

/// The root of the first `size` leaves.
pub fn root(reader: &impl TileReader, size: u64) -> Result<Hash, ProofError> {
    Tiles { reader, size, last: None }.range(Range { from: 0, to: size })
}

/// The tiles that [`inclusion`] will read.
pub fn tiles_for_inclusion(index: u64, size: u64) -> Result<Vec<TileId>, ProofError> {
    Ok(tiles(&inclusion_ranges(index, size)?, size))
}

/// The tiles that [`consistency`] will read.
pub fn tiles_for_consistency(old: u64, new: u64) -> Result<Vec<TileId>, ProofError> {
    Ok(tiles(&consistency_ranges(old, new)?, new))
}

/// The tiles that [`root`] will read.
pub fn tiles_for_root(size: u64) -> Vec<TileId> {
    tiles(&[Range { from: 0, to: size }], size)
}

/// The leaves `from..to`; `from` is a multiple of the smallest power of two that spans the range.
#[derive(Clone, Copy)]
pub(crate) struct Range {
    pub(crate) from: u64,
    pub(crate) to: u64,
}

/// A perfect subtree: 2^height leaves.
#[derive(Clone, Copy)]
struct Node {
    height: u32,
    index: u64,
}

impl Range {
    /// At the largest power of two below its length (RFC 9162 §2.1.1).
    pub(crate) fn halves(self) -> Option<(Self, Self)> {
        let length = self.to - self.from;
        let middle = self.from + (1 << length.checked_sub(1)?.checked_ilog2()?);
        Some((Self { to: middle, ..self }, Self { from: middle, ..self }))
    }

    /// Its perfect subtrees from left to right.
    fn nodes(mut self) -> Vec<Node> {
        let mut nodes = Vec::new();
        while let Some(height) = (self.to - self.from).checked_ilog2() {
            nodes.push(Node { height, index: self.from >> height });
            self.from += 1 << height;
        }
        nodes
    }
}

impl Node {
    /// The tile in a tree of `size` leaves, and which of its hashes are the subtree's.
    fn place(self, size: u64) -> Option<(TileId, std::ops::Range<usize>)> {
        let (level, inner) = ((self.height / 8) as u8, self.height % 8);
        let first = self.index << inner;
        let offset = (first % 256) as usize;
        Some((TileId::at(level, first / 256, size)?, offset..offset + (1 << inner)))
    }
}

fn inclusion_ranges(index: u64, size: u64) -> Result<Vec<Range>, ProofError> {
    if index >= size {
        return Err(ProofError::OutOfRange { at: index, size });
    }
    let mut ranges = Vec::new();
    let mut tree = Range { from: 0, to: size };
    while let Some((left, right)) = tree.halves() {
        let (inside, sibling) = if index < left.to { (left, right) } else { (right, left) };
        ranges.push(sibling);
        tree = inside;
    }
    // The verifier works from the leaf upwards.
    ranges.reverse();
    Ok(ranges)
}

fn consistency_ranges(old: u64, new: u64) -> Result<Vec<Range>, ProofError> {
    if old > new {
        return Err(ProofError::OutOfRange { at: old, size: new });
    }
    let mut ranges = Vec::new();
    let mut tree = Range { from: 0, to: new };
    if old == 0 {
        return Ok(ranges);
    }
    while old < tree.to {
        let Some((left, right)) = tree.halves() else { break };
        let (inside, sibling) = if old <= left.to { (left, right) } else { (right, left) };
        ranges.push(sibling);
        tree = inside;
    }
    // What is left ends where the old tree ends; if it is the whole old tree, the verifier has its root.
    if tree.from > 0 {
        ranges.push(tree);
    }
    ranges.reverse();
    Ok(ranges)
}

pub(crate) fn tiles(ranges: &[Range], size: u64) -> Vec<TileId> {
    let nodes = ranges.iter().flat_map(|range| range.nodes());
    let mut tiles: Vec<_> = nodes.filter_map(|node| Some(node.place(size)?.0)).collect();
    tiles.sort_unstable();
    tiles.dedup();
    tiles
}

pub(crate) fn hashes(reader: &impl TileReader, ranges: &[Range], size: u64) -> Result<Vec<Hash>, ProofError> {
    let mut tiles = Tiles { reader, size, last: None };
    ranges.iter().map(|range| tiles.range(*range)).collect()
}

/// Reads hashes of subtrees, keeping the last tile: neighbours in a proof mostly share one.
struct Tiles<'a, R> {
    reader: &'a R,
    size: u64,
    last: Option<(TileId, Vec<Hash>)>,
}

impl<R: TileReader> Tiles<'_, R> {
    fn range(&mut self, range: Range) -> Result<Hash, ProofError> {
        let mut root = None;
        for node in range.nodes().into_iter().rev() {
            let left = self.node(node)?;
            root = Some(root.map_or(left, |right| node_hash(&left, &right)));
        }
        Ok(root.unwrap_or_else(empty_root))
    }

    fn node(&mut self, node: Node) -> Result<Hash, ProofError> {
        let outside = ProofError::OutOfRange { at: node.index, size: self.size };
        let (tile, wanted) = node.place(self.size).ok_or(outside)?;
        if self.last.as_ref().is_none_or(|(last, _)| *last != tile) {
            let hashes = self.reader.read(tile).ok_or(ProofError::MissingTile(tile))?;
            self.last = Some((tile, hashes));
        }
        let hashes = self.last.as_ref().and_then(|(_, hashes)| hashes.get(wanted));
        hashes.map(perfect_root).ok_or(ProofError::MissingTile(tile))
    }
}

/// The root over 2^n hashes.
pub(crate) fn perfect_root(hashes: &[Hash]) -> Hash {
    match hashes {
        [] => empty_root(),
        [single] => *single,
        _ => {
            let (left, right) = hashes.split_at(hashes.len() / 2);
            node_hash(&perfect_root(left), &perfect_root(right))
        }
    }
}
