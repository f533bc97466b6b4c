//! The registry of agents.

mod activity;
mod create;
mod credentials;
mod kill;
mod list;
mod races;
mod status;
