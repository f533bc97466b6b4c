//! Tiles of height 8: 256 consecutive hashes of every eighth level of the tree (C2SP tlog-tiles).

use std::fmt;
use std::fmt::Write;
use std::str::FromStr;

use crate::Hash;

/// Hashes in a full tile.
pub const TILE_WIDTH: usize = 256;

/// A tree of at most 2^64 - 1 leaves has tiles at eight levels.
const LEVELS: u8 = 8;

/// Names one tile: `tile/<level>/<index>[.p/<width>]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TileId {
    level: u8,
    index: u64,
    /// 1 to 256; below 256 the tile is partial.
    width: u16,
}

/// A tile with its hashes, as many as it is wide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tile {
    pub level: u8,
    pub index: u64,
    pub hashes: Vec<Hash>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a tile: expected tile/<level>/<index as x000/000>[.p/<width>] and whole 32-byte hashes")]
pub struct MalformedTile;

impl TileId {
    pub fn new(level: u8, index: u64, width: usize) -> Option<Self> {
        let width = u16::try_from(width).ok().filter(|width| (1..=256).contains(width))?;
        (level < LEVELS).then_some(Self { level, index, width })
    }

    /// The tile as a tree of `size` leaves has it: full, partial, or none.
    pub fn at(level: u8, index: u64, size: u64) -> Option<Self> {
        let hashes = size.checked_shr(8 * u32::from(level))?;
        let before = index.checked_mul(TILE_WIDTH as u64)?;
        let width = hashes.checked_sub(before)?.min(TILE_WIDTH as u64);
        Self::new(level, index, usize::try_from(width).ok()?)
    }

    /// The partial tiles at the right edge of a tree of `size` leaves: all that is needed to go on appending.
    pub fn edge(size: u64) -> Vec<Self> {
        (0..LEVELS)
            .filter_map(|level| Self::at(level, size >> (8 * level) >> 8, size))
            .filter(|tile| !tile.is_full())
            .collect()
    }

    pub fn level(self) -> u8 {
        self.level
    }

    pub fn index(self) -> u64 {
        self.index
    }

    pub fn width(self) -> usize {
        self.width.into()
    }

    pub fn is_full(self) -> bool {
        self.width() == TILE_WIDTH
    }

    pub fn path(self) -> String {
        format!("tile/{}/{}", self.level, place(self.index, self.width))
    }

    /// The inverse of [`Self::path`]; takes no other spelling.
    pub fn parse(path: &str) -> Result<Self, MalformedTile> {
        let (level, place) =
            path.strip_prefix("tile/").and_then(|rest| rest.split_once('/')).ok_or(MalformedTile)?;
        let level = level.parse().map_err(|_| MalformedTile)?;
        let (index, width) = parse_place(place).ok_or(MalformedTile)?;
        let tile = Self::new(level, index, width.into()).ok_or(MalformedTile)?;
        // Signs and leading zeros parse as numbers but are not canonical.
        if tile.path() == path { Ok(tile) } else { Err(MalformedTile) }
    }
}

impl fmt::Display for TileId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.path())
    }
}

impl FromStr for TileId {
    type Err = MalformedTile;
    fn from_str(path: &str) -> Result<Self, MalformedTile> {
        Self::parse(path)
    }
}

impl Tile {
    /// None for a tile without or with too many hashes.
    pub fn id(&self) -> Option<TileId> {
        TileId::new(self.level, self.index, self.hashes.len())
    }

    /// The body as it is served: the hashes one after another.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.hashes.concat()
    }

    /// The body must be exactly as long as the id is wide.
    pub fn from_bytes(id: TileId, bytes: &[u8]) -> Result<Self, MalformedTile> {
        let (hashes, rest) = bytes.as_chunks();
        if hashes.len() != id.width() || !rest.is_empty() {
            return Err(MalformedTile);
        }
        Ok(Self { level: id.level, index: id.index, hashes: hashes.to_vec() })
    }
}

/// `x001/x234/067`, with `.p/<width>` behind a partial one.
pub(crate) fn place(index: u64, width: u16) -> String {
    let mut groups = vec![format!("{:03}", index % 1000)];
    let mut rest = index / 1000;
    while rest > 0 {
        groups.push(format!("x{:03}", rest % 1000));
        rest /= 1000;
    }
    groups.reverse();
    let mut text = groups.join("/");
    if usize::from(width) < TILE_WIDTH {
        // Writing to a String cannot fail.
        let _ = write!(text, ".p/{width}");
    }
    text
}

pub(crate) fn parse_place(text: &str) -> Option<(u64, u16)> {
    let (index, width) = match text.split_once(".p/") {
        Some((index, width)) => (index, width.parse().ok()?),
        None => (text, TILE_WIDTH as u16),
    };
    let mut number = 0_u64;
    for group in index.split('/') {
        let group = group.trim_start_matches('x').parse().ok().filter(|group| *group < 1000)?;
        number = number.checked_mul(1000)?.checked_add(group)?;
    }
    (place(number, width) == text).then_some((number, width))
}
