//! What can go wrong when a fact is stated, sealed or proven.

use db::{CommitError, DbError};
use problem::Problem;
use secrets::SecretsError;

#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// A domain stated a fact that its own declaration does not allow: a defect of ours.
    #[error("fact {kind}: {reason}")]
    Schema { kind: &'static str, reason: String },
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

impl From<LedgerError> for Problem {
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::Schema { .. } => Self::internal(error),
            LedgerError::Secrets(error) => error.into(),
            LedgerError::Commit(error) => error.into(),
        }
    }
}
