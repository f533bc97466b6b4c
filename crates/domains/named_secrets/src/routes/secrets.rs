//! `/api/v1/secrets`.

use axum::extract::State;
use problem::{CONFLICT, INVALID_CURSOR, SECRET_EXISTS, SECRET_IN_USE, STALE_REVISION, VAULT_UNAVAILABLE};
use serde::Deserialize;
use serde_json::json;
use types::{Secret, SecretId};
use utoipa::ToSchema;
use web::{
    Allowed, Input, Page, Params, Patched, Refusal, Reply, Segment, Spec, leaves, operation, page, page_size,
    refuses,
};

use super::views::{SecretDetail, SecretView, VaultPlace};
use crate::act::{Wanted, WantedValue};
use crate::model::{NamedSecret, SecretRef};
use crate::{HostPattern, NamedSecrets, SecretError, facts, store};

operation! {
    /// Keeps a secret under a name. No answer ever shows its value.
    pub CreateSecret(NewSecret) -> SecretView = Spec::create("secrets.create", "/api/v1/secrets")
        .needs("secrets:create").facts(leaves![facts::SECRET_CREATED])
        .errors(refuses![SECRET_EXISTS, VAULT_UNAVAILABLE])
        .example(r#"{"name": "CRM_TOKEN", "value": "a long token", "hosts": ["api.crm.example"]}"#);

    /// Lists secrets, newest first, without their values.
    pub ListSecrets[SecretFilter] -> Page<SecretView> = Spec::get("secrets.list", "/api/v1/secrets")
        .needs("secrets:read").errors(refuses![INVALID_CURSOR]);

    /// Shows what is known of a secret, and what uses it; by id or name. Its value is never shown.
    pub GetSecret -> SecretDetail = Spec::get("secrets.get", "/api/v1/secrets/{secret}").needs("secrets:read");

    /// Gives a secret another value, which runs use that begin from then on. Only with the value can be changed where it may
    /// be sent.
    pub ReplaceSecret(NewSecretValue) -> SecretView = Spec::put("secrets.replace", "/api/v1/secrets/{secret}")
        .needs("secrets:update").facts(leaves![facts::SECRET_REPLACED])
        .errors(refuses![VAULT_UNAVAILABLE, CONFLICT, STALE_REVISION])
        .example(r#"{"value": "another long token"}"#);

    /// Changes the description of a secret (JSON Merge Patch).
    pub UpdateSecret(SecretPatch) -> SecretView = Spec::patch("secrets.update", "/api/v1/secrets/{secret}")
        .needs("secrets:update").facts(leaves![facts::SECRET_UPDATED])
        .errors(refuses![CONFLICT, STALE_REVISION])
        .example(r#"{"description": "Of the test account."}"#);

    /// Removes a secret that nothing uses. In a Vault the value stays where it is.
    pub DeleteSecret -> SecretView = Spec::delete("secrets.delete", "/api/v1/secrets/{secret}")
        .needs("secrets:delete").facts(leaves![facts::SECRET_DELETED])
        .errors(refuses![SECRET_IN_USE, CONFLICT, STALE_REVISION]);
}

/// A secret to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSecret {
    #[schema(min_length = 1, max_length = 63, pattern = "^[a-zA-Z_][a-zA-Z0-9_]*$")]
    pub name: String,
    #[schema(max_length = 4000)]
    pub description: Option<String>,
    /// The secret itself. With `vault` beside it is written there; else it is sealed here.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 65536, write_only)]
    pub value: Option<Secret<String>>,
    pub vault: Option<VaultPlace>,
    /// To which hosts the value may be sent: `api.example.com`, or `*.example.com` for all below. With any, functions never
    /// see the value: `{{secret:NAME}}` in a request of `context.http` stands for it. Without, it is in `context.secrets`.
    #[schema(max_items = 20)]
    pub hosts: Option<Vec<String>>,
}

/// Another value.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSecretValue {
    #[schema(value_type = Option<String>, min_length = 1, max_length = 65536, write_only)]
    pub value: Option<Secret<String>>,
    pub vault: Option<VaultPlace>,
    /// As they are, if left out.
    #[schema(max_items = 20)]
    pub hosts: Option<Vec<String>>,
}

/// RFC 7396: what is left out stays, null gives back the default.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SecretPatch {
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 4000)]
    pub description: Patched<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SecretFilter {
    /// Part of the name or description.
    pub q: Option<String>,
    /// 1 to 200; 50 if left out.
    pub limit: Option<i64>,
    pub cursor: Option<String>,
}

pub async fn create(
    State(secrets): State<NamedSecrets>,
    allowed: Allowed<CreateSecret>,
    Input(new): Input<CreateSecret>,
) -> Result<Reply, Refusal> {
    let name = new.name.parse().map_err(|error| SecretError::invalid("/name", format!("{error}")))?;
    let wanted = Wanted {
        name,
        description: new.description.unwrap_or_default(),
        hosts: hosts(new.hosts.unwrap_or_default())?,
        value: WantedValue { value: new.value, vault: new.vault.map(Into::into) },
    };
    allowed.settle::<CreateSecret, _, _, _>(|| secrets.create(&allowed, &wanted)).await
}

pub async fn list(
    State(secrets): State<NamedSecrets>,
    allowed: Allowed<ListSecrets>,
    Params(filter): Params<ListSecrets>,
) -> Result<Reply, Refusal> {
    let limit = page_size(filter.limit)?;
    let before = allowed.after::<SecretId>(filter.cursor.as_deref())?;
    let rows = store::list(&secrets.inner().db, &allowed, filter.q.as_deref(), before, limit + 1).await?;
    let cursor = |secret: &NamedSecret| allowed.cursor(&[json!(secret.id)]);
    Ok(Reply::of::<ListSecrets>(&page(rows, limit, cursor, SecretView::from))?)
}

pub async fn get(
    State(secrets): State<NamedSecrets>,
    allowed: Allowed<GetSecret>,
    Segment(of): Segment<SecretRef>,
) -> Result<Reply, Refusal> {
    let secret = secrets.find(&allowed, &of).await?;
    let used_by = store::users(&secrets.inner().db, &allowed.scope(), secret.id).await?;
    Ok(Reply::of::<GetSecret>(&SecretDetail { secret: secret.into(), used_by })?)
}

pub async fn replace(
    State(secrets): State<NamedSecrets>,
    allowed: Allowed<ReplaceSecret>,
    Segment(of): Segment<SecretRef>,
    Input(new): Input<ReplaceSecret>,
) -> Result<Reply, Refusal> {
    let value = WantedValue { value: new.value, vault: new.vault.map(Into::into) };
    let hosts = new.hosts.map(hosts).transpose()?;
    allowed
        .settle::<ReplaceSecret, _, _, _>(|| secrets.replace(&allowed, &of, hosts.as_deref(), &value))
        .await
}

pub async fn update(
    State(secrets): State<NamedSecrets>,
    allowed: Allowed<UpdateSecret>,
    Segment(of): Segment<SecretRef>,
    Input(patch): Input<UpdateSecret>,
) -> Result<Reply, Refusal> {
    allowed.settle::<UpdateSecret, _, _, _>(|| secrets.describe(&allowed, &of, &patch.description)).await
}

pub async fn delete(
    State(secrets): State<NamedSecrets>,
    allowed: Allowed<DeleteSecret>,
    Segment(of): Segment<SecretRef>,
) -> Result<Reply, Refusal> {
    allowed.settle::<DeleteSecret, _, _, _>(|| secrets.delete(&allowed, &of)).await
}

fn hosts(texts: Vec<String>) -> Result<Vec<HostPattern>, SecretError> {
    let mut hosts = Vec::with_capacity(texts.len());
    for (place, text) in texts.iter().enumerate() {
        let host = text
            .parse()
            .map_err(|error| SecretError::invalid(format!("/hosts/{place}"), format!("{error}")))?;
        if !hosts.contains(&host) {
            hosts.push(host);
        }
    }
    Ok(hosts)
}
