//! The ledger on both databases: what it records, proves and detects.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use safeconduct_ledger as ledger;

mod node;
mod sequencing;
