//! SQL of grants.

use authority::{Authority, Permission};
use db::{Db, DbError, Scope, Statement, sql};
use types::{GrantId, Id, OrgId, Timestamp, World};
use web::PrincipalId;

use crate::Gift;
use crate::roles::role;

/// The INSERT of one grant, for the change that gives it.
pub fn give(
    world: &World,
    org: OrgId,
    to: PrincipalId,
    gift: &Gift,
    granted_by: &str,
    now: Timestamp,
) -> Statement {
    let (role, permission) = match gift {
        Gift::Role(name) => ((*name).to_owned(), String::new()),
        Gift::Permission(permission) => (String::new(), permission.to_string()),
    };
    let text = "INSERT INTO grants (org, id, principal_kind, principal, role, permission, granted_by, created_at) \
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    let params = vec![
        org.uuid().into(),
        world.id::<GrantId>().uuid().into(),
        to.kind().into(),
        to.uuid().into(),
        role.into(),
        permission.into(),
        granted_by.into(),
        now.into(),
    ];
    sql(text, params)
}

/// Names of roles and single permissions that a principal was given.
pub async fn names_of(
    db: &Db,
    scope: impl Into<Scope>,
    org: OrgId,
    principal: PrincipalId,
) -> Result<(Vec<String>, Vec<String>), DbError> {
    let text =
        "SELECT role, permission FROM grants WHERE org = $1 AND principal = $2 ORDER BY role, permission";
    let rows = db.read(scope, sql(text, vec![org.uuid().into(), principal.uuid().into()])).await?;
    let (mut roles, mut permissions) = (Vec::new(), Vec::new());
    for mut row in rows {
        let (role, permission): (String, String) = (row.next()?, row.next()?);
        if role.is_empty() { permissions.push(permission) } else { roles.push(role) }
    }
    Ok((roles, permissions))
}

pub(crate) async fn authority_of(
    db: &Db,
    scope: impl Into<Scope>,
    org: OrgId,
    principal: PrincipalId,
) -> Result<Authority, DbError> {
    let (roles, permissions) = names_of(db, scope, org, principal).await?;
    let by_role =
        roles.iter().filter_map(|name| role(name)).flat_map(|role| role.permissions.iter().copied());
    let texts = by_role.chain(permissions.iter().map(String::as_str));
    // A permission that no longer parses (a resource that went away) grants nothing.
    Ok(texts.filter_map(|text| text.parse::<Permission>().ok()).collect())
}
