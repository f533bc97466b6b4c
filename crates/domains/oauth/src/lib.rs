//! The authorization server: who gets which token, what a token lets through, and when it is void.
//!
//! Owns signing keys, issuers, the token, introspection and revocation endpoints, the check of bearer tokens, and tokens
//! for people and for runs. Rights come from `access`, agents and their proofs from `agents`, sessions from `people`; a
//! token's life is decided by the revision feed, never by a clock alone. Must not know what an operation does.

mod assertion;
mod bearer;
mod claims;
mod client;
mod error;
mod facts;
mod form;
mod import;
mod introspect;
mod issuer;
mod jobs;
mod keys;
mod live;
mod logins;
mod metadata;
mod person;
mod revoke;
mod ring;
mod routes;
mod run;
mod scope;
mod service;
mod store;
mod tally;
mod token;
mod verified;

pub use error::{KeysError, OAuthError};
pub use facts::KINDS;
pub use issuer::Issuer;
pub use keys::Keys;
pub use ring::KeyStatus;
pub use routes::routes;
pub use run::{Counted, Minted, OnBehalf, RunToken};
pub use service::{Imported, Oauth, OauthParts, OauthSettings};
