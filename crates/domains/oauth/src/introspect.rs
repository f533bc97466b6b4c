//! Introspection (RFC 7662) for the token's subject, its owner, and whoever holds `tokens:read`; for everybody else no
//! token is active.

use std::sync::Arc;

use authority::{Hop, Relation, Required, Selector, decide};
use axum::http::{HeaderMap, header};
use ledger::Actor;
use problem::{INVALID_TOKEN, Problem};
use serde::Serialize;
use types::{CredentialId, OrgId, RunId, SessionId, TokenId, TxnId, Uuid};
use utoipa::ToSchema;
use web::{Caller, Contact, Link, Means, PrincipalId};

use crate::Oauth;
use crate::bearer::bearer;
use crate::claims::Claims;
use crate::error::{OAuthError, invalid_client};
use crate::form::Form;
use crate::issuer::Issuer;
use crate::tally::Answer;
use crate::verified::Verified;

/// What protocol endpoints ask for in their code, as other operations do in their spec.
pub(crate) const READ_TOKENS: Required = Required::parse("tokens:read");
pub(crate) const DELETE_TOKENS: Required = Required::parse("tokens:delete");

/// RFC 7662 §2.2; an inactive token has no other member.
#[derive(Debug, Serialize, ToSchema)]
pub struct Introspection {
    pub active: bool,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub token: Option<ActiveToken>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct ActiveToken {
    #[schema(value_type = String)]
    pub scope: Arc<str>,
    pub client_id: String,
    pub token_type: &'static str,
    pub exp: i64,
    pub iat: i64,
    pub nbf: i64,
    pub sub: String,
    /// `user` or `agent`.
    pub sub_type: &'static str,
    #[schema(value_type = String)]
    pub aud: Arc<str>,
    #[schema(value_type = String)]
    pub iss: Arc<str>,
    pub jti: TokenId,
    pub org: OrgId,
    /// Constant through a chain of acts.
    pub txn: TxnId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crd: Option<CredentialId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sid: Option<SessionId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    /// Who acts, outermost first (RFC 8693 §4.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub act: Option<serde_json::Value>,
}

/// Who asks about a token.
pub(crate) enum Asker {
    /// A client that proved itself: it speaks for all that it is.
    Client { agent: Link },
    /// Somebody with a token, who speaks as far as that goes.
    Bearer(Box<Caller>),
}

impl Asker {
    fn subject(&self) -> &Link {
        match self {
            Self::Client { agent } => agent,
            Self::Bearer(caller) => &caller.subject,
        }
    }

    pub(crate) fn actor(&self) -> Actor {
        self.subject().actor()
    }

    /// The principal itself with everything that it holds, and nobody acting for it.
    fn is_whole(&self) -> bool {
        match self {
            Self::Client { .. } => true,
            Self::Bearer(caller) => caller.is_whole(),
        }
    }

    /// The token that was shown, not the one that is asked about.
    fn jti(&self) -> Option<TokenId> {
        match self {
            Self::Client { .. } => None,
            Self::Bearer(caller) => match caller.means {
                Means::Token { jti, .. } => Some(jti),
                Means::Session { .. } | Means::Key { .. } | Means::Trigger => None,
            },
        }
    }
}

impl Oauth {
    pub(crate) async fn introspect(
        &self,
        slug: Option<&str>,
        headers: &HeaderMap,
        body: &[u8],
        contact: &Contact,
    ) -> Result<Introspection, OAuthError> {
        let issuer = self.issuer(slug).await?;
        let form = Form::parse(headers, body)?;
        let asker = match self.asker(&issuer, headers, &form).await {
            Ok(asker) => asker,
            Err(error) => {
                return Err(self
                    .refuse_stranger("introspect", &issuer, error, headers, &form, contact)
                    .await);
            }
        };
        let (answer, verified) = self.look_into(&issuer, &asker, form.need("token")?).await?;
        self.count(&issuer, &asker, answer, verified.as_deref()).await?;
        let token =
            verified.filter(|_| answer == Answer::Active).map(|verified| ActiveToken::from(&verified.claims));
        Ok(Introspection { active: token.is_some(), token })
    }

    async fn look_into(
        &self,
        issuer: &Issuer,
        asker: &Asker,
        token: &str,
    ) -> Result<(Answer, Option<Arc<Verified>>), OAuthError> {
        let verified = match self.verify(token).await {
            Ok(verified) if verified.claims.org == issuer.org => verified,
            // Another organization's token is as good as none.
            Ok(_) => return Ok((Answer::Inactive, None)),
            Err(problem) if *problem.code() == INVALID_TOKEN => return Ok((Answer::Inactive, None)),
            Err(problem) => return Err(problem.into()),
        };
        if !self.may_see(asker, &verified.claims).await? {
            return Ok((Answer::Withheld, Some(verified)));
        }
        match self.alive(&verified).await {
            Ok(_) => Ok((Answer::Active, Some(verified))),
            Err(problem) if *problem.code() == INVALID_TOKEN => Ok((Answer::Inactive, Some(verified))),
            Err(problem) => Err(problem.into()),
        }
    }

    async fn count(
        &self,
        issuer: &Issuer,
        asker: &Asker,
        answer: Answer,
        verified: Option<&Verified>,
    ) -> Result<(), OAuthError> {
        let inner = self.inner();
        let now = inner.world.now();
        let caller = (asker.subject().principal.uuid(), &asker.actor());
        let jti = verified.map(|verified| verified.claims.jti);
        if inner.tally.count(issuer.org, caller, jti, answer, now) {
            inner.tally.flush(&inner.ledger, now, true).await?;
        }
        Ok(())
    }

    /// The caller of introspection or revocation: client authentication, or a bearer token for our API.
    pub(crate) async fn asker(
        &self,
        issuer: &Issuer,
        headers: &HeaderMap,
        form: &Form<'_>,
    ) -> Result<Asker, OAuthError> {
        let shown = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(bearer);
        if let Some(token) = shown
            && !Self::shows_client(headers, form)?
        {
            return self.asker_by_token(issuer, token).await;
        }
        let proven = self.prove(issuer, headers, form).await?;
        if let Some(single_use) = &proven.single_use {
            self.use_up(single_use).await?;
        }
        Ok(Asker::Client { agent: self.link(issuer.org, PrincipalId::Agent(proven.standing.id)).await? })
    }

    async fn asker_by_token(&self, issuer: &Issuer, token: &str) -> Result<Asker, OAuthError> {
        match self.caller(token).await {
            Ok(caller) if caller.org == issuer.org => Ok(Asker::Bearer(Box::new(caller))),
            Ok(_) => Err(invalid_client("the caller's token is of another organization")),
            Err(problem) if *problem.code() == INVALID_TOKEN => {
                Err(invalid_client("the caller's token is not valid"))
            }
            Err(problem) => Err(problem.into()),
        }
    }

    /// Its subject, the owner of its subject, or who may read tokens – this one at least.
    pub(crate) async fn may_see(&self, asker: &Asker, claims: &Claims) -> Result<bool, Problem> {
        self.holds(asker, claims, &READ_TOKENS).await
    }

    /// A token may be asked about by whoever holds it. Its subject and the subject's owner need no permission, as long as
    /// they stand here themselves and whole; a narrowed token or a run's speaks only as far as its scope and chain go.
    pub(crate) async fn holds(
        &self,
        asker: &Asker,
        claims: &Claims,
        required: &Required,
    ) -> Result<bool, Problem> {
        let owner = match claims.sub {
            PrincipalId::Agent(agent) => {
                self.inner().agents.standing(agent).await?.map(|standing| standing.owner)
            }
            PrincipalId::User(_) => None,
        };
        let is_own =
            |uuid: Uuid| uuid == claims.sub.uuid() || owner.is_some_and(|owner| owner.uuid() == uuid);
        let is_itself = asker.jti() == Some(claims.jti);
        if is_itself || asker.is_whole() && is_own(asker.subject().principal.uuid()) {
            return Ok(true);
        }
        let Ok(selector) = Selector::object([claims.jti.to_string().as_str()]) else { return Ok(false) };
        let hop = |link| hop_of(link, &is_own);
        let (hops, scope): (Vec<Hop<'_>>, _) = match asker {
            Asker::Client { agent } => (vec![hop(agent)], None),
            Asker::Bearer(caller) => (caller.links().map(hop).collect(), caller.scope.as_deref()),
        };
        Ok(decide(&hops, scope, required, &selector).is_allowed())
    }
}

fn hop_of<'a>(link: &'a Link, is_own: &impl Fn(Uuid) -> bool) -> Hop<'a> {
    let relation = Relation { own: is_own(link.principal.uuid()), group: false };
    Hop { authority: &link.grants, relation }
}

impl From<&Claims> for ActiveToken {
    fn from(claims: &Claims) -> Self {
        Self {
            scope: claims.scope.clone(),
            client_id: claims.client_id.to_string(),
            token_type: "Bearer",
            exp: claims.exp,
            iat: claims.iat,
            nbf: claims.nbf,
            sub: claims.sub.to_string(),
            sub_type: claims.sub.kind(),
            aud: claims.aud.clone(),
            iss: claims.iss.clone(),
            jti: claims.jti,
            org: claims.org,
            txn: claims.txn,
            crd: claims.crd,
            sid: claims.sid,
            run: claims.run,
            act: claims.act.as_ref().and_then(|act| serde_json::to_value(act).ok()),
        }
    }
}
