//! SQL of namespaces and of how full they are.

use db::{Db, DbError, OrgScope, Row, Select, Statement, SystemScope, sql};
use problem::{NAMESPACE_EXISTS, NAMESPACE_FULL};
use types::{Id, NamespaceId, OrgId, Timestamp};
use web::{Allowance, Columns, SelectorColumn};

use super::part;
use crate::model::{Namespace, Usage, principal};
use crate::words::NamespaceRef;

const NAMESPACE: &str = "SELECT id, name, description, owner_kind, owner, default_visibility, schema, strict, secret, \
    ttl_seconds, quota_entries, quota_bytes, history_depth, created_at, updated_at, state_namespaces.revision, \
    state_usage.entries, state_usage.bytes, state_usage.revision FROM state_namespaces \
    JOIN state_usage ON state_usage.org = state_namespaces.org AND state_usage.namespace = state_namespaces.id";

/// Where the table keeps what rights depend on.
const COLUMNS: Columns = Columns {
    selector: SelectorColumn::Path("name"),
    owner: Some("owner"),
    is: None,
    named: None,
    group: None,
    visible: Some("'organization'"),
};

fn read(org: OrgId, mut row: Row) -> Result<Namespace, DbError> {
    let (id, name, description) = (row.id()?, row.parse()?, row.next()?);
    let kind: String = row.next()?;
    let owner = principal(&kind, row.next()?);
    let default_visibility = row.parse()?;
    let schema: Option<String> = row.next()?;
    let schema = schema.map(|text| serde_json::from_str(&text)).transpose();
    Ok(Namespace {
        id,
        org,
        name,
        description,
        owner,
        default_visibility,
        schema: schema.map_err(|error| DbError::Internal(format!("stored schema: {error}")))?,
        strict: row.next()?,
        secret: row.next()?,
        ttl_seconds: row.next()?,
        quota_entries: row.next()?,
        quota_bytes: row.next()?,
        history_depth: row.next()?,
        created_at: row.next()?,
        updated_at: row.next()?,
        revision: row.next()?,
        usage: Usage { entries: row.next()?, bytes: row.next()?, revision: row.next()? },
    })
}

pub(crate) async fn namespace(
    db: &Db,
    scope: &OrgScope,
    of: &NamespaceRef,
) -> Result<Option<Namespace>, DbError> {
    let select = Select::new(NAMESPACE).and("state_namespaces.org = {}", scope.org().uuid());
    let select = match of {
        NamespaceRef::Id(id) => select.and("id = {}", id.uuid()),
        NamespaceRef::Name(name) => select.and("name = {}", name.as_str()),
    };
    db.read_one(scope, select).await?.map(|row| read(scope.org(), row)).transpose()
}

/// A namespace of any organization, for the sweeper.
pub(super) async fn namespace_of(
    db: &Db,
    scope: SystemScope,
    org: OrgId,
    id: NamespaceId,
) -> Result<Option<Namespace>, DbError> {
    let select =
        Select::new(NAMESPACE).and("state_namespaces.org = {}", org.uuid()).and("id = {}", id.uuid());
    db.read_one(scope, select).await?.map(|row| read(org, row)).transpose()
}

/// Newest first.
pub(crate) async fn namespaces(
    db: &Db,
    by: &Allowance,
    q: Option<&str>,
    before: Option<NamespaceId>,
    limit: i64,
) -> Result<Vec<Namespace>, DbError> {
    let select = Select::new(NAMESPACE)
        .and("state_namespaces.org = {}", by.org().uuid())
        .and_some("lower(name || ' ' || description) LIKE {} ESCAPE '!'", q.map(part))
        .and_some("id < {}", before.map(Id::uuid));
    let select = by.narrow(select, &COLUMNS).order("id DESC").limit(limit);
    db.read(by.scope(), select).await?.into_iter().map(|row| read(by.org(), row)).collect()
}

pub(crate) fn insert_namespace(namespace: &Namespace) -> Statement {
    let text = "INSERT INTO state_namespaces (org, id, name, description, owner_kind, owner, default_visibility, \
                schema, strict, secret, ttl_seconds, quota_entries, quota_bytes, history_depth, created_at, updated_at, \
                revision) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)";
    let params = vec![
        namespace.org.uuid().into(),
        namespace.id.uuid().into(),
        namespace.name.as_str().into(),
        (&namespace.description).into(),
        namespace.owner.kind().into(),
        namespace.owner.uuid().into(),
        namespace.default_visibility.name().into(),
        namespace.schema.as_ref().map(ToString::to_string).into(),
        namespace.strict.into(),
        namespace.secret.into(),
        namespace.ttl_seconds.into(),
        namespace.quota_entries.into(),
        namespace.quota_bytes.into(),
        namespace.history_depth.into(),
        namespace.created_at.into(),
        namespace.updated_at.into(),
        namespace.revision.into(),
    ];
    sql(text, params).unique_or(&NAMESPACE_EXISTS)
}

/// Writes everything that may change; `namespace.revision` is the new one.
pub(crate) fn update_namespace(namespace: &Namespace) -> Statement {
    let text = "UPDATE state_namespaces SET description = $3, default_visibility = $4, schema = $5, strict = $6, \
                ttl_seconds = $7, quota_entries = $8, quota_bytes = $9, history_depth = $10, updated_at = $11, \
                revision = $12 WHERE org = $1 AND id = $2 AND revision = $13";
    let params = vec![
        namespace.org.uuid().into(),
        namespace.id.uuid().into(),
        (&namespace.description).into(),
        namespace.default_visibility.name().into(),
        namespace.schema.as_ref().map(ToString::to_string).into(),
        namespace.strict.into(),
        namespace.ttl_seconds.into(),
        namespace.quota_entries.into(),
        namespace.quota_bytes.into(),
        namespace.history_depth.into(),
        namespace.updated_at.into(),
        namespace.revision.into(),
        (namespace.revision - 1).into(),
    ];
    sql(text, params).fresh()
}

/// The namespace, and what has expired in it; nothing, if somebody has written since `namespace` was read.
pub(crate) fn remove_namespace(namespace: &Namespace) -> Vec<Statement> {
    let (org, id) = (namespace.org.uuid(), namespace.id.uuid());
    let usage = "DELETE FROM state_usage WHERE org = $1 AND namespace = $2 AND revision = $3";
    let history = "DELETE FROM state_history WHERE org = $1 AND entry IN \
                   (SELECT id FROM state_entries WHERE org = $1 AND namespace = $2)";
    let both = || vec![org.into(), id.into()];
    vec![
        sql(usage, vec![org.into(), id.into(), namespace.usage.revision.into()]).fresh(),
        sql(history, both()),
        sql("DELETE FROM state_entries WHERE org = $1 AND namespace = $2", both()),
        sql("DELETE FROM state_namespaces WHERE org = $1 AND id = $2", both()).fresh(),
    ]
}

pub(crate) fn insert_usage(namespace: &Namespace) -> Statement {
    let text = "INSERT INTO state_usage (org, namespace, entries, bytes, revision) VALUES ($1, $2, 0, 0, 0)";
    sql(text, vec![namespace.org.uuid().into(), namespace.id.uuid().into()])
}

/// How often anything in the namespace was written.
pub(crate) async fn usage(db: &Db, scope: &OrgScope, namespace: NamespaceId) -> Result<i64, DbError> {
    let text = "SELECT revision FROM state_usage WHERE org = $1 AND namespace = $2";
    let params = vec![scope.org().uuid().into(), namespace.uuid().into()];
    db.read_one(scope, sql(text, params)).await?.map_or(Ok(0), |mut row| row.next())
}

/// Makes the namespace fuller, or emptier; what grows stays within the quota, what shrinks may always.
pub(crate) fn fill(namespace: &Namespace, (entries, bytes): (i64, i64), writes: i64) -> Statement {
    let mut text =
        "UPDATE state_usage SET entries = entries + $3, bytes = bytes + $4, revision = revision + $5 \
                    WHERE org = $1 AND namespace = $2"
            .to_owned();
    let mut params = vec![
        namespace.org.uuid().into(),
        namespace.id.uuid().into(),
        entries.into(),
        bytes.into(),
        writes.into(),
    ];
    for (column, more, most) in
        [("entries", entries, namespace.quota_entries), ("bytes", bytes, namespace.quota_bytes)]
    {
        if more > 0 {
            params.push((most - more).into());
            text.push_str(&format!(" AND {column} <= ${}", params.len()));
        }
    }
    sql(text, params).one_row_or(&NAMESPACE_FULL)
}

/// Entries that have not expired.
pub(crate) async fn count_live(
    db: &Db,
    scope: &OrgScope,
    namespace: NamespaceId,
    now: Timestamp,
) -> Result<i64, DbError> {
    let text = "SELECT count(*) FROM state_entries WHERE org = $1 AND namespace = $2 \
                AND (expires_at IS NULL OR expires_at > $3)";
    let params = vec![scope.org().uuid().into(), namespace.uuid().into(), now.into()];
    db.read_one(scope, sql(text, params)).await?.map_or(Ok(0), |mut row| row.next())
}
