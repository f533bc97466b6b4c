//! State: what functions, agents and people remember between acts, as JSON under keys.
//!
//! Owns the tables `state_namespaces`, `state_usage`, `state_entries` and `state_history`: namespaces that say how their
//! entries are kept, entries with owner and visibility, compare-and-set, counters, batches, history, and the stream of
//! changes, which is read from the ledger. Must not know who keeps what for which purpose: functions reach it over HTTP.

mod entries;
mod error;
mod facts;
mod model;
mod namespaces;
mod routes;
mod section;
mod service;
mod store;
mod sweep;
mod values;
mod words;

pub use error::StateError;
pub use facts::KINDS;
pub use routes::routes;
pub use section::NamespacesSection;
pub use service::{StateGround, StateStore};
