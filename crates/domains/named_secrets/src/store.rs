//! SQL of secrets and of what uses them.

use db::{Db, DbError, OrgScope, Row, Select, Statement, sql};
use problem::{SECRET_EXISTS, SECRET_IN_USE};
use types::{Id, OrgId, SecretId, Uuid};
use web::{Allowance, Columns, SelectorColumn};

use crate::model::{NamedSecret, SecretName, SecretRef, principal};

const SECRET: &str = "SELECT id, name, description, owner_kind, owner, hosts, vault, version, created_at, updated_at, \
                      replaced_at, revision FROM secrets";

/// Where the table keeps what rights depend on.
const COLUMNS: Columns = Columns {
    selector: SelectorColumn::Path("name"),
    owner: Some("owner"),
    is: None,
    named: None,
    group: None,
    visible: None,
};

fn read(org: OrgId, mut row: Row) -> Result<NamedSecret, DbError> {
    let (id, name, description) = (row.id()?, row.parse()?, row.next()?);
    let kind: String = row.next()?;
    let owner = principal(&kind, row.next()?);
    let hosts = row.json()?;
    let vault: Option<String> = row.next()?;
    let vault = vault.map(|text| serde_json::from_str(&text)).transpose();
    Ok(NamedSecret {
        id,
        org,
        name,
        description,
        owner,
        hosts,
        vault: vault.map_err(|error| DbError::Internal(format!("stored reference: {error}")))?,
        version: row.next()?,
        created_at: row.next()?,
        updated_at: row.next()?,
        replaced_at: row.next()?,
        revision: row.next()?,
    })
}

pub(crate) async fn find(db: &Db, scope: &OrgScope, of: &SecretRef) -> Result<Option<NamedSecret>, DbError> {
    let select = Select::new(SECRET).and("org = {}", scope.org().uuid());
    let select = match of {
        SecretRef::Id(id) => select.and("id = {}", id.uuid()),
        SecretRef::Name(name) => select.and("name = {}", name.as_str()),
    };
    db.read_one(scope, select).await?.map(|row| read(scope.org(), row)).transpose()
}

/// Newest first.
pub(crate) async fn list(
    db: &Db,
    by: &Allowance,
    q: Option<&str>,
    before: Option<SecretId>,
    limit: i64,
) -> Result<Vec<NamedSecret>, DbError> {
    let part = |text: &str| {
        let text = text.to_lowercase().replace('!', "!!").replace('%', "!%").replace('_', "!_");
        format!("%{text}%")
    };
    let select = Select::new(SECRET)
        .and("org = {}", by.org().uuid())
        .and_some("lower(name || ' ' || description) LIKE {} ESCAPE '!'", q.map(part))
        .and_some("id < {}", before.map(Id::uuid));
    let select = by.narrow(select, &COLUMNS).order("id DESC").limit(limit);
    db.read(by.scope(), select).await?.into_iter().map(|row| read(by.org(), row)).collect()
}

/// The sealed value of the version that was read.
pub(crate) async fn sealed(
    db: &Db,
    scope: &OrgScope,
    secret: &NamedSecret,
) -> Result<Option<Vec<u8>>, DbError> {
    let text =
        "SELECT sealed FROM secrets WHERE org = $1 AND id = $2 AND version = $3 AND sealed IS NOT NULL";
    let params = vec![scope.org().uuid().into(), secret.id.uuid().into(), secret.version.into()];
    db.read_one(scope, sql(text, params)).await?.map(|mut row| row.next()).transpose()
}

/// What uses it, as people call it.
pub(crate) async fn users(db: &Db, scope: &OrgScope, secret: SecretId) -> Result<Vec<String>, DbError> {
    let text = "SELECT label FROM secret_uses WHERE org = $1 AND secret = $2 ORDER BY label LIMIT 20";
    let rows = db.read(scope, sql(text, vec![scope.org().uuid().into(), secret.uuid().into()])).await?;
    rows.into_iter().map(|mut row| row.next()).collect()
}

pub(crate) fn insert(secret: &NamedSecret, sealed: Option<Vec<u8>>) -> Statement {
    let text = "INSERT INTO secrets (org, id, name, description, owner_kind, owner, hosts, sealed, vault, version, \
                created_at, updated_at, replaced_at, revision) \
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
    let params = vec![
        secret.org.uuid().into(),
        secret.id.uuid().into(),
        secret.name.as_str().into(),
        (&secret.description).into(),
        secret.owner.kind().into(),
        secret.owner.uuid().into(),
        hosts(secret).into(),
        sealed.into(),
        vault(secret).into(),
        secret.version.into(),
        secret.created_at.into(),
        secret.updated_at.into(),
        secret.replaced_at.into(),
        secret.revision.into(),
    ];
    sql(text, params).unique_or(&SECRET_EXISTS)
}

/// Another value; `secret.revision` is the new one.
pub(crate) fn replace(secret: &NamedSecret, sealed: Option<Vec<u8>>) -> Statement {
    let text = "UPDATE secrets SET hosts = $3, sealed = $4, vault = $5, version = $6, updated_at = $7, \
                replaced_at = $8, revision = $9 WHERE org = $1 AND id = $2 AND revision = $10";
    let params = vec![
        secret.org.uuid().into(),
        secret.id.uuid().into(),
        hosts(secret).into(),
        sealed.into(),
        vault(secret).into(),
        secret.version.into(),
        secret.updated_at.into(),
        secret.replaced_at.into(),
        secret.revision.into(),
        (secret.revision - 1).into(),
    ];
    sql(text, params).fresh()
}

pub(crate) fn describe(secret: &NamedSecret) -> Statement {
    let text = "UPDATE secrets SET description = $3, updated_at = $4, revision = $5 \
                WHERE org = $1 AND id = $2 AND revision = $6";
    let params = vec![
        secret.org.uuid().into(),
        secret.id.uuid().into(),
        (&secret.description).into(),
        secret.updated_at.into(),
        secret.revision.into(),
        (secret.revision - 1).into(),
    ];
    sql(text, params).fresh()
}

/// Unless something uses it.
pub(crate) fn delete(secret: &NamedSecret) -> Statement {
    let text = "DELETE FROM secrets WHERE org = $1 AND id = $2 AND NOT EXISTS \
                (SELECT 1 FROM secret_uses WHERE secret_uses.org = $1 AND secret_uses.secret = $2)";
    sql(text, vec![secret.org.uuid().into(), secret.id.uuid().into()]).one_row_or(&SECRET_IN_USE)
}

pub(crate) fn begin_use(org: OrgId, secret: SecretId, kind: &str, user: Uuid, label: &str) -> Statement {
    let text = "INSERT INTO secret_uses (org, secret, user_kind, user_id, label) VALUES ($1, $2, $3, $4, $5)";
    sql(text, vec![org.uuid().into(), secret.uuid().into(), kind.into(), user.into(), label.into()])
}

pub(crate) fn end_uses(org: OrgId, kind: &str, user: Uuid) -> Statement {
    let text = "DELETE FROM secret_uses WHERE org = $1 AND user_kind = $2 AND user_id = $3";
    sql(text, vec![org.uuid().into(), kind.into(), user.into()])
}

/// Those of these names that there are.
pub(crate) async fn by_names(
    db: &Db,
    scope: &OrgScope,
    names: &[SecretName],
) -> Result<Vec<NamedSecret>, DbError> {
    let mut found = Vec::with_capacity(names.len());
    for name in names {
        found.extend(find(db, scope, &SecretRef::Name(name.clone())).await?);
    }
    Ok(found)
}

fn hosts(secret: &NamedSecret) -> String {
    serde_json::to_string(&secret.hosts).unwrap_or_default()
}

fn vault(secret: &NamedSecret) -> Option<String> {
    secret.vault.as_ref().and_then(|reference| serde_json::to_string(reference).ok())
}
