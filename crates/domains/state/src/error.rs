//! Why something was not kept or read. Each becomes one problem here.

use db::{CommitError, DbError};
use ledger::LedgerError;
use problem::{FieldError, Problem};
use secrets::{OpenError, SecretsError};

#[derive(Debug, thiserror::Error)]
pub enum StateError {
    #[error("no such namespace")]
    UnknownNamespace,
    #[error("no such entry")]
    UnknownEntry,
    #[error("the namespace still has {0} entries")]
    NotEmpty(i64),
    #[error("{key} holds {found}, not {wanted}")]
    Kind { key: String, found: &'static str, wanted: &'static str },
    #[error("the counter would leave 64 bits")]
    Overflow,
    #[error("the schema is not valid")]
    Schema(Vec<FieldError>),
    #[error("the value does not match the schema")]
    Value(Vec<FieldError>),
    #[error("{field}: {reason}")]
    Invalid { field: String, reason: String },
    /// Refused by the admission or by what was expected of the entry.
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

impl StateError {
    pub(crate) fn invalid(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Invalid { field: field.into(), reason: reason.into() }
    }
}

impl From<Problem> for StateError {
    fn from(problem: Problem) -> Self {
        Self::Refused(problem)
    }
}

impl From<StateError> for Problem {
    fn from(error: StateError) -> Self {
        match error {
            StateError::UnknownNamespace => {
                Self::new(&problem::NOT_FOUND, "There is no such namespace here. Make it first.")
            }
            StateError::UnknownEntry => {
                Self::new(&problem::NOT_FOUND, "There is no such entry here, or it is not yours to see.")
            }
            StateError::NotEmpty(entries) => {
                let detail =
                    format!("It holds {entries} entries, some perhaps not yours to see. Remove them first.");
                Self::new(&problem::NAMESPACE_NOT_EMPTY, detail).with_member("entries", entries)
            }
            StateError::Kind { key, found, wanted } => {
                let detail =
                    format!("The value of `{key}` is {found}; this works on {wanted}. Nothing was changed.");
                Self::new(&problem::VALUE_KIND, detail)
            }
            StateError::Overflow => {
                Self::new(&problem::VALUE_KIND, "The counter would leave 64 bits. Nothing was changed.")
            }
            StateError::Schema(errors) => {
                Self::new(&problem::INVALID_SCHEMA, "Mend the schema where errors point to.")
                    .with_errors(errors)
            }
            StateError::Value(errors) => {
                let detail =
                    "The value does not match the namespace's schema. Mend it where errors point to.";
                Self::new(&problem::INPUT_INVALID, detail).with_errors(errors)
            }
            StateError::Invalid { field, reason } => {
                Self::new(&problem::VALIDATION_FAILED, "Mend the fields named in errors.")
                    .with_error(field, reason)
            }
            StateError::Refused(problem) => problem,
            StateError::Db(error) => error.into(),
            StateError::Commit(error) => error.into(),
            StateError::Ledger(error) => error.into(),
            StateError::Secrets(error) => error.into(),
            StateError::Sealed(error) => Self::internal(error),
        }
    }
}
