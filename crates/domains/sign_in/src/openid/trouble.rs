//! What can be wrong with an issuer or with what it said. The texts are for whoever set the provider up.

use egress::EgressError;

use crate::{Reason, SignInError};

#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    #[error(transparent)]
    Egress(#[from] EgressError),
    #[error("{0} is no https address")]
    Insecure(String),
    #[error("{url} answered {status}")]
    Status { url: String, status: u16 },
    #[error("{url} did not answer the JSON that belongs there: {reason}")]
    Json { url: String, reason: String },
    #[error(
        "the document names the issuer {found:?}, not {expected:?}; the two must be the same, letter by letter"
    )]
    WrongIssuer { expected: String, found: String },
    #[error("the issuer's document lacks {0}")]
    Missing(&'static str),
    #[error("the token endpoint refused: {0}")]
    Refused(String),
    #[error("the token is not accepted: {0}")]
    Token(&'static str),
    #[error("the token is not accepted: {0}")]
    Jws(#[from] crypto::jws::JwsError),
}

impl Trouble {
    /// Whether the person's proof is bad; else it is the provider that does not work.
    fn is_proof(&self) -> bool {
        matches!(self, Self::Refused(_) | Self::Token(_) | Self::Jws(_))
    }
}

impl From<Trouble> for SignInError {
    fn from(trouble: Trouble) -> Self {
        if trouble.is_proof() {
            // Outward every refusal reads the same; whoever runs the server may want to know.
            tracing::info!(%trouble, "an identity provider's answer was refused");
            Self::Refused(Reason::WrongProof)
        } else {
            Self::Unavailable(trouble.to_string())
        }
    }
}
