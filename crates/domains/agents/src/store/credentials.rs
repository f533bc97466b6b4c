//! SQL of credentials.

use db::{Db, DbError, Row, Scope, Select, Statement, sql};
use types::{AgentId, CredentialId, Id, Timestamp};
use web::{Allowance, Columns, SelectorColumn};

use crate::model::{Agent, Credential, Proof};

const CREDENTIAL: &str = "SELECT credentials.id, credentials.org, agent, label, secret_tag, pepper_version, public_key, \
    status, created_at, expires_at, revision, last_used.at, last_used.ip FROM credentials \
    LEFT JOIN last_used ON last_used.org = credentials.org AND last_used.id = credentials.id";

fn credential(mut row: Row) -> Result<Credential, DbError> {
    let (id, org, agent) = (row.id()?, row.id()?, row.id()?);
    let label = row.next()?;
    let (tag, pepper): (Option<[u8; 32]>, Option<i64>) = (row.next()?, row.next()?);
    let key: Option<String> = row.next()?;
    let proof = match (tag, pepper, key) {
        (Some(tag), Some(pepper), _) => {
            Proof::Secret { tag, pepper_version: u32::try_from(pepper).unwrap_or(u32::MAX) }
        }
        (_, _, Some(key)) => Proof::PublicKey {
            jwk: serde_json::from_str(&key)
                .map_err(|error| DbError::Internal(format!("stored key: {error}")))?,
        },
        _ => return Err(DbError::Internal("a credential without proof".into())),
    };
    Ok(Credential {
        id,
        org,
        agent,
        label,
        proof,
        status: row.parse()?,
        created_at: row.next()?,
        expires_at: row.next()?,
        revision: row.next()?,
        last_used_at: row.next()?,
        last_used_ip: row.next()?,
    })
}

pub(crate) async fn credential_by_id(
    db: &Db,
    scope: impl Into<Scope>,
    id: CredentialId,
) -> Result<Option<Credential>, DbError> {
    db.read_one(scope, Select::new(CREDENTIAL).and("credentials.id = {}", id.uuid()))
        .await?
        .map(credential)
        .transpose()
}

/// Which credentials of the organization; newest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct CredentialFilter {
    pub(crate) agent: Option<AgentId>,
    pub(crate) status: Option<&'static str>,
    pub(crate) expires_before: Option<Timestamp>,
}

pub(crate) async fn credentials(
    db: &Db,
    by: &Allowance,
    filter: &CredentialFilter,
    before: Option<CredentialId>,
    limit: i64,
) -> Result<Vec<Credential>, DbError> {
    const COLUMNS: Columns = Columns {
        selector: SelectorColumn::id::<CredentialId>("credentials.id"),
        owner: Some("(SELECT owner FROM agents WHERE agents.org = credentials.org AND agents.id = agent)"),
        is: Some("agent"),
        named: None,
        group: None,
        visible: None,
    };
    let select = Select::new(CREDENTIAL)
        .and("credentials.org = {}", by.org().uuid())
        .and_some("agent = {}", filter.agent.map(Id::uuid))
        .and_some("status = {}", filter.status)
        .and_some("expires_at < {}", filter.expires_before)
        .and_some("credentials.id < {}", before.map(Id::uuid))
        .order("credentials.id DESC")
        .limit(limit);
    db.read(by.scope(), by.narrow(select, &COLUMNS)).await?.into_iter().map(credential).collect()
}

/// All credentials of one agent that are not revoked.
pub(crate) async fn active_credentials(
    db: &Db,
    scope: impl Into<Scope>,
    agent: AgentId,
) -> Result<Vec<Credential>, DbError> {
    let select = Select::new(CREDENTIAL)
        .and("agent = {}", agent.uuid())
        .and("status = {}", "active")
        .order("credentials.id")
        .limit(1000);
    db.read(scope, select).await?.into_iter().map(credential).collect()
}

pub(crate) fn insert_credential(credential: &Credential, created_by: &str) -> Statement {
    let columns = "INSERT INTO credentials (org, id, agent, kind, label, secret_tag, pepper_version, public_key, status, \
        created_at, created_by, expires_at, revision) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
    let (tag, pepper, key) = match &credential.proof {
        Proof::Secret { tag, pepper_version } => (Some(*tag), Some(i64::from(*pepper_version)), None),
        Proof::PublicKey { jwk } => (None, None, serde_json::to_string(jwk).ok()),
    };
    let params = vec![
        credential.org.uuid().into(),
        credential.id.uuid().into(),
        credential.agent.uuid().into(),
        credential.kind().name().into(),
        credential.label.as_str().into(),
        tag.into(),
        pepper.into(),
        key.into(),
        credential.status.name().into(),
        credential.created_at.into(),
        created_by.into(),
        credential.expires_at.into(),
        credential.revision.into(),
    ];
    sql(columns, params)
}

/// Ends a credential now or lets it run out at `ends`.
pub(crate) fn end_credential(
    credential: &Credential,
    revoked_at: Option<Timestamp>,
    ends: Option<Timestamp>,
    replaced_by: Option<CredentialId>,
) -> Statement {
    let text = "UPDATE credentials SET status = $3, revoked_at = $4, expires_at = $5, replaced_by = $6, \
                revision = revision + 1 WHERE org = $1 AND id = $2 AND revision = $7";
    let status = if revoked_at.is_some() { "revoked" } else { "active" };
    let params = vec![
        credential.org.uuid().into(),
        credential.id.uuid().into(),
        status.into(),
        revoked_at.into(),
        ends.into(),
        replaced_by.map(Id::uuid).into(),
        credential.revision.into(),
    ];
    sql(text, params).fresh()
}

/// Revokes whatever the agent has, also what was made while the change was being decided.
pub(crate) fn revoke_all(agent: &Agent, at: Timestamp) -> Statement {
    let text = "UPDATE credentials SET status = 'revoked', revoked_at = $3, revision = revision + 1 \
                WHERE org = $1 AND agent = $2 AND status = 'active'";
    sql(text, vec![agent.org.uuid().into(), agent.id.uuid().into(), at.into()])
}
