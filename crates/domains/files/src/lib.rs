//! Files: what people, agents and functions keep as bytes under names, in collections.
//!
//! Owns the tables `file_collections`, `file_usage`, `files`, `file_versions`, `file_chunks`, `file_uploads` and
//! `file_links`: collections that say how their files are kept, files with owner and visibility and the versions that they
//! had, uploads that go on after a cut, links that open a version to whoever has them. Contents stand in chunks in
//! platform/blobs; what somebody uploaded leaves through `web::foreign_file` alone. Must not know who keeps what for which
//! purpose: agents and functions reach it over HTTP.

mod collections;
mod contents;
mod error;
mod facts;
mod files;
mod links;
mod model;
mod routes;
mod schemas;
mod section;
mod service;
mod store;
mod sweep;
mod uploads;
mod words;
mod writes;

pub use error::FilesError;
pub use facts::KINDS;
pub use routes::routes;
pub use section::CollectionsSection;
pub use service::{Files, FilesGround};
