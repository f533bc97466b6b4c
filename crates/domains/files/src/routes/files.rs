//! `/api/v1/collections/{collection}/files`: list, show, change, remove; versions. Names hold slashes, so the rest of the
//! path is one.

use axum::extract::State;
use problem::{
    COLLECTION_FULL, CONFLICT, INPUT_INVALID, INVALID_CURSOR, Problem, STALE_REVISION, VALIDATION_FAILED,
};
use serde::Deserialize;
use serde_json::{Value, json};
use types::{FileVersionId, GroupId};
use utoipa::ToSchema;
use web::{
    Allowed, Input, Page, Params, Patched, PrincipalId, Refusal, Reply, Segment, Segments, Spec, leaves,
    operation, page_size, refuses,
};

use super::views::{FileView, VersionView};
use crate::files::FilePatch as Patch;
use crate::model::{File, Version, Visibility};
use crate::store::{Filter, Listing};
use crate::words::{CollectionRef, FileName, Unfit};
use crate::{Files, FilesError, facts, store};

operation! {
    /// Lists the files of a collection that the caller may read, by name.
    pub ListFiles[FileFilter] -> Page<FileView> =
        Spec::get("files.list", "/api/v1/collections/{collection}/files")
        .needs("files:read").errors(refuses![INVALID_CURSOR]);

    /// Shows what is said of a file, not what it holds.
    pub GetFile -> FileView = Spec::get("files.get", "/api/v1/collections/{collection}/files/{*name}")
        .needs("files:read");

    /// Changes what is said of a file (JSON Merge Patch); members of the metadata are merged.
    pub UpdateFile(FilePatch) -> FileView =
        Spec::patch("files.update", "/api/v1/collections/{collection}/files/{*name}")
        .needs("files:update").facts(leaves![facts::FILE_UPDATED])
        .errors(refuses![INPUT_INVALID, CONFLICT, STALE_REVISION])
        .example(r#"{"description": "Checked.", "metadata": {"status": "final"}}"#);

    /// Removes a file with every version and every link to it.
    pub DeleteFile -> FileView = Spec::delete("files.delete", "/api/v1/collections/{collection}/files/{*name}")
        .needs("files:delete").facts(leaves![facts::FILE_DELETED]).errors(refuses![CONFLICT, STALE_REVISION]);

    /// Lists the versions of a file that are kept and that the caller might read then, newest first.
    pub FileVersions[VersionFilter] -> Page<VersionView> =
        Spec::get("files.versions", "/api/v1/collections/{collection}/versions/{*name}")
        .needs("files:read").errors(refuses![INVALID_CURSOR]);

    /// Makes an older version the present one again, as a version of its own.
    pub RestoreFile(Restored) -> FileView =
        Spec::post("files.restore", "/api/v1/collections/{collection}/restore/{*name}")
        .needs("files:write").facts(leaves![facts::FILE_WRITTEN])
        .errors(refuses![COLLECTION_FULL, CONFLICT, STALE_REVISION])
        .example(r#"{"version": "flv_01h455vb4pex5vsknk084sn02q"}"#);
}

/// RFC 7396: what is left out stays, null gives back the default.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FilePatch {
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 4000)]
    pub description: Patched<String>,
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>, max_items = 50)]
    pub tags: Patched<Vec<String>>,
    #[serde(default)]
    #[schema(value_type = Option<Visibility>)]
    pub visibility: Patched<Visibility>,
    #[serde(default)]
    #[schema(value_type = Option<GroupId>)]
    pub group: Patched<GroupId>,
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub metadata: Patched<Value>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FileRestored)]
pub struct Restored {
    pub version: FileVersionId,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FileFilter {
    /// What names begin with.
    pub prefix: Option<String>,
    /// Tags that a file must have all of, with commas between.
    pub tags: Option<String>,
    /// Part of name, description or metadata.
    pub q: Option<String>,
    /// `usr_…` or `agt_…`.
    pub owner: Option<String>,
    pub group: Option<GroupId>,
    pub visibility: Option<Visibility>,
    /// An RFC 6901 pointer into the metadata at which something must stand: `/status`.
    pub pointer: Option<String>,
    /// The JSON that must stand there: `"final"`, `3`, `null`.
    pub equals: Option<String>,
    /// 1 to 200; 50 if left out.
    pub limit: Option<i64>,
    pub cursor: Option<String>,
    /// Adds `total`.
    pub count: Option<bool>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FileVersionFilter)]
pub struct VersionFilter {
    /// 1 to 200; 50 if left out.
    pub limit: Option<i64>,
    pub cursor: Option<String>,
}

pub async fn list(
    State(files): State<Files>,
    allowed: Allowed<ListFiles>,
    Segment(of): Segment<CollectionRef>,
    Params(query): Params<ListFiles>,
) -> Result<Reply, Refusal> {
    let limit = page_size(query.limit)?;
    let collection = files.collection(&allowed, &of).await?;
    let keys = allowed.keys_after(query.cursor.as_deref())?;
    let filter = filter(&query)?;
    let db = &files.inner().db;
    let listing = Listing { collection: &collection, filter: &filter };
    let rows = listing.page(db, &allowed, keys.first().and_then(Value::as_str), limit + 1).await?;
    let cursor = |file: &File| allowed.cursor(&[json!(file.name)]);
    let mut page = web::page(rows, limit, cursor, |file| FileView::new(&collection, file));
    if query.count == Some(true) {
        page.total = Some(listing.count(db, &allowed).await?);
    }
    Ok(Reply::of::<ListFiles>(&page)?)
}

fn filter(query: &FileFilter) -> Result<Filter, Problem> {
    if query.equals.is_some() && query.pointer.is_none() {
        return Err(wrong("equals", "needs a pointer that says where"));
    }
    let at = match &query.pointer {
        None => None,
        Some(pointer) if !is_pointer(pointer) => {
            return Err(wrong(
                "pointer",
                "must be empty or begin with `/`, with `~0` for `~` and `~1` for `/`",
            ));
        }
        Some(pointer) => {
            let equals = query.equals.as_deref().map(|text| types::json::strict(text.as_bytes())).transpose();
            let equals = equals.map_err(|_| wrong("equals", "must be JSON: text stands in quotes"))?;
            Some((pointer.clone(), equals.map(|value| value.to_string()).unwrap_or_default()))
        }
    };
    let owner = query.owner.as_deref().map(str::parse::<PrincipalId>).transpose();
    Ok(Filter {
        prefix: query.prefix.clone(),
        tags: listed(query.tags.as_deref()),
        q: query.q.clone(),
        owner: owner
            .map_err(|_| wrong("owner", "must be the id of a user or an agent"))?
            .map(PrincipalId::uuid),
        group: query.group,
        visibility: query.visibility,
        at,
    })
}

/// Tags with commas between.
pub(super) fn listed(tags: Option<&str>) -> Vec<String> {
    let tags = tags.into_iter().flat_map(|tags| tags.split(',')).filter(|tag| !tag.is_empty());
    tags.map(str::to_owned).collect()
}

/// RFC 6901 §3.
fn is_pointer(text: &str) -> bool {
    let escaped = |part: &str| part.starts_with('0') || part.starts_with('1');
    (text.is_empty() || text.starts_with('/')) && text.split('~').skip(1).all(escaped)
}

pub(super) fn wrong(parameter: &'static str, reason: impl Into<String>) -> Problem {
    Problem::new(&VALIDATION_FAILED, "Mend the query parameters.").with_error(parameter, reason.into())
}

/// Which file a path names. A collection that cannot be does not exist; a name that cannot be is said to be one where it
/// would be made.
pub(super) fn named(path: (String, String)) -> Result<(CollectionRef, FileName), FilesError> {
    let collection = path.0.parse().map_err(|_| FilesError::UnknownCollection)?;
    let name = path.1.parse().map_err(|error: Unfit| FilesError::invalid("name", error.to_string()))?;
    Ok((collection, name))
}

pub async fn get(
    State(files): State<Files>,
    allowed: Allowed<GetFile>,
    Segments(path): Segments<(String, String)>,
) -> Result<Reply, Refusal> {
    let (of, name) = named(path)?;
    let (collection, file) = files.find(&allowed, &of, &name).await?;
    Ok(Reply::of::<GetFile>(&FileView::new(&collection, file))?)
}

pub async fn update(
    State(files): State<Files>,
    allowed: Allowed<UpdateFile>,
    Segments(path): Segments<(String, String)>,
    Input(patch): Input<UpdateFile>,
) -> Result<Reply, Refusal> {
    let (of, name) = named(path)?;
    let patch = Patch {
        description: patch.description,
        tags: patch.tags,
        visibility: patch.visibility,
        group: patch.group,
        metadata: patch.metadata,
    };
    let _turn = files.inner().turns.take(allowed.org(), [&name]).await;
    allowed.settle::<UpdateFile, _, _, _>(|| files.update(&allowed, &of, &name, &patch)).await
}

pub async fn delete(
    State(files): State<Files>,
    allowed: Allowed<DeleteFile>,
    Segments(path): Segments<(String, String)>,
) -> Result<Reply, Refusal> {
    let (of, name) = named(path)?;
    let _turn = files.inner().turns.take(allowed.org(), [&name]).await;
    allowed.settle::<DeleteFile, _, _, _>(|| files.delete(&allowed, &of, &name)).await
}

pub async fn versions(
    State(files): State<Files>,
    allowed: Allowed<FileVersions>,
    Segments(path): Segments<(String, String)>,
    Params(query): Params<FileVersions>,
) -> Result<Reply, Refusal> {
    let (of, name) = named(path)?;
    let limit = page_size(query.limit)?;
    let keys = allowed.keys_after(query.cursor.as_deref())?;
    let before = keys.first().and_then(Value::as_i64);
    let (_, file) = files.find(&allowed, &of, &name).await?;
    let rows = store::versions(&files.inner().db, &allowed, &file, before, limit + 1).await?;
    let cursor = |version: &Version| allowed.cursor(&[json!(version.content.number)]);
    Ok(Reply::of::<FileVersions>(&web::page(rows, limit, cursor, VersionView::from))?)
}

pub async fn restore(
    State(files): State<Files>,
    allowed: Allowed<RestoreFile>,
    Segments(path): Segments<(String, String)>,
    Input(body): Input<RestoreFile>,
) -> Result<Reply, Refusal> {
    let (of, name) = named(path)?;
    let fresh: FileVersionId = files.inner().world.id();
    let _turn = files.inner().turns.take(allowed.org(), [&name]).await;
    let decide = || files.restore(&allowed, &of, &name, body.version, fresh);
    allowed.settle::<RestoreFile, _, _, _>(decide).await
}
