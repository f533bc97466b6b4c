//! Reading compact JWS made by others.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};

use super::{Algorithm, JwsError, VerifyingKey};

/// Members that name or carry a key, or change how the token is to be read; none is ever acted on.
const REFUSED: [&str; 6] = ["crit", "b64", "jku", "jwk", "x5u", "x5c"];

/// A well-formed token whose signature has not been checked yet.
pub struct Compact<'a> {
    header: Header,
    signing_input: &'a str,
    payload: Vec<u8>,
    signature: Vec<u8>,
}

/// The members of the protected header that may be used to find a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    pub alg: Algorithm,
    pub kid: Option<String>,
    pub typ: Option<String>,
}

impl Header {
    /// Whether `typ` is this media type; `application/` may be left out and case is ignored (RFC 7515 §4.1.9).
    pub fn is_typ(&self, wanted: &str) -> bool {
        let typ = self.typ.as_deref().unwrap_or_default();
        let short = |text: &str| {
            let lower = text.to_ascii_lowercase();
            lower.strip_prefix("application/").map_or(lower.clone(), str::to_owned)
        };
        self.typ.is_some() && short(typ) == short(wanted)
    }
}

impl<'a> Compact<'a> {
    pub fn parse(token: &'a str, max_len: usize) -> Result<Self, JwsError> {
        if token.len() > max_len {
            return Err(JwsError::TooLong(max_len));
        }
        let (signing_input, signature) = token.rsplit_once('.').ok_or(JwsError::Form)?;
        let (header, payload) = signing_input.split_once('.').ok_or(JwsError::Form)?;
        let header = Header::parse(&decode(header)?)?;
        Ok(Self { header, signing_input, payload: decode(payload)?, signature: decode(signature)? })
    }

    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The payload as claimed; good for finding the issuer's key, for nothing else.
    pub fn unverified_payload(&self) -> &[u8] {
        &self.payload
    }

    /// The payload, once the signature is checked with the key's own algorithm.
    pub fn verify_with(&self, key: &VerifyingKey) -> Result<&[u8], JwsError> {
        if self.header.alg != key.algorithm() {
            return Err(JwsError::AlgorithmMismatch { header: self.header.alg, key: key.algorithm() });
        }
        key.verify(self.signing_input.as_bytes(), &self.signature)?;
        Ok(&self.payload)
    }
}

/// Unpadded base64url; leftover bits must be zero, so that a token has one text. `.` is no digit of it.
fn decode(part: &str) -> Result<Vec<u8>, JwsError> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| JwsError::Form)
}

impl Header {
    fn parse(json: &[u8]) -> Result<Self, JwsError> {
        let mut from = serde_json::Deserializer::from_slice(json);
        let members = from.deserialize_map(Object).map_err(|_| JwsError::Header)?;
        from.end().map_err(|_| JwsError::Header)?;
        if let Some(name) = members.refused {
            return Err(JwsError::RefusedMember(name));
        }
        let alg = members.alg.ok_or(JwsError::Algorithm)?.parse()?;
        Ok(Self { alg, kid: members.kid, typ: members.typ })
    }
}

#[derive(Default)]
struct Members {
    alg: Option<String>,
    kid: Option<String>,
    typ: Option<String>,
    refused: Option<&'static str>,
}

struct Object;

impl<'de> Visitor<'de> for Object {
    type Value = Members;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a JOSE header")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
        let mut members = Members::default();
        let mut seen = std::collections::BTreeSet::new();
        while let Some(name) = map.next_key::<String>()? {
            match name.as_str() {
                "alg" => members.alg = Some(map.next_value()?),
                "kid" => members.kid = Some(map.next_value()?),
                "typ" => members.typ = Some(map.next_value()?),
                other => {
                    members.refused =
                        members.refused.or(REFUSED.into_iter().find(|refused| *refused == other));
                    map.next_value::<IgnoredAny>()?;
                }
            }
            if !seen.insert(name) {
                return Err(A::Error::custom("repeated member"));
            }
        }
        Ok(members)
    }
}
