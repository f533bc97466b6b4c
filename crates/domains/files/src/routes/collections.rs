//! `/api/v1/collections`.

use axum::extract::State;
use problem::{
    COLLECTION_EXISTS, COLLECTION_NOT_EMPTY, CONFLICT, INVALID_CURSOR, INVALID_SCHEMA, STALE_REVISION,
};
use serde::Deserialize;
use serde_json::{Value, json};
use types::CollectionId;
use utoipa::ToSchema;
use web::{
    Allowed, Input, Page, Params, Patched, Refusal, Reply, Segment, Spec, leaves, operation, page, page_size,
    refuses,
};

use super::views::CollectionView;
use crate::collections::{Patch, QUOTA_BYTES, QUOTA_FILES, VERSIONS_KEPT, Wanted};
use crate::model::{Collection, Visibility};
use crate::words::{CollectionName, CollectionRef, TypePattern};
use crate::{Files, facts, store};

operation! {
    /// Makes a collection for files.
    pub CreateCollection(NewCollection) -> CollectionView = Spec::create("collections.create", "/api/v1/collections")
        .needs("files:create").facts(leaves![facts::COLLECTION_CREATED])
        .errors(refuses![COLLECTION_EXISTS, INVALID_SCHEMA])
        .example(r#"{"name": "reports", "description": "What agents found.", "default_visibility": "organization"}"#);

    /// Lists collections, newest first.
    pub ListCollections[CollectionFilter] -> Page<CollectionView> =
        Spec::get("collections.list", "/api/v1/collections").needs("files:read").errors(refuses![INVALID_CURSOR]);

    /// Shows a collection and how full it is; by id or name.
    pub GetCollection -> CollectionView =
        Spec::get("collections.get", "/api/v1/collections/{collection}").needs("files:read");

    /// Changes how a collection keeps its files (JSON Merge Patch); what it holds stays as it is.
    pub UpdateCollection(CollectionPatch) -> CollectionView =
        Spec::patch("collections.update", "/api/v1/collections/{collection}")
        .needs("files:update").facts(leaves![facts::COLLECTION_UPDATED])
        .errors(refuses![INVALID_SCHEMA, CONFLICT, STALE_REVISION])
        .example(r#"{"versions_kept": 3}"#);

    /// Removes an empty collection.
    pub DeleteCollection -> CollectionView = Spec::delete("collections.delete", "/api/v1/collections/{collection}")
        .needs("files:delete").facts(leaves![facts::COLLECTION_DELETED])
        .errors(refuses![COLLECTION_NOT_EMPTY, CONFLICT, STALE_REVISION]);
}

/// A collection and how it keeps its files.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewFileCollection)]
pub struct NewCollection {
    pub name: CollectionName,
    #[schema(max_length = 4000)]
    pub description: Option<String>,
    /// Of files that do not say; `private` if left out.
    pub default_visibility: Option<Visibility>,
    /// JSON Schema 2020-12 of metadata; refers to itself only.
    #[schema(value_type = Option<Object>)]
    pub schema: Option<Value>,
    /// Refuses metadata that does not match the schema; else it is kept and marked.
    #[serde(default)]
    pub strict: bool,
    /// 10,000 if left out.
    #[schema(minimum = 1, maximum = 10000000)]
    pub quota_files: Option<i64>,
    /// Of every version, and of uploads under way at their full size; 1 GiB if left out.
    #[schema(minimum = 1, maximum = 17592186044416_i64)]
    pub quota_bytes: Option<i64>,
    /// Versions of a file that are kept, the present one among them; 10 if left out.
    #[schema(minimum = 1, maximum = 100)]
    pub versions_kept: Option<i64>,
    /// As large as the quota lets it, if left out.
    #[schema(minimum = 1, maximum = 1099511627776_i64)]
    pub max_file_bytes: Option<i64>,
    /// Content types that are kept, such as `text/csv` or `image/*`; every one, if left out.
    #[serde(default)]
    #[schema(max_items = 50)]
    pub content_types: Vec<TypePattern>,
}

/// RFC 7396: what is left out stays, null gives back the default.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FileCollectionPatch)]
pub struct CollectionPatch {
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 4000)]
    pub description: Patched<String>,
    #[serde(default)]
    #[schema(value_type = Option<Visibility>)]
    pub default_visibility: Patched<Visibility>,
    /// Replaced as a whole.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub schema: Patched<Value>,
    #[serde(default)]
    #[schema(value_type = Option<bool>)]
    pub strict: Patched<bool>,
    #[serde(default)]
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 10000000)]
    pub quota_files: Patched<i64>,
    #[serde(default)]
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 17592186044416_i64)]
    pub quota_bytes: Patched<i64>,
    #[serde(default)]
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 100)]
    pub versions_kept: Patched<i64>,
    #[serde(default)]
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 1099511627776_i64)]
    pub max_file_bytes: Patched<i64>,
    #[serde(default)]
    #[schema(value_type = Option<Vec<TypePattern>>, max_items = 50)]
    pub content_types: Patched<Vec<TypePattern>>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FileCollectionFilter)]
pub struct CollectionFilter {
    /// Part of the name or description.
    pub q: Option<String>,
    /// 1 to 200; 50 if left out.
    pub limit: Option<i64>,
    pub cursor: Option<String>,
}

pub async fn create(
    State(files): State<Files>,
    allowed: Allowed<CreateCollection>,
    Input(new): Input<CreateCollection>,
) -> Result<Reply, Refusal> {
    let wanted = Wanted {
        name: new.name,
        description: new.description.unwrap_or_default(),
        default_visibility: new.default_visibility.unwrap_or(Visibility::Private),
        schema: new.schema,
        strict: new.strict,
        quota_files: new.quota_files.unwrap_or(QUOTA_FILES),
        quota_bytes: new.quota_bytes.unwrap_or(QUOTA_BYTES),
        versions_kept: new.versions_kept.unwrap_or(VERSIONS_KEPT),
        largest_file: new.max_file_bytes,
        content_types: new.content_types,
    };
    allowed.settle::<CreateCollection, _, _, _>(|| files.create_collection(&allowed, &wanted)).await
}

pub async fn list(
    State(files): State<Files>,
    allowed: Allowed<ListCollections>,
    Params(filter): Params<ListCollections>,
) -> Result<Reply, Refusal> {
    let limit = page_size(filter.limit)?;
    let before = allowed.after::<CollectionId>(filter.cursor.as_deref())?;
    let db = &files.inner().db;
    let rows = store::collections(db, &allowed, filter.q.as_deref(), before, limit + 1).await?;
    let cursor = |collection: &Collection| allowed.cursor(&[json!(collection.id)]);
    Ok(Reply::of::<ListCollections>(&page(rows, limit, cursor, CollectionView::from))?)
}

pub async fn get(
    State(files): State<Files>,
    allowed: Allowed<GetCollection>,
    Segment(of): Segment<CollectionRef>,
) -> Result<Reply, Refusal> {
    let collection = files.find_collection(&allowed, &of).await?;
    Ok(Reply::of::<GetCollection>(&CollectionView::from(collection))?)
}

pub async fn update(
    State(files): State<Files>,
    allowed: Allowed<UpdateCollection>,
    Segment(of): Segment<CollectionRef>,
    Input(patch): Input<UpdateCollection>,
) -> Result<Reply, Refusal> {
    let patch = Patch {
        description: patch.description,
        default_visibility: patch.default_visibility,
        schema: patch.schema,
        strict: patch.strict,
        quota_files: patch.quota_files,
        quota_bytes: patch.quota_bytes,
        versions_kept: patch.versions_kept,
        largest_file: patch.max_file_bytes,
        content_types: patch.content_types,
    };
    allowed.settle::<UpdateCollection, _, _, _>(|| files.update_collection(&allowed, &of, &patch)).await
}

pub async fn delete(
    State(files): State<Files>,
    allowed: Allowed<DeleteCollection>,
    Segment(of): Segment<CollectionRef>,
) -> Result<Reply, Refusal> {
    allowed.settle::<DeleteCollection, _, _, _>(|| files.delete_collection(&allowed, &of)).await
}
