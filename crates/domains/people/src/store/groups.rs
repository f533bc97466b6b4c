//! SQL of groups.

use std::collections::HashMap;

use authority::Required;
use db::{Db, DbError, OrgScope, Row, Select, Statement, Value, sql};
use types::{GroupId, Id, OrgId, Timestamp, Uuid};
use web::{Allowance, Columns, PrincipalId, Search, SelectorColumn};

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

const COLUMNS: Columns = Columns {
    selector: SelectorColumn::id::<GroupId>("id"),
    owner: None,
    is: None,
    named: None,
    group: Some("id"),
    visible: None,
};

pub(crate) async fn groups(
    db: &Db,
    by: &Allowance,
    q: Option<&str>,
    after: Option<GroupId>,
    limit: i64,
) -> Result<Vec<Group>, DbError> {
    let q = q.map(|text| format!("%{}%", super::like(&text.to_lowercase())));
    let select = Select::new(GROUP)
        .and("org = {}", by.org().uuid())
        .and_some("lower(name || ' ' || description) LIKE {} ESCAPE '!'", q)
        .and_some("id > {}", after.map(Id::uuid))
        .order("id")
        .limit(limit);
    db.read(by.scope(), by.narrow(select, &COLUMNS)).await?.into_iter().map(group_of).collect()
}

/// The same for another permission than the operation's own, by name.
pub(crate) async fn groups_for(
    db: &Db,
    by: &Allowance,
    required: &Required,
    limit: i64,
) -> Result<Vec<Group>, DbError> {
    let select = Select::new(GROUP).and("org = {}", by.org().uuid()).order("name").limit(limit);
    db.read(by.scope(), by.narrow_for(required, select, &COLUMNS)).await?.into_iter().map(group_of).collect()
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

/// Table and revision of those of these principals that belong to the organization.
pub(crate) async fn principal_rows(
    db: &Db,
    scope: &OrgScope,
    principals: &[PrincipalId],
) -> Result<HashMap<Uuid, (&'static str, i64)>, DbError> {
    let users =
        "SELECT users.id, users.revision FROM users JOIN memberships ON memberships.user_id = users.id";
    let agents = "SELECT id, revision FROM agents";
    let (of_users, of_agents): (Vec<PrincipalId>, Vec<PrincipalId>) =
        principals.iter().copied().partition(|principal| matches!(principal, PrincipalId::User(_)));
    let mut rows = HashMap::new();
    for (table, head, id, among) in
        [("users", users, "users.id", of_users), ("agents", agents, "agents.id", of_agents)]
    {
        for some in among.chunks(500) {
            let places = vec!["{}"; some.len()].join(", ");
            let ids = some.iter().map(|principal| Value::from(principal.uuid()));
            let select = Select::new(head)
                .and("org = {}", scope.org().uuid())
                .and_text(format!("{id} IN ({places})"), ids);
            let select = match table {
                "agents" => select.and("status <> {}", "decommissioned"),
                _ => select,
            };
            for mut row in db.read(scope, select).await? {
                rows.insert(row.next()?, (table, row.next()?));
            }
        }
    }
    Ok(rows)
}

/// A page of groups and how many there are in all.
pub(crate) async fn search_groups(
    db: &Db,
    by: &Allowance,
    required: &Required,
    search: &Search,
) -> Result<(Vec<Group>, i64), DbError> {
    let of = |head| {
        let select = search.filtered(Select::new(head).and("org = {}", by.org().uuid()));
        by.narrow_for(required, select, &COLUMNS)
    };
    let count = db.read_one(by.scope(), of("SELECT count(*) FROM groups")).await?;
    let rows = db.read(by.scope(), search.paged(of(GROUP), "id")).await?;
    Ok((
        rows.into_iter().map(group_of).collect::<Result<_, _>>()?,
        count.map_or(Ok(0), |mut row| row.next())?,
    ))
}

/// The groups of these principals that the caller may see.
pub(crate) async fn groups_of(
    db: &Db,
    by: &Allowance,
    required: &Required,
    principals: &[Uuid],
) -> Result<Vec<(Uuid, GroupId, String)>, DbError> {
    const NAMED: Columns =
        Columns { selector: SelectorColumn::id::<GroupId>("groups.id"), group: Some("groups.id"), ..COLUMNS };
    if principals.is_empty() {
        return Ok(Vec::new());
    }
    let places = vec!["{}"; principals.len()].join(", ");
    let head = "SELECT group_members.principal, groups.id, groups.name FROM group_members JOIN groups \
                ON groups.org = group_members.org AND groups.id = group_members.group_id";
    let select = Select::new(head)
        .and("group_members.org = {}", by.org().uuid())
        .and_text(format!("group_members.principal IN ({places})"), principals.iter().map(|id| (*id).into()))
        .order("groups.id");
    let rows = db.read(by.scope(), by.narrow_for(required, select, &NAMED)).await?;
    rows.into_iter().map(|mut row| Ok((row.next()?, row.id()?, row.next()?))).collect()
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
