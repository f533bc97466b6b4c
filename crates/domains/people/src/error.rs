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
    #[error("no such organization")]
    UnknownOrg,
    #[error("no such member")]
    UnknownMember,
    #[error("no such group")]
    UnknownGroup,
    #[error("no such domain")]
    UnknownDomain,
    #[error("no such invitation")]
    UnknownInvitation,
    #[error("the invitation was used, replaced, revoked or has expired")]
    InvalidInvitation,
    #[error("the invitation is {0}")]
    InvitationEnded(&'static str),
    #[error("the person is suspended")]
    UserSuspended,
    #[error("the person is active")]
    UserActive,
    #[error("the home organization stays")]
    HomeOrg,
    #[error("the organization is on its way out")]
    OrgLeaving,
    #[error("the organization is active")]
    OrgActive,
    #[error("the organization has {0} active agents")]
    ActiveAgents(i64),
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
            PeopleError::UnknownOrg => {
                Self::new(&problem::NOT_FOUND, "There is no such organization, or it is not yours to see.")
            }
            PeopleError::UnknownMember => {
                Self::new(&problem::NOT_FOUND, "There is no such person here, or it is not yours to see.")
            }
            PeopleError::UnknownGroup => {
                Self::new(&problem::NOT_FOUND, "There is no such group here, or it is not yours to see.")
            }
            PeopleError::UnknownDomain => {
                Self::new(&problem::NOT_FOUND, "There is no such domain here, or it is not yours to see.")
            }
            PeopleError::UnknownInvitation => {
                Self::new(&problem::NOT_FOUND, "There is no such invitation here, or it is not yours to see.")
            }
            PeopleError::InvalidInvitation => Self::new(
                &INVALID_LINK,
                "The link was used, replaced, taken back or has expired. Ask whoever invited you for a new one.",
            ),
            PeopleError::InvitationEnded(status) => {
                Self::new(&problem::INVITATION_ENDED, format!("The invitation is {status}. Make a new one."))
                    .with_member("invitation_status", status)
            }
            PeopleError::UserSuspended => {
                Self::new(&problem::USER_SUSPENDED, "The person is suspended already; nothing was changed.")
            }
            PeopleError::UserActive => {
                Self::new(&problem::USER_ACTIVE, "The person is active; nothing was changed.")
            }
            PeopleError::HomeOrg => {
                Self::new(&problem::HOME_ORGANIZATION, "The instance's first organization cannot be deleted.")
            }
            PeopleError::OrgLeaving => Self::new(
                &problem::ORGANIZATION_LEAVING,
                "The organization was deleted and stands in its grace. Restore it first.",
            ),
            PeopleError::OrgActive => {
                Self::new(&problem::ORGANIZATION_ACTIVE, "The organization is active; nothing was changed.")
            }
            PeopleError::ActiveAgents(count) => Self::new(
                &problem::ACTIVE_AGENTS,
                format!("{count} agents are active here. Suspend or decommission them first."),
            )
            .with_member("agents", count),
            PeopleError::Invalid { field, reason } => {
                Self::new(&problem::VALIDATION_FAILED, "Mend the fields named in errors.")
                    .with_error(field, reason)
            }
            PeopleError::Refused(problem) => problem,
            PeopleError::NoOrganization | PeopleError::Io { .. } => Self::internal(error),
            PeopleError::Db(error) => error.into(),
            PeopleError::Commit(error) => error.into(),
            PeopleError::Ledger(error) => error.into(),
            PeopleError::Secrets(error) => error.into(),
        }
    }
}
