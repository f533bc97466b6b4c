//! SQL of people, sessions and owner links; that of other nouns stands in files of its own.

mod domains;
mod groups;
mod invitations;
mod members;
mod orgs;
mod users;

use db::{Db, DbError, OrgScope, Row, Scope, Select, Statement, SystemScope, Value, sql};
use types::{Id, OrgId, OwnerLinkId, SessionId, Timestamp, UserId};

use crate::{Person, Session};

pub(crate) use domains::*;
pub(crate) use groups::*;
pub(crate) use invitations::*;
pub(crate) use members::*;
pub use orgs::TABLES;
pub(crate) use orgs::*;
pub(crate) use users::*;

const PERSON: &str = "SELECT users.id, username, email, email_verified, display_name, locale, users.status, \
                      users.created_at, last_login_at, users.revision FROM users";
const SESSION: &str = "SELECT id, org, user_id, kind, generation, created_at, last_seen_at, expires_at, \
                       stepped_up_until, user_agent, factors, provider, revoked_at, revision FROM sessions";

fn person(mut row: Row) -> Result<Person, DbError> {
    Ok(Person {
        id: row.id()?,
        username: row.next()?,
        email: row.next()?,
        email_verified: row.next()?,
        display_name: row.next()?,
        locale: row.next()?,
        active: row.next::<String>()? == "active",
        created_at: row.next()?,
        last_login_at: row.next()?,
        revision: row.next()?,
    })
}

/// For LIKE with `ESCAPE '!'`.
fn like(text: &str) -> String {
    text.replace('!', "!!").replace('%', "!%").replace('_', "!_")
}

fn text(value: &impl serde::Serialize) -> Value {
    // Lists and maps of strings always serialise.
    serde_json::to_string(value).unwrap_or_default().into()
}

fn session(mut row: Row) -> Result<Session, DbError> {
    Ok(Session {
        id: row.id()?,
        org: row.id()?,
        user: row.id()?,
        kind: row.parse()?,
        generation: row.next()?,
        created_at: row.next()?,
        last_seen_at: row.next()?,
        expires_at: row.next()?,
        stepped_up_until: row.next()?,
        user_agent: row.next()?,
        factors: row.next()?,
        provider: row.optional_id()?,
        revoked: row.next::<Option<Timestamp>>()?.is_some(),
        revision: row.next()?,
    })
}

pub(crate) fn insert_person(person: &Person) -> Statement {
    let text = "INSERT INTO users (id, email, display_name, status, created_at, last_login_at, revision, username, \
                email_verified, locale) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    let params = vec![
        person.id.uuid().into(),
        person.email.clone().into(),
        person.display_name.as_str().into(),
        if person.active { "active" } else { "suspended" }.into(),
        person.created_at.into(),
        person.last_login_at.into(),
        person.revision.into(),
        person.username.clone().into(),
        person.email_verified.into(),
        person.locale.clone().into(),
    ];
    sql(text, params).unique_or(&problem::ALREADY_EXISTS)
}

pub(crate) async fn person_by_id(
    db: &Db,
    scope: impl Into<Scope>,
    id: UserId,
) -> Result<Option<Person>, DbError> {
    db.read_one(scope, Select::new(PERSON).and("users.id = {}", id.uuid())).await?.map(person).transpose()
}

/// The person, if it belongs to the organization; active if it may act there.
pub(crate) async fn person_in(
    db: &Db,
    scope: SystemScope,
    of: OrgId,
    id: UserId,
) -> Result<Option<Person>, DbError> {
    let head = "SELECT users.id, username, email, email_verified, display_name, locale, \
                CASE WHEN m.suspended_at IS NULL THEN users.status ELSE 'suspended' END, users.created_at, \
                last_login_at, users.revision FROM users JOIN memberships m ON m.user_id = users.id";
    let select = Select::new(head).and("m.org = {}", of.uuid()).and("users.id = {}", id.uuid());
    db.read_one(scope, select).await?.map(person).transpose()
}

/// The oldest person who holds `role` in the organization.
pub(crate) async fn first_holder(
    db: &Db,
    scope: SystemScope,
    of: OrgId,
    role: &str,
) -> Result<Option<Person>, DbError> {
    let select = Select::new(PERSON)
        .and_all(
            "users.id IN (SELECT principal FROM grants WHERE org = {} AND role = {})",
            [of.uuid().into(), role.into()],
        )
        .and("users.status = {}", "active")
        .order("users.id")
        .limit(1);
    db.read_one(scope, select).await?.map(person).transpose()
}

pub(crate) fn touch_login(user: UserId, at: Timestamp) -> Statement {
    sql("UPDATE users SET last_login_at = $2 WHERE id = $1", vec![user.uuid().into(), at.into()])
}

pub(crate) fn insert_session(session: &Session, secret_tag: [u8; 32]) -> Statement {
    let text = "INSERT INTO sessions (org, id, user_id, kind, secret_tag, generation, created_at, last_seen_at, \
                expires_at, stepped_up_until, user_agent, factors, provider, revoked_at, revision) \
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, NULL, $14)";
    let params = vec![
        session.org.uuid().into(),
        session.id.uuid().into(),
        session.user.uuid().into(),
        session.kind.name().into(),
        secret_tag.into(),
        session.generation.into(),
        session.created_at.into(),
        session.last_seen_at.into(),
        session.expires_at.into(),
        session.stepped_up_until.into(),
        session.user_agent.clone().into(),
        session.factors.as_str().into(),
        session.provider.map(Id::uuid).into(),
        session.revision.into(),
    ];
    sql(text, params)
}

pub(crate) async fn session_by_tag(
    db: &Db,
    scope: SystemScope,
    secret_tag: [u8; 32],
) -> Result<Option<Session>, DbError> {
    db.read_one(scope, Select::new(SESSION).and("secret_tag = {}", secret_tag))
        .await?
        .map(session)
        .transpose()
}

pub(crate) async fn session_by_id(
    db: &Db,
    scope: impl Into<Scope>,
    id: SessionId,
) -> Result<Option<Session>, DbError> {
    db.read_one(scope, Select::new(SESSION).and("id = {}", id.uuid())).await?.map(session).transpose()
}

pub(crate) async fn sessions_of(db: &Db, scope: &OrgScope, user: UserId) -> Result<Vec<Session>, DbError> {
    let select = Select::new(SESSION)
        .and("org = {}", scope.org().uuid())
        .and("user_id = {}", user.uuid())
        .and("revoked_at IS NULL AND expires_at > {}", Timestamp::from_millis(0))
        .order("id DESC")
        .limit(200);
    db.read(scope, select).await?.into_iter().map(session).collect()
}

/// The one atomic step of a rotation: whoever holds the generation's tag wins, everybody else touches no row.
pub(crate) fn rotate_session(
    session: &Session,
    old_tag: [u8; 32],
    new_tag: [u8; 32],
    now: Timestamp,
) -> Statement {
    let text = "UPDATE sessions SET secret_tag = $3, generation = generation + 1, last_seen_at = $4, \
                revision = revision + 1 WHERE id = $1 AND secret_tag = $2 AND revoked_at IS NULL";
    sql(text, vec![session.id.uuid().into(), old_tag.into(), new_tag.into(), now.into()])
}

/// A session ends once: whoever comes second changes nothing and records nothing.
pub(crate) fn end_session(session: &Session, now: Timestamp) -> Statement {
    let text = "UPDATE sessions SET revoked_at = $3, revision = revision + 1 \
                WHERE org = $1 AND id = $2 AND revoked_at IS NULL";
    let params = vec![session.org.uuid().into(), session.id.uuid().into(), now.into()];
    sql(text, params).one_row_or(&problem::NOT_FOUND)
}

/// Bookkeeping: a session was seen.
pub(crate) fn touch_session(session: SessionId, at: Timestamp) -> Statement {
    sql("UPDATE sessions SET last_seen_at = $2 WHERE id = $1", vec![session.uuid().into(), at.into()])
}

pub(crate) fn void_links(now: Timestamp) -> Statement {
    sql("UPDATE owner_links SET redeemed_at = $1 WHERE redeemed_at IS NULL", vec![now.into()])
}

pub(crate) fn insert_link(
    id: OwnerLinkId,
    tag: [u8; 32],
    created: Timestamp,
    expires: Timestamp,
) -> Statement {
    let text = "INSERT INTO owner_links (id, secret_tag, created_at, expires_at) VALUES ($1, $2, $3, $4)";
    sql(text, vec![id.uuid().into(), tag.into(), created.into(), expires.into()])
}

pub(crate) fn redeem_link(tag: [u8; 32], now: Timestamp) -> Statement {
    let text = "UPDATE owner_links SET redeemed_at = $2 \
                WHERE secret_tag = $1 AND redeemed_at IS NULL AND expires_at > $2";
    sql(text, vec![tag.into(), now.into()]).one_row_or(&problem::INVALID_LINK)
}

pub(crate) async fn link_is_open(
    db: &Db,
    scope: SystemScope,
    tag: [u8; 32],
    now: Timestamp,
) -> Result<bool, DbError> {
    let text = "SELECT 1 FROM owner_links WHERE secret_tag = $1 AND redeemed_at IS NULL AND expires_at > $2";
    Ok(db.read_one(scope, sql(text, vec![tag.into(), now.into()])).await?.is_some())
}

/// Every session of a person that was not ended, in all organizations.
pub(crate) async fn all_sessions_of(
    db: &Db,
    scope: SystemScope,
    user: UserId,
) -> Result<Vec<Session>, DbError> {
    let select = Select::new(SESSION).and("user_id = {} AND revoked_at IS NULL", user.uuid()).order("id");
    db.read(scope, select).await?.into_iter().map(session).collect()
}

/// A confirmation: the cookie's value changes with it.
pub(crate) fn step_up(session: &Session, new_tag: [u8; 32], until: Timestamp, now: Timestamp) -> Statement {
    let text = "UPDATE sessions SET secret_tag = $4, stepped_up_until = $5, last_seen_at = $6, \
                generation = generation + 1, revision = revision + 1 \
                WHERE org = $1 AND id = $2 AND generation = $3 AND revoked_at IS NULL";
    let params = vec![
        session.org.uuid().into(),
        session.id.uuid().into(),
        session.generation.into(),
        new_tag.into(),
        until.into(),
        now.into(),
    ];
    sql(text, params).fresh()
}
