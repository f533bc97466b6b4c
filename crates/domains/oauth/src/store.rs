//! SQL of signing keys, used client assertions and logins of command lines.

use db::{Db, DbError, OrgScope, Row, Select, Statement, SystemScope, Value, sql};
use types::{Id, LoginGrantId, OrgId, SigningKeyId, Timestamp};

use crate::issuer::Issuer;
use crate::logins::{Approver, GrantKind, GrantStatus, LoginGrant, shown};
use crate::ring::KeyStatus;

/// Tokens are asked for before anybody is known, so keys belong to the house's own work.
pub(crate) const KEYS: SystemScope = SystemScope::new("signing keys");
pub(crate) const ASSERTIONS: SystemScope = SystemScope::new("client assertions");

/// The organization of a client that proved itself, or of a token that its issuer signed.
pub(crate) fn proven(issuer: &Issuer) -> OrgScope {
    OrgScope::proven(issuer.org)
}

/// A row of `signing_keys`.
#[derive(Clone, Debug)]
pub(crate) struct KeyRow {
    pub(crate) org: OrgId,
    pub(crate) id: SigningKeyId,
    pub(crate) kid: String,
    pub(crate) algorithm: String,
    pub(crate) status: KeyStatus,
    /// `generated` or `imported`.
    pub(crate) source: String,
    /// PKCS#8, sealed; destroyed when the key retires.
    pub(crate) private: Option<Vec<u8>>,
    /// JWK.
    pub(crate) public: String,
    pub(crate) created_at: Timestamp,
    pub(crate) changed_at: Timestamp,
    pub(crate) revision: i64,
}

const KEY: &str = "SELECT org, id, kid, algorithm, status, source, private, public, created_at, changed_at, revision \
                   FROM signing_keys";

fn key(mut row: Row) -> Result<KeyRow, DbError> {
    Ok(KeyRow {
        org: row.id()?,
        id: row.id()?,
        kid: row.next()?,
        algorithm: row.next()?,
        status: row.parse()?,
        source: row.next()?,
        private: row.next()?,
        public: row.next()?,
        created_at: row.next()?,
        changed_at: row.next()?,
        revision: row.next()?,
    })
}

async fn keys(db: &Db, select: Select) -> Result<Vec<KeyRow>, DbError> {
    db.read(KEYS, select.order("id")).await?.into_iter().map(key).collect()
}

pub(crate) async fn keys_of(db: &Db, org: OrgId) -> Result<Vec<KeyRow>, DbError> {
    keys(db, Select::new(KEY).and("org = {}", org.uuid())).await
}

/// Keys of that status that have had it since before `since`, in all organizations.
pub(crate) async fn keys_since(db: &Db, status: KeyStatus, since: Timestamp) -> Result<Vec<KeyRow>, DbError> {
    keys(db, Select::new(KEY).and("status = {}", status.name()).and("changed_at < {}", since)).await
}

pub(crate) fn insert_key(row: &KeyRow) -> Statement {
    let text = "INSERT INTO signing_keys (org, id, kid, algorithm, status, source, private, public, created_at, \
                changed_at, revision) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    let params = vec![
        row.org.uuid().into(),
        row.id.uuid().into(),
        row.kid.as_str().into(),
        row.algorithm.as_str().into(),
        row.status.name().into(),
        row.source.as_str().into(),
        row.private.clone().into(),
        row.public.as_str().into(),
        row.created_at.into(),
        row.changed_at.into(),
        row.revision.into(),
    ];
    // Another node was first: its keys are ours.
    sql(text, params).unique_or(&problem::ALREADY_EXISTS)
}

pub(crate) fn turn_key(row: &KeyRow, status: KeyStatus, now: Timestamp) -> Statement {
    let text = "UPDATE signing_keys SET status = $4, changed_at = $5, revision = revision + 1 \
                WHERE org = $1 AND id = $2 AND revision = $3";
    sql(text, turned(row, status, now)).fresh()
}

pub(crate) fn retire_key(row: &KeyRow, now: Timestamp) -> Statement {
    let text = "UPDATE signing_keys SET status = $4, changed_at = $5, private = NULL, revision = revision + 1 \
                WHERE org = $1 AND id = $2 AND revision = $3";
    sql(text, turned(row, KeyStatus::Retired, now)).fresh()
}

fn turned(row: &KeyRow, status: KeyStatus, now: Timestamp) -> Vec<Value> {
    vec![row.org.uuid().into(), row.id.uuid().into(), row.revision.into(), status.name().into(), now.into()]
}

/// A client assertion that must not be used again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SingleUse {
    pub(crate) org: OrgId,
    /// Hash of client and `jti`.
    pub(crate) name: [u8; 32],
    /// From then on nobody accepts it anyway.
    pub(crate) until: Timestamp,
}

/// Bookkeeping: takes the assertion. Of all who try, on all nodes, the unique key lets one through.
pub(crate) fn take_assertion(of: &SingleUse) -> Statement {
    let text = "INSERT INTO used_assertions (org, name, expires_at) VALUES ($1, $2, $3)";
    let params = vec![of.org.uuid().into(), of.name.into(), of.until.into()];
    sql(text, params).unique_or(&problem::ALREADY_EXISTS)
}

/// Assertions that nobody could use any more anyway.
pub(crate) fn forget_assertions(before: Timestamp) -> Statement {
    sql("DELETE FROM used_assertions WHERE expires_at < $1", vec![before.into()])
}

pub(crate) const LOGINS: SystemScope = SystemScope::new("logins of command lines");

pub(crate) struct NewGrant<'a> {
    pub(crate) id: LoginGrantId,
    pub(crate) kind: GrantKind,
    pub(crate) secret_tag: [u8; 32],
    pub(crate) user_tag: Option<[u8; 32]>,
    pub(crate) challenge: Option<&'a str>,
    pub(crate) redirect_uri: Option<&'a str>,
    pub(crate) user_agent: Option<&'a str>,
    pub(crate) ip: Option<std::net::IpAddr>,
    /// Who approved it already.
    pub(crate) by: Option<&'a Approver>,
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Timestamp,
}

pub(crate) fn insert_grant(grant: &NewGrant<'_>) -> Statement {
    let text = "INSERT INTO login_grants (id, kind, secret_tag, user_tag, challenge, redirect_uri, user_agent, ip, status, \
                org, user_id, provider, factors, created_at, expires_at) \
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";
    let status = if grant.by.is_some() { GrantStatus::Approved } else { GrantStatus::Pending };
    let params = vec![
        grant.id.uuid().into(),
        grant.kind.name().into(),
        grant.secret_tag.into(),
        grant.user_tag.into(),
        grant.challenge.into(),
        grant.redirect_uri.into(),
        grant.user_agent.into(),
        shown(grant.ip).into(),
        status.name().into(),
        grant.by.map(|by| by.org.uuid()).into(),
        grant.by.map(|by| by.user.uuid()).into(),
        grant.by.and_then(|by| by.provider.map(Id::uuid)).into(),
        grant.by.map(|by| by.factors.as_str()).into(),
        grant.created_at.into(),
        grant.expires_at.into(),
    ];
    sql(text, params)
}

const GRANT: &str = "SELECT id, challenge, redirect_uri, user_agent, ip, status, org, user_id, provider, factors, polled_at, \
                     created_at, expires_at FROM login_grants";

fn grant(mut row: Row) -> Result<LoginGrant, DbError> {
    let (id, challenge, redirect_uri) = (row.id()?, row.next()?, row.next()?);
    let (user_agent, ip, status) = (row.next()?, row.next()?, row.parse()?);
    let (org, user, provider) = (row.optional_id()?, row.optional_id()?, row.optional_id()?);
    let factors: Option<String> = row.next()?;
    let by = match (org, user, factors) {
        (Some(org), Some(user), Some(factors)) => Some(Approver { org, user, provider, factors }),
        _ => None,
    };
    let (polled_at, created_at, expires_at) = (row.next()?, row.next()?, row.next()?);
    Ok(LoginGrant {
        id,
        challenge,
        redirect_uri,
        user_agent,
        ip,
        status,
        by,
        polled_at,
        created_at,
        expires_at,
    })
}

pub(crate) async fn grant_by_secret(db: &Db, tag: [u8; 32]) -> Result<Option<LoginGrant>, DbError> {
    db.read_one(LOGINS, Select::new(GRANT).and("secret_tag = {}", tag)).await?.map(grant).transpose()
}

pub(crate) async fn grant_by_user_tag(db: &Db, tag: [u8; 32]) -> Result<Option<LoginGrant>, DbError> {
    db.read_one(LOGINS, Select::new(GRANT).and("user_tag = {}", tag)).await?.map(grant).transpose()
}

/// Of many who decide at once, the first does.
pub(crate) fn decide_grant(id: LoginGrantId, status: GrantStatus, by: &Approver) -> Statement {
    let text = "UPDATE login_grants SET status = $2, org = $3, user_id = $4, provider = $5, factors = $6 \
                WHERE id = $1 AND status = 'pending'";
    let params = vec![
        id.uuid().into(),
        status.name().into(),
        by.org.uuid().into(),
        by.user.uuid().into(),
        by.provider.map(Id::uuid).into(),
        by.factors.as_str().into(),
    ];
    sql(text, params).one_row_or(&problem::NOT_FOUND)
}

pub(crate) fn use_grant(id: LoginGrantId) -> Statement {
    let text = "UPDATE login_grants SET status = 'used' WHERE id = $1 AND status = 'approved'";
    sql(text, vec![id.uuid().into()]).one_row_or(&problem::INVALID_TOKEN)
}

pub(crate) fn note_poll(id: LoginGrantId, now: Timestamp) -> Statement {
    sql("UPDATE login_grants SET polled_at = $2 WHERE id = $1", vec![id.uuid().into(), now.into()])
}

pub(crate) fn forget_grants(before: Timestamp) -> Statement {
    sql("DELETE FROM login_grants WHERE expires_at < $1", vec![before.into()])
}
