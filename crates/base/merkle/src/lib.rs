//! The transparency log's mathematics: RFC 9162 tree hashing, C2SP tlog-tiles, checkpoints and signed notes.
//!
//! Pure: a tree grows in memory and says which tiles changed; proofs read tiles through [`TileReader`], and the
//! `tiles_for_*` functions name them beforehand so that the caller can fetch them as it likes. Knows no database,
//! no fact and no clock; what a leaf means is the ledger's affair.

mod batch;
mod checkpoint;
mod entries;
mod key;
mod note;
mod proof;
mod tile;
mod tree;
mod verify;

pub use batch::{batch_inclusion, batch_root, tiles_for_batch};
pub use checkpoint::{Checkpoint, CheckpointError};
pub use entries::{MalformedEntries, decode_entries, encode_entries, entries_path, parse_entries_path};
pub use key::{KeyKind, NoteSigner, VerifierKey, VerifierKeyError};
pub use note::{Note, NoteError, NoteSignature, Verified};
pub use proof::{
    ProofError, TileReader, consistency, inclusion, root, tiles_for_consistency, tiles_for_inclusion,
    tiles_for_root,
};
pub use tile::{MalformedTile, TILE_WIDTH, Tile, TileId};
pub use tree::{Appended, Tree};
pub use verify::{VerifyError, verify_consistency, verify_inclusion};

/// SHA-256 of a leaf, a node or a whole tree.
pub type Hash = [u8; 32];

/// The hash of a leaf entry: SHA-256(0x00 ‖ entry).
pub fn leaf_hash(entry: &[u8]) -> Hash {
    crypto::hash::sha256_concat(&[&[0], entry])
}

/// The hash of an inner node: SHA-256(0x01 ‖ left ‖ right).
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut bytes = [1; 65];
    bytes[1..33].copy_from_slice(left);
    bytes[33..].copy_from_slice(right);
    crypto::hash::sha256(&bytes)
}

/// The root of the tree without leaves: SHA-256 of nothing.
pub fn empty_root() -> Hash {
    crypto::hash::sha256(&[])
}
