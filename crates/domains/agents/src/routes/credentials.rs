//! Credentials of an agent, and across the organization.

use std::time::Duration;

use axum::extract::State;
use crypto::jwk::Jwk;
use problem::{
    AGENT_NOT_ACTIVE, AUTHORITY_EXCEEDED, CONFLICT, CREDENTIAL_REVOKED, INVALID_CURSOR, Problem,
    STALE_REVISION, TOO_MANY_CREDENTIALS,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use types::{AgentId, CredentialId, Timestamp};
use utoipa::ToSchema;
use web::{
    Allowance, Allowed, Input, Page, Params, Refusal, Reply, Segment, Segments, Spec, leaves, operation,
    page, page_size, refuses,
};

use crate::credentials::{Issued, WantedCredential};
use crate::model::{Credential, CredentialKind, CredentialStatus, Proof};
use crate::store::{self, AgentRef, CredentialFilter};
use crate::{AgentError, Agents, facts};

operation! {
    /// Gives an agent a credential; a secret is shown in this answer and never again.
    pub CreateCredential(NewCredential) -> IssuedView =
        Spec::create("credentials.create", "/api/v1/agents/{agent}/credentials")
            .needs("credentials:create").step_up().reveals_secret()
            .facts(leaves![facts::CREDENTIAL_CREATED])
            .errors(refuses![AGENT_NOT_ACTIVE, AUTHORITY_EXCEEDED, TOO_MANY_CREDENTIALS, CONFLICT])
            .example(r#"{"kind": "secret", "label": "laptop"}"#);

    /// Lists an agent's credentials, newest first; never their secrets.
    pub ListCredentials[StatusFilter] -> Page<CredentialView> =
        Spec::get("credentials.list", "/api/v1/agents/{agent}/credentials")
            .needs("credentials:read").errors(refuses![INVALID_CURSOR]);

    /// Replaces a credential; the old one works for `overlap_seconds` more.
    pub RotateCredential(Rotation) -> IssuedView =
        Spec::create("credentials.rotate", "/api/v1/agents/{agent}/credentials/{credential}/rotate")
            .needs("credentials:update").step_up().reveals_secret()
            .facts(leaves![facts::CREDENTIAL_ROTATED])
            .errors(refuses![AGENT_NOT_ACTIVE, AUTHORITY_EXCEEDED, CREDENTIAL_REVOKED, TOO_MANY_CREDENTIALS, CONFLICT, STALE_REVISION])
            .example(r#"{"overlap_seconds": 3600}"#);

    /// Revokes a credential; tokens made with it die.
    pub RevokeCredential -> CredentialView =
        Spec::delete("credentials.revoke", "/api/v1/agents/{agent}/credentials/{credential}")
            .needs("credentials:update").facts(leaves![facts::CREDENTIAL_REVOKED])
            .errors(refuses![CREDENTIAL_REVOKED, CONFLICT, STALE_REVISION]);

    /// Lists credentials across the organization, such as those that expire soon.
    pub SearchCredentials[CredentialSearch] -> Page<CredentialView> =
        Spec::get("credentials.search", "/api/v1/credentials")
            .needs("credentials:read").errors(refuses![INVALID_CURSOR]);
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCredential {
    pub kind: CredentialKind,
    #[schema(min_length = 1, max_length = 100)]
    pub label: String,
    pub expires_at: Option<Timestamp>,
    /// The agent's own key, public members only; for the kind `public_key`.
    pub public_key: Option<Jwk>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rotation {
    /// 0 ends the old credential at once.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 2_592_000)]
    pub overlap_seconds: u32,
    /// Of the new credential.
    pub expires_at: Option<Timestamp>,
    /// The new key, if the credential is of the kind `public_key`.
    pub public_key: Option<Jwk>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StatusFilter {
    pub status: Option<CredentialStatus>,
    /// 1 to 200; 50 if left out.
    pub limit: Option<i64>,
    pub cursor: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CredentialSearch {
    pub status: Option<CredentialStatus>,
    pub expires_before: Option<Timestamp>,
    /// 1 to 200; 50 if left out.
    pub limit: Option<i64>,
    pub cursor: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct CredentialView {
    pub id: CredentialId,
    pub agent: AgentId,
    pub kind: CredentialKind,
    pub label: String,
    pub status: CredentialStatus,
    /// The OAuth `client_id`: the agent's id.
    pub client_id: AgentId,
    /// RFC 7638 thumbprint of the key, for the kind `public_key`.
    pub key_thumbprint: Option<String>,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub last_used_at: Option<Timestamp>,
    pub last_used_ip: Option<String>,
    pub revision: i64,
}

#[derive(Serialize, ToSchema)]
pub struct IssuedView {
    #[serde(flatten)]
    pub credential: CredentialView,
    /// Shown once. Keep it where the agent keeps its secrets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<String>,
}

impl From<Credential> for CredentialView {
    fn from(credential: Credential) -> Self {
        Self {
            id: credential.id,
            agent: credential.agent,
            kind: credential.kind(),
            label: credential.label,
            status: credential.status,
            client_id: credential.agent,
            key_thumbprint: match &credential.proof {
                Proof::PublicKey { jwk } => Some(jwk.thumbprint()),
                Proof::Secret { .. } => None,
            },
            created_at: credential.created_at,
            expires_at: credential.expires_at,
            last_used_at: credential.last_used_at,
            last_used_ip: credential.last_used_ip,
            revision: credential.revision,
        }
    }
}

impl From<Issued> for IssuedView {
    fn from(issued: Issued) -> Self {
        let client_secret = issued.secret.map(|secret| secret.reveal().clone());
        Self { credential: issued.credential.into(), client_secret }
    }
}

pub async fn create(
    State(agents): State<Agents>,
    allowed: Allowed<CreateCredential>,
    Segment(of): Segment<AgentRef>,
    Input(new): Input<CreateCredential>,
) -> Result<Reply, Refusal> {
    let wanted = WantedCredential {
        kind: new.kind,
        label: new.label,
        expires_at: new.expires_at,
        public_key: new.public_key,
    };
    allowed.settle::<CreateCredential, _, _, _>(|| agents.add_credential(&allowed, &of, &wanted)).await
}

pub async fn rotate(
    State(agents): State<Agents>,
    allowed: Allowed<RotateCredential>,
    Segments((of, id)): Segments<(String, String)>,
    Input(rotation): Input<RotateCredential>,
) -> Result<Reply, Refusal> {
    let (of, id) = named(&of, &id)?;
    let overlap = Duration::from_secs(rotation.overlap_seconds.into());
    // Kind and label come from the credential that is replaced.
    let wanted = WantedCredential {
        kind: CredentialKind::Secret,
        label: String::new(),
        expires_at: rotation.expires_at,
        public_key: rotation.public_key,
    };
    let decide = || agents.rotate_credential(&allowed, &of, id, overlap, &wanted);
    allowed.settle::<RotateCredential, _, _, _>(decide).await
}

pub async fn revoke(
    State(agents): State<Agents>,
    allowed: Allowed<RevokeCredential>,
    Segments((of, id)): Segments<(String, String)>,
) -> Result<Reply, Refusal> {
    let (of, id) = named(&of, &id)?;
    allowed.settle::<RevokeCredential, _, _, _>(|| agents.revoke_credential(&allowed, &of, id)).await
}

pub async fn list(
    State(agents): State<Agents>,
    allowed: Allowed<ListCredentials>,
    Segment(of): Segment<AgentRef>,
    Params(filter): Params<ListCredentials>,
) -> Result<Reply, Refusal> {
    let agent = agents.owner_of_credentials(&allowed, &of).await?;
    let narrowed = CredentialFilter {
        agent: Some(agent.id),
        status: filter.status.map(CredentialStatus::name),
        expires_before: None,
    };
    let page = credentials(&agents, &allowed, &narrowed, filter.limit, filter.cursor.as_deref()).await?;
    Ok(Reply::of::<ListCredentials>(&page)?)
}

pub async fn search(
    State(agents): State<Agents>,
    allowed: Allowed<SearchCredentials>,
    Params(filter): Params<SearchCredentials>,
) -> Result<Reply, Refusal> {
    let narrowed = CredentialFilter {
        agent: None,
        status: filter.status.map(CredentialStatus::name),
        expires_before: filter.expires_before,
    };
    let page = credentials(&agents, &allowed, &narrowed, filter.limit, filter.cursor.as_deref()).await?;
    Ok(Reply::of::<SearchCredentials>(&page)?)
}

async fn credentials(
    agents: &Agents,
    by: &Allowance,
    filter: &CredentialFilter,
    limit: Option<i64>,
    cursor: Option<&str>,
) -> Result<Page<CredentialView>, Problem> {
    let limit = page_size(limit)?;
    let before = by.after::<CredentialId>(cursor)?;
    let rows = store::credentials(&agents.inner().db, by, filter, before, limit + 1).await?;
    let cursor = |credential: &Credential| by.cursor(&[json!(credential.id)]);
    Ok(page(rows, limit, cursor, CredentialView::from))
}

fn named(of: &str, id: &str) -> Result<(AgentRef, CredentialId), AgentError> {
    let of = of.parse().map_err(|()| AgentError::Unknown)?;
    let id = id.parse().map_err(|_| AgentError::UnknownCredential)?;
    Ok((of, id))
}
