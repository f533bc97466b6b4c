//! Collections, files, uploads and links as the outside sees them.

use serde::Serialize;
use serde_json::Value;
use types::{CollectionId, FileId, FileLinkId, FileVersionId, GroupId, Timestamp, UploadId};
use utoipa::ToSchema;

use crate::links::Shown;
use crate::model::{Collection, File, Link, Version, Visibility};
use crate::uploads::Standing;
use crate::words::{CollectionName, ContentType, FileName, TypePattern};
use crate::writes::Outcome;

#[derive(Serialize, ToSchema)]
#[schema(as = FileCollectionView)]
pub struct CollectionView {
    pub id: CollectionId,
    pub name: CollectionName,
    pub description: String,
    /// `usr_…` or `agt_…`.
    pub owner: String,
    pub default_visibility: Visibility,
    /// Of metadata.
    #[schema(value_type = Option<Value>)]
    pub schema: Option<Value>,
    pub strict: bool,
    pub quota_files: i64,
    pub quota_bytes: i64,
    pub versions_kept: i64,
    pub max_file_bytes: Option<i64>,
    pub content_types: Vec<TypePattern>,
    pub files: i64,
    /// Of every version, and of uploads under way at their full size.
    pub bytes: i64,
    /// Under way.
    pub uploads: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub revision: i64,
}

impl From<Collection> for CollectionView {
    fn from(collection: Collection) -> Self {
        Self {
            id: collection.id,
            name: collection.name,
            description: collection.description,
            owner: collection.owner.to_string(),
            default_visibility: collection.default_visibility,
            schema: collection.schema,
            strict: collection.strict,
            quota_files: collection.quota_files,
            quota_bytes: collection.quota_bytes,
            versions_kept: collection.versions_kept,
            max_file_bytes: collection.largest_file,
            content_types: collection.content_types,
            files: collection.usage.files,
            bytes: collection.usage.bytes,
            uploads: collection.usage.uploads,
            created_at: collection.created_at,
            updated_at: collection.updated_at,
            revision: collection.revision,
        }
    }
}

#[derive(Serialize, ToSchema)]
pub struct FileView {
    pub id: FileId,
    pub collection: CollectionName,
    pub name: FileName,
    pub description: String,
    #[schema(value_type = Object)]
    pub metadata: Value,
    pub tags: Vec<String>,
    /// Whether the metadata matched the collection's schema when it was written.
    pub valid: bool,
    pub visibility: Visibility,
    /// `usr_…` or `agt_…`.
    pub owner: String,
    pub group: Option<GroupId>,
    /// The present one.
    pub version: FileVersionId,
    /// How many versions there have been.
    pub number: i64,
    pub content_type: ContentType,
    pub size: i64,
    /// In hexadecimal.
    pub sha256: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// `usr_…` or `agt_…`.
    pub updated_by: String,
    /// Grows with every change, not always by one.
    pub revision: i64,
}

impl FileView {
    pub(crate) fn new(collection: &Collection, file: File) -> Self {
        Self {
            id: file.id,
            collection: collection.name.clone(),
            name: file.name,
            description: file.description,
            metadata: file.metadata,
            tags: file.tags,
            valid: file.is_valid,
            visibility: file.visibility,
            owner: file.owner.to_string(),
            group: file.group,
            version: file.content.version,
            number: file.content.number,
            content_type: file.content.content_type,
            size: file.content.size,
            sha256: hex::encode(file.content.sha256),
            created_at: file.created_at,
            updated_at: file.updated_at,
            updated_by: file.updated_by,
            revision: file.revision,
        }
    }
}

impl From<Outcome> for FileView {
    fn from(outcome: Outcome) -> Self {
        Self::new(&outcome.collection, outcome.file)
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = FileVersionView)]
pub struct VersionView {
    pub id: FileVersionId,
    pub number: i64,
    pub content_type: ContentType,
    pub size: i64,
    /// In hexadecimal.
    pub sha256: String,
    /// Who might read it besides its owner while it was the present one.
    pub visibility: Visibility,
    pub written_at: Timestamp,
    /// `usr_…` or `agt_…`.
    pub written_by: String,
}

impl From<Version> for VersionView {
    fn from(version: Version) -> Self {
        Self {
            id: version.content.version,
            number: version.content.number,
            content_type: version.content.content_type,
            size: version.content.size,
            sha256: hex::encode(version.content.sha256),
            visibility: version.visibility,
            written_at: version.written_at,
            written_by: version.written_by,
        }
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = FileUploadView)]
pub struct UploadView {
    pub id: UploadId,
    pub collection: CollectionName,
    pub name: FileName,
    pub content_type: ContentType,
    pub size: i64,
    /// How much has arrived and is kept: where the next part begins.
    pub offset: i64,
    pub complete: bool,
    /// When it is given up, if no further part arrives.
    pub expires_at: Timestamp,
    /// What it became, once it is complete.
    pub file: Option<FileView>,
}

impl From<Standing> for UploadView {
    fn from(standing: Standing) -> Self {
        let Standing { collection, upload, file } = standing;
        Self {
            id: upload.id,
            collection: collection.name,
            name: upload.name,
            content_type: upload.content_type,
            size: upload.size,
            offset: upload.received,
            complete: file.is_some(),
            expires_at: upload.expires_at,
            file: file.map(FileView::from),
        }
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = FileLinkView)]
pub struct LinkView {
    pub id: FileLinkId,
    pub version: FileVersionId,
    /// Who made it: `usr_…` or `agt_…`. It opens only while they may read the file.
    pub made_by: String,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    /// How often it was opened.
    pub uses: i64,
    pub last_used_at: Option<Timestamp>,
}

impl From<Link> for LinkView {
    fn from(link: Link) -> Self {
        Self {
            id: link.id,
            version: link.version,
            made_by: link.maker.to_string(),
            created_at: link.created_at,
            expires_at: link.expires_at,
            uses: link.uses,
            last_used_at: link.last_used_at,
        }
    }
}

/// A link just made, or just ended.
#[derive(Serialize, ToSchema)]
#[schema(as = FileLinkShown)]
pub struct LinkShown {
    pub id: FileLinkId,
    pub collection: CollectionName,
    pub name: FileName,
    pub version: FileVersionId,
    pub expires_at: Timestamp,
    /// Whoever has it may read the version. Shown once; null of a link that was ended.
    pub url: Option<String>,
}

impl From<Shown> for LinkShown {
    fn from(shown: Shown) -> Self {
        let Shown { link, file, collection, url } = shown;
        Self {
            id: link.id,
            collection: collection.name,
            name: file.name,
            version: link.version,
            expires_at: link.expires_at,
            url,
        }
    }
}
