//! SQL of outside applications' resource prefixes.

use db::{Db, DbError, OrgScope, Row, Select, Statement, Value, sql};
use types::{Id, OrgId, PrefixId};

use crate::prefixes::Prefix;

const PREFIX: &str = "SELECT id, org, prefix, description, resources, created_by, created_at, updated_at, revision FROM resource_prefixes";

fn prefix(mut row: Row) -> Result<Prefix, DbError> {
    Ok(Prefix {
        id: row.id()?,
        org: row.id()?,
        prefix: row.parse()?,
        description: row.next()?,
        resources: row.json()?,
        created_by: row.next()?,
        created_at: row.next()?,
        updated_at: row.next()?,
        revision: row.next()?,
    })
}

/// By prefix; organizations have few.
pub(crate) async fn all_prefixes(db: &Db, scope: &OrgScope) -> Result<Vec<Prefix>, DbError> {
    let select = Select::new(PREFIX).and("org = {}", scope.org().uuid()).order("prefix");
    db.read(scope, select).await?.into_iter().map(prefix).collect()
}

fn resources(prefix: &Prefix) -> Value {
    // Plain data always serialises.
    serde_json::to_string(&prefix.resources).unwrap_or_default().into()
}

pub(crate) fn insert_prefix(prefix: &Prefix) -> Statement {
    let text = "INSERT INTO resource_prefixes (org, id, prefix, description, resources, created_by, created_at, \
                updated_at, revision) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    let params = vec![
        prefix.org.uuid().into(),
        prefix.id.uuid().into(),
        prefix.prefix.as_str().into(),
        prefix.description.as_str().into(),
        resources(prefix),
        prefix.created_by.as_str().into(),
        prefix.created_at.into(),
        prefix.updated_at.into(),
        prefix.revision.into(),
    ];
    sql(text, params).unique_or(&problem::ALREADY_EXISTS)
}

/// Writes what may change; `prefix.revision` is the new one.
pub(crate) fn update_prefix(prefix: &Prefix) -> Statement {
    let text = "UPDATE resource_prefixes SET description = $3, resources = $4, updated_at = $5, revision = $6 \
                WHERE org = $1 AND id = $2 AND revision = $6 - 1";
    let params = vec![
        prefix.org.uuid().into(),
        prefix.id.uuid().into(),
        prefix.description.as_str().into(),
        resources(prefix),
        prefix.updated_at.into(),
        prefix.revision.into(),
    ];
    sql(text, params).fresh()
}

pub(crate) fn delete_prefix(org: OrgId, id: PrefixId, revision: i64) -> Statement {
    let text = "DELETE FROM resource_prefixes WHERE org = $1 AND id = $2 AND revision = $3";
    sql(text, vec![org.uuid().into(), id.uuid().into(), revision.into()]).fresh()
}

/// How many grants, roles and living API keys name a resource below the prefix. Prefixes are words, so nothing in them
/// means something to LIKE but `_`, which is escaped.
pub(crate) async fn uses_of_prefix(db: &Db, scope: &OrgScope, prefix: &str) -> Result<i64, DbError> {
    let word = prefix.replace('_', "!_");
    let (first, later) = (format!("{word}.%"), format!("% {word}.%"));
    let text = "SELECT (SELECT count(*) FROM grants WHERE org = $1 AND permission LIKE $2 ESCAPE '!') \
        + (SELECT count(*) FROM roles WHERE org = $1 AND (permissions LIKE $2 ESCAPE '!' OR permissions LIKE $3 ESCAPE '!')) \
        + (SELECT count(*) FROM api_keys WHERE org = $1 AND revoked_at IS NULL \
           AND (permissions LIKE $2 ESCAPE '!' OR permissions LIKE $3 ESCAPE '!'))";
    let params = vec![scope.org().uuid().into(), first.into(), later.into()];
    db.read_one(scope, sql(text, params)).await?.map_or(Ok(0), |mut row| row.next())
}
