//! SQL of groups.

use db::{Db, DbError, OrgScope, Row, Select, Statement, sql};
use types::{GroupId, Id, OrgId, Timestamp, Uuid};
use web::{Allowance, Columns, PrincipalId, SelectorColumn};

use crate::groups::Group;
use crate::service::INSTANCE;

const GROUP: &str = "SELECT id, name, description, external_group_id, email_domain, created_at, updated_at, revision \
                     FROM groups";

fn group_of(mut row: Row) -> Result<Group, DbError> {
    Ok(Group {
        id: row.id()?,
        name: row.next()?,
        description: row.next()?,
        external_group_id: row.next()?,
        email_domain: row.next()?,
        created_at: row.next()?,
        updated_at: row.next()?,
        revision: row.next()?,
    })
}

pub(crate) async fn groups(
    db: &Db,
    by: &Allowance,
    q: Option<&str>,
    after: Option<GroupId>,
    limit: i64,
) -> Result<Vec<Group>, DbError> {
    const COLUMNS: Columns = Columns {
        selector: SelectorColumn::id::<GroupId>("id"),
        owner: None,
        is: None,
        named: None,
        group: Some("id"),
        visible: None,
    };
    let q = q.map(|text| format!("%{}%", super::like(&text.to_lowercase())));
    let select = Select::new(GROUP)
        .and("org = {}", by.org().uuid())
        .and_some("lower(name || ' ' || description) LIKE {} ESCAPE '!'", q)
        .and_some("id > {}", after.map(Id::uuid))
        .order("id")
        .limit(limit);
    db.read(by.scope(), by.narrow(select, &COLUMNS)).await?.into_iter().map(group_of).collect()
}

pub(crate) async fn group(db: &Db, scope: &OrgScope, id: GroupId) -> Result<Option<Group>, DbError> {
    let select = Select::new(GROUP).and("org = {}", scope.org().uuid()).and("id = {}", id.uuid());
    db.read_one(scope, select).await?.map(group_of).transpose()
}

pub(crate) fn insert_group(group: &Group, org: OrgId, by: &str) -> Statement {
    let text = "INSERT INTO groups (org, id, name, description, external_group_id, email_domain, created_by, created_at, \
                updated_at, revision) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    let params = vec![
        org.uuid().into(),
        group.id.uuid().into(),
        group.name.as_str().into(),
        group.description.as_str().into(),
        group.external_group_id.clone().into(),
        group.email_domain.clone().into(),
        by.into(),
        group.created_at.into(),
        group.updated_at.into(),
        group.revision.into(),
    ];
    sql(text, params).unique_or(&problem::ALREADY_EXISTS)
}

/// `group.revision` is the new one.
pub(crate) fn update_group(group: &Group, org: OrgId) -> Statement {
    let text = "UPDATE groups SET name = $3, description = $4, external_group_id = $5, email_domain = $6, \
                updated_at = $7, revision = $8 WHERE org = $1 AND id = $2 AND revision = $8 - 1";
    let params = vec![
        org.uuid().into(),
        group.id.uuid().into(),
        group.name.as_str().into(),
        group.description.as_str().into(),
        group.external_group_id.clone().into(),
        group.email_domain.clone().into(),
        group.updated_at.into(),
        group.revision.into(),
    ];
    sql(text, params).fresh().unique_or(&problem::ALREADY_EXISTS)
}

/// Unless an agent belongs to it by now: then it is decided again.
pub(crate) fn delete_group(group: &Group, org: OrgId) -> Statement {
    let text = "DELETE FROM groups WHERE org = $1 AND id = $2 AND NOT EXISTS (SELECT 1 FROM agents \
                WHERE agents.org = $1 AND (agents.group_id = $2 OR agents.owner = $2) AND agents.status <> 'decommissioned')";
    sql(text, vec![org.uuid().into(), group.id.uuid().into()]).fresh()
}

pub(crate) async fn agents_of_group(db: &Db, scope: &OrgScope, group: GroupId) -> Result<i64, DbError> {
    let text = "SELECT count(*) FROM agents WHERE org = $1 AND (group_id = $2 OR owner = $2) \
                AND status <> 'decommissioned'";
    let row = db.read_one(scope, sql(text, vec![scope.org().uuid().into(), group.uuid().into()])).await?;
    row.map_or(Ok(0), |mut row| row.next())
}

/// Table, id and revision of a principal that belongs to the organization.
pub(crate) async fn principal_row(
    db: &Db,
    scope: &OrgScope,
    principal: PrincipalId,
) -> Result<Option<(&'static str, Uuid, i64)>, DbError> {
    let (table, text) = match principal {
        PrincipalId::User(_) => (
            "users",
            "SELECT users.id, users.revision FROM users JOIN memberships ON memberships.user_id = users.id \
             WHERE memberships.org = $1 AND users.id = $2",
        ),
        PrincipalId::Agent(_) => (
            "agents",
            "SELECT id, revision FROM agents WHERE org = $1 AND id = $2 AND status <> 'decommissioned'",
        ),
    };
    let params = vec![scope.org().uuid().into(), principal.uuid().into()];
    let found = db.read_one(scope, sql(text, params)).await?;
    found.map(|mut row| Ok((table, row.next()?, row.next()?))).transpose()
}

/// By whom and when a principal was put into a group.
pub(crate) async fn group_member(
    db: &Db,
    scope: &OrgScope,
    group: GroupId,
    principal: PrincipalId,
) -> Result<Option<(String, Timestamp)>, DbError> {
    let text =
        "SELECT added_by, added_at FROM group_members WHERE org = $1 AND group_id = $2 AND principal = $3";
    let params = vec![scope.org().uuid().into(), group.uuid().into(), principal.uuid().into()];
    let found = db.read_one(scope, sql(text, params)).await?;
    found.map(|mut row| Ok((row.next()?, row.next()?))).transpose()
}

pub(crate) async fn groups_of_domain(
    db: &Db,
    org: OrgId,
    domain: &str,
) -> Result<Vec<(GroupId, i64)>, DbError> {
    let text = "SELECT groups.id, groups.revision FROM groups JOIN domains ON domains.org = groups.org \
                AND domains.name = groups.email_domain WHERE groups.org = $1 AND groups.email_domain = $2 \
                AND domains.proved_at IS NOT NULL ORDER BY groups.id";
    let rows = db.read(INSTANCE, sql(text, vec![org.uuid().into(), domain.into()])).await?;
    rows.into_iter().map(|mut row| Ok((row.id()?, row.next()?))).collect()
}
