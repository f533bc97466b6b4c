//! SQL of files and their versions.

use db::{Db, DbError, OrgScope, Row, Select, Statement, Value as Column, sql};
use types::{CollectionId, FileId, FileVersionId, GroupId, Id, OrgId, Uuid};
use web::{Allowance, Columns, SelectorColumn};

use super::{part, written};
use crate::model::{Collection, Content, File, Version, Visibility, principal};
use crate::words::FileName;

macro_rules! columns {
    () => {
        "files.id, files.name, files.description, metadata, tags, is_valid, visibility, files.owner_kind, files.owner, \
         group_id, files.version, number, content_type, size, sha256, files.created_at, files.updated_at, updated_by, \
         files.revision"
    };
}
pub(super) use columns;

const FILE: &str = concat!("SELECT ", columns!(), " FROM files");
const LISTED: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM files JOIN file_collections \
     ON file_collections.org = files.org AND file_collections.id = files.collection"
);

/// Where the table keeps what rights depend on.
const COLUMNS: Columns = Columns {
    selector: SelectorColumn::Path("file_collections.name || '/' || files.name"),
    owner: Some("files.owner"),
    is: None,
    named: None,
    group: Some("group_id"),
    visible: Some("visibility"),
};

pub(super) fn read(row: &mut Row) -> Result<File, DbError> {
    let (id, name, description) = (row.id()?, row.parse()?, row.next()?);
    let (metadata, tags, is_valid, visibility) = (row.json()?, row.json()?, row.next()?, row.parse()?);
    let kind: String = row.next()?;
    Ok(File {
        id,
        name,
        description,
        metadata,
        tags,
        is_valid,
        visibility,
        owner: principal(&kind, row.next()?),
        group: row.optional_id()?,
        content: content(row)?,
        created_at: row.next()?,
        updated_at: row.next()?,
        updated_by: row.next()?,
        revision: row.next()?,
    })
}

/// The next five columns.
fn content(row: &mut Row) -> Result<Content, DbError> {
    Ok(Content {
        version: row.id()?,
        number: row.next()?,
        content_type: row.parse()?,
        size: row.next()?,
        sha256: row.next()?,
    })
}

pub(crate) async fn file(
    db: &Db,
    scope: &OrgScope,
    collection: CollectionId,
    name: &FileName,
) -> Result<Option<File>, DbError> {
    let select = Select::new(FILE)
        .and("files.org = {}", scope.org().uuid())
        .and("files.collection = {}", collection.uuid())
        .and("files.name = {}", name.as_str());
    db.read_one(scope, select).await?.map(|mut row| read(&mut row)).transpose()
}

/// What a list of files may be narrowed by.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    pub(crate) prefix: Option<String>,
    /// All of them.
    pub(crate) tags: Vec<String>,
    pub(crate) q: Option<String>,
    pub(crate) owner: Option<Uuid>,
    pub(crate) group: Option<GroupId>,
    pub(crate) visibility: Option<Visibility>,
    /// An RFC 6901 pointer into the metadata and the JSON that stands there; anything, if it is empty.
    pub(crate) at: Option<(String, String)>,
}

pub(crate) struct Listing<'a> {
    pub(crate) collection: &'a Collection,
    pub(crate) filter: &'a Filter,
}

impl Listing<'_> {
    fn select(&self, by: &Allowance, head: &'static str) -> Select {
        let Filter { prefix, tags, q, owner, group, visibility, at } = self.filter;
        let mut select = Select::new(head)
            .and("files.org = {}", by.org().uuid())
            .and("files.collection = {}", self.collection.id.uuid())
            .and_some("files.owner = {}", *owner)
            .and_some("group_id = {}", group.map(Id::uuid))
            .and_some("visibility = {}", visibility.map(Visibility::name));
        if let Some(prefix) = prefix {
            let length = i64::try_from(prefix.chars().count()).unwrap_or(i64::MAX);
            let values = [prefix.into(), length.into(), prefix.into()];
            // Bounded from below for the index; compared exactly, since SQLite's LIKE folds case.
            select = select.and_all("files.name >= {} AND substr(files.name, 1, {}) = {}", values);
        }
        for tag in tags {
            select = select.and("replace(tags, {}, '') <> tags", written(tag));
        }
        if let Some(q) = q {
            let text = "lower(files.name || ' ' || files.description || ' ' || metadata) LIKE {} ESCAPE '!'";
            select = select.and(text, part(q));
        }
        if let Some((pointer, wanted)) = at {
            let values: [Column; 2] = [pointer.into(), wanted.into()];
            select = select.and_all("json_matches(metadata, {}, {})", values);
        }
        by.narrow(select, &COLUMNS)
    }

    pub(crate) async fn page(
        &self,
        db: &Db,
        by: &Allowance,
        after: Option<&str>,
        limit: i64,
    ) -> Result<Vec<File>, DbError> {
        let select = self.select(by, LISTED).and_some("files.name > {}", after);
        let rows = db.read(by.scope(), select.order("files.name").limit(limit)).await?;
        rows.into_iter().map(|mut row| read(&mut row)).collect()
    }

    pub(crate) async fn count(&self, db: &Db, by: &Allowance) -> Result<i64, DbError> {
        let head = "SELECT count(*) FROM files JOIN file_collections \
                    ON file_collections.org = files.org AND file_collections.id = files.collection";
        db.read_one(by.scope(), self.select(by, head)).await?.map_or(Ok(0), |mut row| row.next())
    }
}

/// Somebody who was faster makes the change stale.
pub(crate) fn insert_file(collection: &Collection, file: &File) -> Statement {
    let text = "INSERT INTO files (org, id, collection, name, description, metadata, tags, is_valid, visibility, \
                owner_kind, owner, group_id, version, number, content_type, size, sha256, created_at, updated_at, \
                updated_by, revision) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, \
                $17, $18, $19, $20, $21) ON CONFLICT (org, collection, name) DO NOTHING";
    let params = vec![
        collection.org.uuid().into(),
        file.id.uuid().into(),
        collection.id.uuid().into(),
        file.name.as_str().into(),
        (&file.description).into(),
        written(&file.metadata).into(),
        written(&file.tags).into(),
        file.is_valid.into(),
        file.visibility.name().into(),
        file.owner.kind().into(),
        file.owner.uuid().into(),
        file.group.map(Id::uuid).into(),
        file.content.version.uuid().into(),
        file.content.number.into(),
        file.content.content_type.as_str().into(),
        file.content.size.into(),
        file.content.sha256.into(),
        file.created_at.into(),
        file.updated_at.into(),
        (&file.updated_by).into(),
        file.revision.into(),
    ];
    sql(text, params).fresh()
}

/// Writes everything that may change; `file.revision` is the new one.
pub(crate) fn update_file(org: OrgId, file: &File) -> Statement {
    let text = "UPDATE files SET description = $4, metadata = $5, tags = $6, is_valid = $7, visibility = $8, \
                group_id = $9, version = $10, number = $11, content_type = $12, size = $13, sha256 = $14, \
                updated_at = $15, updated_by = $16, revision = $17 WHERE org = $1 AND id = $2 AND revision = $3";
    let params = vec![
        org.uuid().into(),
        file.id.uuid().into(),
        (file.revision - 1).into(),
        (&file.description).into(),
        written(&file.metadata).into(),
        written(&file.tags).into(),
        file.is_valid.into(),
        file.visibility.name().into(),
        file.group.map(Id::uuid).into(),
        file.content.version.uuid().into(),
        file.content.number.into(),
        file.content.content_type.as_str().into(),
        file.content.size.into(),
        file.content.sha256.into(),
        file.updated_at.into(),
        (&file.updated_by).into(),
        file.revision.into(),
    ];
    sql(text, params).fresh()
}

pub(crate) fn remove_file(org: OrgId, file: &File) -> Statement {
    let text = "DELETE FROM files WHERE org = $1 AND id = $2 AND revision = $3";
    sql(text, vec![org.uuid().into(), file.id.uuid().into(), file.revision.into()]).fresh()
}

const VERSION: &str = "SELECT file_versions.id, file_versions.number, file_versions.content_type, \
    file_versions.size, file_versions.sha256, file_versions.visibility, file_versions.owner, file_versions.group_id, \
    written_at, written_by FROM file_versions \
    JOIN files ON files.org = file_versions.org AND files.id = file_versions.file \
    JOIN file_collections ON file_collections.org = files.org AND file_collections.id = files.collection";

/// Of each version who might read it while it was the present one: what was private stays so when the file is opened
/// later.
const VERSION_COLUMNS: Columns = Columns {
    selector: SelectorColumn::Path("file_collections.name || '/' || files.name"),
    owner: Some("file_versions.owner"),
    is: None,
    named: None,
    group: Some("file_versions.group_id"),
    visible: Some("file_versions.visibility"),
};

fn read_version(row: &mut Row) -> Result<Version, DbError> {
    Ok(Version {
        content: content(row)?,
        visibility: row.parse()?,
        owner: row.next()?,
        group: row.optional_id()?,
        written_at: row.next()?,
        written_by: row.next()?,
    })
}

pub(crate) async fn version(
    db: &Db,
    scope: &OrgScope,
    file: FileId,
    version: FileVersionId,
) -> Result<Option<Version>, DbError> {
    let select = Select::new(VERSION)
        .and("file_versions.org = {}", scope.org().uuid())
        .and("file_versions.file = {}", file.uuid())
        .and("file_versions.id = {}", version.uuid());
    db.read_one(scope, select).await?.map(|mut row| read_version(&mut row)).transpose()
}

/// Newest first.
pub(crate) async fn versions(
    db: &Db,
    by: &Allowance,
    file: &File,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<Version>, DbError> {
    let select = Select::new(VERSION)
        .and("file_versions.org = {}", by.org().uuid())
        .and("file_versions.file = {}", file.id.uuid())
        .and_some("file_versions.number < {}", before);
    let select = by.narrow(select, &VERSION_COLUMNS).order("file_versions.number DESC").limit(limit);
    db.read(by.scope(), select).await?.into_iter().map(|mut row| read_version(&mut row)).collect()
}

/// Versions beyond the newest `kept`, with their sizes.
pub(crate) async fn surplus(
    db: &Db,
    scope: &OrgScope,
    file: FileId,
    kept: i64,
) -> Result<Vec<(FileVersionId, i64)>, DbError> {
    let select = Select::new("SELECT id, size FROM file_versions")
        .and("org = {}", scope.org().uuid())
        .and("file = {}", file.uuid())
        .order("number DESC")
        .limit(i64::from(i32::MAX))
        .offset(kept);
    let read = |mut row: Row| Ok((row.id()?, row.next()?));
    db.read(scope, select).await?.into_iter().map(read).collect()
}

pub(crate) fn insert_version(org: OrgId, file: &File) -> Statement {
    let text = "INSERT INTO file_versions (org, id, file, number, content_type, size, sha256, visibility, owner, \
                group_id, written_at, written_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    let params = vec![
        org.uuid().into(),
        file.content.version.uuid().into(),
        file.id.uuid().into(),
        file.content.number.into(),
        file.content.content_type.as_str().into(),
        file.content.size.into(),
        file.content.sha256.into(),
        file.visibility.name().into(),
        file.owner.uuid().into(),
        file.group.map(Id::uuid).into(),
        file.updated_at.into(),
        (&file.updated_by).into(),
    ];
    sql(text, params)
}

/// Who may read the present version is who may read the file.
pub(crate) fn update_version(org: OrgId, file: &File) -> Statement {
    let text = "UPDATE file_versions SET visibility = $3, group_id = $4 WHERE org = $1 AND id = $2";
    let params = vec![
        org.uuid().into(),
        file.content.version.uuid().into(),
        file.visibility.name().into(),
        file.group.map(Id::uuid).into(),
    ];
    sql(text, params).fresh()
}

/// The version with its chunks and the links to it.
pub(crate) fn remove_version(org: OrgId, version: FileVersionId) -> [Statement; 3] {
    let both = || vec![org.uuid().into(), version.uuid().into()];
    [
        sql("DELETE FROM file_links WHERE org = $1 AND version = $2", both()),
        super::remove_chunks(org, version),
        sql("DELETE FROM file_versions WHERE org = $1 AND id = $2", both()).fresh(),
    ]
}
