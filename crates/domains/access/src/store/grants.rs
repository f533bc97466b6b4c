//! SQL of single grants.

use db::{Db, DbError, OrgScope, Row, Select, Statement, sql};
use types::{GrantId, GroupId, Id, OrgId, Uuid};
use web::{Allowance, Columns, SelectorColumn};

use crate::HolderId;
use crate::grants::Grant;

const GRANT: &str =
    "SELECT id, principal_kind, principal, role, permission, granted_by, created_at FROM grants";

/// A role's grants are named by the role, single permissions' by one word that no role can have. Grants are their
/// holder's own, and those of a group are its members'.
const COLUMNS: Columns = Columns {
    selector: SelectorColumn::Path("CASE WHEN role = '' THEN 'permission' ELSE role END"),
    owner: Some("principal"),
    is: None,
    named: None,
    group: Some("principal"),
};

#[derive(Clone, Debug, Default)]
pub(crate) struct GrantFilter {
    pub(crate) holder: Option<Uuid>,
    pub(crate) role: Option<String>,
}

fn grant(mut row: Row) -> Result<Grant, DbError> {
    let id = row.id()?;
    let (kind, holder): (String, Uuid) = (row.next()?, row.next()?);
    let holder = HolderId::of(&kind, holder)
        .ok_or_else(|| DbError::Internal(format!("a grant to a holder of the kind {kind:?}")))?;
    let (role, permission): (String, String) = (row.next()?, row.next()?);
    Ok(Grant {
        id,
        holder,
        role: Some(role).filter(|role| !role.is_empty()),
        permission: Some(permission).filter(|permission| !permission.is_empty()),
        granted_by: row.next()?,
        created_at: row.next()?,
    })
}

fn filtered(head: &'static str, by: &Allowance, filter: &GrantFilter) -> Select {
    let select = Select::new(head)
        .and("org = {}", by.org().uuid())
        .and_some("principal = {}", filter.holder)
        .and_some("role = {}", filter.role.as_deref());
    by.narrow(select, &COLUMNS)
}

/// Newest first.
pub(crate) async fn grants(
    db: &Db,
    by: &Allowance,
    filter: &GrantFilter,
    before: Option<GrantId>,
    limit: i64,
) -> Result<Vec<Grant>, DbError> {
    let select =
        filtered(GRANT, by, filter).and_some("id < {}", before.map(Id::uuid)).order("id DESC").limit(limit);
    db.read(by.scope(), select).await?.into_iter().map(grant).collect()
}

pub(crate) async fn count_grants(db: &Db, by: &Allowance, filter: &GrantFilter) -> Result<i64, DbError> {
    let row = db.read_one(by.scope(), filtered("SELECT count(*) FROM grants", by, filter)).await?;
    row.map_or(Ok(0), |mut row| row.next())
}

pub(crate) async fn grant_by_id(db: &Db, scope: &OrgScope, id: GrantId) -> Result<Option<Grant>, DbError> {
    let select = Select::new(GRANT).and("org = {}", scope.org().uuid()).and("id = {}", id.uuid());
    db.read_one(scope, select).await?.map(grant).transpose()
}

/// How often a role is held, and by whom: the first twenty.
pub(crate) async fn holders_of(
    db: &Db,
    scope: &OrgScope,
    role: &str,
) -> Result<(i64, Vec<HolderId>), DbError> {
    let of = |head| Select::new(head).and("org = {}", scope.org().uuid()).and("role = {}", role);
    let count = db.read_one(scope, of("SELECT count(*) FROM grants")).await?;
    let first = db.read(scope, of(GRANT).order("id").limit(20)).await?;
    let holders = first.into_iter().map(|row| grant(row).map(|grant| grant.holder));
    Ok((count.map_or(Ok(0), |mut row| row.next())?, holders.collect::<Result<_, _>>()?))
}

pub(crate) fn delete_grant(org: OrgId, id: GrantId) -> Statement {
    let text = "DELETE FROM grants WHERE org = $1 AND id = $2";
    sql(text, vec![org.uuid().into(), id.uuid().into()]).fresh()
}

pub(crate) async fn group_exists(db: &Db, scope: &OrgScope, group: GroupId) -> Result<bool, DbError> {
    let text = "SELECT 1 FROM group_heads WHERE org = $1 AND id = $2";
    let params = vec![scope.org().uuid().into(), group.uuid().into()];
    Ok(db.read_one(scope, sql(text, params)).await?.is_some())
}
