//! Why a trigger was not made, changed or set off. Each becomes one problem here.

use db::{CommitError, DbError};
use ledger::LedgerError;
use problem::Problem;
use secrets::{OpenError, SecretsError};

#[derive(Debug, thiserror::Error)]
pub enum TriggerError {
    #[error("no such schedule")]
    UnknownSchedule,
    #[error("no such hook")]
    UnknownHook,
    #[error("no such delivery")]
    UnknownDelivery,
    #[error("{field}: {reason}")]
    Invalid { field: String, reason: String },
    /// Refused by the admission, the target or what was expected of the row.
    #[error("{0}")]
    Refused(Problem),
    #[error(transparent)]
    Db(#[from] DbError),
    #[error(transparent)]
    Commit(#[from] CommitError),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    #[error(transparent)]
    Sealed(#[from] OpenError),
}

impl TriggerError {
    pub(crate) fn invalid(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Invalid { field: field.into(), reason: reason.into() }
    }
}

impl From<Problem> for TriggerError {
    fn from(problem: Problem) -> Self {
        Self::Refused(problem)
    }
}

impl From<TriggerError> for Problem {
    fn from(error: TriggerError) -> Self {
        match error {
            TriggerError::UnknownSchedule => {
                Self::new(&problem::NOT_FOUND, "There is no such schedule here, or it is not yours to see.")
            }
            TriggerError::UnknownHook => {
                Self::new(&problem::NOT_FOUND, "There is no such hook here, or it is not yours to see.")
            }
            TriggerError::UnknownDelivery => {
                Self::new(&problem::NOT_FOUND, "There is no such delivery, or it is not kept any more.")
            }
            TriggerError::Invalid { field, reason } => {
                Self::new(&problem::VALIDATION_FAILED, "Mend the fields named in errors.")
                    .with_error(field, reason)
            }
            TriggerError::Refused(problem) => problem,
            TriggerError::Db(error) => error.into(),
            TriggerError::Commit(error) => error.into(),
            TriggerError::Ledger(error) => error.into(),
            TriggerError::Secrets(error) => error.into(),
            TriggerError::Sealed(error) => Self::internal(error),
        }
    }
}
