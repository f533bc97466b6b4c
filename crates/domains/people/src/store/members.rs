//! SQL of memberships.

use std::collections::HashMap;

use authority::Required;
use db::{Db, DbError, OrgScope, Row, Scope, Select, Statement, SystemScope, sql};
use types::{Id, MembershipId, OrgId, SessionId, Timestamp, UserId, Uuid};
use web::{Allowance, Columns, Search, SelectorColumn};

use crate::members::{DirectoryEntry, Member};

/// The row that says that a person belongs to an organization; for guards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MembershipRow {
    pub(crate) id: MembershipId,
    pub(crate) revision: i64,
}

impl MembershipRow {
    /// As it stands after a change to it.
    pub(crate) const fn advanced(self) -> Self {
        Self { revision: self.revision + 1, ..self }
    }
}

pub(crate) async fn membership(
    db: &Db,
    scope: impl Into<Scope>,
    org: OrgId,
    user: UserId,
) -> Result<Option<MembershipRow>, DbError> {
    let text = "SELECT id, revision FROM memberships WHERE org = $1 AND user_id = $2";
    let found = db.read_one(scope, sql(text, vec![org.uuid().into(), user.uuid().into()])).await?;
    found.map(|mut row| Ok(MembershipRow { id: row.id()?, revision: row.next()? })).transpose()
}

/// The membership of somebody who may act in the organization.
pub(crate) async fn acting_membership(
    db: &Db,
    scope: SystemScope,
    org: OrgId,
    user: UserId,
) -> Result<Option<MembershipRow>, DbError> {
    let text =
        "SELECT id, revision FROM memberships WHERE org = $1 AND user_id = $2 AND suspended_at IS NULL";
    let found = db.read_one(scope, sql(text, vec![org.uuid().into(), user.uuid().into()])).await?;
    found.map(|mut row| Ok(MembershipRow { id: row.id()?, revision: row.next()? })).transpose()
}

const MEMBER: &str = "SELECT m.id, m.revision, joined_at, invited_by, provider, m.user_name, m.external_id, \
                      m.given_name, m.family_name, m.suspended_at, users.id, username, email, \
                      email_verified, display_name, locale, users.status, users.created_at, last_login_at, \
                      users.revision FROM memberships m JOIN users ON users.id = m.user_id";

fn member_of(mut row: Row) -> Result<Member, DbError> {
    Ok(Member {
        row: MembershipRow { id: row.id()?, revision: row.next()? },
        joined_at: row.next()?,
        invited_by: row.next()?,
        provider: row.next()?,
        roles: Vec::new(),
        directory: DirectoryEntry {
            user_name: row.next()?,
            external_id: row.next()?,
            given_name: row.next()?,
            family_name: row.next()?,
        },
        suspended_at: row.next()?,
        person: super::person(row)?,
    })
}

const COLUMNS: Columns = Columns {
    selector: SelectorColumn::id::<UserId>("m.user_id"),
    owner: None,
    is: Some("m.user_id"),
    named: None,
    group: None,
    visible: None,
};

/// `active` or `suspended`, everywhere or here.
const STATUS: &str = "CASE WHEN m.suspended_at IS NULL THEN users.status ELSE 'suspended' END = {}";

/// What a list of members may be narrowed by.
#[derive(Clone, Debug, Default)]
pub(crate) struct MemberFilter {
    pub(crate) status: Option<&'static str>,
    pub(crate) q: Option<String>,
    pub(crate) role: Option<String>,
}

pub(crate) async fn members(
    db: &Db,
    by: &Allowance,
    filter: &MemberFilter,
    after: Option<UserId>,
    limit: i64,
) -> Result<Vec<Member>, DbError> {
    let q = filter.q.as_ref().map(|text| format!("%{}%", super::like(&text.to_lowercase())));
    let named = "lower(display_name || ' ' || coalesce(email, '') || ' ' || coalesce(username, '')) LIKE {} ESCAPE '!'";
    let holds =
        "EXISTS (SELECT 1 FROM grants WHERE grants.org = m.org AND principal = m.user_id AND role = {})";
    let select = Select::new(MEMBER)
        .and("m.org = {}", by.org().uuid())
        .and_some(holds, filter.role.clone())
        .and_some(STATUS, filter.status)
        .and_some(named, q)
        .and_some("m.user_id > {}", after.map(Id::uuid))
        .order("m.user_id")
        .limit(limit);
    let rows = db.read(by.scope(), by.narrow(select, &COLUMNS)).await?;
    let members: Vec<Member> = rows.into_iter().map(member_of).collect::<Result<_, _>>()?;
    with_roles(db, &by.scope(), members).await
}

pub(crate) async fn member(db: &Db, scope: &OrgScope, user: UserId) -> Result<Option<Member>, DbError> {
    let select = Select::new(MEMBER).and("m.org = {}", scope.org().uuid()).and("m.user_id = {}", user.uuid());
    let found = db.read_one(scope, select).await?.map(member_of).transpose()?;
    Ok(with_roles(db, scope, found.into_iter().collect()).await?.pop())
}

/// One look for the whole page.
async fn with_roles(db: &Db, scope: &OrgScope, mut members: Vec<Member>) -> Result<Vec<Member>, DbError> {
    if members.is_empty() {
        return Ok(members);
    }
    let places = vec!["{}"; members.len()].join(", ");
    let select = Select::new("SELECT principal, role FROM grants")
        .and("org = {}", scope.org().uuid())
        .and_text(
            format!("principal IN ({places})"),
            members.iter().map(|member| member.person.id.uuid().into()),
        )
        .and_all("role <> ''", [])
        .order("role");
    let mut roles: HashMap<Uuid, Vec<String>> = HashMap::new();
    for mut row in db.read(scope, select).await? {
        let principal: Uuid = row.next()?;
        roles.entry(principal).or_default().push(row.next()?);
    }
    for member in &mut members {
        member.roles = roles.remove(&member.person.id.uuid()).unwrap_or_default();
    }
    Ok(members)
}

/// A page of members and how many there are in all. The condition may name columns of `m`, the memberships, and `users`.
pub(crate) async fn search_members(
    db: &Db,
    by: &Allowance,
    required: &Required,
    search: &Search,
) -> Result<(Vec<Member>, i64), DbError> {
    let of = |head| {
        let select = search.filtered(Select::new(head).and("m.org = {}", by.org().uuid()));
        by.narrow_for(required, select, &COLUMNS)
    };
    let count = of("SELECT count(*) FROM memberships m JOIN users ON users.id = m.user_id");
    let count = db.read_one(by.scope(), count).await?.map_or(Ok(0), |mut row| row.next())?;
    let rows = db.read(by.scope(), search.paged(of(MEMBER), "m.user_id")).await?;
    let members: Vec<Member> = rows.into_iter().map(member_of).collect::<Result<_, _>>()?;
    Ok((with_roles(db, &by.scope(), members).await?, count))
}

/// Who the directory – or we – call this: by its id there, its user name, or its address.
pub(crate) async fn member_named(db: &Db, scope: &OrgScope, name: &str) -> Result<Option<UserId>, DbError> {
    let text = "SELECT m.user_id FROM memberships m JOIN users ON users.id = m.user_id WHERE m.org = $1 \
                AND (m.external_id = $2 OR lower(m.user_name) = lower($2) OR users.email = lower($2)) \
                ORDER BY CASE WHEN m.external_id = $2 THEN 0 WHEN lower(m.user_name) = lower($2) THEN 1 ELSE 2 END \
                LIMIT 1";
    let found = db.read_one(scope, sql(text, vec![scope.org().uuid().into(), name.into()])).await?;
    found.map(|mut row| row.id()).transpose()
}

/// What the directory says of a membership that the same change begins.
pub(crate) fn enter_directory(
    org: OrgId,
    user: UserId,
    entry: &DirectoryEntry,
    suspended_at: Option<Timestamp>,
) -> Statement {
    let text = "UPDATE memberships SET user_name = $3, external_id = $4, given_name = $5, family_name = $6, \
                suspended_at = $7 WHERE org = $1 AND user_id = $2";
    let params = vec![
        org.uuid().into(),
        user.uuid().into(),
        entry.user_name.clone().into(),
        entry.external_id.clone().into(),
        entry.given_name.clone().into(),
        entry.family_name.clone().into(),
        suspended_at.into(),
    ];
    sql(text, params).fresh().unique_or(&problem::ALREADY_EXISTS)
}

/// Writes what the directory says and whether the member may act here; the revision is advanced.
pub(crate) fn update_membership(
    row: MembershipRow,
    entry: &DirectoryEntry,
    suspended_at: Option<Timestamp>,
) -> Statement {
    let text = "UPDATE memberships SET user_name = $3, external_id = $4, given_name = $5, family_name = $6, \
                suspended_at = $7, revision = revision + 1 WHERE id = $1 AND revision = $2";
    let params = vec![
        row.id.uuid().into(),
        row.revision.into(),
        entry.user_name.clone().into(),
        entry.external_id.clone().into(),
        entry.given_name.clone().into(),
        entry.family_name.clone().into(),
        suspended_at.into(),
    ];
    sql(text, params).fresh().unique_or(&problem::ALREADY_EXISTS)
}

pub(crate) fn insert_membership(id: MembershipId, org: OrgId, user: UserId, at: Timestamp) -> Statement {
    insert_membership_by(id, org, user, at, None, None)
}

/// With who invited the person, or which provider it came from.
pub(crate) fn insert_membership_by(
    id: MembershipId,
    org: OrgId,
    user: UserId,
    at: Timestamp,
    invited_by: Option<&str>,
    provider: Option<&str>,
) -> Statement {
    let text = "INSERT INTO memberships (org, id, user_id, joined_at, invited_by, provider, revision) \
                VALUES ($1, $2, $3, $4, $5, $6, 1)";
    let params = vec![
        org.uuid().into(),
        id.uuid().into(),
        user.uuid().into(),
        at.into(),
        invited_by.map(str::to_owned).into(),
        provider.map(str::to_owned).into(),
    ];
    sql(text, params).unique_or(&problem::ALREADY_EXISTS)
}

/// The membership changed: whoever decided on the revision before decides again.
pub(crate) fn touch_membership(row: MembershipRow) -> Statement {
    let text = "UPDATE memberships SET revision = revision + 1 WHERE id = $1 AND revision = $2";
    sql(text, vec![row.id.uuid().into(), row.revision.into()]).fresh()
}

/// Ends the membership, unless an agent of the person's is at work by now: then it is decided again.
pub(crate) fn delete_membership(row: MembershipRow, org: OrgId, user: UserId) -> Statement {
    let text = "DELETE FROM memberships WHERE id = $1 AND revision = $2 AND NOT EXISTS (SELECT 1 FROM agents \
                WHERE agents.org = $3 AND agents.owner = $4 AND agents.status = 'active')";
    let params = vec![row.id.uuid().into(), row.revision.into(), org.uuid().into(), user.uuid().into()];
    sql(text, params).fresh()
}

pub(crate) fn take_role(org: OrgId, user: UserId, role: &str) -> Statement {
    let text = "DELETE FROM grants WHERE org = $1 AND principal = $2 AND role = $3";
    sql(text, vec![org.uuid().into(), user.uuid().into(), role.into()]).fresh()
}

/// The person's sessions in this organization that somebody could still use.
pub(crate) async fn living_sessions(
    db: &Db,
    scope: &OrgScope,
    user: UserId,
    now: Timestamp,
) -> Result<Vec<SessionId>, DbError> {
    let text =
        "SELECT id FROM sessions WHERE org = $1 AND user_id = $2 AND revoked_at IS NULL AND expires_at > $3";
    let params = vec![scope.org().uuid().into(), user.uuid().into(), now.into()];
    db.read(scope, sql(text, params)).await?.into_iter().map(|mut row| row.id()).collect()
}

pub(crate) fn end_sessions_of(org: OrgId, user: UserId, now: Timestamp) -> Statement {
    let text = "UPDATE sessions SET revoked_at = $3, revision = revision + 1 \
                WHERE org = $1 AND user_id = $2 AND revoked_at IS NULL";
    sql(text, vec![org.uuid().into(), user.uuid().into(), now.into()])
}
