//! SQL of links.

use db::{Db, DbError, OrgScope, Row, Select, Statement, sql};
use types::{CollectionId, FileLinkId, Id, OrgId, Timestamp};

use super::files::{columns, read};
use crate::model::{File, Link, principal};

const LINK: &str =
    "SELECT id, version, maker_kind, maker, created_at, expires_at, uses, last_used_at FROM file_links";
const WITH_FILE: &str = concat!(
    "SELECT file_links.id, file_links.version, maker_kind, maker, file_links.created_at, file_links.expires_at, uses, \
     last_used_at, files.collection, ",
    columns!(),
    " FROM file_links JOIN files ON files.org = file_links.org AND files.id = file_links.file"
);

fn link_of(row: &mut Row) -> Result<Link, DbError> {
    let (id, version) = (row.id()?, row.id()?);
    let kind: String = row.next()?;
    Ok(Link {
        id,
        version,
        maker: principal(&kind, row.next()?),
        created_at: row.next()?,
        expires_at: row.next()?,
        uses: row.next()?,
        last_used_at: row.next()?,
    })
}

/// With the file that it belongs to, and that file's collection.
pub(crate) async fn link(
    db: &Db,
    scope: &OrgScope,
    id: FileLinkId,
) -> Result<Option<(Link, File, CollectionId)>, DbError> {
    let select = Select::new(WITH_FILE)
        .and("file_links.org = {}", scope.org().uuid())
        .and("file_links.id = {}", id.uuid());
    let read = |mut row: Row| {
        let (link, of) = (link_of(&mut row)?, row.id()?);
        Ok((link, read(&mut row)?, of))
    };
    db.read_one(scope, select).await?.map(read).transpose()
}

/// Links to a file that have not expired, newest first.
pub(crate) async fn links(
    db: &Db,
    scope: &OrgScope,
    file: &File,
    now: Timestamp,
    before: Option<FileLinkId>,
    limit: i64,
) -> Result<Vec<Link>, DbError> {
    let select = Select::new(LINK)
        .and("org = {}", scope.org().uuid())
        .and("file = {}", file.id.uuid())
        .and("expires_at > {}", now)
        .and_some("id < {}", before.map(Id::uuid))
        .order("id DESC")
        .limit(limit);
    db.read(scope, select).await?.into_iter().map(|mut row| link_of(&mut row)).collect()
}

/// Stale, if the version has gone meanwhile.
pub(crate) fn insert_link(org: OrgId, file: &File, link: &Link) -> Statement {
    let text = "INSERT INTO file_links (org, id, file, version, maker_kind, maker, created_at, expires_at, uses) \
                SELECT org, $3, file, id, $4, $5, $6, $7, 0 FROM file_versions \
                WHERE org = $1 AND id = $2 AND file = $8";
    let params = vec![
        org.uuid().into(),
        link.version.uuid().into(),
        link.id.uuid().into(),
        link.maker.kind().into(),
        link.maker.uuid().into(),
        link.created_at.into(),
        link.expires_at.into(),
        file.id.uuid().into(),
    ];
    sql(text, params).fresh()
}

pub(crate) fn use_link(org: OrgId, id: FileLinkId, now: Timestamp) -> Statement {
    let text = "UPDATE file_links SET uses = uses + 1, last_used_at = $3 WHERE org = $1 AND id = $2";
    sql(text, vec![org.uuid().into(), id.uuid().into(), now.into()])
}

pub(crate) fn remove_link(org: OrgId, id: FileLinkId) -> Statement {
    let text = "DELETE FROM file_links WHERE org = $1 AND id = $2";
    sql(text, vec![org.uuid().into(), id.uuid().into()]).fresh()
}

/// Those that have expired, of every organization.
pub(crate) fn forget_links(now: Timestamp) -> Statement {
    sql("DELETE FROM file_links WHERE expires_at <= $1", vec![now.into()])
}
