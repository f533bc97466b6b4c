//! The chain of one organization: the simple check that needs neither tree nor key.

use crypto::hash::sha256_concat;

/// Stands before the first leaf.
pub const GENESIS: [u8; 32] = [0; 32];

/// What the next leaf of the organization stands behind: SHA-256(previous ‖ leaf entry).
pub fn chain(previous: &[u8; 32], entry: &[u8; 32]) -> [u8; 32] {
    sha256_concat(&[previous, entry])
}
