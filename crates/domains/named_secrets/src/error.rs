//! Why a secret was not kept or given out. Each becomes one problem here.

use db::{CommitError, DbError};
use ledger::LedgerError;
use problem::Problem;
use secrets::{OpenError, SecretsError, VaultError};

#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    #[error("no such secret")]
    Unknown,
    #[error("it is used by {}", .0.join(", "))]
    InUse(Vec<String>),
    #[error("{field}: {reason}")]
    Invalid { field: String, reason: String },
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error("{0}")]
    Refused(Problem),
    #[error(transparent)]
    Commit(#[from] CommitError),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    #[error(transparent)]
    Sealed(#[from] OpenError),
}

impl SecretError {
    /// Whether it is worth trying again.
    pub fn passes(&self) -> bool {
        matches!(self, Self::Vault(error) if error.passes())
    }

    pub(crate) fn invalid(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Invalid { field: field.into(), reason: reason.into() }
    }
}

impl From<DbError> for SecretError {
    fn from(error: DbError) -> Self {
        Self::Commit(error.into())
    }
}

impl From<Problem> for SecretError {
    fn from(problem: Problem) -> Self {
        Self::Refused(problem)
    }
}

impl From<SecretError> for Problem {
    fn from(error: SecretError) -> Self {
        match error {
            SecretError::Unknown => {
                Self::new(&problem::NOT_FOUND, "There is no such secret here, or it is not yours to see.")
            }
            SecretError::InUse(users) => {
                let detail = format!("It is used by {}. Publish them without it first.", users.join(", "));
                Self::new(&problem::SECRET_IN_USE, detail).with_member("used_by", users)
            }
            SecretError::Invalid { field, reason } => {
                Self::new(&problem::VALIDATION_FAILED, "Mend the fields named in errors.")
                    .with_error(field, reason)
            }
            SecretError::Vault(error) if error.passes() => {
                let detail = "The Vault that holds this secret cannot be used at the moment. Try again.";
                Self::new(&problem::VAULT_UNAVAILABLE, detail).with_retry_after(5).with_context(error)
            }
            SecretError::Vault(error) => {
                let field = match &error {
                    VaultError::Invalid { member, .. } => format!("/vault/{member}"),
                    _ => "/vault".to_owned(),
                };
                Self::new(&problem::VALIDATION_FAILED, "Mend the fields named in errors.")
                    .with_error(field, error.to_string())
            }
            SecretError::Refused(problem) => problem,
            SecretError::Commit(error) => error.into(),
            SecretError::Ledger(error) => error.into(),
            SecretError::Secrets(error) => error.into(),
            SecretError::Sealed(error) => Self::internal(error),
        }
    }
}
