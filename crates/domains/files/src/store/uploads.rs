//! SQL of uploads under way and of the chunks that contents are made of.

use db::{Db, DbError, OrgScope, Row, Select, Statement, sql};
use problem::{Problem, UPLOAD_OFFSET};
use types::{FileVersionId, Id, OrgId, Timestamp, UploadId};

use super::SWEEP;
use crate::model::{Chunk, Upload, principal};

macro_rules! columns {
    () => {
        "id, collection, version, name, content_type, size, sha256, received, wish, expected, owner_kind, owner, \
         created_at, expires_at FROM file_uploads"
    };
}

fn read(row: &mut Row) -> Result<Upload, DbError> {
    let (id, collection, version, name) = (row.id()?, row.id()?, row.id()?, row.parse()?);
    let (content_type, size, sha256, received) = (row.parse()?, row.next()?, row.next()?, row.next()?);
    let (wish, expected) = (row.json()?, row.json()?);
    let kind: String = row.next()?;
    Ok(Upload {
        id,
        collection,
        version,
        name,
        content_type,
        size,
        sha256,
        received,
        wish,
        expected,
        owner: principal(&kind, row.next()?),
        created_at: row.next()?,
        expires_at: row.next()?,
    })
}

pub(crate) async fn upload(db: &Db, scope: &OrgScope, id: UploadId) -> Result<Option<Upload>, DbError> {
    let select = Select::new(concat!("SELECT ", columns!()))
        .and("org = {}", scope.org().uuid())
        .and("id = {}", id.uuid());
    db.read_one(scope, select).await?.map(|mut row| read(&mut row)).transpose()
}

/// Of every organization, the longest gone first.
pub(crate) async fn expired(db: &Db, now: Timestamp, limit: i64) -> Result<Vec<(OrgId, Upload)>, DbError> {
    let select = Select::new(concat!("SELECT org, ", columns!()))
        .and("expires_at <= {}", now)
        .order("expires_at")
        .limit(limit);
    let read = |mut row: Row| Ok((row.id()?, read(&mut row)?));
    db.read(SWEEP, select).await?.into_iter().map(read).collect()
}

pub(crate) fn insert_upload(org: OrgId, upload: &Upload) -> Result<Statement, Problem> {
    let text = "INSERT INTO file_uploads (org, id, collection, version, name, content_type, size, sha256, received, \
                wish, expected, owner_kind, owner, created_at, expires_at) \
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";
    let params = vec![
        org.uuid().into(),
        upload.id.uuid().into(),
        upload.collection.uuid().into(),
        upload.version.uuid().into(),
        upload.name.as_str().into(),
        upload.content_type.as_str().into(),
        upload.size.into(),
        upload.sha256.into(),
        upload.received.into(),
        serde_json::to_string(&upload.wish).map_err(Problem::internal)?.into(),
        serde_json::to_string(&upload.expected).map_err(Problem::internal)?.into(),
        upload.owner.kind().into(),
        upload.owner.uuid().into(),
        upload.created_at.into(),
        upload.expires_at.into(),
    ];
    Ok(sql(text, params))
}

/// A chunk more; refused if the upload stands elsewhere by now, or is gone.
pub(crate) fn advance(org: OrgId, upload: &Upload, from: i64, chunk: &Chunk) -> Statement {
    let text = "UPDATE file_uploads SET received = received + $4 \
                WHERE org = $1 AND id = $2 AND received = $3";
    let params = vec![org.uuid().into(), upload.id.uuid().into(), from.into(), chunk.size.into()];
    sql(text, params).one_row_or(&UPLOAD_OFFSET)
}

/// The row goes, if nothing has arrived since it was read.
pub(crate) fn end_upload(org: OrgId, upload: &Upload) -> Statement {
    let text = "DELETE FROM file_uploads WHERE org = $1 AND id = $2 AND received = $3";
    sql(text, vec![org.uuid().into(), upload.id.uuid().into(), upload.received.into()]).fresh()
}

pub(crate) fn insert_chunk(org: OrgId, version: FileVersionId, chunk: &Chunk) -> Statement {
    let text = "INSERT INTO file_chunks (org, version, start, size, sha256) VALUES ($1, $2, $3, $4, $5)";
    let params = vec![
        org.uuid().into(),
        version.uuid().into(),
        chunk.start.into(),
        chunk.size.into(),
        chunk.sha256.into(),
    ];
    sql(text, params)
}

pub(crate) fn copy_chunks(org: OrgId, from: FileVersionId, to: FileVersionId) -> Statement {
    let text = "INSERT INTO file_chunks (org, version, start, size, sha256) \
                SELECT org, $3, start, size, sha256 FROM file_chunks WHERE org = $1 AND version = $2";
    sql(text, vec![org.uuid().into(), from.uuid().into(), to.uuid().into()])
}

pub(crate) fn remove_chunks(org: OrgId, version: FileVersionId) -> Statement {
    let text = "DELETE FROM file_chunks WHERE org = $1 AND version = $2";
    sql(text, vec![org.uuid().into(), version.uuid().into()])
}

const CHUNK: &str = "SELECT start, size, sha256 FROM file_chunks";

fn chunk(mut row: Row) -> Result<Chunk, DbError> {
    Ok(Chunk { start: row.next()?, size: row.next()?, sha256: row.next()? })
}

/// In order, from the one that holds the byte at `from`.
pub(crate) async fn chunks(
    db: &Db,
    scope: &OrgScope,
    version: FileVersionId,
    from: i64,
    limit: i64,
) -> Result<Vec<Chunk>, DbError> {
    let select = Select::new(CHUNK)
        .and("org = {}", scope.org().uuid())
        .and("version = {}", version.uuid())
        .and("start + size > {}", from)
        .order("start")
        .limit(limit);
    db.read(scope, select).await?.into_iter().map(chunk).collect()
}

pub(crate) async fn all_chunks(
    db: &Db,
    scope: &OrgScope,
    version: FileVersionId,
) -> Result<Vec<Chunk>, DbError> {
    chunks(db, scope, version, 0, i64::from(i32::MAX)).await
}
