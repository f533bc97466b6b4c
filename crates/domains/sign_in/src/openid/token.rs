//! Verifying what an issuer signed: OpenID Connect Core 1.0 §3.1.3.7, RFC 7519, RFC 8725. Pure; where keys come from and
//! whether a token was used before is asked elsewhere.

use std::time::Duration;

use crypto::jwk::Jwk;
use crypto::jws::{Compact, VerifyingKey};
use crypto::jwt::{Audience, date, some_date};
use serde::Deserialize;
use serde_json::{Map, Value};
use types::Timestamp;

use super::Trouble;

/// Longer than any with a few hundred groups.
pub(crate) const LONGEST: usize = 64 * 1024;
const LONGEST_SUBJECT: usize = 255;

/// What a token must say.
pub(crate) struct Expected<'a> {
    pub(crate) issuer: &'a str,
    /// Whom it must be meant for.
    pub(crate) audience: &'a str,
    /// Of the sign-in that it answers; none where nothing was begun here.
    pub(crate) nonce: Option<&'a str>,
    /// Whether a party that it was issued to (`azp`) must be the audience, too.
    pub(crate) is_to_us: bool,
    pub(crate) now: Timestamp,
    pub(crate) skew: Duration,
}

#[derive(Deserialize)]
struct Registered {
    iss: String,
    sub: String,
    aud: Audience,
    azp: Option<String>,
    nonce: Option<String>,
    #[serde(deserialize_with = "date")]
    exp: i64,
    #[serde(default, deserialize_with = "some_date")]
    iat: Option<i64>,
    #[serde(default, deserialize_with = "some_date")]
    nbf: Option<i64>,
}

/// The claims, once everything about the token was found right.
pub(crate) fn verify(
    token: &Compact<'_>,
    keys: &[Jwk],
    expected: &Expected<'_>,
) -> Result<Map<String, Value>, Trouble> {
    let header = token.header();
    // An access token or a logout token is signed by the same keys and says something else.
    if header.typ.is_some() && !header.is_typ("JWT") {
        return Err(Trouble::Token("it is a JWT of another type"));
    }
    let named = |key: &&Jwk| header.kid.is_none() || key.kid == header.kid;
    let fitting = keys.iter().filter(named).filter_map(|key| VerifyingKey::of(key).ok());
    let mut fitting = fitting.filter(|key| key.algorithm() == header.alg).peekable();
    if fitting.peek().is_none() {
        return Err(Trouble::Token("the issuer has no key of its name and algorithm"));
    }
    let payload = fitting.find_map(|key| token.verify_with(&key).ok());
    let payload = payload.ok_or(Trouble::Jws(crypto::jws::JwsError::Signature))?;
    let wrong = |_| Trouble::Token("a claim is missing or of another type");
    let claims: Map<String, Value> = serde_json::from_slice(payload).map_err(wrong)?;
    let registered: Registered = serde_json::from_slice(payload).map_err(wrong)?;
    registered.check(expected)?;
    Ok(claims)
}

impl Registered {
    fn check(&self, expected: &Expected<'_>) -> Result<(), Trouble> {
        let refuse = |why| Err(Trouble::Token(why));
        if self.iss != expected.issuer {
            return refuse("another issuer made it");
        }
        if self.sub.is_empty() || self.sub.len() > LONGEST_SUBJECT {
            return refuse("its subject is empty or too long");
        }
        if !self.aud.all().iter().any(|audience| audience == expected.audience) {
            return refuse("it is meant for another audience");
        }
        if expected.is_to_us {
            match &self.azp {
                Some(party) if party != expected.audience => return refuse("it was issued to another party"),
                None if self.aud.only().is_none() => {
                    return refuse("it is meant for several, and says not to whom it was issued");
                }
                _ => {}
            }
        }
        let (early, late) =
            (expected.now.minus(expected.skew).seconds(), expected.now.plus(expected.skew).seconds());
        if self.exp <= early {
            return refuse("it has expired");
        }
        if self.iat.is_some_and(|iat| iat > late) || self.nbf.is_some_and(|nbf| nbf > late) {
            return refuse("it is from the future");
        }
        match (expected.nonce, &self.nonce) {
            (Some(ours), Some(theirs)) if crypto::eq(ours.as_bytes(), theirs.as_bytes()) => Ok(()),
            (Some(_), _) => refuse("it does not answer this sign-in"),
            (None, _) => Ok(()),
        }
    }
}

/// A claim by its name, or – beginning with `/` – by a JSON pointer (RFC 6901) for those inside of others.
pub(crate) fn claim<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    let Some(path) = name.strip_prefix('/') else { return claims.get(name) };
    let (first, rest) = path.split_once('/').unwrap_or((path, ""));
    let first = claims.get(&first.replace("~1", "/").replace("~0", "~"))?;
    if rest.is_empty() { Some(first) } else { first.pointer(&format!("/{rest}")) }
}

#[cfg(test)]
mod tests;
