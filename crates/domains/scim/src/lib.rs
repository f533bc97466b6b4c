//! SCIM 2.0 (RFC 7643, RFC 7644) under `/scim/v2`: a directory outside keeps the members, groups and agents of the
//! organization that its token belongs to.
//!
//! Owns the protocol – schemas, filters, patches, forms of answers and refusals – and no table: what is read and written
//! is decided by `people`, `access` and `agents`, by the same rules and permissions as under `/api/v1`. Must not know how
//! rights are kept, nor decide about one.

mod error;
mod filter;
mod form;
mod patch;
mod path;
mod query;
mod reply;
mod resources;
mod routes;
mod schema;
mod service;

pub use form::SCIM;
pub use routes::routes;
pub use service::Scim;

/// Below this, refusals take SCIM's form.
pub const PREFIX: &str = "/scim/v2";
