//! Collections, files and what they are made of.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use types::{CollectionId, FileId, FileLinkId, FileVersionId, GroupId, Id, OrgId, Timestamp, UploadId, Uuid};
use utoipa::ToSchema;
use web::{Object, Precondition, PrincipalId, Visible};

use crate::words::{CollectionName, ContentType, FileName, TypePattern};

/// Bytes of one file: a tebibyte.
pub(crate) const LARGEST_FILE: i64 = 1 << 40;
/// Bytes of a file's metadata as JSON.
pub(crate) const LARGEST_METADATA: usize = 16 * 1024;

/// Who may read a file besides its owner and those with the right to all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = FileVisibility)]
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

    const fn visible(self) -> Visible {
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
pub(crate) struct Collection {
    pub(crate) id: CollectionId,
    pub(crate) org: OrgId,
    pub(crate) name: CollectionName,
    pub(crate) description: String,
    pub(crate) owner: PrincipalId,
    pub(crate) default_visibility: Visibility,
    /// Of metadata.
    pub(crate) schema: Option<Value>,
    /// Whether metadata that does not match the schema is refused, or kept and marked.
    pub(crate) strict: bool,
    pub(crate) quota_files: i64,
    /// Of all versions, and of uploads under way at their full size.
    pub(crate) quota_bytes: i64,
    /// Of each file, the present one among them.
    pub(crate) versions_kept: i64,
    pub(crate) largest_file: Option<i64>,
    /// Every type, if there is none.
    pub(crate) content_types: Vec<TypePattern>,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    pub(crate) revision: i64,
    pub(crate) usage: Usage,
}

/// How full a collection is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    pub(crate) files: i64,
    pub(crate) bytes: i64,
    pub(crate) uploads: i64,
    pub(crate) revision: i64,
}

impl Collection {
    /// That there is a collection is no secret; what it holds may be.
    pub(crate) fn object(&self) -> Object<'_> {
        Object {
            selector: self.name.as_str().into(),
            owner: Some(self.owner.uuid()),
            visible: Visible::Organization,
            ..Object::default()
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct File {
    pub(crate) id: FileId,
    pub(crate) name: FileName,
    pub(crate) description: String,
    /// An object.
    pub(crate) metadata: Value,
    pub(crate) tags: Vec<String>,
    /// By the collection's schema, when the metadata was written.
    pub(crate) is_valid: bool,
    pub(crate) visibility: Visibility,
    pub(crate) owner: PrincipalId,
    pub(crate) group: Option<GroupId>,
    pub(crate) content: Content,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    pub(crate) updated_by: String,
    pub(crate) revision: i64,
}

/// What a version holds.
#[derive(Clone, Debug)]
pub(crate) struct Content {
    pub(crate) version: FileVersionId,
    pub(crate) number: i64,
    pub(crate) content_type: ContentType,
    pub(crate) size: i64,
    pub(crate) sha256: [u8; 32],
}

impl File {
    /// `collection/name`: the selector of permissions.
    pub(crate) fn path(&self, collection: &Collection) -> String {
        format!("{}/{}", collection.name, self.name)
    }

    pub(crate) fn object(&self, collection: &Collection) -> Object<'static> {
        object(self.path(collection), self.owner.uuid(), self.group, self.visibility)
    }

    /// What policies may know of it.
    pub(crate) fn attributes(&self, collection: &Collection) -> Value {
        serde_json::json!({
            "collection": collection.name,
            "name": self.name,
            "owner": self.owner.to_string(),
            "tags": self.tags,
            "visibility": self.visibility.name(),
            "content_type": self.content.content_type,
            "size": self.content.size,
            "metadata": self.metadata,
        })
    }
}

/// A version as it stands in the list, with who might read it when it was the present one.
#[derive(Clone, Debug)]
pub(crate) struct Version {
    pub(crate) content: Content,
    pub(crate) visibility: Visibility,
    pub(crate) owner: Uuid,
    pub(crate) group: Option<GroupId>,
    pub(crate) written_at: Timestamp,
    pub(crate) written_by: String,
}

impl Version {
    pub(crate) fn object(&self, path: String) -> Object<'static> {
        object(path, self.owner, self.group, self.visibility)
    }
}

/// A part of a content: one blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Chunk {
    pub(crate) start: i64,
    pub(crate) size: i64,
    pub(crate) sha256: [u8; 32],
}

/// What is said of a file while it is written; what is left out stays, or has its default.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Wish {
    pub(crate) description: Option<String>,
    pub(crate) tags: Option<Vec<String>>,
    pub(crate) visibility: Option<Visibility>,
    pub(crate) group: Option<GroupId>,
    pub(crate) metadata: Option<Value>,
}

/// An upload under way.
#[derive(Clone, Debug)]
pub(crate) struct Upload {
    pub(crate) id: UploadId,
    pub(crate) collection: CollectionId,
    /// The version that it will be: its chunks stand under this id already.
    pub(crate) version: FileVersionId,
    pub(crate) name: FileName,
    pub(crate) content_type: ContentType,
    pub(crate) size: i64,
    pub(crate) sha256: Option<[u8; 32]>,
    pub(crate) received: i64,
    pub(crate) wish: Wish,
    pub(crate) expected: Expected,
    pub(crate) owner: PrincipalId,
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Timestamp,
}

impl Upload {
    /// The file that it would be, its uploader's.
    pub(crate) fn object(&self, collection: &Collection) -> Object<'static> {
        let path = format!("{}/{}", collection.name, self.name);
        let visibility = self.wish.visibility.unwrap_or(collection.default_visibility);
        object(path, self.owner.uuid(), self.wish.group, visibility)
    }
}

/// What the upload's beginning expected of the file, for its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Expected {
    Nothing,
    Present,
    Revision(i64),
    Absent,
}

impl From<Precondition> for Expected {
    fn from(precondition: Precondition) -> Self {
        match precondition {
            Precondition::Nothing => Self::Nothing,
            Precondition::Present => Self::Present,
            Precondition::Revision(revision) => Self::Revision(revision),
            Precondition::Absent => Self::Absent,
        }
    }
}

impl From<Expected> for Precondition {
    fn from(expected: Expected) -> Self {
        match expected {
            Expected::Nothing => Self::Nothing,
            Expected::Present => Self::Present,
            Expected::Revision(revision) => Self::Revision(revision),
            Expected::Absent => Self::Absent,
        }
    }
}

/// A link that opens one version to whoever has it.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub(crate) id: FileLinkId,
    pub(crate) version: FileVersionId,
    pub(crate) maker: PrincipalId,
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Timestamp,
    pub(crate) uses: i64,
    pub(crate) last_used_at: Option<Timestamp>,
}

fn object(path: String, owner: Uuid, group: Option<GroupId>, visibility: Visibility) -> Object<'static> {
    Object { selector: path.into(), is: None, owner: Some(owner), group, visible: visibility.visible() }
}

/// `user` or `agent` with its UUID, as two columns keep it.
pub(crate) fn principal(kind: &str, id: Uuid) -> PrincipalId {
    match kind {
        "agent" => PrincipalId::Agent(Id::from_uuid(id)),
        _ => PrincipalId::User(Id::from_uuid(id)),
    }
}
