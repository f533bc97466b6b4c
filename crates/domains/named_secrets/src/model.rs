//! A named secret, without its value.

use std::fmt;
use std::str::FromStr;

use secrets::Reference;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};
use types::{Id, OrgId, SecretId, Timestamp, Uuid};
use web::{Object, PrincipalId};

use crate::HostPattern;

#[derive(Clone, Debug)]
pub struct NamedSecret {
    pub id: SecretId,
    pub org: OrgId,
    pub name: SecretName,
    pub description: String,
    pub owner: PrincipalId,
    /// Where the value may be sent. With any, no code ever sees it: it is put into requests to these hosts.
    pub hosts: Vec<HostPattern>,
    /// Where the value lies in a Vault; else it is sealed here.
    pub vault: Option<Reference>,
    /// How many values it has had.
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// When it got its present value.
    pub replaced_at: Timestamp,
    pub revision: i64,
}

impl NamedSecret {
    /// Whether code is never shown the value.
    pub fn is_bound(&self) -> bool {
        !self.hosts.is_empty()
    }

    pub(crate) fn object(&self) -> Object<'_> {
        Object { selector: self.name.as_str().into(), owner: Some(self.owner.uuid()), ..Object::default() }
    }

    /// What policies may know of it.
    pub(crate) fn attributes(&self) -> Value {
        json!({ "id": self.id, "owner": self.owner.to_string(), "hosts": self.hosts })
    }

    /// Where the value is kept, for facts and views.
    pub(crate) fn kept(&self) -> &'static str {
        if self.vault.is_some() { "vault" } else { "sealed" }
    }
}

/// `^[a-zA-Z_][a-zA-Z0-9_]*$`, at most 63 characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretName(String);

#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("must start with a letter or `_` and hold at most 63 of a-z, A-Z, 0-9 and `_`")]
pub struct NoName;

impl SecretName {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SecretName {
    type Err = NoName;

    fn from_str(text: &str) -> Result<Self, NoName> {
        let is_first = |byte: &u8| byte.is_ascii_alphabetic() || *byte == b'_';
        let fits = text.bytes().next().is_some_and(|byte| is_first(&byte))
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            && text.len() <= 63
            // A path names a secret by id or name.
            && text.parse::<SecretId>().is_err();
        if fits { Ok(Self(text.to_owned())) } else { Err(NoName) }
    }
}

impl fmt::Display for SecretName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl Serialize for SecretName {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for SecretName {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

/// How a path names a secret: its id or its name.
#[derive(Clone, Debug)]
pub(crate) enum SecretRef {
    Id(SecretId),
    Name(SecretName),
}

impl FromStr for SecretRef {
    type Err = NoName;

    fn from_str(text: &str) -> Result<Self, NoName> {
        match text.parse() {
            Ok(id) => Ok(Self::Id(id)),
            Err(_) => text.parse().map(Self::Name),
        }
    }
}

pub(crate) fn principal(kind: &str, id: Uuid) -> PrincipalId {
    match kind {
        "agent" => PrincipalId::Agent(Id::from_uuid(id)),
        _ => PrincipalId::User(Id::from_uuid(id)),
    }
}
