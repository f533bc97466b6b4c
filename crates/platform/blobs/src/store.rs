//! SQL of blobs and their references.

use db::{Bookkeeping, DbError, OrgScope, Row, Select, Statement, SystemScope, sql};
use problem::CONFLICT;
use types::{Id, OrgId, Timestamp, Uuid};

pub(crate) const SCOPE: SystemScope = SystemScope::new("blob sweep");

/// The blob is there; if it was there before, its waiting time starts again.
pub(crate) fn put(scope: &OrgScope, sha256: &[u8; 32], size: u64, now: Timestamp) -> Bookkeeping {
    let text = "INSERT INTO blobs (org, sha256, size, created_at, touched_at) VALUES ($1, $2, $3, $4, $4) \
                ON CONFLICT (org, sha256) DO UPDATE SET touched_at = $4";
    let size = i64::try_from(size).unwrap_or(i64::MAX);
    let params = vec![scope.org().uuid().into(), (*sha256).into(), size.into(), now.into()];
    Bookkeeping::new(*scope).statement(sql(text, params))
}

/// Where a blob stands, if it is there: the object in the bucket, if it is no file.
pub(crate) fn object(org: OrgId, sha256: &[u8; 32]) -> Statement {
    sql("SELECT object FROM blobs WHERE org = $1 AND sha256 = $2", vec![org.uuid().into(), (*sha256).into()])
}

/// If the blob is in the bucket already, its waiting time starts again; answers the row then.
pub(crate) fn touch(scope: &OrgScope, sha256: &[u8; 32], now: Timestamp) -> Bookkeeping {
    let text = "UPDATE blobs SET touched_at = $3 WHERE org = $1 AND sha256 = $2 AND object IS NOT NULL RETURNING object";
    let params = vec![scope.org().uuid().into(), (*sha256).into(), now.into()];
    Bookkeeping::new(*scope).statement(sql(text, params))
}

/// The blob is in the bucket. Answers as which object: another one if somebody was faster.
pub(crate) fn put_object(
    scope: &OrgScope,
    sha256: &[u8; 32],
    size: u64,
    object: &str,
    now: Timestamp,
) -> Bookkeeping {
    let text = "INSERT INTO blobs (org, sha256, size, created_at, touched_at, object) VALUES ($1, $2, $3, $4, $4, $5) \
                ON CONFLICT (org, sha256) DO UPDATE SET touched_at = $4, \
                object = coalesce(blobs.object, excluded.object) RETURNING object";
    let size = i64::try_from(size).unwrap_or(i64::MAX);
    let params =
        vec![scope.org().uuid().into(), (*sha256).into(), size.into(), now.into(), object.to_owned().into()];
    Bookkeeping::new(*scope).statement(sql(text, params))
}

pub(crate) fn knows_object(object: &str) -> Statement {
    sql("SELECT 1 FROM blobs WHERE object = $1", vec![object.to_owned().into()])
}

pub(crate) fn any_object() -> Statement {
    sql("SELECT 1 FROM blobs WHERE object IS NOT NULL LIMIT 1", Vec::new())
}

/// Refused as a conflict if the blob was swept meanwhile. Who holds it already goes on holding it.
pub(crate) fn refer(scope: &OrgScope, sha256: &[u8; 32], holder_kind: &str, holder: Uuid) -> Statement {
    let text = "INSERT INTO blob_references (org, sha256, holder_kind, holder) \
                SELECT org, sha256, $3, $4 FROM blobs WHERE org = $1 AND sha256 = $2 \
                ON CONFLICT (org, sha256, holder_kind, holder) DO UPDATE SET holder = excluded.holder";
    sql(text, place(scope, sha256, holder_kind, holder)).one_row_or(&CONFLICT)
}

pub(crate) fn release(
    scope: &OrgScope,
    sha256: &[u8; 32],
    holder_kind: &str,
    holder: Uuid,
    now: Timestamp,
) -> [Statement; 2] {
    let gone =
        "DELETE FROM blob_references WHERE org = $1 AND sha256 = $2 AND holder_kind = $3 AND holder = $4";
    let touched = "UPDATE blobs SET touched_at = $3 WHERE org = $1 AND sha256 = $2";
    let org = scope.org().uuid();
    [
        sql(gone, place(scope, sha256, holder_kind, holder)),
        sql(touched, vec![org.into(), (*sha256).into(), now.into()]),
    ]
}

/// Whatever `from` holds, `to` holds as well.
pub(crate) fn share(scope: &OrgScope, holder_kind: &str, from: Uuid, to: Uuid) -> Statement {
    let text = "INSERT INTO blob_references (org, sha256, holder_kind, holder) \
                SELECT org, sha256, holder_kind, $4 FROM blob_references \
                WHERE org = $1 AND holder_kind = $2 AND holder = $3";
    sql(text, vec![scope.org().uuid().into(), holder_kind.into(), from.into(), to.into()])
}

/// The holder is gone with everything that it held.
pub(crate) fn release_all(org: OrgId, holder_kind: &str, holder: Uuid, now: Timestamp) -> [Statement; 2] {
    let touched = "UPDATE blobs SET touched_at = $4 WHERE org = $1 AND sha256 IN (SELECT sha256 FROM \
                   blob_references WHERE org = $1 AND holder_kind = $2 AND holder = $3)";
    let gone = "DELETE FROM blob_references WHERE org = $1 AND holder_kind = $2 AND holder = $3";
    let params = || vec![org.uuid().into(), holder_kind.into(), holder.into()];
    [sql(touched, [params(), vec![now.into()]].concat()), sql(gone, params())]
}

fn place(scope: &OrgScope, sha256: &[u8; 32], holder_kind: &str, holder: Uuid) -> Vec<db::Value> {
    vec![scope.org().uuid().into(), (*sha256).into(), holder_kind.into(), holder.into()]
}

/// Blobs that nobody has referred to since `before`.
pub(crate) fn abandoned(before: Timestamp, most: i64) -> Select {
    let unheld = "NOT EXISTS (SELECT 1 FROM blob_references held WHERE held.org = blobs.org \
                  AND held.sha256 = blobs.sha256) AND touched_at < {}";
    Select::new("SELECT org, sha256 FROM blobs").and(unheld, before).order("touched_at").limit(most)
}

/// Takes the row away if it is still abandoned; answers it if so.
pub(crate) fn forget(org: OrgId, sha256: &[u8; 32], before: Timestamp) -> Bookkeeping {
    let text = "DELETE FROM blobs WHERE org = $1 AND sha256 = $2 AND touched_at < $3 AND NOT EXISTS \
                (SELECT 1 FROM blob_references held WHERE held.org = $1 AND held.sha256 = $2) RETURNING object";
    let params = vec![org.uuid().into(), (*sha256).into(), before.into()];
    Bookkeeping::new(SCOPE).statement(sql(text, params))
}

pub(crate) fn known(org: OrgId, sha256: &[u8; 32]) -> Statement {
    let params = vec![org.uuid().into(), (*sha256).into()];
    sql("SELECT size FROM blobs WHERE org = $1 AND sha256 = $2", params)
}

pub(crate) fn address(mut row: Row) -> Result<(OrgId, [u8; 32]), DbError> {
    Ok((row.id()?, row.next()?))
}
