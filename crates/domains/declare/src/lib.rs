//! Configuration as files: what a document says is held against what is there, planned, and brought about whole.
//!
//! Owns the order of sections, the plan, and the table `config_objects`: which file a thing comes from and what that file last
//! said of it. Must not know what any section means: domains bring their own ([`manifest::Section`]), and every change is
//! admitted, decided and told by the operation that it stands for.

mod apply;
mod document;
mod drift;
mod error;
mod export;
mod facts;
mod model;
mod own_file;
mod plan;
mod routes;
mod service;
mod sinas;
mod store;

pub use error::DeclareError;
pub use facts::KINDS;
pub use own_file::{OwnFile, OwnFileError};
pub use routes::routes;
pub use service::{Declare, DeclareGround};
