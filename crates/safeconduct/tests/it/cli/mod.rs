//! The command line: the real binary against a real server, its words held as snapshots.

mod access;
mod agents;
mod audit;
mod browser;
mod config;
mod credentials;
mod failures;
mod functions;
mod hooks;
mod people;
mod policies;
mod profiles;
mod providers;
mod quickstart;
mod reference;
mod schedules;
mod secrets;
mod state;
mod stored;
mod terminal;
mod token;

pub(crate) use terminal::{Said, Terminal, shows};
