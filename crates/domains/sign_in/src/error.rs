//! What can go wrong while somebody signs in. Outward every refusal reads the same; why, the ledger knows.

use db::{CommitError, DbError};
use ledger::LedgerError;
use people::PeopleError;
use problem::{
    FieldError, NOT_FOUND, PROVIDER_DISABLED, Problem, RATE_LIMITED, SIGN_IN_REFUSED, SIGN_IN_UNAVAILABLE,
    VALIDATION_FAILED,
};
use secrets::{OpenError, SecretsError};

/// Why somebody was not let in: for the ledger, never for the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    WrongProof,
    /// The state is unknown, used, tried too often or too old.
    NoState,
    UnknownPerson,
    Suspended,
    NotAMember,
    /// The address lies outside of the provider's allowed domains.
    OtherDomain,
    /// Somebody else has the address that the provider asserts.
    EmailTaken,
}

impl Reason {
    pub const fn text(self) -> &'static str {
        match self {
            Self::WrongProof => "wrong proof",
            Self::NoState => "no open sign-in",
            Self::UnknownPerson => "unknown person",
            Self::Suspended => "suspended",
            Self::NotAMember => "not a member",
            Self::OtherDomain => "domain not allowed",
            Self::EmailTaken => "address belongs to somebody else",
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    #[error("refused: {}", .0.text())]
    Refused(Reason),
    #[error("no such provider")]
    UnknownProvider,
    #[error("the provider is switched off")]
    Disabled,
    /// What the provider needs does not answer.
    #[error("the provider cannot be used now: {0}")]
    Unavailable(String),
    #[error("too many attempts; wait {0} s")]
    TooMany(u64),
    #[error("fields are wrong")]
    Invalid(Vec<FieldError>),
    #[error(transparent)]
    Db(#[from] DbError),
    #[error(transparent)]
    Commit(#[from] CommitError),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    People(#[from] PeopleError),
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    #[error(transparent)]
    Sealed(#[from] OpenError),
    #[error("{0}")]
    Problem(#[from] Problem),
}

impl SignInError {
    pub(crate) fn invalid(field: &str, reason: &str) -> Self {
        Self::Invalid(vec![FieldError { field: field.to_owned(), reason: reason.to_owned() }])
    }

    /// Ours, not the caller's.
    pub(crate) fn internal(context: impl std::fmt::Display) -> Self {
        Self::Problem(Problem::internal(context))
    }
}

impl From<SignInError> for Problem {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::Refused(reason) => {
                let detail = "That did not sign you in. Check what you entered, or begin anew.";
                Self::new(&SIGN_IN_REFUSED, detail).with_context(reason.text())
            }
            SignInError::UnknownProvider => Self::new(
                &NOT_FOUND,
                "There is no such sign-in provider. GET /api/v1/auth/providers lists them.",
            ),
            SignInError::Disabled => {
                Self::new(&PROVIDER_DISABLED, "This way of signing in is switched off. Choose another.")
            }
            SignInError::Unavailable(context) => {
                let detail =
                    "This way of signing in does not work at the moment. Try again, or choose another.";
                Self::new(&SIGN_IN_UNAVAILABLE, detail).with_retry_after(5).with_context(context)
            }
            SignInError::TooMany(seconds) => {
                Self::new(&RATE_LIMITED, format!("Too many attempts. Try again in {seconds} s."))
                    .with_retry_after(seconds)
            }
            SignInError::Invalid(errors) => {
                Self::new(&VALIDATION_FAILED, "Mend the fields named in errors.").with_errors(errors)
            }
            SignInError::Db(error) => error.into(),
            SignInError::Commit(error) => error.into(),
            SignInError::Ledger(error) => error.into(),
            SignInError::People(error) => error.into(),
            SignInError::Secrets(error) => error.into(),
            SignInError::Sealed(error) => Self::internal(error),
            SignInError::Problem(problem) => problem,
        }
    }
}
