//! The token endpoint: `client_credentials` (RFC 6749 §4.4). On the hot path nothing waits for the database but the fact.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderMap;
use db::{Change, CommitError};
use ledger::{Actor, Fact, Outcome};
use problem::Problem;
use serde::Serialize;
use serde_json::json;
use types::Timestamp;
use utoipa::ToSchema;
use web::{Contact, PrincipalId};

use crate::claims::{Claims, Client, SubjectType};
use crate::client::{Proven, claimed};
use crate::error::{OAuthError, invalid_client};
use crate::form::Form;
use crate::issuer::Issuer;
use crate::logins::{CODE_GRANT, DEVICE_GRANT};
use crate::person::SignedIn;
use crate::ring::LONGEST_LIFETIME;
use crate::{Oauth, facts, store};

/// RFC 6749 §5.1.
#[derive(Debug, Serialize, ToSchema)]
pub struct TokenAnswer {
    pub access_token: String,
    /// Always `Bearer`.
    pub token_type: &'static str,
    /// Seconds.
    pub expires_in: u64,
    /// What the token lets through; may be less than what was asked for.
    #[schema(value_type = String)]
    pub scope: Arc<str>,
}

/// A token to be.
pub(crate) struct Draft {
    pub(crate) sub: PrincipalId,
    pub(crate) client: Client,
    pub(crate) aud: Arc<str>,
    pub(crate) scope: Arc<str>,
    pub(crate) lifetime: Duration,
}

/// How a token came about, for its fact.
pub(crate) struct How {
    pub(crate) grant: &'static str,
    pub(crate) method: &'static str,
    pub(crate) narrowed: bool,
}

/// What the token endpoint gave.
pub(crate) enum Granted {
    Agent(TokenAnswer),
    Person(Box<SignedIn>),
}

struct Issued {
    claims: Claims,
    fact: Fact,
    answer: TokenAnswer,
}

impl Oauth {
    /// Answers one request at the token endpoint and records what came of it.
    pub(crate) async fn token(
        &self,
        slug: Option<&str>,
        headers: &HeaderMap,
        body: &[u8],
        contact: &Contact,
    ) -> Result<Granted, OAuthError> {
        let issuer = self.issuer(slug).await?;
        let form = Form::parse(headers, body)?;
        let outcome = match form.get("grant_type") {
            Some(grant @ (DEVICE_GRANT | CODE_GRANT)) => self.login(grant, &form, contact).await,
            _ => self.answer_grant(&issuer, headers, &form, contact).await.map(Granted::Agent),
        };
        let (result, grant) = match &outcome {
            Ok(Granted::Agent(_)) => ("issued", "client_credentials"),
            Ok(Granted::Person(_)) => ("issued", "login"),
            Err(error) => (error.code(), "none"),
        };
        metrics::counter!("safeconduct_token_requests_total", "result" => result, "grant" => grant)
            .increment(1);
        outcome
    }

    async fn login(&self, grant: &str, form: &Form<'_>, contact: &Contact) -> Result<Granted, OAuthError> {
        let outcome = self.redeem_login(grant, form, contact).await;
        if let Err(OAuthError::InvalidGrant | OAuthError::InvalidClient { .. }) = &outcome {
            let refused = self.inner().people.refused("login", "invalid grant", contact).await;
            refused.map_err(Problem::from)?;
        }
        outcome.map(|signed_in| Granted::Person(Box::new(signed_in)))
    }

    pub(crate) async fn issuer(&self, slug: Option<&str>) -> Result<Arc<Issuer>, OAuthError> {
        let issuer = self.inner().issuers.of_path(slug).await.map_err(Problem::from)?;
        issuer.ok_or(OAuthError::UnknownIssuer)
    }

    async fn answer_grant(
        &self,
        issuer: &Issuer,
        headers: &HeaderMap,
        form: &Form<'_>,
        contact: &Contact,
    ) -> Result<TokenAnswer, OAuthError> {
        // Before the first read of authority: a death that this node has not heard of is younger, and kills the token.
        let rev = self.inner().feed.applied();
        self.inner().feed.fresh()?;
        let proven = match self.admit(issuer, headers, form).await {
            Ok(proven) => proven,
            Err(error) => {
                return Err(self.refuse_stranger("token", issuer, error, headers, form, contact).await);
            }
        };
        let recorded = match self.client_credentials(issuer, &proven, form, rev, contact).await {
            Ok(issued) => self.record(issuer, &proven, issued.fact).await.map(|()| {
                self.inner().live.note(&issued.claims, self.inner().world.now());
                self.inner().agents.used(&proven.credential, contact.ip);
                issued.answer
            }),
            Err(error) if error.is_refusal() => {
                let fact = self.refusal("token", issuer, agent_of(&proven), &error, contact);
                self.record(issuer, &proven, fact).await?;
                return Err(error);
            }
            Err(error) => return Err(error),
        };
        match recorded {
            Ok(answer) => Ok(answer),
            // A used assertion proves nothing.
            Err(error) => Err(self.refuse_stranger("token", issuer, error, headers, form, contact).await),
        }
    }

    async fn admit(
        &self,
        issuer: &Issuer,
        headers: &HeaderMap,
        form: &Form<'_>,
    ) -> Result<Proven, OAuthError> {
        match form.need("grant_type")? {
            "client_credentials" => self.prove(issuer, headers, form).await,
            _ => Err(OAuthError::UnsupportedGrantType(
                "agents use client_credentials, command lines authorization_code or a device code".into(),
            )),
        }
    }

    async fn client_credentials(
        &self,
        issuer: &Issuer,
        proven: &Proven,
        form: &Form<'_>,
        rev: i64,
        contact: &Contact,
    ) -> Result<Issued, OAuthError> {
        let inner = self.inner();
        let audience = self.audience(form.get("resource"))?;
        let principal = PrincipalId::Agent(proven.standing.id);
        let held = inner.access.grants(issuer.org, principal).await?;
        let granted =
            inner.scopes.grant(principal, &held, form.get("scope"), inner.settings.strict_scopes)?;
        let draft = Draft {
            sub: principal,
            client: Client::Agent(proven.standing.id),
            aud: audience,
            scope: granted.text.clone(),
            lifetime: inner.settings.agent_lifetime,
        };
        let claims = Claims { crd: Some(proven.credential.id), ..self.claims(issuer, rev, draft) };
        let answer = self.answer(issuer, &claims).await?;
        let how = How { grant: "client_credentials", method: proven.method, narrowed: granted.narrowed };
        let fact = issued_fact(&claims, agent_of(proven), contact, &how);
        Ok(Issued { claims, fact, answer })
    }

    /// RFC 8707: nothing asked is our API; everything else must be known.
    fn audience(&self, resource: Option<&str>) -> Result<Arc<str>, OAuthError> {
        let api = self.inner().issuers.api();
        match resource {
            None => Ok(api.clone()),
            Some(asked) if *asked == **api => Ok(api.clone()),
            Some(_) => Err(OAuthError::InvalidTarget(format!("the one resource here is {api}").into())),
        }
    }

    /// Claims of a token that begins now.
    pub(crate) fn claims(&self, issuer: &Issuer, rev: i64, draft: Draft) -> Claims {
        let world = &self.inner().world;
        let now = world.now().seconds();
        let lifetime = draft.lifetime.min(LONGEST_LIFETIME).as_secs();
        Claims {
            iss: issuer.url.clone(),
            sub: draft.sub,
            sub_type: SubjectType::of(draft.sub),
            aud: draft.aud,
            client_id: draft.client,
            iat: now,
            nbf: now,
            exp: now + i64::try_from(lifetime).unwrap_or(0),
            jti: world.id(),
            scope: draft.scope,
            org: issuer.org,
            rev,
            crd: None,
            sid: None,
            key: None,
            run: None,
            fence: None,
            txn: world.id(),
            act: None,
        }
    }

    /// The signed token with what RFC 6749 §5.1 says beside it.
    pub(crate) async fn answer(&self, issuer: &Issuer, claims: &Claims) -> Result<TokenAnswer, OAuthError> {
        Ok(TokenAnswer {
            access_token: self.sign(issuer, claims).await?,
            token_type: "Bearer",
            expires_in: u64::try_from(claims.exp - claims.iat).unwrap_or(0),
            scope: claims.scope.clone(),
        })
    }

    pub(crate) async fn sign(&self, issuer: &Issuer, claims: &Claims) -> Result<String, OAuthError> {
        let algorithm = self.inner().settings.algorithm;
        let ring = self.inner().keys.ring(issuer.org, algorithm).await?;
        let key = ring.signer(algorithm).ok_or_else(|| Problem::internal("the ring has no active key"))?;
        Ok(claims.sign(key).map_err(Problem::internal)?)
    }

    /// Writes the fact; together with the assertion's single use, of which only one can succeed.
    async fn record(&self, issuer: &Issuer, proven: &Proven, fact: Fact) -> Result<(), OAuthError> {
        let inner = self.inner();
        let Some(single_use) = &proven.single_use else {
            inner.ledger.append(fact).await?;
            return Ok(());
        };
        let sealed = inner.ledger.seal(fact).await?;
        let change = Change::new(store::proven(issuer), sealed).with(store::take_assertion(single_use));
        match inner.db.commit(change).await {
            Err(CommitError::Refused(code)) if *code == problem::ALREADY_EXISTS => {
                Err(invalid_client("the assertion was used before"))
            }
            other => Ok(other.map(drop)?),
        }
    }

    /// Records what somebody unproven was refused; coalesced per source. Gives back what to answer.
    pub(crate) async fn refuse_stranger(
        &self,
        endpoint: &str,
        issuer: &Issuer,
        error: OAuthError,
        headers: &HeaderMap,
        form: &Form<'_>,
        contact: &Contact,
    ) -> OAuthError {
        if !error.is_refusal() {
            return error;
        }
        let client = claimed(headers, form).unwrap_or_default();
        let fact = self.refusal(endpoint, issuer, Actor::anonymous(client), &error, contact);
        let source = contact.ip.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        match self.inner().ledger.refuse(fact, source).await {
            Ok(()) => error,
            Err(failure) => failure.into(),
        }
    }

    pub(crate) fn refusal(
        &self,
        endpoint: &str,
        issuer: &Issuer,
        actor: Actor,
        error: &OAuthError,
        contact: &Contact,
    ) -> Fact {
        let data = json!({ "endpoint": endpoint, "error": error.code(), "reason": error.reason() });
        Fact::new(&facts::TOKEN_REFUSED, issuer.org, actor)
            .origin(&contact.origin())
            .outcome(Outcome::Denied)
            .data(data)
    }
}

pub(crate) fn agent_of(proven: &Proven) -> Actor {
    Actor::agent(proven.standing.id, &*proven.standing.display)
}

pub(crate) fn issued_fact(claims: &Claims, actor: Actor, contact: &Contact, how: &How) -> Fact {
    let mut origin = contact.origin();
    origin.jti = Some(claims.jti);
    origin.txn = Some(claims.txn);
    origin.credential = claims.crd;
    Fact::new(&facts::TOKEN_ISSUED, claims.org, actor).origin(&origin).target("token", claims.jti, "").data(
        json!({
            "grant": how.grant,
            "method": how.method,
            "audience": *claims.aud,
            "scope": *claims.scope,
            "expires_at": Timestamp::from_millis(claims.exp * 1000),
            "authority_revision": claims.rev,
            "narrowed": how.narrowed,
        }),
    )
}
