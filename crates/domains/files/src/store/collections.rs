//! SQL of collections and of how full they are.

use db::{Db, DbError, OrgScope, Row, Select, Statement, sql};
use problem::{COLLECTION_EXISTS, COLLECTION_FULL};
use types::{CollectionId, Id, OrgId};
use web::{Allowance, Columns, SelectorColumn};

use super::{part, written};
use crate::model::{Collection, Usage, principal};
use crate::words::CollectionRef;

const COLLECTION: &str = "SELECT id, name, description, owner_kind, owner, default_visibility, schema, strict, \
    quota_files, quota_bytes, versions_kept, largest_file, content_types, created_at, updated_at, \
    file_collections.revision, file_usage.files, file_usage.bytes, file_usage.uploads, file_usage.revision \
    FROM file_collections JOIN file_usage \
    ON file_usage.org = file_collections.org AND file_usage.collection = file_collections.id";

/// Where the table keeps what rights depend on.
const COLUMNS: Columns = Columns {
    selector: SelectorColumn::Path("name"),
    owner: Some("owner"),
    is: None,
    named: None,
    group: None,
    visible: Some("'organization'"),
};

fn read(org: OrgId, mut row: Row) -> Result<Collection, DbError> {
    let (id, name, description) = (row.id()?, row.parse()?, row.next()?);
    let kind: String = row.next()?;
    let owner = principal(&kind, row.next()?);
    let default_visibility = row.parse()?;
    let schema: Option<String> = row.next()?;
    let schema = schema.map(|text| serde_json::from_str(&text)).transpose();
    Ok(Collection {
        id,
        org,
        name,
        description,
        owner,
        default_visibility,
        schema: schema.map_err(|error| DbError::Internal(format!("stored schema: {error}")))?,
        strict: row.next()?,
        quota_files: row.next()?,
        quota_bytes: row.next()?,
        versions_kept: row.next()?,
        largest_file: row.next()?,
        content_types: row.json()?,
        created_at: row.next()?,
        updated_at: row.next()?,
        revision: row.next()?,
        usage: Usage { files: row.next()?, bytes: row.next()?, uploads: row.next()?, revision: row.next()? },
    })
}

pub(crate) async fn collection(
    db: &Db,
    scope: &OrgScope,
    of: &CollectionRef,
) -> Result<Option<Collection>, DbError> {
    let select = Select::new(COLLECTION).and("file_collections.org = {}", scope.org().uuid());
    let select = match of {
        CollectionRef::Id(id) => select.and("id = {}", id.uuid()),
        CollectionRef::Name(name) => select.and("name = {}", name.as_str()),
    };
    db.read_one(scope, select).await?.map(|row| read(scope.org(), row)).transpose()
}

/// Newest first.
pub(crate) async fn collections(
    db: &Db,
    by: &Allowance,
    q: Option<&str>,
    before: Option<CollectionId>,
    limit: i64,
) -> Result<Vec<Collection>, DbError> {
    let select = Select::new(COLLECTION)
        .and("file_collections.org = {}", by.org().uuid())
        .and_some("lower(name || ' ' || description) LIKE {} ESCAPE '!'", q.map(part))
        .and_some("id < {}", before.map(Id::uuid));
    let select = by.narrow(select, &COLUMNS).order("id DESC").limit(limit);
    db.read(by.scope(), select).await?.into_iter().map(|row| read(by.org(), row)).collect()
}

pub(crate) fn insert_collection(collection: &Collection) -> Statement {
    let text = "INSERT INTO file_collections (org, id, name, description, owner_kind, owner, default_visibility, \
                schema, strict, quota_files, quota_bytes, versions_kept, largest_file, content_types, created_at, \
                updated_at, revision) \
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)";
    let params = vec![
        collection.org.uuid().into(),
        collection.id.uuid().into(),
        collection.name.as_str().into(),
        (&collection.description).into(),
        collection.owner.kind().into(),
        collection.owner.uuid().into(),
        collection.default_visibility.name().into(),
        collection.schema.as_ref().map(ToString::to_string).into(),
        collection.strict.into(),
        collection.quota_files.into(),
        collection.quota_bytes.into(),
        collection.versions_kept.into(),
        collection.largest_file.into(),
        written(&collection.content_types).into(),
        collection.created_at.into(),
        collection.updated_at.into(),
        collection.revision.into(),
    ];
    sql(text, params).unique_or(&COLLECTION_EXISTS)
}

/// Writes everything that may change; `collection.revision` is the new one.
pub(crate) fn update_collection(collection: &Collection) -> Statement {
    let text = "UPDATE file_collections SET description = $3, default_visibility = $4, schema = $5, strict = $6, \
                quota_files = $7, quota_bytes = $8, versions_kept = $9, largest_file = $10, content_types = $11, \
                updated_at = $12, revision = $13 WHERE org = $1 AND id = $2 AND revision = $14";
    let params = vec![
        collection.org.uuid().into(),
        collection.id.uuid().into(),
        (&collection.description).into(),
        collection.default_visibility.name().into(),
        collection.schema.as_ref().map(ToString::to_string).into(),
        collection.strict.into(),
        collection.quota_files.into(),
        collection.quota_bytes.into(),
        collection.versions_kept.into(),
        collection.largest_file.into(),
        written(&collection.content_types).into(),
        collection.updated_at.into(),
        collection.revision.into(),
        (collection.revision - 1).into(),
    ];
    sql(text, params).fresh()
}

/// Nothing, if somebody has written since `collection` was read.
pub(crate) fn remove_collection(collection: &Collection) -> [Statement; 2] {
    let (org, id) = (collection.org.uuid(), collection.id.uuid());
    let usage = "DELETE FROM file_usage WHERE org = $1 AND collection = $2 AND revision = $3";
    [
        sql(usage, vec![org.into(), id.into(), collection.usage.revision.into()]).fresh(),
        sql("DELETE FROM file_collections WHERE org = $1 AND id = $2", vec![org.into(), id.into()]).fresh(),
    ]
}

pub(crate) fn insert_usage(collection: &Collection) -> Statement {
    let text = "INSERT INTO file_usage (org, collection, files, bytes, uploads, revision) VALUES ($1, $2, 0, 0, 0, 0)";
    sql(text, vec![collection.org.uuid().into(), collection.id.uuid().into()])
}

/// How often anything in the collection was written.
pub(crate) async fn usage(db: &Db, scope: &OrgScope, collection: CollectionId) -> Result<i64, DbError> {
    let text = "SELECT revision FROM file_usage WHERE org = $1 AND collection = $2";
    let params = vec![scope.org().uuid().into(), collection.uuid().into()];
    db.read_one(scope, sql(text, params)).await?.map_or(Ok(0), |mut row| row.next())
}

/// Uploads under way in one collection; each holds a row and a promise.
const MOST_UPLOADS: i64 = 1_000;

/// Makes the collection fuller, or emptier; what grows stays within the quota, what shrinks may always.
pub(crate) fn fill(collection: &Collection, (files, bytes, uploads): (i64, i64, i64)) -> Statement {
    let mut text = "UPDATE file_usage SET files = files + $3, bytes = bytes + $4, uploads = uploads + $5, \
                    revision = revision + 1 WHERE org = $1 AND collection = $2"
        .to_owned();
    let mut params = vec![
        collection.org.uuid().into(),
        collection.id.uuid().into(),
        files.into(),
        bytes.into(),
        uploads.into(),
    ];
    for (column, more, most) in [
        ("files", files, collection.quota_files),
        ("bytes", bytes, collection.quota_bytes),
        ("uploads", uploads, MOST_UPLOADS),
    ] {
        if more > 0 {
            params.push((most - more).into());
            text.push_str(&format!(" AND {column} <= ${}", params.len()));
        }
    }
    sql(text, params).one_row_or(&COLLECTION_FULL)
}
