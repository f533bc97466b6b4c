//! `/api/v1/api-keys`.

use authority::Permission;
use axum::extract::State;
use problem::{API_KEY_REVOKED, AUTHORITY_EXCEEDED, CONFLICT, STALE_REVISION};
use serde::{Deserialize, Serialize};
use serde_json::json;
use types::{ApiKeyId, Timestamp};
use utoipa::ToSchema;
use web::{
    Allowed, Input, Object, Page, Params, PrincipalId, Refusal, Reply, Segment, Spec, leaves, operation,
    page, page_size, refuses,
};

use crate::error::AccessError;
use crate::keys::{ApiKey, IssuedKey, WantedKey, addresses};
use crate::roles::texts;
use crate::store::{self, KeyFilter, KeyStatus};
use crate::{Access, facts};

operation! {
    /// Lists API keys, newest first; their secrets are never shown again.
    pub ListApiKeys[ApiKeyQuery] -> Page<ApiKeyView> = Spec::get("api_keys.list", "/api/v1/api-keys").needs("api_keys:read");

    /// Makes an API key for the caller, or for an agent. It is shown this once.
    pub CreateApiKey(NewApiKey) -> IssuedApiKey = Spec::create("api_keys.create", "/api/v1/api-keys")
        .needs("api_keys:create").step_up().reveals_secret().facts(leaves![facts::API_KEY_CREATED])
        .errors(refuses![AUTHORITY_EXCEEDED, CONFLICT])
        .example(r#"{"name": "nightly report", "permissions": ["agents:read"], "allowed_ips": ["127.0.0.0/8"]}"#);

    /// Shows one API key without its secret.
    pub GetApiKey -> ApiKeyView = Spec::get("api_keys.get", "/api/v1/api-keys/{key}").needs("api_keys:read");

    /// Revokes an API key; runs that stand on it end. Schedules and hooks that were made with it are their owner's and go on.
    pub RevokeApiKey -> ApiKeyView = Spec::delete("api_keys.revoke", "/api/v1/api-keys/{key}")
        .needs("api_keys:delete").facts(leaves![facts::API_KEY_REVOKED])
        .errors(refuses![API_KEY_REVOKED, CONFLICT, STALE_REVISION]);
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApiKeyQuery {
    /// Only keys of this person or agent.
    pub owner: Option<String>,
    pub status: Option<StatusWord>,
    /// 1 to 200; 50 if left out.
    pub limit: Option<i64>,
    pub cursor: Option<String>,
}

#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StatusWord {
    Active,
    Expired,
    Revoked,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewApiKey {
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
    /// `usr_…` or `agt_…`; the caller if left out.
    pub owner: Option<String>,
    /// What the key allows at most; each use is held against the owner's rights of the moment besides.
    #[schema(value_type = Vec<String>, min_items = 1, max_items = 200)]
    pub permissions: Vec<Permission>,
    /// Within 366 days; never, if left out.
    pub expires_at: Option<Timestamp>,
    /// Addresses and networks that it may be used from; everywhere if left out.
    #[schema(max_items = 50)]
    #[serde(default)]
    pub allowed_ips: Vec<String>,
}

#[derive(Serialize, ToSchema)]
pub struct ApiKeyView {
    pub id: ApiKeyId,
    pub name: String,
    pub owner: String,
    pub owner_kind: &'static str,
    /// `active`, `expired` or `revoked`.
    pub status: &'static str,
    pub permissions: Vec<String>,
    pub allowed_ips: Vec<String>,
    pub created_by: String,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
    pub last_used_at: Option<Timestamp>,
    pub last_used_ip: Option<String>,
    pub revision: i64,
}

#[derive(Serialize, ToSchema)]
pub struct IssuedApiKey {
    #[serde(flatten)]
    pub key: ApiKeyView,
    /// The key itself; it is shown this once.
    pub api_key: String,
}

fn view(key: ApiKey, now: Timestamp) -> ApiKeyView {
    ApiKeyView {
        status: key.status(now),
        permissions: texts(key.permissions.permissions()),
        allowed_ips: addresses(&key),
        id: key.id,
        name: key.name,
        owner: key.owner.to_string(),
        owner_kind: key.owner.kind(),
        created_by: key.created_by,
        created_at: key.created_at,
        expires_at: key.expires_at,
        revoked_at: key.revoked_at,
        last_used_at: key.last_used_at,
        last_used_ip: key.last_used_ip,
        revision: key.revision,
    }
}

impl From<IssuedKey> for IssuedApiKey {
    fn from(issued: IssuedKey) -> Self {
        let now = issued.key.created_at;
        Self { key: view(issued.key, now), api_key: issued.text.reveal().clone() }
    }
}

/// As it is revoked.
impl From<ApiKey> for ApiKeyView {
    fn from(key: ApiKey) -> Self {
        let at = key.revoked_at.unwrap_or(key.created_at);
        view(key, at)
    }
}

pub async fn list(
    State(access): State<Access>,
    allowed: Allowed<ListApiKeys>,
    Params(query): Params<ListApiKeys>,
) -> Result<Reply, Refusal> {
    let limit = page_size(query.limit)?;
    let before = allowed.after::<ApiKeyId>(query.cursor.as_deref())?;
    let now = access.inner().world.now();
    let status = query.status.map(|word| match word {
        StatusWord::Active => KeyStatus::Active,
        StatusWord::Expired => KeyStatus::Expired,
        StatusWord::Revoked => KeyStatus::Revoked,
    });
    let owner = query.owner.as_deref().map(principal).transpose()?;
    let answered_for = match owner {
        Some(owner) => access.answers_for(&allowed, owner).await?,
        None => false,
    };
    let filter = KeyFilter { owner, status: status.map(|status| (status, now)) };
    let db = &access.inner().db;
    let rows = store::keys(db, &allowed, &filter, answered_for, before, limit + 1).await;
    let rows = rows.map_err(AccessError::from)?;
    let cursor = |key: &ApiKey| allowed.cursor(&[json!(key.id)]);
    Ok(Reply::of::<ListApiKeys>(&page(rows, limit, cursor, |key| view(key, now)))?)
}

pub async fn create(
    State(access): State<Access>,
    allowed: Allowed<CreateApiKey>,
    Input(new): Input<CreateApiKey>,
) -> Result<Reply, Refusal> {
    let owner = new.owner.as_deref().map(principal).transpose()?;
    let wanted = WantedKey {
        name: new.name,
        owner,
        permissions: new.permissions,
        expires_at: new.expires_at,
        allowed_ips: new.allowed_ips,
    };
    allowed.settle::<CreateApiKey, _, _, _>(|| access.create_key(&allowed, &wanted)).await
}

pub async fn get(
    State(access): State<Access>,
    allowed: Allowed<GetApiKey>,
    Segment(id): Segment<ApiKeyId>,
) -> Result<Reply, Refusal> {
    let key = access.key_of(&allowed, id).await?;
    Ok(Reply::of::<GetApiKey>(&view(key, access.inner().world.now()))?)
}

pub async fn revoke(
    State(access): State<Access>,
    allowed: Allowed<RevokeApiKey>,
    Segment(id): Segment<ApiKeyId>,
) -> Result<Reply, Refusal> {
    allowed.settle::<RevokeApiKey, _, _, _>(|| access.revoke_key(&allowed, id)).await
}

fn principal(text: &str) -> Result<PrincipalId, AccessError> {
    text.parse().map_err(|_| AccessError::invalid("owner", "is the id of a person or an agent"))
}

impl Access {
    /// Whether the caller may read keys of this owner as one who answers for it: then every one of them, whatever it is
    /// called. Otherwise the list is narrowed as every list is.
    async fn answers_for(&self, by: &Allowed<ListApiKeys>, owner: PrincipalId) -> Result<bool, AccessError> {
        let known = self.known(by.org(), owner).await?;
        let Some(responsible) = known.and_then(|known| known.responsible) else { return Ok(false) };
        // A selector that no key has: only permissions over every key pass.
        let object = Object { selector: "every".into(), owner: Some(responsible), ..Object::default() };
        Ok(by.check(&object).is_ok())
    }
}
