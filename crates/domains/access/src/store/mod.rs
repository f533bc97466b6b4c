//! SQL of rights: what holders have, composed; single things stand in files of their own.

mod grants;
mod keys;
mod prefixes;
mod roles;

use db::{Db, DbError, OrgScope, Scope, Select, Statement, Value, sql};
use types::{GrantId, GroupId, Id, OrgId, Timestamp, UserId, Uuid, World};

pub(crate) use grants::{
    GrantFilter, count_grants, delete_grant, grant_by_id, grants, group_exists, holders_of,
};
pub(crate) use keys::{KeyFilter, KeyStatus, insert_key, key_by_id, keys, revoke_key, touch_key};
pub(crate) use prefixes::{all_prefixes, delete_prefix, insert_prefix, update_prefix, uses_of_prefix};
pub(crate) use roles::{all_roles, delete_role, insert_role, role_by_id, role_named, update_role};

use crate::source::{Source, Sources, permissions_of};
use crate::{Gift, HolderId};

/// The INSERT of one grant, for the change that gives it; `409 already_exists` if the holder has it.
pub fn give(
    world: &World,
    org: OrgId,
    to: impl Into<HolderId>,
    gift: &Gift,
    granted_by: &str,
    now: Timestamp,
) -> Statement {
    insert_grant(world.id(), org, to.into(), gift, granted_by, now)
}

pub(crate) fn insert_grant(
    id: GrantId,
    org: OrgId,
    to: HolderId,
    gift: &Gift,
    granted_by: &str,
    now: Timestamp,
) -> Statement {
    sql(INSERT_GRANT, grant_params(id, org, to, gift, granted_by, now)).unique_or(&problem::ALREADY_EXISTS)
}

/// As [`insert_grant`], and content where the holder has it already.
pub(crate) fn give_once(
    id: GrantId,
    org: OrgId,
    to: HolderId,
    gift: &Gift,
    granted_by: &str,
    now: Timestamp,
) -> Statement {
    let text = format!("{INSERT_GRANT} ON CONFLICT (org, principal, role, permission) DO NOTHING");
    sql(text, grant_params(id, org, to, gift, granted_by, now))
}

const INSERT_GRANT: &str = "INSERT INTO grants (org, id, principal_kind, principal, role, permission, granted_by, \
                            created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";

fn grant_params(
    id: GrantId,
    org: OrgId,
    to: HolderId,
    gift: &Gift,
    granted_by: &str,
    now: Timestamp,
) -> Vec<Value> {
    let (role, permission) = match gift {
        Gift::Role(name) => (name.clone(), String::new()),
        Gift::Permission(permission) => (String::new(), permission.to_string()),
    };
    vec![
        org.uuid().into(),
        id.uuid().into(),
        to.kind().into(),
        to.uuid().into(),
        role.into(),
        permission.into(),
        granted_by.into(),
        now.into(),
    ]
}

/// The roles that a holder was given itself, each with who gave it.
pub(crate) async fn roles_with_source(
    db: &Db,
    scope: impl Into<Scope>,
    org: OrgId,
    holder: Uuid,
) -> Result<Vec<(String, String)>, DbError> {
    let text =
        "SELECT role, granted_by FROM grants WHERE org = $1 AND principal = $2 AND role <> '' ORDER BY role";
    let rows = db.read(scope, sql(text, vec![org.uuid().into(), holder.into()])).await?;
    rows.into_iter().map(|mut row| Ok((row.next()?, row.next()?))).collect()
}

/// Names of roles and single permissions that a holder was given itself.
pub async fn names_of(
    db: &Db,
    scope: impl Into<Scope>,
    org: OrgId,
    holder: impl Into<HolderId>,
) -> Result<(Vec<String>, Vec<String>), DbError> {
    let text =
        "SELECT role, permission FROM grants WHERE org = $1 AND principal = $2 ORDER BY role, permission";
    let rows = db.read(scope, sql(text, vec![org.uuid().into(), holder.into().uuid().into()])).await?;
    let (mut roles, mut permissions) = (Vec::new(), Vec::new());
    for mut row in rows {
        let (role, permission): (String, String) = (row.next()?, row.next()?);
        if role.is_empty() { permissions.push(permission) } else { roles.push(role) }
    }
    Ok((roles, permissions))
}

/// Holder, role, permission of every grant of these holders.
pub(crate) async fn grants_of_all(
    db: &Db,
    scope: &OrgScope,
    holders: &[Uuid],
) -> Result<Vec<(Uuid, String, String)>, DbError> {
    if holders.is_empty() {
        return Ok(Vec::new());
    }
    let places = vec!["{}"; holders.len()].join(", ");
    let select = Select::new("SELECT principal, role, permission FROM grants")
        .and("org = {}", scope.org().uuid())
        .and_text(format!("principal IN ({places})"), holders.iter().map(|id| (*id).into()))
        .order("role, permission");
    let rows = db.read(scope, select).await?;
    rows.into_iter().map(|mut row| Ok((row.next()?, row.next()?, row.next()?))).collect()
}

/// What the organization's own role of this name allows, as stored.
pub(crate) async fn stored_permissions(
    db: &Db,
    scope: &OrgScope,
    name: &str,
) -> Result<Option<String>, DbError> {
    let text = "SELECT permissions FROM roles WHERE org = $1 AND name = $2";
    let row = db.read_one(scope, sql(text, vec![scope.org().uuid().into(), name.into()])).await?;
    row.map(|mut row| row.next()).transpose()
}

/// The people who hold `owner` themselves.
pub(crate) async fn owners(db: &Db, scope: &OrgScope) -> Result<Vec<UserId>, DbError> {
    let text = "SELECT principal FROM grants WHERE org = $1 AND role = 'owner' AND principal_kind = 'user'";
    let rows = db.read(scope, sql(text, vec![scope.org().uuid().into()])).await?;
    rows.into_iter().map(|mut row| row.id()).collect()
}

/// Everything that a holder has, itself and through its groups, in one look. A suspended member has nothing.
pub(crate) async fn sources_of(
    db: &Db,
    scope: impl Into<Scope>,
    org: OrgId,
    holder: Uuid,
) -> Result<Sources, DbError> {
    let text = "SELECT grants.principal, grants.id, grants.role, grants.permission, roles.permissions \
                FROM grants LEFT JOIN roles ON roles.org = grants.org AND roles.name = grants.role \
                WHERE grants.org = $1 AND grants.principal = $2 AND NOT EXISTS (SELECT 1 FROM memberships \
                WHERE org = $1 AND user_id = $2 AND suspended_at IS NOT NULL) \
                UNION ALL \
                SELECT group_members.group_id, grants.id, grants.role, grants.permission, roles.permissions \
                FROM group_members \
                LEFT JOIN grants ON grants.org = group_members.org AND grants.principal = group_members.group_id \
                LEFT JOIN roles ON roles.org = grants.org AND roles.name = grants.role \
                WHERE group_members.org = $1 AND group_members.principal = $2 AND NOT EXISTS (SELECT 1 FROM memberships \
                WHERE org = $1 AND user_id = $2 AND suspended_at IS NOT NULL)";
    let mut sources = Sources::default();
    for mut row in db.read(scope, sql(text, vec![org.uuid().into(), holder.into()])).await? {
        let from: Uuid = row.next()?;
        let group = (from != holder).then(|| GroupId::from_uuid(from));
        if let Some(group) = group.filter(|group| !sources.groups.contains(group)) {
            sources.groups.push(group);
        }
        let (grant, role, permission): (Option<Uuid>, Option<String>, Option<String>) =
            (row.next()?, row.next()?, row.next()?);
        let stored: Option<String> = row.next()?;
        let Some(grant) = grant else { continue };
        let role = role.filter(|name| !name.is_empty());
        let permissions = match &role {
            Some(role) => permissions_of(role, stored.as_deref()),
            None => permission.and_then(|text| text.parse().ok()).into_iter().collect(),
        };
        sources.all.push(Source { grant: GrantId::from_uuid(grant), role, group, permissions });
    }
    Ok(sources)
}
