//! What can go wrong with the database, as callers need to tell it apart.

use problem::{Code, Problem};

#[derive(Clone, Debug, thiserror::Error)]
pub enum DbError {
    /// No connection, or the connection broke; nothing is known to have been written.
    #[error("the database does not answer: {0}")]
    Unavailable(String),
    /// The disk is full; nothing was written.
    #[error("the disk is full")]
    Full,
    #[error("database: {0}")]
    Internal(String),
}

/// Why a change was not made. In every case nothing of it is stored.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// A statement's expectation or unique index said no.
    #[error("refused: {}", .0.name)]
    Refused(&'static Code),
    /// Rows that the decision relied on have changed: read again, decide again.
    #[error("rows that the decision relied on have changed")]
    Stale,
    #[error(transparent)]
    Db(#[from] DbError),
}

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("another server holds {0}; stop it or choose another data directory")]
    Locked(String),
    #[error("{0}")]
    Refused(String),
    #[error(transparent)]
    Db(#[from] DbError),
    #[error("{path}: {error}")]
    Io { path: String, error: std::io::Error },
}

impl From<DbError> for Problem {
    fn from(error: DbError) -> Self {
        match error {
            DbError::Unavailable(context) => Self::new(
                &problem::DATABASE_UNAVAILABLE,
                "The database does not answer. Nothing was changed; try again.",
            )
            .with_retry_after(1)
            .with_context(context),
            DbError::Full => Self::new(
                &problem::STORAGE_FULL,
                "The server's disk is full. Nothing was changed; free space and try again.",
            ),
            DbError::Internal(context) => Self::internal(context),
        }
    }
}

impl From<CommitError> for Problem {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Refused(code) => Self::new(code, code.title),
            CommitError::Stale => Self::new(
                &problem::CONFLICT,
                "Others changed the same thing at the same time. Read it again and retry.",
            ),
            CommitError::Db(error) => error.into(),
        }
    }
}
