//! Passwords of people: how they are kept, and which are taken at all.

mod pool;
mod process;
mod refused;
mod work;

pub(crate) use pool::{Hasher, Overloaded};
pub use process::become_hasher_if_asked;
pub(crate) use refused::weakness;
