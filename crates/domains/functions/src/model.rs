//! Functions and their versions.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use authority::Authority;
use named_secrets::SecretName;
use packages::{Lock, Requirement};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use types::{FunctionId, FunctionVersionId, Id, OrgId, Timestamp};
use utoipa::ToSchema;
use web::{Object, PrincipalId};

use crate::outgoing::EgressRule;
use crate::rate::Rate;
use crate::retry::Retry;

/// Who may read a function besides its owner and those with the right to all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = FunctionVisibility)]
pub enum Visibility {
    Private,
    Organization,
}

impl Visibility {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::Organization => "organization",
        }
    }
}

impl FromStr for Visibility {
    type Err = Infallible;
    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(if text == "private" { Self::Private } else { Self::Organization })
    }
}

/// The languages that functions are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = FunctionRuntime)]
pub enum Runtime {
    Python,
}

impl Runtime {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Python => "python",
        }
    }
}

impl FromStr for Runtime {
    type Err = Infallible;
    fn from_str(_: &str) -> Result<Self, Infallible> {
        Ok(Self::Python)
    }
}

/// How a call gets its interpreter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = FunctionMode)]
pub enum Mode {
    /// Forked from a warm one that has loaded the module.
    Fork,
    /// One of its own, which loads the module anew.
    Cold,
}

impl Mode {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Fork => "fork",
            Self::Cold => "cold",
        }
    }
}

impl FromStr for Mode {
    type Err = Infallible;
    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(if text == "cold" { Self::Cold } else { Self::Fork })
    }
}

#[derive(Clone, Debug)]
pub struct Function {
    pub id: FunctionId,
    pub org: OrgId,
    pub namespace: String,
    pub name: String,
    pub description: String,
    pub tags: Vec<String>,
    pub visibility: Visibility,
    pub owner: PrincipalId,
    pub live_version: FunctionVersionId,
    /// Of the youngest version.
    pub last_number: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub deleted_at: Option<Timestamp>,
    pub revision: i64,
}

impl Function {
    pub fn full_name(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }

    /// What policies may know of it.
    pub(crate) fn attributes(&self) -> Value {
        serde_json::json!({
            "id": self.id,
            "owner": self.owner.to_string(),
            "tags": self.tags,
            "visibility": self.visibility.name(),
        })
    }

    pub(crate) fn object(&self) -> Object<'_> {
        Object { selector: self.full_name().into(), owner: Some(self.owner.uuid()), ..Object::default() }
    }
}

/// One immutable version.
#[derive(Clone, Debug)]
pub struct Version {
    pub id: FunctionVersionId,
    pub function: FunctionId,
    pub org: OrgId,
    /// From 1.
    pub number: i64,
    pub runtime: Runtime,
    pub mode: Mode,
    pub code: String,
    pub code_sha256: [u8; 32],
    /// A name in the code; empty: `handler`, or the function's own name.
    pub entrypoint: String,
    pub input_schema: Option<Value>,
    pub output_schema: Option<Value>,
    pub timeout_seconds: i64,
    pub memory_mb: i64,
    /// None: a failure is the end.
    pub retry: Option<Retry>,
    /// Runs of it at a time in the whole installation; `None` for as many as there are slots.
    pub concurrency: Option<i64>,
    /// How often it may start; `None` for as often as it is asked for.
    pub rate: Option<Rate>,
    /// What its token may do at the most.
    pub permissions: Authority,
    /// What its runs are given, or have put into their requests.
    pub secrets: Vec<SecretName>,
    /// What `context.http` may call; nothing without.
    pub egress: Vec<EgressRule>,
    /// Packages that it names, and what they led to.
    pub requirements: Vec<Requirement>,
    pub lock: Option<Lock>,
    /// `usr_…` or `agt_…`.
    pub author: String,
    pub created_at: Timestamp,
}

/// How a path names a function: its id, or `namespace:name`.
#[derive(Clone, Debug)]
pub enum FunctionRef {
    Id(FunctionId),
    Named { namespace: String, name: String },
}

#[derive(Debug)]
pub struct NotAReference;

impl FromStr for FunctionRef {
    type Err = NotAReference;

    fn from_str(text: &str) -> Result<Self, NotAReference> {
        if let Ok(id) = text.parse() {
            return Ok(Self::Id(id));
        }
        let (namespace, name) = text.split_once(':').ok_or(NotAReference)?;
        if is_identifier(namespace) && is_identifier(name) {
            return Ok(Self::Named { namespace: namespace.to_owned(), name: name.to_owned() });
        }
        Err(NotAReference)
    }
}

impl fmt::Display for FunctionRef {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(out),
            Self::Named { namespace, name } => write!(out, "{namespace}:{name}"),
        }
    }
}

/// `^[a-zA-Z_][a-zA-Z0-9_]*$`, at most 63 characters.
pub(crate) fn is_identifier(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && text.len() <= 63
}

/// `user` or `agent` with its UUID, as two columns keep it.
pub(crate) fn principal(kind: &str, id: types::Uuid) -> PrincipalId {
    match kind {
        "agent" => PrincipalId::Agent(Id::from_uuid(id)),
        _ => PrincipalId::User(Id::from_uuid(id)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_ids_or_names() {
        assert!(matches!("ops:report".parse(), Ok(FunctionRef::Named { .. })));
        assert!(matches!("fn_01h455vb4pex5vsknk084sn02q".parse(), Ok(FunctionRef::Id(_))));
        for bad in ["report", "ops:", ":x", "ops:a-b", "a:b:c", "agt_01h455vb4pex5vsknk084sn02q", "ops:9x"] {
            assert!(bad.parse::<FunctionRef>().is_err(), "{bad}");
        }
    }
}
