//! Tokens for runs: short, for our own API, never more than the caller's rights that the function named.
//!
//! The function becomes the outermost actor. Such a token is no fact of its own; its run's fact names it.

use std::sync::Arc;
use std::time::Duration;

use agents::CredentialStatus;
use authority::Authority;
use problem::{AUTHORITY_EXCEEDED, INVALID_TOKEN, Problem};
use serde::{Deserialize, Serialize};
use types::{
    ApiKeyId, ClientId, CredentialId, FunctionId, Id, RunId, Secret, SessionId, Timestamp, TokenId, TxnId,
};
use web::{Caller, Means, PrincipalId};

use crate::Oauth;
use crate::claims::{Act, Claims, Client, DEEPEST, first_party};
use crate::scope::Scopes;
use crate::token::Draft;

/// For whom a run acts; kept with a queued run, so that its token can be made when it starts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OnBehalf {
    principal: String,
    client: String,
    credential: Option<CredentialId>,
    session: Option<SessionId>,
    #[serde(default)]
    api_key: Option<ApiKeyId>,
    /// The scope of the caller's token; none for a session.
    scope: Option<Authority>,
    /// Actors up to now.
    act: Option<Box<Act>>,
    txn: Option<TxnId>,
    /// The caller's revision: what died since then takes the run's token along.
    rev: i64,
}

/// What is asked for a run.
pub struct RunToken<'a> {
    pub org: types::OrgId,
    pub on_behalf: &'a OnBehalf,
    pub function: FunctionId,
    /// Who wrote the version that runs: its code does nothing that its author may not do.
    pub author: PrincipalId,
    pub run: RunId,
    /// Of the lease that the run is worked on under.
    pub fence: i64,
    /// What the function says that it needs.
    pub permissions: &'a Authority,
    pub lifetime: Duration,
}

/// A token for a run, with what the run's fact says of it. It counts among the living for as long as this is held.
pub struct Minted {
    pub token: Secret<String>,
    pub jti: TokenId,
    pub txn: TxnId,
    pub audience: Arc<str>,
    pub scope: Arc<str>,
    pub expires_at: Timestamp,
    pub counted: Counted,
}

/// That the token of a run lives; dropped when the run is over, so that receipts of kills do not name it any more.
pub struct Counted {
    oauth: Oauth,
    claims: Claims,
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.oauth.inner().live.revoked(&self.claims);
    }
}

impl OnBehalf {
    pub fn of(caller: &Caller) -> Self {
        let (credential, session, api_key) = match &caller.means {
            Means::Trigger => (None, None, None),
            Means::Session { session, .. } => (None, Some(*session), None),
            Means::Token { credential, session, key, .. } => (*credential, *session, *key),
            Means::Key { key, .. } => (None, None, Some(*key)),
        };
        let principals = caller.actors.iter().rev();
        let trigger = caller.trigger.map(Act::by_trigger);
        let act = principals.fold(trigger, |inner, link| Some(Act::by(link.principal, inner)));
        let act = caller.functions.iter().rev().fold(act, |inner, acting| {
            let author = acting.author.as_ref().map(|link| link.principal);
            Some(Act::by_function(acting.function, author, inner))
        });
        Self {
            principal: caller.principal().to_string(),
            client: client_of(caller).to_string(),
            credential,
            session,
            api_key,
            scope: caller.scope.as_deref().cloned(),
            act,
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
        let author = self.answerable(&wanted).await?;
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
        claims.key = who.api_key;
        claims.run = Some(wanted.run);
        claims.fence = Some(wanted.fence);
        claims.txn = who.txn.unwrap_or(claims.txn);
        claims.act = Some(acting(wanted.function, author, who.act.clone())?);
        self.still_stands(&claims).await?;
        let token = self.sign(&issuer, &claims).await.map_err(|error| Problem::internal(error.reason()))?;
        inner.live.note(&claims, inner.world.now());
        metrics::counter!("safeconduct_run_tokens_total").increment(1);
        Ok(self.minted(token, claims))
    }

    fn minted(&self, token: String, claims: Claims) -> Minted {
        Minted {
            token: Secret::new(token),
            jti: claims.jti,
            txn: claims.txn,
            audience: claims.aud.clone(),
            scope: claims.scope.clone(),
            expires_at: Timestamp::from_millis(claims.exp * 1000),
            counted: Counted { oauth: self.clone(), claims },
        }
    }

    /// The author who answers for what the function does with its token; nobody need, where it can do nothing.
    async fn answerable(&self, wanted: &RunToken<'_>) -> Result<Option<PrincipalId>, Problem> {
        if wanted.permissions.is_empty() {
            return Ok(None);
        }
        match self.link(wanted.org, wanted.author).await {
            Ok(_) => Ok(Some(wanted.author)),
            Err(problem) if *problem.code() == INVALID_TOKEN => {
                let detail = format!(
                    "{} wrote this version and does not stand any more, so it has no rights. Publish it anew.",
                    wanted.author
                );
                Err(Problem::new(&AUTHORITY_EXCEEDED, detail))
            }
            Err(problem) => Err(problem),
        }
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
        if let Some(id) = claims.key {
            stands &= inner.access.key_stands(id).await?;
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
        (PrincipalId::User(_), Means::Session { .. } | Means::Key { .. } | Means::Trigger) => first_party(),
    }
}

fn narrowed(grants: &Authority, scope: Option<&Authority>, permissions: &Authority) -> Authority {
    let held = scope.map_or_else(|| grants.clone(), |scope| grants.intersect(scope));
    held.intersect(permissions)
}

fn acting(
    function: FunctionId,
    author: Option<PrincipalId>,
    before: Option<Box<Act>>,
) -> Result<Box<Act>, Problem> {
    let act = Act::by_function(function, author, before);
    if Act::chain(Some(&act)).count() > DEEPEST {
        let detail =
            format!("Functions call each other {DEEPEST} deep at most. Call this one from further out.");
        return Err(Problem::new(&AUTHORITY_EXCEEDED, detail));
    }
    Ok(act)
}

fn too_long(error: crate::error::OAuthError) -> Problem {
    Problem::new(
        &AUTHORITY_EXCEEDED,
        "What the function may do does not fit into a token. Name fewer permissions.",
    )
    .with_context(error)
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
        let mut stacked = None;
        for deep in 1..=DEEPEST {
            let act = acting(world.id(), None, stacked).unwrap();
            assert_eq!(Act::chain(Some(&act)).count(), deep);
            stacked = Some(act);
        }
        let latest = stacked.as_ref().unwrap().sub;
        let inner = stacked.as_ref().and_then(|act| act.act.as_ref()).unwrap();
        assert_ne!(latest, inner.sub, "the latest acts outermost");
        assert!(acting(world.id(), None, stacked).is_err());
    }
}
