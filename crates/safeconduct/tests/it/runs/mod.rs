//! Runs over HTTP.

mod cancel;
mod kill_nine;
mod list;
mod streams;
