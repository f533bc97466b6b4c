//! The registry of agents.

mod activity;
mod approval;
mod create;
mod credentials;
mod groups;
mod kill;
mod list;
mod races;
mod status;
