//! Entry bundles: the leaf entries beside each level-0 tile (C2SP tlog-tiles).
//!
//! Our entries are 32 bytes, the hash of a fact; each stands behind its length as a big-endian `u16`.

use crate::tile::{parse_place, place};
use crate::{Hash, MalformedTile, TILE_WIDTH, TileId};

const PREFIX: [u8; 2] = 32_u16.to_be_bytes();

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an entry bundle: expected 1 to 256 entries of 32 bytes, each behind the length 0x0020")]
pub struct MalformedEntries;

/// `tile/entries/<index>[.p/<width>]` for the bundle beside this level-0 tile.
pub fn entries_path(tile: TileId) -> String {
    format!("tile/entries/{}", place(tile.index(), tile.width() as u16))
}

/// The level-0 tile whose bundle this path names.
pub fn parse_entries_path(path: &str) -> Result<TileId, MalformedTile> {
    let place = path.strip_prefix("tile/entries/").ok_or(MalformedTile)?;
    let (index, width) = parse_place(place).ok_or(MalformedTile)?;
    TileId::new(0, index, width.into()).ok_or(MalformedTile)
}

pub fn encode_entries(entries: &[Hash]) -> Vec<u8> {
    entries.iter().flat_map(|entry| PREFIX.iter().chain(entry)).copied().collect()
}

pub fn decode_entries(bytes: &[u8]) -> Result<Vec<Hash>, MalformedEntries> {
    let (entries, rest) = bytes.as_chunks::<34>();
    if !rest.is_empty() || !(1..=TILE_WIDTH).contains(&entries.len()) {
        return Err(MalformedEntries);
    }
    entries
        .iter()
        .map(|entry| match entry.split_last_chunk() {
            Some((prefix, hash)) if prefix == PREFIX => Ok(*hash),
            _ => Err(MalformedEntries),
        })
        .collect()
}
