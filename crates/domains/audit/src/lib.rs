//! Reading the ledger: the index that lists filter by, live streams, exports, proofs and verification over HTTP.
//!
//! Owns the tables `audit_index` and `audit_terms`, which are rebuildable and which nobody else reads: other domains ask
//! the facade what an agent or a token did. Records nothing but that its tables were found changed, and must not know what a kind of fact means:
//! each domain declares its own, and the house hands the catalogue in.

mod activity;
mod facts;
mod index;
mod routes;
mod service;
mod store;
mod whole;

pub use facts::KINDS;
pub use index::Index;
pub use routes::routes;
pub use routes::views::{FactActor, FactTarget, FactView};
pub use service::Audit;
