//! What the server promises over HTTP, held against a real server on port 0 with real databases.

#![expect(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "tests: a panic is the report")]

mod support;

mod access;
mod agents;
mod audit;
mod cli;
mod declare;
mod every_route;
mod faults;
mod files;
mod functions;
mod hooks;
mod oauth;
mod people;
mod policies;
mod runs;
mod schedules;
mod scim;
mod secrets;
mod sign_in;
mod state;
mod surface;
