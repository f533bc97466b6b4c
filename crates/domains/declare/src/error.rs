//! What can go wrong with a file of configuration.

use db::DbError;
use ledger::LedgerError;
use problem::{CONFIG_INVALID, MANAGED_ELSEWHERE, Problem};
use secrets::{OpenError, SecretsError};

use crate::model::{ChangeView, Finding};

#[derive(Debug, thiserror::Error)]
pub enum DeclareError {
    #[error("{} findings", .0.len())]
    Invalid(Vec<Finding>),
    #[error("{} things belong to other files", .0.len())]
    Elsewhere(Vec<ChangeView>),
    #[error(transparent)]
    Refused(#[from] Problem),
    #[error(transparent)]
    Db(#[from] DbError),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    #[error(transparent)]
    Sealed(#[from] OpenError),
}

impl From<DeclareError> for Problem {
    fn from(error: DeclareError) -> Self {
        match error {
            DeclareError::Invalid(findings) => {
                let detail = "Nothing was changed. Mend the document where `findings` point to.";
                Self::new(&CONFIG_INVALID, detail).with_member("findings", listed(&findings))
            }
            DeclareError::Elsewhere(conflicts) => {
                let detail = "Nothing was changed. These things come from other files: change them there, or apply with `force`.";
                Self::new(&MANAGED_ELSEWHERE, detail).with_member("conflicts", listed(&conflicts))
            }
            DeclareError::Refused(problem) => problem,
            DeclareError::Db(error) => error.into(),
            DeclareError::Ledger(error) => error.into(),
            DeclareError::Secrets(error) => error.into(),
            DeclareError::Sealed(error) => Self::internal(error),
        }
    }
}

pub(crate) fn listed(items: &impl serde::Serialize) -> serde_json::Value {
    serde_json::to_value(items).unwrap_or_default()
}
