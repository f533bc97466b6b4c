//! Whether a delivery proves where it comes from. Nothing here knows an organization or a row: a hook's settings, its
//! secrets, the request, the time.

mod basic;
mod signature;

use std::time::Duration;

use axum::http::HeaderMap;
use types::{Secret, Timestamp};

use super::model::{Authentication, AuthenticationKind};

/// What a sender sent, as far as it can be signed.
pub(crate) struct Sent<'a> {
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a [u8],
    pub(crate) now: Timestamp,
    pub(crate) tolerance: Duration,
}

/// Why it is not believed; told to whoever looks after the hook, never to the sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Doubt {
    /// No signature or credentials at all, or not in their form.
    Missing,
    /// Made with another secret, or over something else.
    Wrong,
    /// Its time lies too far from ours.
    Late,
}

impl Doubt {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Missing => "signature_missing",
            Self::Wrong => "signature_wrong",
            Self::Late => "signature_late",
        }
    }
}

/// What was proved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Proof {
    /// Nothing that could be sent twice to any avail, or nothing that would tell.
    Plain,
    /// A message with a time; it must not count again until then.
    Timed { message: [u8; 32], until: Timestamp },
}

/// Holds a delivery against one of the secrets; tokens and open hooks are not decided here.
pub(crate) fn verify(
    by: &Authentication,
    secrets: &[Secret<String>],
    sent: &Sent<'_>,
) -> Result<Proof, Doubt> {
    match by.kind {
        AuthenticationKind::Hmac => signature::verify(by, secrets, sent),
        AuthenticationKind::Basic => basic::verify(by, secrets, sent.headers).map(|()| Proof::Plain),
        AuthenticationKind::Token | AuthenticationKind::None => Ok(Proof::Plain),
    }
}

/// The one value of a header; a second one is as bad as none.
fn only<'a>(headers: &'a HeaderMap, name: &str) -> Result<&'a str, Doubt> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().map_err(|_| Doubt::Missing),
        _ => Err(Doubt::Missing),
    }
}

pub(crate) use signature::key_of;
