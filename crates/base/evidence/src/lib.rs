//! What a verifier must know of the ledger: the bytes of a leaf, an organization's chain, the evidence bundle.
//!
//! Pure, so that the command line verifies offline with nothing but a bundle and a key. Everything hashed is hashed as the
//! bytes that were stored or sent, never as types written out again. Knows no database and no catalogue of facts, except
//! the one kind that explains what was erased.

mod bundle;
mod chain;
mod clear;

pub use bundle::{
    BundleError, BundleWriter, Erasure, MAGIC, PURGED, Problem, Report, Trust, verify_bundle, verify_reader,
};
pub use chain::{GENESIS, chain};
pub use clear::{Clear, ClearHead, entry};
