//! Contents that are too large for a row: inputs and outputs of runs, attachments, exports.
//!
//! A blob is addressed by organization and SHA-256 of its plain bytes, sealed in chunks under the organization's key and
//! kept in a file under the data directory. Whoever needs one carries a reference in its change; what nobody refers to
//! for a while is swept. Knows no holder: their kind is a word, their id a UUID.
//!
//! The files belong to one server. A cluster needs the bucket backend that a later issue brings.

mod blobs;
mod error;
mod files;
mod format;
mod store;
mod sweep;

pub use blobs::{BlobReference, BlobSettings, Blobs};
pub use error::BlobError;
