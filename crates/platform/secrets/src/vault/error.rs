//! Why a secret could not be had from a Vault. The texts name the place, never what lies there.

#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    #[error("no Vault is set up here; the operator sets vault.address")]
    None,
    #[error("{member} {reason}")]
    Invalid { member: &'static str, reason: String },
    #[error("an organization's secrets lie in {mount}, below {below}")]
    Outside { mount: String, below: String },
    #[error("there is no {key} at {place}")]
    NotThere { place: String, key: String },
    #[error("Vault does not let the server do this at {0}; its policy must allow it")]
    Denied(String),
    #[error("somebody else changed {0} in the Vault just now; try again")]
    Changed(String),
    #[error("Vault does not accept the server's own sign-in: {0}")]
    SignIn(String),
    #[error("Vault does not answer: {0}")]
    Silent(String),
    #[error("Vault is sealed or not set up")]
    Sealed,
    /// Something else that it said.
    #[error("Vault answers {status}: {said}")]
    Other { status: u16, said: String },
}

impl VaultError {
    /// Whether it may be otherwise later, without anybody changing what was asked.
    pub fn passes(&self) -> bool {
        matches!(
            self,
            Self::Silent(_) | Self::Sealed | Self::SignIn(_) | Self::Other { .. } | Self::Changed(_)
        )
    }

    pub(super) fn label(&self) -> &'static str {
        match self {
            Self::None | Self::Invalid { .. } | Self::Outside { .. } => "refused",
            Self::NotThere { .. } => "not there",
            Self::Denied(_) => "denied",
            Self::Changed(_) => "changed",
            Self::SignIn(_) => "sign-in",
            Self::Silent(_) => "silent",
            Self::Sealed => "sealed",
            Self::Other { .. } => "other",
        }
    }
}
