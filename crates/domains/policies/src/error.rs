//! What can go wrong with policies.

use db::{CommitError, DbError};
use ledger::LedgerError;
use problem::{FieldError, Problem};
use rego::Faults;
use secrets::{OpenError, SecretsError};

#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    #[error("no such policy")]
    Unknown,
    #[error("version {0} is in force already")]
    Active(i64),
    #[error("version {0} is not in force")]
    NotActive(i64),
    #[error("the policy does not compile: {0}")]
    Invalid(Faults),
    #[error("{field}: {reason}")]
    Field { field: &'static str, reason: String },
    /// Refused by the admission or by another domain.
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

impl From<Problem> for PolicyError {
    fn from(problem: Problem) -> Self {
        Self::Refused(problem)
    }
}

impl From<PolicyError> for Problem {
    fn from(error: PolicyError) -> Self {
        match error {
            PolicyError::Unknown => {
                Self::new(&problem::NOT_FOUND, "There is no such policy here, or it is not yours to see.")
            }
            PolicyError::Active(number) => Self::new(
                &problem::POLICY_ACTIVE,
                format!("Version {number} is in force already; nothing was changed."),
            ),
            PolicyError::NotActive(number) => Self::new(
                &problem::POLICY_NOT_ACTIVE,
                format!("Version {number} is not in force, so it cannot be taken out of force."),
            ),
            PolicyError::Invalid(faults) => {
                let detail = format!(
                    "{faults}. Mend the modules and send them again; what is in force stays in force."
                );
                Self::new(&problem::INVALID_POLICY, detail).with_errors(errors(&faults))
            }
            PolicyError::Field { field, reason } => {
                Self::new(&problem::VALIDATION_FAILED, "Mend the fields named in errors.")
                    .with_error(field, reason)
            }
            PolicyError::Refused(problem) => problem,
            PolicyError::Db(error) => error.into(),
            PolicyError::Commit(error) => error.into(),
            PolicyError::Ledger(error) => error.into(),
            PolicyError::Secrets(error) => error.into(),
            PolicyError::Sealed(error) => Self::internal(error),
        }
    }
}

/// `field` is the module with line and column, as editors understand it.
pub(crate) fn errors(faults: &Faults) -> Vec<FieldError> {
    let field = |fault: &rego::Fault| match (fault.path.as_str(), fault.line) {
        ("", _) => "/modules".to_owned(),
        (path, 0) => path.to_owned(),
        (path, line) => format!("{path}:{line}:{}", fault.column),
    };
    faults.0.iter().map(|fault| FieldError { field: field(fault), reason: fault.message.clone() }).collect()
}
