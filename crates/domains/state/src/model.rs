//! Namespaces and entries.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use types::{EntryId, GroupId, Id, NamespaceId, OrgId, Timestamp, Uuid};
use utoipa::ToSchema;
use web::{Object, PrincipalId, Visible};

use crate::words::{Key, NamespaceName};

/// Bytes of one value's JSON.
pub(crate) const LARGEST_VALUE: usize = 256 * 1024;

/// Who may read an entry besides its owner and those with the right to all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = StateVisibility)]
pub enum Visibility {
    Private,
    Group,
    Organization,
}

impl Visibility {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::Group => "group",
            Self::Organization => "organization",
        }
    }

    pub(crate) const fn visible(self) -> Visible {
        match self {
            Self::Private => Visible::Nobody,
            Self::Group => Visible::Group,
            Self::Organization => Visible::Organization,
        }
    }
}

impl FromStr for Visibility {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::Private, Self::Group, Self::Organization]
            .into_iter()
            .find(|visibility| visibility.name() == text)
            .ok_or(())
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Namespace {
    pub(crate) id: NamespaceId,
    pub(crate) org: OrgId,
    pub(crate) name: NamespaceName,
    pub(crate) description: String,
    pub(crate) owner: PrincipalId,
    pub(crate) default_visibility: Visibility,
    pub(crate) schema: Option<Value>,
    /// Whether what does not match the schema is refused, or kept and marked.
    pub(crate) strict: bool,
    /// Whether values are sealed; never changes.
    pub(crate) secret: bool,
    pub(crate) ttl_seconds: Option<i64>,
    pub(crate) quota_entries: i64,
    pub(crate) quota_bytes: i64,
    pub(crate) history_depth: i64,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    pub(crate) revision: i64,
    pub(crate) usage: Usage,
}

/// How full a namespace is; of an expired entry until it is swept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    pub(crate) entries: i64,
    pub(crate) bytes: i64,
    pub(crate) revision: i64,
}

impl Namespace {
    /// That there is a namespace is no secret; what it holds may be.
    pub(crate) fn object(&self) -> Object<'_> {
        Object {
            selector: self.name.as_str().into(),
            owner: Some(self.owner.uuid()),
            visible: Visible::Organization,
            ..Object::default()
        }
    }
}

/// An entry without its value.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) id: EntryId,
    pub(crate) key: Key,
    pub(crate) size: i64,
    pub(crate) sha256: [u8; 32],
    /// By the namespace's schema, when it was written.
    pub(crate) is_valid: bool,
    pub(crate) visibility: Visibility,
    pub(crate) owner: PrincipalId,
    pub(crate) group: Option<GroupId>,
    pub(crate) description: String,
    pub(crate) tags: Vec<String>,
    /// In millionths.
    pub(crate) relevance: i64,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    pub(crate) updated_by: String,
    pub(crate) revision: i64,
}

impl Entry {
    /// `namespace/key`: the selector of permissions.
    pub(crate) fn path(&self, namespace: &Namespace) -> String {
        format!("{}/{}", namespace.name, self.key)
    }

    pub(crate) fn object(&self, namespace: &Namespace) -> Object<'static> {
        object(self.path(namespace), self.owner.uuid(), self.group, self.visibility)
    }

    /// What policies may know of it.
    pub(crate) fn attributes(&self, namespace: &Namespace) -> Value {
        serde_json::json!({
            "namespace": namespace.name,
            "secret": namespace.secret,
            "key": self.key,
            "owner": self.owner.to_string(),
            "tags": self.tags,
            "visibility": self.visibility.name(),
        })
    }

    pub(crate) fn is_live(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }
}

pub(crate) fn object(
    path: String,
    owner: Uuid,
    group: Option<GroupId>,
    visibility: Visibility,
) -> Object<'static> {
    Object { selector: path.into(), is: None, owner: Some(owner), group, visible: visibility.visible() }
}

/// A value as a row keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    /// JSON.
    Plain(String),
    Sealed(Vec<u8>),
    /// Not asked for.
    Unread,
}

/// `user` or `agent` with its UUID, as two columns keep it.
pub(crate) fn principal(kind: &str, id: Uuid) -> PrincipalId {
    match kind {
        "agent" => PrincipalId::Agent(Id::from_uuid(id)),
        _ => PrincipalId::User(Id::from_uuid(id)),
    }
}
