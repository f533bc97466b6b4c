//! What can go wrong with roles, grants, prefixes and API keys.

use db::{CommitError, DbError};
use ledger::LedgerError;
use problem::Problem;

use crate::HolderId;

#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    #[error("no such {0}")]
    Unknown(&'static str),
    #[error("{0} is a built-in role")]
    BuiltIn(String),
    #[error("the role is held {count} times")]
    RoleInUse { count: i64, holders: Vec<HolderId> },
    #[error("the prefix is used {0} times")]
    PrefixInUse(i64),
    #[error("the key is revoked")]
    KeyRevoked,
    #[error("{field}: {reason}")]
    Invalid { field: String, reason: String },
    /// Refused by the admission or by what the caller holds.
    #[error(transparent)]
    Refused(#[from] Problem),
    #[error(transparent)]
    Db(#[from] DbError),
    #[error(transparent)]
    Commit(#[from] CommitError),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl AccessError {
    pub(crate) fn invalid(field: impl Into<String>, reason: impl ToString) -> Self {
        Self::Invalid { field: field.into(), reason: reason.to_string() }
    }
}

impl From<AccessError> for Problem {
    fn from(error: AccessError) -> Self {
        match error {
            AccessError::Unknown(what) => Self::new(
                &problem::NOT_FOUND,
                format!("There is no such {what} here, or it is not yours to see."),
            ),
            AccessError::BuiltIn(name) => Self::new(
                &problem::ROLE_BUILT_IN,
                format!("{name:?} is built in. Create a role of your own with what you want to change."),
            ),
            AccessError::RoleInUse { count, holders } => {
                let holders: Vec<String> = holders.iter().map(ToString::to_string).collect();
                let detail =
                    "Take the role from everybody who holds it first: GET /api/v1/grants?role=… lists them.";
                Self::new(&problem::ROLE_IN_USE, detail)
                    .with_member("count", count)
                    .with_member("holders", holders)
            }
            AccessError::PrefixInUse(count) => Self::new(
                &problem::PREFIX_IN_USE,
                "Take its permissions out of every grant, role and API key first.",
            )
            .with_member("count", count),
            AccessError::KeyRevoked => Self::new(&problem::API_KEY_REVOKED, "The key is revoked already."),
            AccessError::Invalid { field, reason } => {
                Self::new(&problem::VALIDATION_FAILED, "Mend the fields named.").with_error(field, reason)
            }
            AccessError::Refused(problem) => problem,
            AccessError::Db(error) => error.into(),
            AccessError::Commit(error) => error.into(),
            AccessError::Ledger(error) => error.into(),
        }
    }
}
