//! SQL of providers, identities and states.

use db::{Db, DbError, Row, Select, Statement, sql};
use types::{AuthProviderId, Id, OrgId, SignInStateId, Timestamp, UserId, Uuid};
use web::{Allowance, Columns, SelectorColumn};

use crate::model::{Owner, Provider};
use crate::service::SIGN_IN;

const PROVIDER: &str = "SELECT id, org, name, display_name, kind, enabled, settings, secrets IS NOT NULL, default_roles, \
                        create_users, allowed_domains, trust_email, source, created_at, updated_at, revision \
                        FROM auth_providers";

fn provider(mut row: Row) -> Result<Provider, DbError> {
    Ok(Provider {
        id: row.id()?,
        owner: Owner::from(row.optional_id::<OrgId>()?),
        name: row.next()?,
        display_name: row.next()?,
        kind: row.next()?,
        enabled: row.next()?,
        settings: row.json()?,
        has_secrets: row.next()?,
        default_roles: row.json()?,
        create_users: row.next()?,
        allowed_domains: row.json()?,
        trust_email: row.next()?,
        source: row.parse()?,
        created_at: row.next()?,
        updated_at: row.next()?,
        revision: row.next()?,
    })
}

pub(crate) async fn by_id(db: &Db, id: AuthProviderId) -> Result<Option<Provider>, DbError> {
    db.read_one(SIGN_IN, Select::new(PROVIDER).and("id = {}", id.uuid())).await?.map(provider).transpose()
}

/// The organization's own of that name, else the instance's.
pub(crate) async fn by_name(db: &Db, org: Option<OrgId>, name: &str) -> Result<Option<Provider>, DbError> {
    let all = offered(db, org).await?;
    let named = all.into_iter().filter(|provider| provider.name == name);
    Ok(named.max_by_key(|provider| provider.owner.org().is_some()))
}

/// All of the instance, and the organization's own.
pub(crate) async fn offered(db: &Db, org: Option<OrgId>) -> Result<Vec<Provider>, DbError> {
    let select = Select::new(PROVIDER)
        .and("org IS NULL OR org = {}", org.map_or(Uuid::nil(), Id::uuid))
        .order("org IS NULL DESC, name");
    db.read(SIGN_IN, select).await?.into_iter().map(provider).collect()
}

/// An organization's provider, or – for those who may see it – one of the instance.
pub(crate) async fn list(
    db: &Db,
    by: &Allowance,
    after: Option<AuthProviderId>,
    limit: i64,
) -> Result<Vec<Provider>, DbError> {
    const COLUMNS: Columns =
        Columns { selector: SelectorColumn::id::<AuthProviderId>("id"), owner: None, is: None, named: None };
    let select = Select::new(PROVIDER)
        .and("org = {}", by.org().uuid())
        .and_some("id > {}", after.map(Id::uuid))
        .order("id")
        .limit(limit);
    db.read(by.scope(), by.narrow(select, &COLUMNS)).await?.into_iter().map(provider).collect()
}

pub(crate) async fn list_of_instance(
    db: &Db,
    after: Option<AuthProviderId>,
    limit: i64,
) -> Result<Vec<Provider>, DbError> {
    let select = Select::new(PROVIDER)
        .and("org IS NULL AND id > {}", after.map_or(Uuid::nil(), Id::uuid))
        .order("id")
        .limit(limit);
    db.read(SIGN_IN, select).await?.into_iter().map(provider).collect()
}

pub(crate) async fn secrets(db: &Db, id: AuthProviderId) -> Result<Option<Vec<u8>>, DbError> {
    let text = "SELECT secrets FROM auth_providers WHERE id = $1";
    match db.read_one(SIGN_IN, sql(text, vec![id.uuid().into()])).await? {
        Some(mut row) => row.next(),
        None => Ok(None),
    }
}

pub(crate) fn insert(provider: &Provider, secrets: Option<Vec<u8>>) -> Statement {
    let text = "INSERT INTO auth_providers (id, org, name, display_name, kind, enabled, settings, secrets, \
                default_roles, create_users, allowed_domains, trust_email, source, created_at, updated_at, revision) \
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)";
    let params = vec![
        provider.id.uuid().into(),
        provider.owner.org().map(Id::uuid).into(),
        provider.name.as_str().into(),
        provider.display_name.as_str().into(),
        provider.kind.as_str().into(),
        provider.enabled.into(),
        json(&provider.settings).into(),
        secrets.into(),
        json(&provider.default_roles).into(),
        provider.create_users.into(),
        json(&provider.allowed_domains).into(),
        provider.trust_email.into(),
        provider.source.name().into(),
        provider.created_at.into(),
        provider.updated_at.into(),
        provider.revision.into(),
    ];
    sql(text, params).unique_or(&problem::ALREADY_EXISTS)
}

/// Everything that may change; the provider's revision is the new one.
pub(crate) fn update(provider: &Provider, secrets: Option<Vec<u8>>) -> Statement {
    let text = "UPDATE auth_providers SET display_name = $3, enabled = $4, settings = $5, secrets = $6, \
                default_roles = $7, create_users = $8, allowed_domains = $9, trust_email = $10, updated_at = $11, \
                revision = $2 WHERE id = $1 AND revision = $2 - 1";
    let params = vec![
        provider.id.uuid().into(),
        provider.revision.into(),
        provider.display_name.as_str().into(),
        provider.enabled.into(),
        json(&provider.settings).into(),
        secrets.into(),
        json(&provider.default_roles).into(),
        provider.create_users.into(),
        json(&provider.allowed_domains).into(),
        provider.trust_email.into(),
        provider.updated_at.into(),
    ];
    sql(text, params).fresh()
}

pub(crate) fn delete(provider: &Provider) -> Statement {
    let text = "DELETE FROM auth_providers WHERE id = $1 AND revision = $2";
    sql(text, vec![provider.id.uuid().into(), provider.revision.into()]).fresh()
}

/// Whom an identity was linked to, among what this owner was told.
pub(crate) async fn linked(
    db: &Db,
    owner: Owner,
    issuer: &str,
    subject: &str,
) -> Result<Option<UserId>, DbError> {
    let text = "SELECT user_id FROM identities WHERE org = $1 AND issuer = $2 AND subject = $3";
    let params = vec![space(owner).into(), issuer.into(), subject.into()];
    db.read_one(SIGN_IN, sql(text, params)).await?.map(|mut row| row.id()).transpose()
}

pub(crate) fn link(owner: Owner, issuer: &str, subject: &str, user: UserId, at: Timestamp) -> Statement {
    let text =
        "INSERT INTO identities (org, issuer, subject, user_id, created_at) VALUES ($1, $2, $3, $4, $5)";
    let params = vec![space(owner).into(), issuer.into(), subject.into(), user.uuid().into(), at.into()];
    sql(text, params).unique_or(&problem::CONFLICT)
}

/// Identities of the instance stand under the nil UUID, which no organization has.
fn space(owner: Owner) -> Uuid {
    owner.org().map_or(Uuid::nil(), Id::uuid)
}

pub(crate) struct StateRow<'a> {
    pub(crate) id: SignInStateId,
    pub(crate) secret_tag: [u8; 32],
    pub(crate) browser_tag: [u8; 32],
    pub(crate) purpose: &'static str,
    pub(crate) provider: Option<AuthProviderId>,
    pub(crate) org: Option<OrgId>,
    pub(crate) subject_tag: Option<[u8; 32]>,
    pub(crate) data: Vec<u8>,
    pub(crate) return_to: Option<&'a str>,
    pub(crate) most_tries: i64,
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Timestamp,
}

pub(crate) fn insert_state(state: &StateRow<'_>) -> Statement {
    let text = "INSERT INTO sign_in_states (id, secret_tag, browser_tag, purpose, provider, org, subject_tag, data, \
                return_to, tries, most_tries, created_at, expires_at) \
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, $10, $11, $12)";
    let params = vec![
        state.id.uuid().into(),
        state.secret_tag.into(),
        state.browser_tag.into(),
        state.purpose.into(),
        state.provider.map(Id::uuid).into(),
        state.org.map(Id::uuid).into(),
        state.subject_tag.into(),
        state.data.clone().into(),
        state.return_to.into(),
        state.most_tries.into(),
        state.created_at.into(),
        state.expires_at.into(),
    ];
    sql(text, params)
}

/// Earlier states of the same account die.
pub(crate) fn void_states(subject_tag: [u8; 32], now: Timestamp) -> Statement {
    let text = "UPDATE sign_in_states SET used_at = $2 WHERE subject_tag = $1 AND used_at IS NULL";
    sql(text, vec![subject_tag.into(), now.into()])
}

pub(crate) fn take_try(secret_tag: [u8; 32], purpose: &str, now: Timestamp) -> Statement {
    let text = "UPDATE sign_in_states SET tries = tries + 1 WHERE secret_tag = $1 AND purpose = $2 \
                AND used_at IS NULL AND expires_at > $3 AND tries < most_tries";
    sql(text, vec![secret_tag.into(), purpose.into(), now.into()])
}

pub(crate) async fn state_by_tag(db: &Db, secret_tag: [u8; 32]) -> Result<Option<Row>, DbError> {
    let text =
        "SELECT id, provider, org, return_to, browser_tag, data FROM sign_in_states WHERE secret_tag = $1";
    db.read_one(SIGN_IN, sql(text, vec![secret_tag.into()])).await
}

pub(crate) fn use_state(state: SignInStateId, now: Timestamp) -> Statement {
    let text = "UPDATE sign_in_states SET used_at = $2 WHERE id = $1 AND used_at IS NULL AND expires_at > $2";
    sql(text, vec![state.uuid().into(), now.into()]).one_row_or(&problem::SIGN_IN_REFUSED)
}

pub(crate) fn forget_states(before: Timestamp) -> Statement {
    sql("DELETE FROM sign_in_states WHERE expires_at < $1", vec![before.into()])
}

fn json(value: &impl serde::Serialize) -> String {
    // Maps and lists of text always serialise.
    serde_json::to_string(value).unwrap_or_default()
}
