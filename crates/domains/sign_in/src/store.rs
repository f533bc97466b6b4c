//! SQL of providers, identities and states.

use db::{Db, DbError, Row, Select, Statement, sql};
use types::{AuthProviderId, FactorId, Id, OrgId, SignInStateId, Timestamp, UserId, Uuid};
use web::{Allowance, Columns, SelectorColumn};

use crate::factors::Factor;
use crate::model::{Owner, Provider};
use crate::service::SIGN_IN;

const PROVIDER: &str = "SELECT id, org, name, display_name, kind, enabled, settings, secrets IS NOT NULL, default_roles, \
                        create_users, allowed_domains, group_roles, trust_email, source, created_at, updated_at, revision \
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
        group_roles: row.json()?,
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
    const COLUMNS: Columns = Columns {
        selector: SelectorColumn::id::<AuthProviderId>("id"),
        owner: None,
        group: None,
        is: None,
        named: None,
        visible: None,
    };
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
                default_roles, create_users, allowed_domains, group_roles, trust_email, source, created_at, updated_at, \
                revision) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)";
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
        json(&provider.group_roles).into(),
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
                default_roles = $7, create_users = $8, allowed_domains = $9, group_roles = $10, trust_email = $11, updated_at = $12, \
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
        json(&provider.group_roles).into(),
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

/// A token of others that is used up: of many that show it at once, one is let in.
pub(crate) fn use_token(
    id: SignInStateId,
    tag: [u8; 32],
    provider: AuthProviderId,
    now: Timestamp,
    until: Timestamp,
) -> Statement {
    let text = "INSERT INTO sign_in_states (id, secret_tag, purpose, provider, data, tries, most_tries, created_at, \
                expires_at, used_at) VALUES ($1, $2, 'external', $3, $4, 0, 0, $5, $6, $5)";
    let params = vec![
        id.uuid().into(),
        tag.into(),
        provider.uuid().into(),
        Vec::<u8>::new().into(),
        now.into(),
        until.into(),
    ];
    sql(text, params).unique_or(&problem::SIGN_IN_REFUSED)
}

pub(crate) fn forget_states(before: Timestamp) -> Statement {
    sql("DELETE FROM sign_in_states WHERE expires_at < $1", vec![before.into()])
}

/// The PHC string of a person's password; for nobody as much is read as for somebody.
pub(crate) async fn password_of(db: &Db, user: Option<UserId>) -> Result<Option<String>, DbError> {
    let text = "SELECT hash FROM passwords WHERE user_id = $1";
    let user = user.map_or(Uuid::nil(), Id::uuid);
    db.read_one(SIGN_IN, sql(text, vec![user.into()])).await?.map(|mut row| row.next()).transpose()
}

pub(crate) fn set_password(user: UserId, hash: &str, now: Timestamp) -> Statement {
    let text = "INSERT INTO passwords (user_id, hash, changed_at, revision) VALUES ($1, $2, $3, 1) \
                ON CONFLICT (user_id) DO UPDATE SET hash = $2, changed_at = $3, revision = passwords.revision + 1";
    sql(text, vec![user.uuid().into(), hash.into(), now.into()])
}

const FACTOR: &str = "SELECT id, user_id, kind, label, secret, credential, public_key, counter, created_at, last_used_at \
                      FROM factors";

fn factor(mut row: Row) -> Result<Factor, DbError> {
    Ok(Factor {
        id: row.id()?,
        user: row.id()?,
        kind: row.parse()?,
        label: row.next()?,
        secret: row.next()?,
        credential: row.next()?,
        public_key: row.next()?,
        counter: row.next()?,
        created_at: row.next()?,
        last_used_at: row.next()?,
    })
}

pub(crate) async fn factors_of(db: &Db, user: UserId) -> Result<Vec<Factor>, DbError> {
    let select = Select::new(FACTOR).and("user_id = {}", user.uuid()).order("id");
    db.read(SIGN_IN, select).await?.into_iter().map(factor).collect()
}

pub(crate) async fn factor_by_credential(db: &Db, credential: &[u8]) -> Result<Option<Factor>, DbError> {
    db.read_one(SIGN_IN, Select::new(FACTOR).and("credential = {}", credential))
        .await?
        .map(factor)
        .transpose()
}

pub(crate) fn insert_factor(factor: &Factor) -> Statement {
    let text = "INSERT INTO factors (id, user_id, kind, label, secret, credential, public_key, counter, created_at) \
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    let params = vec![
        factor.id.uuid().into(),
        factor.user.uuid().into(),
        factor.kind.name().into(),
        factor.label.as_str().into(),
        factor.secret.clone().into(),
        factor.credential.clone().into(),
        factor.public_key.clone().into(),
        factor.counter.into(),
        factor.created_at.into(),
    ];
    sql(text, params).unique_or(&problem::ALREADY_EXISTS)
}

pub(crate) fn rename_factor(factor: &Factor) -> Statement {
    let text = "UPDATE factors SET label = $3 WHERE id = $1 AND user_id = $2";
    let values = vec![factor.id.uuid().into(), factor.user.uuid().into(), factor.label.as_str().into()];
    sql(text, values).one_row_or(&problem::NOT_FOUND)
}

pub(crate) fn delete_factor(factor: &Factor) -> Statement {
    let text = "DELETE FROM factors WHERE id = $1 AND user_id = $2";
    sql(text, vec![factor.id.uuid().into(), factor.user.uuid().into()]).one_row_or(&problem::NOT_FOUND)
}

/// Of many that use one code at once, the first moves the counter; the others are refused.
pub(crate) fn use_factor(factor: FactorId, counter: i64, now: Timestamp) -> Statement {
    let text = "UPDATE factors SET counter = $2, last_used_at = $3 WHERE id = $1 AND counter < $2";
    sql(text, vec![factor.uuid().into(), counter.into(), now.into()]).one_row_or(&problem::SIGN_IN_REFUSED)
}

/// For authenticators that do not count: the time alone.
pub(crate) fn touch_factor(factor: FactorId, now: Timestamp) -> Statement {
    sql("UPDATE factors SET last_used_at = $2 WHERE id = $1", vec![factor.uuid().into(), now.into()])
}

pub(crate) async fn recovery_codes_left(db: &Db, user: UserId) -> Result<i64, DbError> {
    let text = "SELECT count(*) FROM recovery_codes WHERE user_id = $1 AND used_at IS NULL";
    let row = db.read_one(SIGN_IN, sql(text, vec![user.uuid().into()])).await?;
    row.map_or(Ok(0), |mut row| row.next())
}

pub(crate) fn forget_recovery_codes(user: UserId) -> Statement {
    sql("DELETE FROM recovery_codes WHERE user_id = $1", vec![user.uuid().into()])
}

pub(crate) fn insert_recovery_code(user: UserId, tag: [u8; 32], now: Timestamp) -> Statement {
    let text = "INSERT INTO recovery_codes (user_id, tag, created_at) VALUES ($1, $2, $3)";
    sql(text, vec![user.uuid().into(), tag.into(), now.into()])
}

pub(crate) fn use_recovery_code(user: UserId, tag: [u8; 32], now: Timestamp) -> Statement {
    let text = "UPDATE recovery_codes SET used_at = $3 WHERE user_id = $1 AND tag = $2 AND used_at IS NULL";
    let params = vec![user.uuid().into(), tag.into(), now.into()];
    sql(text, params).one_row_or(&problem::SIGN_IN_REFUSED)
}

/// As [`use_state`], for bookkeeping, where the rows that come back say whether it was this call.
pub(crate) fn spend_state(state: SignInStateId, now: Timestamp) -> Statement {
    let text = "UPDATE sign_in_states SET used_at = $2 WHERE id = $1 AND used_at IS NULL AND expires_at > $2";
    sql(text, vec![state.uuid().into(), now.into()])
}

fn json(value: &impl serde::Serialize) -> String {
    // Maps and lists of text always serialise.
    serde_json::to_string(value).unwrap_or_default()
}
