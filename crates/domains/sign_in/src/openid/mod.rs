//! What others say about themselves and about people: OpenID Connect Discovery 1.0, JWK sets (RFC 7517), and JWTs by them.
//! Knows no flow and no provider's settings; the kinds that stand on it are `oidc` and `external`.

mod issuers;
mod token;
mod trouble;

pub(crate) use issuers::{Issuers, Metadata, secure};
pub(crate) use token::{Expected, LONGEST, claim, verify};
pub(crate) use trouble::Trouble;
