//! SQL of API keys.

use std::sync::Arc;

use db::{Db, DbError, Row, Scope, Select, Statement, sql};
use ipnet::IpNet;
use types::{ApiKeyId, Id, Timestamp, Uuid};
use web::{Allowance, Columns, PrincipalId, SelectorColumn};

use crate::HolderId;
use crate::keys::ApiKey;
use crate::source::{read, written};

const KEY: &str = "SELECT id, org, owner_kind, owner, name, secret_tag, pepper_version, permissions, allowed_ips, \
    created_by, created_at, expires_at, revoked_at, last_used_at, last_used_ip, revision FROM api_keys";

const COLUMNS: Columns = Columns {
    selector: SelectorColumn::id::<ApiKeyId>("id"),
    owner: None,
    is: Some("owner"),
    named: None,
    group: None,
};

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct KeyFilter {
    pub(crate) owner: Option<PrincipalId>,
    /// `active`, `expired` or `revoked`, at this time.
    pub(crate) status: Option<(KeyStatus, Timestamp)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyStatus {
    Active,
    Expired,
    Revoked,
}

fn key(mut row: Row) -> Result<ApiKey, DbError> {
    let (id, org) = (row.id()?, row.id()?);
    let (kind, owner): (String, Uuid) = (row.next()?, row.next()?);
    let owner = HolderId::of(&kind, owner).and_then(HolderId::principal);
    let owner = owner.ok_or_else(|| DbError::Internal(format!("an API key of a {kind:?}")))?;
    Ok(ApiKey {
        id,
        org,
        owner,
        name: row.next()?,
        tag: row.next()?,
        pepper_version: u32::try_from(row.next::<i64>()?).unwrap_or(u32::MAX),
        permissions: Arc::new(read(&row.next::<String>()?).into_iter().collect()),
        allowed_ips: nets(&row.next::<String>()?)?,
        created_by: row.next()?,
        created_at: row.next()?,
        expires_at: row.next()?,
        revoked_at: row.next()?,
        last_used_at: row.next()?,
        last_used_ip: row.next()?,
        revision: row.next()?,
    })
}

/// A list that cannot be read allows no address at all, so it is an error rather than an empty list.
fn nets(stored: &str) -> Result<Vec<IpNet>, DbError> {
    let read =
        |text: &str| text.parse().map_err(|_| DbError::Internal(format!("stored network {text:?} is none")));
    stored.split(' ').filter(|text| !text.is_empty()).map(read).collect()
}

fn filtered(head: &'static str, by: &Allowance, filter: &KeyFilter) -> Select {
    let select = Select::new(head)
        .and("org = {}", by.org().uuid())
        .and_some("owner = {}", filter.owner.map(PrincipalId::uuid));
    match filter.status {
        None => select,
        Some((KeyStatus::Active, now)) => {
            select.and("revoked_at IS NULL AND (expires_at IS NULL OR expires_at > {})", now)
        }
        Some((KeyStatus::Expired, now)) => select.and("revoked_at IS NULL AND expires_at <= {}", now),
        Some((KeyStatus::Revoked, now)) => select.and("revoked_at <= {}", now),
    }
}

/// Newest first. `answered_for`: the caller answers for the owner that the filter names, so the keys are its own.
pub(crate) async fn keys(
    db: &Db,
    by: &Allowance,
    filter: &KeyFilter,
    answered_for: bool,
    before: Option<ApiKeyId>,
    limit: i64,
) -> Result<Vec<ApiKey>, DbError> {
    let select =
        filtered(KEY, by, filter).and_some("id < {}", before.map(Id::uuid)).order("id DESC").limit(limit);
    let select = if answered_for { select } else { by.narrow(select, &COLUMNS) };
    db.read(by.scope(), select).await?.into_iter().map(key).collect()
}

pub(crate) async fn key_by_id(
    db: &Db,
    scope: impl Into<Scope>,
    id: ApiKeyId,
) -> Result<Option<ApiKey>, DbError> {
    db.read_one(scope, Select::new(KEY).and("id = {}", id.uuid())).await?.map(key).transpose()
}

pub(crate) fn insert_key(key: &ApiKey) -> Statement {
    let text = "INSERT INTO api_keys (org, id, owner_kind, owner, name, secret_tag, pepper_version, permissions, \
        allowed_ips, created_by, created_at, expires_at, revision) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
    let nets: Vec<String> = key.allowed_ips.iter().map(ToString::to_string).collect();
    let params = vec![
        key.org.uuid().into(),
        key.id.uuid().into(),
        key.owner.kind().into(),
        key.owner.uuid().into(),
        key.name.as_str().into(),
        key.tag.into(),
        key.pepper_version.into(),
        written(key.permissions.permissions()).into(),
        nets.join(" ").into(),
        key.created_by.as_str().into(),
        key.created_at.into(),
        key.expires_at.into(),
        key.revision.into(),
    ];
    sql(text, params)
}

pub(crate) fn revoke_key(key: &ApiKey, at: Timestamp) -> Statement {
    let text = "UPDATE api_keys SET revoked_at = $3, revision = revision + 1 \
                WHERE org = $1 AND id = $2 AND revision = $4 AND revoked_at IS NULL";
    let params = vec![key.org.uuid().into(), key.id.uuid().into(), at.into(), key.revision.into()];
    sql(text, params).fresh()
}

/// Bookkeeping: a key was used.
pub(crate) fn touch_key(id: ApiKeyId, at: Timestamp, ip: Option<String>) -> Statement {
    let text = "UPDATE api_keys SET last_used_at = $2, last_used_ip = $3 WHERE id = $1";
    sql(text, vec![id.uuid().into(), at.into(), ip.into()])
}
