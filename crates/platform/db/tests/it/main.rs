//! One suite for both engines: what a change promises, whoever else writes at the same time.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use safeconduct_db as db;

mod authority;
mod changes;
mod exclusive;
mod guards;
mod opening;
mod scopes;
mod shelf;
mod values;
