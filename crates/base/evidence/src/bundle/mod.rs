//! The evidence bundle: one file that proves a run of an organization's record without a server.
//!
//! Lines of text, each a word, a space and its content; canonical JSON has no line breaks, so the bytes that were hashed
//! stand in the file as they are:
//!
//! ```text
//! safeconduct-bundle/1
//! org <org_…>
//! first <org_seq of the first record>
//! record <seq> <clear part, RFC 8785>
//! private <private part, RFC 8785>        of the record above; left out when withheld
//! erased <seq> <leaf entry, hex>          in place of a record that was purged
//! purge <seq> <clear part>                a purge record outside the run; its private part follows
//! node <hash, hex>                        the proof (merkle::batch_root) over all lines with a seq, by seq
//! checkpoint <signed note as a JSON string>
//! earlier <signed note as a JSON string>  an earlier checkpoint, and the proof that the tree only grew since:
//! grown <hash, hex>
//! end <number of lines before this one>
//! ```
//!
//! Records, stubs and nothing else make the run: their numbers have no gap. A stub counts only when a purge record in the
//! same bundle names its number.

mod error;
mod read;
mod run;
mod verify;
mod write;

pub use error::{BundleError, Problem};
pub use run::{Erasure, PURGED};
pub use verify::{Report, Trust, verify_bundle, verify_reader};
pub use write::BundleWriter;

/// The first line.
pub const MAGIC: &str = "safeconduct-bundle/1";
