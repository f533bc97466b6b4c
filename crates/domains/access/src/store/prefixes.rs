//! SQL of outside applications' resource prefixes.

use db::{Db, DbError, OrgScope, Row, Select, Statement, Value, sql};
use types::Id;

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

/// How many grants, roles and living API keys name a resource below the prefix: `$2` as it begins a list of permissions,
/// `$3` as it stands further on in one.
macro_rules! uses {
    () => {
        "((SELECT count(*) FROM grants WHERE org = $1 AND permission LIKE $2 ESCAPE '!') \
        + (SELECT count(*) FROM roles WHERE org = $1 \
           AND (permissions LIKE $2 ESCAPE '!' OR permissions LIKE $3 ESCAPE '!')) \
        + (SELECT count(*) FROM api_keys WHERE org = $1 AND revoked_at IS NULL \
           AND (permissions LIKE $2 ESCAPE '!' OR permissions LIKE $3 ESCAPE '!')))"
    };
}

/// Prefixes are words: nothing in them means something to LIKE but `_`, which is escaped.
fn patterns(prefix: &str) -> [Value; 2] {
    let word = prefix.replace('_', "!_");
    [format!("{word}.%").into(), format!("% {word}.%").into()]
}

pub(crate) async fn uses_of_prefix(db: &Db, scope: &OrgScope, prefix: &str) -> Result<i64, DbError> {
    let [first, later] = patterns(prefix);
    let params = vec![scope.org().uuid().into(), first, later];
    db.read_one(scope, sql(concat!("SELECT ", uses!()), params)).await?.map_or(Ok(0), |mut row| row.next())
}

/// Touches nothing if something came to name the prefix since that was counted.
pub(crate) fn delete_prefix(prefix: &Prefix) -> Statement {
    let [first, later] = patterns(prefix.prefix.as_str());
    let text = concat!(
        "DELETE FROM resource_prefixes WHERE org = $1 AND id = $4 AND revision = $5 AND 0 = ",
        uses!()
    );
    let params =
        vec![prefix.org.uuid().into(), first, later, prefix.id.uuid().into(), prefix.revision.into()];
    sql(text, params).fresh()
}
