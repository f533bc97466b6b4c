//! What can go wrong when a fact is stated, sealed or proven.

use std::path::PathBuf;

use db::{CommitError, DbError};
use problem::Problem;
use secrets::SecretsError;

#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// A domain stated a fact that its own declaration does not allow: a defect of ours.
    #[error("fact {kind}: {reason}")]
    Schema { kind: &'static str, reason: String },
    /// The log does not hold together; nothing is sequenced until it does.
    #[error("the ledger is broken: {0}; verify it and restore the database from a backup")]
    Broken(String),
    #[error("the log's signing key cannot be used: {0}")]
    Key(String),
    #[error("another sequencer leads")]
    Fenced,
    #[error("no checkpoint covers this yet; try again in a second")]
    NotYet,
    #[error("there is no such record")]
    Unknown,
    #[error("the checkpoint file {path}: {error}")]
    Export { path: PathBuf, error: std::io::Error },
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    #[error(transparent)]
    Commit(#[from] CommitError),
}

impl From<DbError> for LedgerError {
    fn from(error: DbError) -> Self {
        Self::Commit(error.into())
    }
}

/// A bundle is written into memory, which has no errors of its own.
impl From<std::io::Error> for LedgerError {
    fn from(error: std::io::Error) -> Self {
        Self::Broken(error.to_string())
    }
}

impl From<LedgerError> for Problem {
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::NotYet => {
                Self::new(&problem::NOT_FOUND, "No checkpoint covers this yet. Try again in a second.")
                    .with_retry_after(1)
            }
            LedgerError::Unknown => {
                Self::new(&problem::NOT_FOUND, "There is no such record in your organization.")
            }
            LedgerError::Secrets(error) => error.into(),
            LedgerError::Commit(error) => error.into(),
            LedgerError::Schema { .. }
            | LedgerError::Fenced
            | LedgerError::Broken(_)
            | LedgerError::Key(_)
            | LedgerError::Export { .. } => Self::internal(error),
        }
    }
}
