//! Public keys as JWK (RFC 7517, 7518 §6, 8037) and their thumbprints (RFC 7638).
//!
//! Only what we verify with: EC P-256, OKP Ed25519, RSA of 2048 to 8192 bits. A key with private members is refused
//! whole, so that nobody uploads one unnoticed; unknown members are ignored as RFC 7517 asks.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::hash::sha256;

/// Members that must never leave their owner (RFC 7518 §6.2.2, §6.3.2, §6.4).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jwk {
    pub key: PublicKey,
    pub kid: Option<String>,
    pub alg: Option<String>,
    /// Written as `use`.
    pub usage: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublicKey {
    P256 {
        x: [u8; 32],
        y: [u8; 32],
    },
    Ed25519 {
        x: [u8; 32],
    },
    /// Big-endian without leading zeros.
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JwkError {
    #[error("the key contains the private member `{0}`; send the public key only, and replace this one")]
    Private(String),
    #[error("the member `{0}` appears twice")]
    Repeated(String),
    #[error("the member `{0}` is missing")]
    Missing(&'static str),
    #[error("the member `{0}` is no canonical base64url of the right length")]
    Malformed(&'static str),
    #[error("only EC P-256, OKP Ed25519 and RSA keys are accepted")]
    Unsupported,
    #[error("RSA keys need 2048 to 8192 bits and an odd exponent from 3 to 2^32")]
    RsaSize,
}

impl Jwk {
    pub fn new(key: PublicKey) -> Self {
        Self { key, kid: None, alg: None, usage: None }
    }

    /// RFC 7638 with SHA-256, in base64url.
    pub fn thumbprint(&self) -> String {
        let members: Vec<_> =
            self.key.members().into_iter().map(|(name, value)| format!(r#""{name}":"{value}""#)).collect();
        URL_SAFE_NO_PAD.encode(sha256(format!("{{{}}}", members.join(",")).as_bytes()))
    }
}

impl PublicKey {
    /// The required members in the order of RFC 7638 §3.2; no value needs escaping.
    fn members(&self) -> Vec<(&'static str, String)> {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        match self {
            Self::P256 { x, y } => {
                vec![("crv", "P-256".into()), ("kty", "EC".into()), ("x", text(x)), ("y", text(y))]
            }
            Self::Ed25519 { x } => vec![("crv", "Ed25519".into()), ("kty", "OKP".into()), ("x", text(x))],
            Self::Rsa { n, e } => vec![("e", text(e)), ("kty", "RSA".into()), ("n", text(n))],
        }
    }

    pub(crate) fn rsa(n: Vec<u8>, e: Vec<u8>) -> Result<Self, JwkError> {
        let zeros = n.first().map_or(0, |byte| byte.leading_zeros() as usize);
        let bits = n.len() * 8 - zeros;
        let exponent = e.iter().try_fold(0_u32, |sum, byte| Some(sum.checked_mul(256)? | u32::from(*byte)));
        let padded = n.first() == Some(&0) || e.first() == Some(&0);
        match exponent {
            Some(3..)
                if !padded && (2048..=8192).contains(&bits) && e.last().is_some_and(|last| last & 1 == 1) =>
            {
                Ok(Self::Rsa { n, e })
            }
            _ => Err(JwkError::RsaSize),
        }
    }
}

impl Serialize for Jwk {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let mut map = out.serialize_map(None)?;
        for (name, value) in self.key.members() {
            map.serialize_entry(name, &value)?;
        }
        for (name, value) in [("kid", &self.kid), ("alg", &self.alg), ("use", &self.usage)] {
            if let Some(value) = value {
                map.serialize_entry(name, value)?;
            }
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Jwk {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Jwk;
            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a public JSON Web Key")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Jwk, A::Error> {
                let mut members = Members::default();
                while let Some(name) = map.next_key::<String>()? {
                    match members.slot(&name).map_err(A::Error::custom)? {
                        Some(slot) => *slot = Some(map.next_value()?),
                        None => drop(map.next_value::<IgnoredAny>()?),
                    }
                }
                members.key().map_err(A::Error::custom)
            }
        }
        from.deserialize_map(Object)
    }
}

#[derive(Default)]
struct Members {
    kty: Option<String>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
    n: Option<String>,
    e: Option<String>,
    kid: Option<String>,
    alg: Option<String>,
    usage: Option<String>,
}

impl Members {
    /// Where the member's text goes; none for a member that is ignored.
    fn slot(&mut self, name: &str) -> Result<Option<&mut Option<String>>, JwkError> {
        if PRIVATE.contains(&name) {
            return Err(JwkError::Private(name.to_owned()));
        }
        let slot = match name {
            "kty" => &mut self.kty,
            "crv" => &mut self.crv,
            "x" => &mut self.x,
            "y" => &mut self.y,
            "n" => &mut self.n,
            "e" => &mut self.e,
            "kid" => &mut self.kid,
            "alg" => &mut self.alg,
            "use" => &mut self.usage,
            _ => return Ok(None),
        };
        if slot.is_some() { Err(JwkError::Repeated(name.to_owned())) } else { Ok(Some(slot)) }
    }

    fn key(self) -> Result<Jwk, JwkError> {
        let kty = self.kty.ok_or(JwkError::Missing("kty"))?;
        let key = match (kty.as_str(), self.crv.as_deref()) {
            ("EC", Some("P-256")) => PublicKey::P256 { x: array("x", self.x)?, y: array("y", self.y)? },
            ("OKP", Some("Ed25519")) => PublicKey::Ed25519 { x: array("x", self.x)? },
            ("RSA", None) => PublicKey::rsa(bytes("n", self.n)?, bytes("e", self.e)?)?,
            ("EC" | "OKP", None) => return Err(JwkError::Missing("crv")),
            _ => return Err(JwkError::Unsupported),
        };
        Ok(Jwk { key, kid: self.kid, alg: self.alg, usage: self.usage })
    }
}

fn array(name: &'static str, text: Option<String>) -> Result<[u8; 32], JwkError> {
    bytes(name, text)?.try_into().map_err(|_| JwkError::Malformed(name))
}

fn bytes(name: &'static str, text: Option<String>) -> Result<Vec<u8>, JwkError> {
    let text = text.ok_or(JwkError::Missing(name))?;
    URL_SAFE_NO_PAD.decode(text).map_err(|_| JwkError::Malformed(name))
}

impl utoipa::PartialSchema for Jwk {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        use utoipa::openapi::schema::{ObjectBuilder, Type};
        let text = || ObjectBuilder::new().schema_type(Type::String);
        let mut object = ObjectBuilder::new()
            .description(Some(
                "A public JSON Web Key: EC P-256, OKP Ed25519 or RSA; private members are refused.",
            ))
            .property("kty", text().enum_values(Some(["EC", "OKP", "RSA"])))
            .required("kty");
        for name in ["crv", "x", "y", "n", "e", "kid", "alg", "use"] {
            object = object.property(name, text());
        }
        object.into()
    }
}

impl utoipa::ToSchema for Jwk {
    fn name() -> std::borrow::Cow<'static, str> {
        "Jwk".into()
    }
}
