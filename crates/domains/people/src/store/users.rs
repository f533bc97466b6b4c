//! SQL of people as the instance sees them.

use db::{Db, DbError, Select, Statement, SystemScope, sql};
use types::{Id, OrgId, Timestamp, UserId};
use web::{Allowance, Columns, SelectorColumn};

use crate::Person;
use crate::service::INSTANCE;

#[derive(Clone, Debug, Default)]
pub(crate) struct UserFilter {
    pub(crate) status: Option<&'static str>,
    pub(crate) q: Option<String>,
}

pub(crate) async fn users(
    db: &Db,
    by: &Allowance,
    filter: &UserFilter,
    after: Option<UserId>,
    limit: i64,
) -> Result<Vec<Person>, DbError> {
    const COLUMNS: Columns = Columns {
        selector: SelectorColumn::id::<UserId>("users.id"),
        owner: None,
        is: Some("users.id"),
        named: None,
        group: None,
        visible: None,
    };
    let q = filter.q.as_ref().map(|text| format!("%{}%", super::like(&text.to_lowercase())));
    let named = "lower(display_name || ' ' || coalesce(email, '') || ' ' || coalesce(username, '')) LIKE {} ESCAPE '!'";
    let select = Select::new(super::PERSON)
        .and_some("users.status = {}", filter.status)
        .and_some(named, q)
        .and_some("users.id > {}", after.map(Id::uuid))
        .order("users.id")
        .limit(limit);
    db.read(INSTANCE, by.narrow(select, &COLUMNS)).await?.into_iter().map(super::person).collect()
}

/// The organizations that a person may act in, the oldest membership first.
pub(crate) async fn acting_orgs_of(db: &Db, scope: SystemScope, user: UserId) -> Result<Vec<OrgId>, DbError> {
    let text =
        "SELECT org FROM memberships WHERE user_id = $1 AND suspended_at IS NULL ORDER BY joined_at, org";
    let rows = db.read(scope, sql(text, vec![user.uuid().into()])).await?;
    rows.into_iter().map(|mut row| row.id()).collect()
}

/// The organizations that a person is a member of, the oldest membership first.
pub(crate) async fn orgs_of(db: &Db, scope: SystemScope, user: UserId) -> Result<Vec<OrgId>, DbError> {
    let text = "SELECT org FROM memberships WHERE user_id = $1 ORDER BY joined_at, org";
    let rows = db.read(scope, sql(text, vec![user.uuid().into()])).await?;
    rows.into_iter().map(|mut row| row.id()).collect()
}

/// `person.revision` is the new one; `by` is the organization that suspends, none for operators.
pub(crate) fn turn_person(person: &Person, by: Option<OrgId>) -> Statement {
    let text =
        "UPDATE users SET status = $2, suspended_by = $4, revision = $3 WHERE id = $1 AND revision = $3 - 1";
    let status = if person.active { "active" } else { "suspended" };
    let by = by.filter(|_| !person.active).map(Id::uuid);
    sql(text, vec![person.id.uuid().into(), status.into(), person.revision.into(), by.into()]).fresh()
}

/// Writes what an organization may say of a person inside its domain; `person.revision` is the new one. Who is suspended
/// stays so by whoever did it.
pub(crate) fn update_person(person: &Person, suspended_by: Option<OrgId>) -> Statement {
    let text = "UPDATE users SET email = $2, email_verified = $3, display_name = $4, locale = $5, status = $6, \
                suspended_by = CASE WHEN $6 = 'active' THEN NULL ELSE coalesce($7, suspended_by) END, \
                revision = $8 WHERE id = $1 AND revision = $8 - 1";
    let status = if person.active { "active" } else { "suspended" };
    let params = vec![
        person.id.uuid().into(),
        person.email.clone().into(),
        person.email_verified.into(),
        person.display_name.as_str().into(),
        person.locale.clone().into(),
        status.into(),
        suspended_by.filter(|_| !person.active).map(Id::uuid).into(),
        person.revision.into(),
    ];
    sql(text, params).fresh().unique_or(&problem::ALREADY_EXISTS)
}

pub(crate) fn set_locale(user: UserId, locale: Option<&str>) -> Statement {
    let params = vec![user.uuid().into(), locale.map(str::to_owned).into()];
    sql("UPDATE users SET locale = $2 WHERE id = $1", params)
}

/// Which organization suspended the person; none if an operator did.
pub(crate) async fn suspended_by(
    db: &Db,
    scope: SystemScope,
    user: UserId,
) -> Result<Option<OrgId>, DbError> {
    let text = "SELECT suspended_by FROM users WHERE id = $1";
    let row = db.read_one(scope, sql(text, vec![user.uuid().into()])).await?;
    row.map_or(Ok(None), |mut row| row.optional_id())
}

pub(crate) async fn person_by_email(
    db: &Db,
    scope: SystemScope,
    email: &str,
) -> Result<Option<Person>, DbError> {
    let select = Select::new(super::PERSON).and("email = {}", email);
    db.read_one(scope, select).await?.map(super::person).transpose()
}

/// They showed that they read this mailbox.
pub(crate) fn verify_email(user: UserId, email: &str) -> Statement {
    let text = "UPDATE users SET email_verified = $3 WHERE id = $1 AND email = $2";
    sql(text, vec![user.uuid().into(), email.into(), true.into()])
}

/// Who somebody is at an identity provider, as this organization was told.
pub(crate) async fn person_by_identity(
    db: &Db,
    scope: SystemScope,
    org: OrgId,
    issuer: &str,
    subject: &str,
) -> Result<Option<Person>, DbError> {
    let select = Select::new(super::PERSON).and_all(
        "users.id IN (SELECT user_id FROM identities WHERE org = {} AND issuer = {} AND subject = {})",
        [org.uuid().into(), issuer.into(), subject.into()],
    );
    db.read_one(scope, select).await?.map(super::person).transpose()
}

pub(crate) fn insert_identity(
    org: OrgId,
    issuer: &str,
    subject: &str,
    user: UserId,
    at: Timestamp,
) -> Statement {
    let text =
        "INSERT INTO identities (org, issuer, subject, user_id, created_at) VALUES ($1, $2, $3, $4, $5)";
    let params = vec![org.uuid().into(), issuer.into(), subject.into(), user.uuid().into(), at.into()];
    sql(text, params).unique_or(&problem::ALREADY_EXISTS)
}

pub(crate) fn end_sessions_everywhere(user: UserId, now: Timestamp) -> Statement {
    let text = "UPDATE sessions SET revoked_at = $2, revision = revision + 1 WHERE user_id = $1 AND revoked_at IS NULL";
    sql(text, vec![user.uuid().into(), now.into()])
}
