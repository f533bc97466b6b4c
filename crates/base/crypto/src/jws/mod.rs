//! Compact JWS (RFC 7515) with ES256, EdDSA and RS256.
//!
//! The algorithm always comes from the key, never from the header: a header that names another one is an error.
//! Keys named or carried by a header (`jku`, `x5u`, `jwk`, `x5c`) are never followed; such a token is refused.

mod compact;
mod sign;
mod verify;

use std::fmt;
use std::str::FromStr;

pub use compact::{Compact, Header};
pub use sign::SigningKey;
pub use verify::VerifyingKey;

/// JWS algorithms (RFC 7518 §3.1, RFC 8037 §3.1) that we sign and verify with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256; the default.
    ES256,
    /// Ed25519.
    EdDSA,
    /// RSASSA-PKCS1-v1_5 with SHA-256; for clients that know nothing else.
    RS256,
}

impl Algorithm {
    pub const ALL: [Self; 3] = [Self::ES256, Self::EdDSA, Self::RS256];

    pub const fn name(self) -> &'static str {
        match self {
            Self::ES256 => "ES256",
            Self::EdDSA => "EdDSA",
            Self::RS256 => "RS256",
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

impl FromStr for Algorithm {
    type Err = JwsError;
    fn from_str(text: &str) -> Result<Self, JwsError> {
        Self::ALL.into_iter().find(|known| known.name() == text).ok_or(JwsError::Algorithm)
    }
}

/// A key that can't be used; says what is wrong with it, never what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error("not a PKCS#8 private key that fits {0}")]
    Private(Algorithm),
    #[error("the public key is of another kind than {0} needs")]
    Kind(Algorithm),
    #[error("the public key is no valid point or modulus, or a weak one")]
    Weak,
    #[error("RSA keys need 2048 to 8192 bits and an odd exponent from 3 to 2^32")]
    RsaSize,
    #[error("no key could be generated; the system's random generator failed")]
    Generate,
}

/// Why a token was refused before or while its signature was checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JwsError {
    #[error("the token is longer than {0} bytes")]
    TooLong(usize),
    #[error("not a compact JWS: three parts in canonical base64url are needed")]
    Form,
    #[error("the header is no JSON object with text members, or repeats a member")]
    Header,
    #[error("the algorithm is missing or not one of ES256, EdDSA, RS256")]
    Algorithm,
    #[error("the header has the member `{0}`, which is never followed or understood here")]
    RefusedMember(&'static str),
    #[error("the header names {header}, but the key is for {key}")]
    AlgorithmMismatch { header: Algorithm, key: Algorithm },
    #[error("the signature does not verify under this key")]
    Signature,
}
