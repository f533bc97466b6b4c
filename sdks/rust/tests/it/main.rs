//! The client against servers that misbehave as told, and against the API document.

#![expect(clippy::panic, clippy::unwrap_used, reason = "tests: a panic is the report")]

mod contract;
mod files;
mod retries;
mod scripted;
mod streams;
mod tokens;
