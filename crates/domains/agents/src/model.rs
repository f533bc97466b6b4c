//! Agents and their credentials.

use std::sync::Arc;

use authority::Permission;
use crypto::jwk::Jwk;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use types::{AgentId, CredentialId, GroupId, Id, InvalidId, Name, OrgId, Timestamp, UserId, Uuid};
use web::{Object, Visible};

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($variant:ident = $word:literal,)+ })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub enum $name {
            $(#[serde(rename = $word)] $variant,)+
        }

        impl $name {
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .enum_values(Some([$($word),+]))
                    .into()
            }
        }

        impl utoipa::ToSchema for $name {
            fn name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
        }

        impl std::str::FromStr for $name {
            type Err = ();
            fn from_str(text: &str) -> Result<Self, ()> {
                match text { $($word => Ok(Self::$variant),)+ _ => Err(()) }
            }
        }
    )+};
}

words! {
    /// `pending`, where the organization approves its agents, → `active` ⇄ `suspended` → `decommissioned`, which is final.
    Status { Pending = "pending", Active = "active", Suspended = "suspended", Decommissioned = "decommissioned", }
    /// What an agent is for; descriptive.
    AgentType {
        Screener = "screener",
        Classifier = "classifier",
        Orchestrator = "orchestrator",
        Extractor = "extractor",
        Summarizer = "summarizer",
        Router = "router",
        Monitor = "monitor",
        Custom = "custom",
    }
    DeploymentEnv { Development = "development", Staging = "staging", Production = "production", }
    /// Who may find the agent; widens reading only.
    Visibility { Private = "private", Group = "group", Organization = "organization", Public = "public", }
    CredentialKind { Secret = "secret", PublicKey = "public_key", }
    CredentialStatus { Active = "active", Revoked = "revoked", }
}

/// The version of an agent that names none.
pub(crate) const FIRST_VERSION: &str = "0.1.0";

macro_rules! unless_said {
    ($($name:ident::$variant:ident;)+) => {$(
        impl Default for $name {
            fn default() -> Self {
                Self::$variant
            }
        }
    )+};
}

unless_said! {
    AgentType::Custom;
    DeploymentEnv::Development;
    Visibility::Organization;
}

impl DeploymentEnv {
    /// The mark in machine secrets.
    pub const fn mark(self) -> &'static str {
        match self {
            Self::Development => "dev",
            Self::Staging => "stg",
            Self::Production => "prd",
        }
    }
}

/// Who answers for an agent: a person, or a group of people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    User(UserId),
    Group(GroupId),
}

impl Owner {
    pub fn of(kind: &str, id: Uuid) -> Option<Self> {
        match kind {
            "user" => Some(Self::User(UserId::from_uuid(id))),
            "group" => Some(Self::Group(GroupId::from_uuid(id))),
            _ => None,
        }
    }

    pub const fn kind(self) -> &'static str {
        match self {
            Self::User(_) => "user",
            Self::Group(_) => "group",
        }
    }

    pub fn uuid(self) -> Uuid {
        match self {
            Self::User(id) => id.uuid(),
            Self::Group(id) => id.uuid(),
        }
    }

    pub const fn group(self) -> Option<GroupId> {
        match self {
            Self::User(_) => None,
            Self::Group(id) => Some(id),
        }
    }
}

impl Serialize for Owner {
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Owner {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?
            .parse()
            .map_err(|_| serde::de::Error::custom("expected the id of a user or a group, `usr_…` or `grp_…`"))
    }
}

impl utoipa::PartialSchema for Owner {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .pattern(Some("^(usr|grp)_[0-7][0-9a-hjkmnp-tv-z]{25}$"))
            .into()
    }
}

impl utoipa::ToSchema for Owner {
    fn name() -> std::borrow::Cow<'static, str> {
        "AgentOwner".into()
    }
}

impl std::fmt::Display for Owner {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::User(id) => id.fmt(out),
            Self::Group(id) => id.fmt(out),
        }
    }
}

impl std::str::FromStr for Owner {
    type Err = InvalidId;
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        match text.parse::<GroupId>() {
            Ok(id) => Ok(Self::Group(id)),
            Err(_) => text.parse().map(Self::User),
        }
    }
}

#[derive(Clone, Debug)]
pub struct Agent {
    pub id: AgentId,
    pub org: OrgId,
    pub namespace: Name,
    pub name: Name,
    pub handle: String,
    pub display_name: String,
    pub description: String,
    pub kind: AgentType,
    pub version: String,
    pub capabilities: Vec<String>,
    pub owner: Owner,
    /// What `group` reaches, and whose members a visibility of `group` shows it to.
    pub group: Option<GroupId>,
    pub deployment_env: DeploymentEnv,
    pub status: Status,
    pub visibility: Visibility,
    pub tags: Vec<String>,
    pub metadata: Map<String, Value>,
    /// Its id in the directory that it comes from; unique in the organization.
    pub external_id: Option<String>,
    pub roles: Vec<String>,
    pub permissions: Vec<Permission>,
    pub created_by: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub last_seen_at: Option<Timestamp>,
    pub revision: i64,
}

impl Agent {
    /// `namespace/name`: the selector of permissions.
    pub fn path(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }

    /// What policies may know of it.
    pub(crate) fn attributes(&self) -> Value {
        serde_json::json!({
            "id": self.id,
            "owner": self.owner,
            "env": self.deployment_env.name(),
            "kind": self.kind.name(),
            "status": self.status.name(),
            "tags": self.tags,
            "visibility": self.visibility.name(),
        })
    }

    pub fn object(&self) -> Object<'static> {
        Object {
            selector: self.path().into(),
            is: Some(self.id.uuid()),
            owner: Some(self.owner.uuid()),
            group: self.group,
            visible: match self.visibility {
                Visibility::Private => Visible::Nobody,
                Visibility::Group => Visible::Group,
                Visibility::Organization | Visibility::Public => Visible::Organization,
            },
        }
    }
}

/// What others need of an agent on each request; in memory, kept true by the feed.
#[derive(Clone, Debug)]
pub struct Standing {
    pub id: AgentId,
    pub org: OrgId,
    pub status: Status,
    pub display: Arc<str>,
    pub namespace: Arc<str>,
    pub name: Arc<str>,
    pub owner: Owner,
    pub env: DeploymentEnv,
    pub revision: i64,
}

/// How a credential proves itself.
#[derive(Clone, Debug)]
pub enum Proof {
    /// HMAC-SHA-256 of the secret under this version of the pepper.
    Secret {
        tag: [u8; 32],
        pepper_version: u32,
    },
    PublicKey {
        jwk: Box<Jwk>,
    },
}

#[derive(Clone, Debug)]
pub struct Credential {
    pub id: CredentialId,
    pub org: OrgId,
    pub agent: AgentId,
    pub label: String,
    pub proof: Proof,
    pub status: CredentialStatus,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub last_used_at: Option<Timestamp>,
    pub last_used_ip: Option<String>,
    pub revision: i64,
}

impl Credential {
    pub fn kind(&self) -> CredentialKind {
        match self.proof {
            Proof::Secret { .. } => CredentialKind::Secret,
            Proof::PublicKey { .. } => CredentialKind::PublicKey,
        }
    }

    /// Neither revoked nor past its time.
    pub fn is_usable(&self, now: Timestamp) -> bool {
        self.status == CredentialStatus::Active && self.expires_at.is_none_or(|end| now < end)
    }

    /// Credentials are the agent's own, and its owner's.
    pub fn object(&self, agent: &Agent) -> Object<'static> {
        Object {
            selector: self.id.to_string().into(),
            is: Some(agent.id.uuid()),
            owner: Some(agent.owner.uuid()),
            ..Object::default()
        }
    }
}
