//! What can be wrong with a directory, in words for whoever set it up.

use egress::EgressError;
use ldap3::{LdapError, LdapResult};

use crate::{Reason, SignInError};

#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    /// Or there is nobody of that name.
    #[error("name or password is wrong")]
    WrongPassword,
    #[error("several entries fit; the filter must find one")]
    Ambiguous,
    #[error("the directory refuses the service account")]
    Service,
    #[error("the entry has no {0}, by which it is known again")]
    NoId(String),
    #[error("the directory did not answer in time")]
    Silent,
    #[error("the certificate is not accepted: {0}")]
    Certificate(String),
    #[error("the directory refuses: {text} ({code})")]
    Refused { code: u32, text: String },
    #[error("the connection does not work: {0}")]
    Broken(String),
    #[error(transparent)]
    Egress(#[from] EgressError),
}

impl Trouble {
    /// A wrong password of the service account is nobody's who signs in.
    pub(crate) fn of_service(self) -> Self {
        match self {
            Self::WrongPassword => Self::Service,
            other => other,
        }
    }
}

impl From<LdapError> for Trouble {
    fn from(error: LdapError) -> Self {
        if let LdapError::LdapResult { result } = error {
            return result.into();
        }
        let text = error.to_string();
        // The TLS library's own error is inside of the connection's.
        match text.contains("certificate") {
            true => Self::Certificate(text),
            false => Self::Broken(text),
        }
    }
}

impl From<LdapResult> for Trouble {
    fn from(result: LdapResult) -> Self {
        Self::Refused { code: result.rc, text: result.text }
    }
}

impl From<Trouble> for SignInError {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::WrongPassword => Self::Refused(Reason::WrongProof),
            Trouble::Ambiguous => {
                tracing::warn!("a sign-in was refused: {trouble}");
                Self::Refused(Reason::UnknownPerson)
            }
            other => Self::Unavailable(other.to_string()),
        }
    }
}
