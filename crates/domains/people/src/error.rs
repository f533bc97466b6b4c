//! What can go wrong with people and sign-in.

use db::{CommitError, DbError};
use ledger::LedgerError;
use problem::{INVALID_LINK, INVALID_TOKEN, Problem};
use secrets::SecretsError;

#[derive(Debug, thiserror::Error)]
pub enum PeopleError {
    #[error("the link was used, replaced or has expired")]
    InvalidLink,
    #[error("the refresh token is not valid")]
    InvalidRefresh,
    #[error("there is no organization")]
    NoOrganization,
    #[error("no such session")]
    UnknownSession,
    #[error(transparent)]
    Db(#[from] DbError),
    #[error(transparent)]
    Commit(#[from] CommitError),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    #[error("{path}: {error}")]
    Io { path: String, error: std::io::Error },
}

impl From<PeopleError> for Problem {
    fn from(error: PeopleError) -> Self {
        match error {
            PeopleError::InvalidLink => Self::new(
                &INVALID_LINK,
                "The link was used, replaced or has expired. Make a new one with `safeconduct admin link`.",
            ),
            PeopleError::InvalidRefresh => {
                Self::new(&INVALID_TOKEN, "The refresh token is not valid any more. Sign in again.")
            }
            PeopleError::UnknownSession => {
                Self::new(&problem::NOT_FOUND, "There is no such session of yours.")
            }
            PeopleError::NoOrganization | PeopleError::Io { .. } => Self::internal(error),
            PeopleError::Db(error) => error.into(),
            PeopleError::Commit(error) => error.into(),
            PeopleError::Ledger(error) => error.into(),
            PeopleError::Secrets(error) => error.into(),
        }
    }
}
