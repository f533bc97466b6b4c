//! Runs over HTTP.

mod cancel;
mod kill_nine;
mod launcher;
mod list;
mod questions;
mod queue;
mod streams;
mod workers;
