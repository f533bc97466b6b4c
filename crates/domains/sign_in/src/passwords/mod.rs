//! Passwords of people: how they are kept, and which are taken at all.

mod pool;
mod refused;

pub(crate) use pool::{Hasher, Overloaded};
pub(crate) use refused::weakness;
