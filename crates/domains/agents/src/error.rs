//! What can go wrong with agents.

use db::{CommitError, DbError};
use ledger::LedgerError;
use problem::Problem;

#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    #[error("no such agent")]
    Unknown,
    #[error("no such credential")]
    UnknownCredential,
    #[error("no such kill")]
    UnknownKill,
    #[error("an agent of this name exists")]
    Exists,
    #[error("the agent is {0}")]
    NotActive(&'static str),
    #[error("the agent is {0}")]
    NotSuspended(&'static str),
    #[error("the agent is {0}")]
    NotPending(&'static str),
    #[error("the agent is decommissioned")]
    Decommissioned,
    #[error("the credential is revoked")]
    CredentialRevoked,
    #[error("the agent has as many credentials as it may")]
    TooManyCredentials,
    #[error("{field}: {reason}")]
    Invalid { field: &'static str, reason: String },
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

impl From<AgentError> for Problem {
    fn from(error: AgentError) -> Self {
        match error {
            AgentError::Unknown => {
                Self::new(&problem::NOT_FOUND, "There is no such agent here, or it is not yours to see.")
            }
            AgentError::UnknownCredential => {
                Self::new(&problem::NOT_FOUND, "This agent has no such credential.")
            }
            AgentError::UnknownKill => Self::new(&problem::NOT_FOUND, "There is no such kill here."),
            AgentError::Exists => Self::new(
                &problem::AGENT_EXISTS,
                "Choose another name or namespace; names are never given out twice.",
            ),
            AgentError::NotActive(status) => Self::new(
                &problem::AGENT_NOT_ACTIVE,
                format!("The agent is {status}. Only an active agent can do this; reactivate it first."),
            )
            .with_member("agent_status", status),
            AgentError::NotSuspended(status) => Self::new(
                &problem::AGENT_NOT_SUSPENDED,
                format!("The agent is {status}; only a suspended one can be reactivated."),
            )
            .with_member("agent_status", status),
            AgentError::NotPending(status) => Self::new(
                &problem::AGENT_NOT_PENDING,
                format!("The agent is {status}; only a pending one is approved or rejected."),
            )
            .with_member("agent_status", status),
            AgentError::Decommissioned => Self::new(
                &problem::AGENT_DECOMMISSIONED,
                "The agent was retired for good. Register a new one.",
            ),
            AgentError::CredentialRevoked => Self::new(
                &problem::CREDENTIAL_REVOKED,
                "The credential is revoked already. Create a new one.",
            ),
            AgentError::TooManyCredentials => Self::new(
                &problem::TOO_MANY_CREDENTIALS,
                "The agent has 100 active credentials. Revoke those that are not used any more.",
            ),
            AgentError::Invalid { field, reason } => {
                Self::new(&problem::VALIDATION_FAILED, "Mend the fields named in errors.")
                    .with_error(field, reason)
            }
            AgentError::Refused(problem) => problem,
            AgentError::Db(error) => error.into(),
            AgentError::Commit(error) => error.into(),
            AgentError::Ledger(error) => error.into(),
        }
    }
}
