//! The server: opens every room, mounts every route, starts every job.
//!
//! A line per domain in `router.rs`, a line per job in `jobs.rs`; what a line means is its domain's business. The binary
//! adds the command line; tests use the same parts on port 0.

mod acting;
mod admin;
mod console;
mod docs;
mod error;
mod health;
mod house;
mod jailed;
mod jobs;
mod made;
mod own_file;
mod router;
mod server;
mod things;
mod worker;

pub use acting::Jails;
pub use admin::{Errand, ask};
pub use error::StartError;
pub use house::House;
pub use router::{document, routes};
pub use server::Server;
pub use worker::Worker;
