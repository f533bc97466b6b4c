//! The registry of agents.

mod create;
mod credentials;
mod kill;
mod list;
mod races;
mod status;
