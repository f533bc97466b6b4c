//! What can go wrong around a run. What goes wrong inside one is its [`crate::RunError`].

use blobs::BlobError;
use db::{CommitError, DbError};
use ledger::LedgerError;
use problem::Problem;
use secrets::{OpenError, SecretsError};

#[derive(Debug, thiserror::Error)]
pub enum RunsError {
    #[error(transparent)]
    Blob(#[from] BlobError),
    #[error(transparent)]
    Commit(#[from] CommitError),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    #[error(transparent)]
    Sealed(#[from] OpenError),
    #[error("stored JSON of a run: {0}")]
    Json(#[from] serde_json::Error),
}

impl From<DbError> for RunsError {
    fn from(error: DbError) -> Self {
        Self::Commit(error.into())
    }
}

impl From<RunsError> for Problem {
    fn from(error: RunsError) -> Self {
        match error {
            RunsError::Blob(error) => error.into(),
            RunsError::Commit(error) => error.into(),
            RunsError::Ledger(error) => error.into(),
            RunsError::Secrets(error) => error.into(),
            RunsError::Sealed(_) | RunsError::Json(_) => Self::internal(error),
        }
    }
}
