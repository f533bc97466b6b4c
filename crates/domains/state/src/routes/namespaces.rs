//! `/api/v1/state`: namespaces.

use axum::extract::State;
use problem::{
    CONFLICT, INVALID_CURSOR, INVALID_SCHEMA, NAMESPACE_EXISTS, NAMESPACE_NOT_EMPTY, STALE_REVISION,
};
use serde::Deserialize;
use serde_json::{Value, json};
use types::NamespaceId;
use utoipa::ToSchema;
use web::{
    Allowed, Input, Page, Params, Patched, Refusal, Reply, Segment, Spec, leaves, operation, page, page_size,
    refuses,
};

use super::views::NamespaceView;
use crate::model::{Namespace, Visibility};
use crate::namespaces::{Patch, QUOTA_BYTES, QUOTA_ENTRIES, Wanted};
use crate::words::{NamespaceName, NamespaceRef};
use crate::{StateStore, facts, store};

operation! {
    /// Makes a namespace for state.
    pub CreateNamespace(NewNamespace) -> NamespaceView = Spec::create("state.create", "/api/v1/state")
        .needs("state:create").facts(leaves![facts::NAMESPACE_CREATED])
        .errors(refuses![NAMESPACE_EXISTS, INVALID_SCHEMA])
        .example(r#"{"name": "notes", "description": "What agents noted.", "default_visibility": "organization", "history_depth": 10}"#);

    /// Lists namespaces, newest first.
    pub ListNamespaces[NamespaceFilter] -> Page<NamespaceView> = Spec::get("state.list", "/api/v1/state")
        .needs("state:read").errors(refuses![INVALID_CURSOR]);

    /// Shows a namespace and how full it is; by id or name.
    pub GetNamespace -> NamespaceView = Spec::get("state.get", "/api/v1/state/{namespace}").needs("state:read");

    /// Changes how a namespace keeps its entries (JSON Merge Patch); what it holds stays as it is.
    pub UpdateNamespace(NamespacePatch) -> NamespaceView = Spec::patch("state.update", "/api/v1/state/{namespace}")
        .needs("state:update").facts(leaves![facts::NAMESPACE_UPDATED])
        .errors(refuses![INVALID_SCHEMA, CONFLICT, STALE_REVISION])
        .example(r#"{"ttl_seconds": 86400}"#);

    /// Removes an empty namespace.
    pub DeleteNamespace -> NamespaceView = Spec::delete("state.delete", "/api/v1/state/{namespace}")
        .needs("state:delete").facts(leaves![facts::NAMESPACE_DELETED])
        .errors(refuses![NAMESPACE_NOT_EMPTY, CONFLICT, STALE_REVISION]);
}

/// A namespace and how it keeps its entries.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewNamespace {
    pub name: NamespaceName,
    #[schema(max_length = 4000)]
    pub description: Option<String>,
    /// Of entries that do not say; `private` if left out.
    pub default_visibility: Option<Visibility>,
    /// JSON Schema 2020-12 of values; refers to itself only.
    #[schema(value_type = Option<Object>)]
    pub schema: Option<Value>,
    /// Refuses values that do not match the schema; else they are kept and marked.
    #[serde(default)]
    pub strict: bool,
    /// Seals values: they are shown one by one, and each time leaves a fact. Never changes.
    #[serde(default)]
    pub secret: bool,
    /// How long an entry lives after it was put, if it does not say.
    #[schema(minimum = 1, maximum = 315360000)]
    pub ttl_seconds: Option<i64>,
    /// 10,000 if left out.
    #[schema(minimum = 1, maximum = 10000000)]
    pub quota_entries: Option<i64>,
    /// Of all values together; 64 MB if left out.
    #[schema(minimum = 1, maximum = 1073741824)]
    pub quota_bytes: Option<i64>,
    /// How many revisions of an entry are kept; 0, which is none, if left out.
    #[schema(minimum = 0, maximum = 100)]
    pub history_depth: Option<i64>,
}

/// RFC 7396: what is left out stays, null gives back the default.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NamespacePatch {
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
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 315360000)]
    pub ttl_seconds: Patched<i64>,
    #[serde(default)]
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 10000000)]
    pub quota_entries: Patched<i64>,
    #[serde(default)]
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 1073741824)]
    pub quota_bytes: Patched<i64>,
    #[serde(default)]
    #[schema(value_type = Option<i64>, minimum = 0, maximum = 100)]
    pub history_depth: Patched<i64>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NamespaceFilter {
    /// Part of the name or description.
    pub q: Option<String>,
    /// 1 to 200; 50 if left out.
    pub limit: Option<i64>,
    pub cursor: Option<String>,
}

pub async fn create(
    State(state): State<StateStore>,
    allowed: Allowed<CreateNamespace>,
    Input(new): Input<CreateNamespace>,
) -> Result<Reply, Refusal> {
    let wanted = Wanted {
        name: new.name,
        description: new.description.unwrap_or_default(),
        default_visibility: new.default_visibility.unwrap_or(Visibility::Private),
        schema: new.schema,
        strict: new.strict,
        secret: new.secret,
        ttl_seconds: new.ttl_seconds,
        quota_entries: new.quota_entries.unwrap_or(QUOTA_ENTRIES),
        quota_bytes: new.quota_bytes.unwrap_or(QUOTA_BYTES),
        history_depth: new.history_depth.unwrap_or(0),
    };
    allowed.settle::<CreateNamespace, _, _, _>(|| state.create_namespace(&allowed, &wanted)).await
}

pub async fn list(
    State(state): State<StateStore>,
    allowed: Allowed<ListNamespaces>,
    Params(filter): Params<ListNamespaces>,
) -> Result<Reply, Refusal> {
    let limit = page_size(filter.limit)?;
    let before = allowed.after::<NamespaceId>(filter.cursor.as_deref())?;
    let db = &state.inner().db;
    let rows = store::namespaces(db, &allowed, filter.q.as_deref(), before, limit + 1).await?;
    let cursor = |namespace: &Namespace| allowed.cursor(&[json!(namespace.id)]);
    Ok(Reply::of::<ListNamespaces>(&page(rows, limit, cursor, NamespaceView::from))?)
}

pub async fn get(
    State(state): State<StateStore>,
    allowed: Allowed<GetNamespace>,
    Segment(of): Segment<NamespaceRef>,
) -> Result<Reply, Refusal> {
    let namespace = state.find_namespace(&allowed, &of).await?;
    Ok(Reply::of::<GetNamespace>(&NamespaceView::from(namespace))?)
}

pub async fn update(
    State(state): State<StateStore>,
    allowed: Allowed<UpdateNamespace>,
    Segment(of): Segment<NamespaceRef>,
    Input(patch): Input<UpdateNamespace>,
) -> Result<Reply, Refusal> {
    let patch = Patch {
        description: patch.description,
        default_visibility: patch.default_visibility,
        schema: patch.schema,
        strict: patch.strict,
        ttl_seconds: patch.ttl_seconds,
        quota_entries: patch.quota_entries,
        quota_bytes: patch.quota_bytes,
        history_depth: patch.history_depth,
    };
    allowed.settle::<UpdateNamespace, _, _, _>(|| state.update_namespace(&allowed, &of, &patch)).await
}

pub async fn delete(
    State(state): State<StateStore>,
    allowed: Allowed<DeleteNamespace>,
    Segment(of): Segment<NamespaceRef>,
) -> Result<Reply, Refusal> {
    allowed.settle::<DeleteNamespace, _, _, _>(|| state.delete_namespace(&allowed, &of)).await
}
