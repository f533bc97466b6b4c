//! What an agent proves itself with. A secret is shown once and kept as HMAC; of a key pair we only ever see the public half.

use std::time::Duration;

use crypto::jwk::Jwk;
use crypto::machine_secret::{MachineSecret, SecretForm};
use db::{AuthorityEntry, Change};
use problem::{PERMISSION_DENIED, Problem};
use serde_json::json;
use types::{CredentialId, Id, Secret, Timestamp};
use web::{Allowance, Decided, Link, PrincipalId};

use crate::model::{Agent, Credential, CredentialKind, CredentialStatus, Proof, Status};
use crate::service::PEPPER;
use crate::store::{self, AgentRef};
use crate::{AgentError, Agents, facts};

/// Active at once, those in their overlap included.
const MOST_CREDENTIALS: usize = 100;

/// What is asked for; checked by the schema of its operation.
#[derive(Clone)]
pub struct WantedCredential {
    pub kind: CredentialKind,
    pub label: String,
    pub expires_at: Option<Timestamp>,
    pub public_key: Option<Jwk>,
}

/// A credential just made; the secret, if it is one, is shown this one time.
pub struct Issued {
    pub credential: Credential,
    pub secret: Option<Secret<String>>,
}

impl Agents {
    pub(crate) async fn add_credential(
        &self,
        by: &Allowance,
        of: &AgentRef,
        wanted: &WantedCredential,
    ) -> Result<Decided<Issued>, AgentError> {
        let agent = self.owner_of_credentials(by, of).await?;
        let issued = self.issue(&agent, wanted).await?;
        by.check(&issued.credential.object(&agent))?;
        active(&agent)?;
        self.room_for_another(by, &agent).await?;
        let head = self.may_wield(by, &agent).await?;
        no_other_agents(by, &agent)?;
        let made = &issued.credential;
        let fact =
            by.fact(&facts::CREDENTIAL_CREATED).target("credential", made.id, &made.label).data(json!({
                "agent": agent.id,
                "kind": made.kind(),
                "expires_at": made.expires_at,
            }));
        let change = Change::new(by.scope(), self.inner().ledger.seal(fact).await?)
            .guard("agents", agent.id, agent.revision)
            .statement(store::insert_credential(made, &by.caller().principal().to_string()))
            .authority(entry(made));
        Ok(Decided::new(head.relied_on(change), issued))
    }

    /// A new credential of the same kind; the old one works for `overlap` more.
    pub(crate) async fn rotate_credential(
        &self,
        by: &Allowance,
        of: &AgentRef,
        id: CredentialId,
        overlap: Duration,
        wanted: &WantedCredential,
    ) -> Result<Decided<Issued>, AgentError> {
        let (agent, old) = self.find_credential(by, of, id).await?;
        by.expect_revision(old.revision)?;
        active(&agent)?;
        let head = self.may_wield(by, &agent).await?;
        no_other_agents(by, &agent)?;
        let now = self.inner().world.now();
        if !old.is_usable(now) {
            return Err(AgentError::CredentialRevoked);
        }
        self.room_for_another(by, &agent).await?;
        let wanted = WantedCredential { kind: old.kind(), label: old.label.clone(), ..wanted.clone() };
        let issued = self.issue(&agent, &wanted).await?;
        let new = &issued.credential;
        let at_once = overlap.is_zero();
        let ends = now.plus(overlap);
        let ends = old.expires_at.map_or(ends, |end| end.min(ends));
        let fact = by.fact(&facts::CREDENTIAL_ROTATED).target("credential", old.id, &old.label).data(json!({
            "agent": agent.id,
            "replaced_by": new.id,
            "overlap_seconds": overlap.as_secs(),
        }));
        let news = if at_once { entry(&old).died() } else { entry(&old) };
        let change = Change::new(by.scope(), self.inner().ledger.seal(fact).await?)
            .guard("agents", agent.id, agent.revision)
            .statement(store::end_credential(&old, at_once.then_some(now), Some(ends), Some(new.id)))
            .statement(store::insert_credential(new, &by.caller().principal().to_string()))
            .authority(news)
            .authority(entry(new));
        Ok(Decided::new(head.relied_on(change), issued))
    }

    /// So that an agent's end can name each credential that ends with it. Racers may pass by a few.
    async fn room_for_another(&self, by: &Allowance, agent: &Agent) -> Result<(), AgentError> {
        let active = store::active_credentials(&self.inner().db, by.scope(), agent.id).await?.len();
        if active < MOST_CREDENTIALS { Ok(()) } else { Err(AgentError::TooManyCredentials) }
    }

    pub(crate) async fn revoke_credential(
        &self,
        by: &Allowance,
        of: &AgentRef,
        id: CredentialId,
    ) -> Result<Decided<Credential>, AgentError> {
        let (agent, mut credential) = self.find_credential(by, of, id).await?;
        no_other_agents(by, &agent)?;
        by.expect_revision(credential.revision)?;
        if credential.status == CredentialStatus::Revoked {
            return Err(AgentError::CredentialRevoked);
        }
        let now = self.inner().world.now();
        let end = store::end_credential(&credential, Some(now), credential.expires_at, None);
        credential.status = CredentialStatus::Revoked;
        credential.revision += 1;
        let fact = by
            .fact(&facts::CREDENTIAL_REVOKED)
            .target("credential", credential.id, &credential.label)
            .data(json!({ "agent": agent.id }));
        let change = Change::new(by.scope(), self.inner().ledger.seal(fact).await?)
            .statement(end)
            .authority(entry(&credential).died());
        Ok(Decided::new(change, credential))
    }

    async fn find_credential(
        &self,
        by: &Allowance,
        of: &AgentRef,
        id: CredentialId,
    ) -> Result<(Agent, Credential), AgentError> {
        let agent = self.owner_of_credentials(by, of).await?;
        let found = store::credential_by_id(&self.inner().db, by.scope(), id).await?;
        let credential = found.filter(|one| one.agent == agent.id && one.org == by.org());
        let credential = credential.ok_or(AgentError::UnknownCredential)?;
        by.check(&credential.object(&agent))?;
        Ok((agent, credential))
    }

    async fn issue(&self, agent: &Agent, wanted: &WantedCredential) -> Result<Issued, AgentError> {
        let inner = self.inner();
        let now = inner.world.now();
        let settings = inner.people.settings(agent.org).await.map_err(Problem::from)?;
        let expires_at =
            end_of(wanted.expires_at, now, settings.longest_credential(agent.deployment_env.mark()))?;
        let id: CredentialId = inner.world.id();
        let (proof, secret) = match (wanted.kind, &wanted.public_key) {
            (CredentialKind::Secret, None) => {
                let (proof, secret) = self.new_secret(agent, id)?;
                (proof, Some(secret))
            }
            (CredentialKind::PublicKey, Some(jwk)) => (Proof::PublicKey { jwk: Box::new(jwk.clone()) }, None),
            (CredentialKind::Secret, Some(_)) => {
                let reason = "belongs to credentials of the kind public_key".into();
                return Err(AgentError::Invalid { field: "/public_key", reason });
            }
            (CredentialKind::PublicKey, None) => {
                let reason = "a JWK (RFC 7517) with the public key is needed".into();
                return Err(AgentError::Invalid { field: "/public_key", reason });
            }
        };
        let credential = Credential {
            id,
            org: agent.org,
            agent: agent.id,
            label: wanted.label.clone(),
            proof,
            status: CredentialStatus::Active,
            created_at: now,
            expires_at,
            last_used_at: None,
            last_used_ip: None,
            revision: 1,
        };
        Ok(Issued { credential, secret })
    }

    fn new_secret(&self, agent: &Agent, id: CredentialId) -> Result<(Proof, Secret<String>), AgentError> {
        let inner = self.inner();
        let key_id = id.to_string();
        let key_id = key_id.trim_start_matches("crd_");
        let secret = MachineSecret::generate(
            &inner.world,
            SecretForm::Credential,
            agent.deployment_env.mark(),
            key_id,
        )
        .map_err(|error| AgentError::Refused(Problem::internal(error)))?;
        let pepper =
            inner.peppers.get(&PEPPER).ok_or_else(|| AgentError::Refused(Problem::internal("no pepper")))?;
        let parsed = MachineSecret::parse(SecretForm::Credential, secret.reveal())
            .map_err(|error| AgentError::Refused(Problem::internal(error)))?;
        let tag = pepper.tag(&[parsed.secret.as_bytes()]);
        Ok((Proof::Secret { tag, pepper_version: PEPPER }, secret))
    }
}

/// The end asked for, or the latest that the organization's maximum age allows.
fn end_of(
    asked: Option<Timestamp>,
    now: Timestamp,
    longest: Option<Duration>,
) -> Result<Option<Timestamp>, AgentError> {
    let latest = longest.map(|longest| now.plus(longest));
    let reason = match (asked, latest) {
        (None, latest) => return Ok(latest),
        (Some(end), _) if end <= now => "must lie in the future".to_owned(),
        (Some(end), Some(latest)) if end > latest => {
            format!("must lie at or before {latest}: the maximum age here")
        }
        (asked, _) => return Ok(asked),
    };
    Err(AgentError::Invalid { field: "/expires_at", reason })
}

/// An agent manages its own credentials and no other's (spec 01): whoever holds another's would act under its name.
fn no_other_agents(by: &Allowance, agent: &Agent) -> Result<(), AgentError> {
    let is_other = |link: &Link| matches!(link.principal, PrincipalId::Agent(id) if id != agent.id);
    if !by.caller().links().any(is_other) {
        return Ok(());
    }
    let detail = "An agent manages its own credentials only. Ask somebody who administers this one.";
    Err(AgentError::Refused(Problem::new(&PERMISSION_DENIED, detail)))
}

fn active(agent: &Agent) -> Result<(), AgentError> {
    match agent.status {
        Status::Active => Ok(()),
        other => Err(AgentError::NotActive(other.name())),
    }
}

fn entry(credential: &Credential) -> AuthorityEntry {
    AuthorityEntry::changed(credential.org, "credential", credential.id.uuid())
}
