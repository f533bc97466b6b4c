//! The words every room shares: typed ids, names, time, secrets.
//!
//! Knows no database, no HTTP and no domain rule. Wall clock and randomness are reached through [`World`] only,
//! so that a test can steer both.

mod id;
pub mod json;
mod name;
mod secret;
mod time;
mod world;

pub use id::*;
pub use name::{DomainName, Email, InvalidName, Name, Slug};
pub use secret::Secret;
pub use time::{InvalidTimestamp, Timestamp};
pub use uuid::Uuid;
pub use world::{Clock, Entropy, SteeredClock, SystemClock, SystemEntropy, World};
