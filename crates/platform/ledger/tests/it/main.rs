//! The ledger on both databases: what it records, proves and detects.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use safeconduct_ledger as ledger;

mod evidence;
mod node;
mod readers;
mod recording;
mod sequencing;
mod tampering;
