//! Contents that are too large for a row: inputs and outputs of runs, attachments, exports.
//!
//! A blob is addressed by organization and SHA-256 of its plain bytes, sealed in chunks under the organization's key and
//! kept in a file under the data directory or in a bucket. Whoever needs one carries a reference in its change; what nobody refers to
//! for a while is swept. Knows no holder: their kind is a word, their id a UUID.
//!
//! Files belong to one server; several need a bucket. What was a file before there was a bucket goes on being read.

mod blobs;
mod bucket;
mod error;
mod files;
mod format;
mod remote;
mod store;
mod sweep;

pub use blobs::{BlobReference, BlobSettings, Blobs};
pub use bucket::{Bucket, BucketSettings};
pub use error::BlobError;
