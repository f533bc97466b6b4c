//! SQL of organizations' own roles.

use db::{Db, DbError, OrgScope, Row, Select, Statement, sql};
use types::{Id, RoleId};

use crate::roles::OwnRole;
use crate::source::{read, written};

const ROLE: &str =
    "SELECT id, org, name, description, permissions, created_by, created_at, updated_at, revision FROM roles";

fn role(mut row: Row) -> Result<OwnRole, DbError> {
    Ok(OwnRole {
        id: row.id()?,
        org: row.id()?,
        name: row.parse()?,
        description: row.next()?,
        permissions: read(&row.next::<String>()?),
        created_by: row.next()?,
        created_at: row.next()?,
        updated_at: row.next()?,
        revision: row.next()?,
    })
}

fn roles(scope: &OrgScope) -> Select {
    Select::new(ROLE).and("org = {}", scope.org().uuid())
}

/// By name; organizations have few.
pub(crate) async fn all_roles(db: &Db, scope: &OrgScope) -> Result<Vec<OwnRole>, DbError> {
    db.read(scope, roles(scope).order("name")).await?.into_iter().map(role).collect()
}

pub(crate) async fn role_named(db: &Db, scope: &OrgScope, name: &str) -> Result<Option<OwnRole>, DbError> {
    db.read_one(scope, roles(scope).and("name = {}", name)).await?.map(role).transpose()
}

pub(crate) async fn role_by_id(db: &Db, scope: &OrgScope, id: RoleId) -> Result<Option<OwnRole>, DbError> {
    db.read_one(scope, roles(scope).and("id = {}", id.uuid())).await?.map(role).transpose()
}

pub(crate) fn insert_role(role: &OwnRole) -> Statement {
    let text = "INSERT INTO roles (org, id, name, description, permissions, created_by, created_at, updated_at, revision) \
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    let params = vec![
        role.org.uuid().into(),
        role.id.uuid().into(),
        role.name.as_str().into(),
        role.description.as_str().into(),
        written(&role.permissions).into(),
        role.created_by.as_str().into(),
        role.created_at.into(),
        role.updated_at.into(),
        role.revision.into(),
    ];
    sql(text, params).unique_or(&problem::ALREADY_EXISTS)
}

/// Writes what may change; `role.revision` is the new one.
pub(crate) fn update_role(role: &OwnRole) -> Statement {
    let text = "UPDATE roles SET description = $3, permissions = $4, updated_at = $5, revision = $6 \
                WHERE org = $1 AND id = $2 AND revision = $6 - 1";
    let params = vec![
        role.org.uuid().into(),
        role.id.uuid().into(),
        role.description.as_str().into(),
        written(&role.permissions).into(),
        role.updated_at.into(),
        role.revision.into(),
    ];
    sql(text, params).fresh()
}

/// Touches nothing if somebody was given the role since its holders were counted: giving does not advance the head, but
/// whoever takes it waits for those who share it.
pub(crate) fn delete_role(role: &OwnRole) -> Statement {
    let text = "DELETE FROM roles WHERE org = $1 AND id = $2 AND revision = $3 \
                AND NOT EXISTS (SELECT 1 FROM grants WHERE grants.org = $1 AND grants.role = $4)";
    let params =
        vec![role.org.uuid().into(), role.id.uuid().into(), role.revision.into(), role.name.as_str().into()];
    sql(text, params).fresh()
}
