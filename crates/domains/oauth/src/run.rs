//! Tokens for runs: short, for our own API, never more than the caller's rights that the function named.
//!
//! The function becomes the outermost actor. Such a token is no fact of its own; its run's fact names it.

use std::sync::Arc;
use std::time::Duration;

use agents::CredentialStatus;
use authority::Authority;
use problem::{AUTHORITY_EXCEEDED, INVALID_TOKEN, Problem};
use serde::{Deserialize, Serialize};
use types::{ClientId, CredentialId, FunctionId, Id, RunId, Secret, SessionId, Timestamp, TokenId, TxnId};
use web::{Caller, Means, PrincipalId};

use crate::Oauth;
use crate::claims::{ActorId, Claims, Client, DEEPEST, first_party, nest};
use crate::scope::Scopes;
use crate::token::Draft;

/// For whom a run acts; kept with a queued run, so that its token can be made when it starts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OnBehalf {
    principal: String,
    client: String,
    credential: Option<CredentialId>,
    session: Option<SessionId>,
    /// The scope of the caller's token; none for a session.
    scope: Option<Authority>,
    /// Actors up to now, outermost first.
    chain: Vec<String>,
    txn: Option<TxnId>,
    /// The caller's revision: what died since then takes the run's token along.
    rev: i64,
}

/// What is asked for a run.
pub struct RunToken<'a> {
    pub org: types::OrgId,
    pub on_behalf: &'a OnBehalf,
    pub function: FunctionId,
    pub run: RunId,
    /// What the function says that it needs.
    pub permissions: &'a Authority,
    pub lifetime: Duration,
}

/// A token for a run, with what the run's fact says of it.
pub struct Minted {
    pub token: Secret<String>,
    pub jti: TokenId,
    pub txn: TxnId,
    pub audience: Arc<str>,
    pub scope: Arc<str>,
    pub expires_at: Timestamp,
}

impl OnBehalf {
    pub fn of(caller: &Caller) -> Self {
        let (credential, session) = match &caller.means {
            Means::Session { session, .. } => (None, Some(*session)),
            Means::Token { credential, session, .. } => (*credential, *session),
        };
        let functions = caller.acting.iter().filter_map(|actor| actor.id.clone());
        let principals = caller.actors.iter().map(|link| link.principal.to_string());
        Self {
            principal: caller.principal().to_string(),
            client: client_of(caller).to_string(),
            credential,
            session,
            scope: caller.scope.as_deref().cloned(),
            chain: functions.chain(principals).collect(),
            txn: caller.txn,
            rev: caller.revision,
        }
    }
}

impl Oauth {
    /// The token that a run's code calls our API with.
    pub async fn mint_for_run(&self, wanted: RunToken<'_>) -> Result<Minted, Problem> {
        let inner = self.inner();
        inner.feed.fresh()?;
        let who = wanted.on_behalf;
        let sub: PrincipalId = who.principal.parse().map_err(Problem::internal)?;
        let link = self.link(wanted.org, sub).await?;
        let held = Arc::new(narrowed(&link.grants, who.scope.as_ref(), wanted.permissions));
        let issuer = inner
            .issuers
            .of_org(wanted.org)
            .await?
            .ok_or_else(|| Problem::internal("no such organization"))?;
        let draft = Draft {
            sub,
            client: who.client.parse().map_err(Problem::internal)?,
            aud: inner.issuers.api().clone(),
            scope: Scopes::default().grant(sub, &held, None, false).map_err(too_long)?.text,
            lifetime: wanted.lifetime,
        };
        let mut claims = self.claims(&issuer, who.rev, draft);
        claims.crd = who.credential;
        claims.sid = who.session;
        claims.run = Some(wanted.run);
        claims.txn = who.txn.unwrap_or(claims.txn);
        claims.act = nest(&chain(wanted.function, &who.chain)?);
        self.still_stands(&claims).await?;
        let token = self.sign(&issuer, &claims).await.map_err(|error| Problem::internal(error.reason()))?;
        inner.live.note(&claims, inner.world.now());
        metrics::counter!("safeconduct_run_tokens_total").increment(1);
        Ok(minted(token, claims))
    }

    /// Whether everything that the caller stood on still stands. The roll of the dead forgets after a day, a queue may not:
    /// so credential and session are looked at themselves.
    async fn still_stands(&self, claims: &Claims) -> Result<(), Problem> {
        let inner = self.inner();
        let mut stands = !inner.feed.is_dead(claims.rev, &claims.kin());
        if let Some(id) = claims.crd {
            let found = inner.agents.credential(id).await?;
            stands &= found.is_some_and(|credential| credential.status == CredentialStatus::Active);
        }
        if let Some(id) = claims.sid {
            stands &= inner.people.session(id).await?.is_some();
        }
        if stands {
            return Ok(());
        }
        Err(Problem::new(&INVALID_TOKEN, "What this run stands on was revoked meanwhile. Ask for it again."))
    }
}

fn client_of(caller: &Caller) -> Client {
    match (caller.principal(), &caller.means) {
        (PrincipalId::Agent(agent), _) => Client::Agent(agent),
        (PrincipalId::User(_), Means::Token { client, .. }) => {
            Client::Registered(ClientId::from_uuid(*client))
        }
        (PrincipalId::User(_), Means::Session { .. }) => first_party(),
    }
}

fn narrowed(grants: &Authority, scope: Option<&Authority>, permissions: &Authority) -> Authority {
    let held = scope.map_or_else(|| grants.clone(), |scope| grants.intersect(scope));
    held.intersect(permissions)
}

fn chain(function: FunctionId, before: &[String]) -> Result<Vec<ActorId>, Problem> {
    let mut chain = vec![ActorId::Function(function)];
    for actor in before {
        chain.push(actor.parse().map_err(Problem::internal)?);
    }
    if chain.len() > DEEPEST {
        let detail =
            format!("Functions call each other {DEEPEST} deep at most. Call this one from further out.");
        return Err(Problem::new(&AUTHORITY_EXCEEDED, detail));
    }
    Ok(chain)
}

fn too_long(error: crate::error::OAuthError) -> Problem {
    Problem::new(
        &AUTHORITY_EXCEEDED,
        "What the function may do does not fit into a token. Name fewer permissions.",
    )
    .with_context(error)
}

fn minted(token: String, claims: Claims) -> Minted {
    Minted {
        token: Secret::new(token),
        jti: claims.jti,
        txn: claims.txn,
        audience: claims.aud,
        scope: claims.scope,
        expires_at: Timestamp::from_millis(claims.exp * 1000),
    }
}

#[cfg(test)]
mod tests {
    use types::World;

    use super::*;

    #[test]
    fn a_run_holds_what_caller_token_and_function_share() {
        let of = |text: &str| text.parse::<Authority>().unwrap();
        let grants = of("agents:manage:own runs:read:all functions:execute:all");
        let scope = of("agents:read runs:read functions:execute");
        let asked = of("agents:manage runs:read:own state:read");
        assert_eq!(narrowed(&grants, Some(&scope), &asked), of("agents:read:own runs:read:own"));
        assert_eq!(narrowed(&grants, None, &asked), of("agents:manage:own runs:read:own"));
        assert!(narrowed(&grants, Some(&scope), &Authority::none()).is_empty());
    }

    #[test]
    fn functions_stack_up_to_the_depth() {
        let world = World::system();
        let ids: Vec<FunctionId> = (0..DEEPEST).map(|_| world.id()).collect();
        let before: Vec<String> = ids[1..].iter().map(ToString::to_string).collect();
        let stacked = chain(ids[0], &before).unwrap();
        assert_eq!(stacked.len(), DEEPEST);
        assert_eq!(stacked[0], ActorId::Function(ids[0]), "the latest acts outermost");
        let deeper: Vec<String> = ids.iter().map(ToString::to_string).collect();
        assert!(chain(world.id(), &deeper).is_err());
        assert!(chain(world.id(), &["org_01h455vb4pex5vsknk084sn02q".to_owned()]).is_err());
    }
}
