//! The ledger over HTTP.

mod export;
mod list;
mod proof;
mod stream;
