//! What nodes of one installation tell each other: the revision feed and who is alive.
//!
//! The database owns one monotonic authority revision. A node has applied N only when it has applied all before; a token
//! is dead when its `rev` is older than the death of anything it stands on. Knows tokens only by the keys they stand on,
//! and caches only as listeners.

mod cache;
mod feed;
mod nodes;
mod roll;
mod stirs;

pub use cache::Cache;
pub use feed::{Dead, Feed, Heard, Kin, OnDead};
pub use nodes::{NodeReport, Nodes};
