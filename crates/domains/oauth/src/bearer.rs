//! Bearer tokens (RFC 6750): is it ours, and does everything it stands on still stand?
//!
//! Signature and claims are remembered by the hash of the whole token; time, audience, revision, standing and grants are
//! asked anew for each request, all from memory.

use std::sync::Arc;

use agents::{Standing, Status};
use axum::http::header;
use axum::http::request::Parts;
use crypto::jws::Compact;
use futures::future::BoxFuture;
use problem::{INVALID_TOKEN, Problem};
use serde::Deserialize;
use types::{AgentId, OrgId, Timestamp, UserId};
use web::{ActingFunction, Authenticator, Caller, Contact, Link, Means, PrincipalId};

use crate::Oauth;
use crate::claims::{ActorId, Claims, LONGEST, TYPE, parse_scope};
use crate::ring::Ring;
use crate::verified::{Looked, Verified, VerifiedCache};

impl Authenticator for Oauth {
    fn recognise<'a>(
        &'a self,
        request: &'a Parts,
        _: &'a Contact,
    ) -> BoxFuture<'a, Result<Option<Caller>, Problem>> {
        Box::pin(async move {
            let mut values = request.headers.get_all(header::AUTHORIZATION).iter();
            let Some(value) = values.next() else { return Ok(None) };
            if values.next().is_some() {
                return Err(invalid("Send one Authorization header."));
            }
            let Some(token) = bearer(value.to_str().unwrap_or_default()) else { return Ok(None) };
            let outcome = self.caller(token).await;
            let result = if outcome.is_ok() { "accepted" } else { "refused" };
            metrics::counter!("safeconduct_bearer_checks_total", "result" => result).increment(1);
            outcome.map(Some)
        })
    }
}

/// The token of `Bearer <token>`; another scheme is another authenticator's.
pub(crate) fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("Bearer").then(|| token.trim())
}

fn invalid(detail: &'static str) -> Problem {
    Problem::new(&INVALID_TOKEN, detail)
}

impl Oauth {
    /// The caller behind a token for our API.
    pub(crate) async fn caller(&self, token: &str) -> Result<Caller, Problem> {
        let verified = self.verify(token).await?;
        if *verified.claims.aud != **self.inner().issuers.api() {
            return Err(invalid("The token is meant for another audience. Ask for one for this API."));
        }
        self.alive(&verified).await
    }

    /// Signature, form and issuer; nothing about time or life.
    pub(crate) async fn verify(&self, token: &str) -> Result<Arc<Verified>, Problem> {
        let inner = self.inner();
        let name = VerifiedCache::name(token);
        match inner.verified.look(&name) {
            Looked::Good(verified) => return Ok(verified),
            Looked::Bad(why) => return Err(invalid(why)),
            Looked::Unknown => {}
        }
        // Rare and large: not a part of what each request carries.
        let claims = match Box::pin(self.read(token)).await? {
            Ok(claims) => claims,
            Err(why) => {
                inner.verified.failed(name, why);
                return Err(invalid(why));
            }
        };
        let Ok(scope) = parse_scope(&claims.scope) else { return Err(invalid(MALFORMED)) };
        let now = inner.world.now();
        if claims.iat < inner.started.seconds() && claims.exp > now.seconds() {
            inner.live.note(&claims, now);
        }
        let verified = Arc::new(Verified { scope, kin: claims.kin(), claims });
        inner.verified.keep(name, verified.clone());
        Ok(verified)
    }

    /// The claims of a token that one of our issuers signed. The inner error is the token's fault, the outer one ours.
    async fn read(&self, token: &str) -> Result<Result<Claims, &'static str>, Problem> {
        let Ok(compact) = Compact::parse(token, LONGEST) else { return Ok(Err(MALFORMED)) };
        if !compact.header().is_typ(TYPE) {
            return Ok(Err("This is no access token. Send the access_token that the token endpoint gave."));
        }
        let Some(named) = named_issuer(compact.unverified_payload()) else { return Ok(Err(MALFORMED)) };
        let Some(issuer) = self.inner().issuers.of_url(&named).await? else {
            return Ok(Err("The token is from an issuer that this server is not."));
        };
        let Some(ring) = self.ring_with(issuer.org, &compact).await? else {
            return Ok(Err("The token is signed with a key that its issuer does not have."));
        };
        let kid = compact.header().kid.as_deref().unwrap_or_default();
        let Some(key) = ring.believed(kid, self.inner().world.now()) else { return Ok(Err(MALFORMED)) };
        let Ok(payload) = compact.verify_with(&key.verifying) else {
            return Ok(Err("The token's signature is not valid."));
        };
        let Ok(claims) = Claims::read(payload) else { return Ok(Err(MALFORMED)) };
        if claims.org != issuer.org {
            return Ok(Err("The token's issuer and organization do not belong together."));
        }
        Ok(Ok(claims))
    }

    /// The issuer's ring if the key is in it. An unknown key id may be news from another node, which is asked for at most
    /// once a second.
    async fn ring_with(&self, org: OrgId, compact: &Compact<'_>) -> Result<Option<Arc<Ring>>, Problem> {
        let inner = self.inner();
        let Some(kid) = compact.header().kid.as_deref() else { return Ok(None) };
        let now = inner.world.now();
        let known = |ring: &Arc<Ring>| ring.believed(kid, now).is_some();
        let ring = inner.keys.published(org).await?;
        if known(&ring) {
            return Ok(Some(ring));
        }
        if !inner.keys.may_read_again(org) {
            return Ok(None);
        }
        Ok(Some(inner.keys.read_again(org).await?).filter(known))
    }

    /// Everything that can change while a token lives.
    pub(crate) async fn alive(&self, verified: &Verified) -> Result<Caller, Problem> {
        let inner = self.inner();
        let claims = &verified.claims;
        let now = inner.world.now();
        if now.seconds() >= claims.exp {
            return Err(invalid("The token has expired. Ask for a new one."));
        }
        if claims.nbf > now.plus(inner.settings.clock_skew).seconds() {
            return Err(invalid("The token is not valid yet; a clock is wrong. Ask for a new one."));
        }
        if inner.feed.is_dead(claims.rev, &verified.kin) {
            return Err(invalid("The token was revoked."));
        }
        if let Some(run) = claims.run
            && !self.run_is_on(claims.org, run, claims.fence.unwrap_or_default()).await?
        {
            return Err(invalid("The token was for a run, which has ended."));
        }
        let subject = self.link(claims.org, claims.sub).await?;
        let mut actors = Vec::new();
        let mut functions = Vec::new();
        for act in claims.chain() {
            match act.sub {
                ActorId::Principal(principal) => actors.push(self.link(claims.org, principal).await?),
                ActorId::Function(function) => {
                    let author = match act.author {
                        Some(author) => Some(self.link(claims.org, author).await?),
                        None => None,
                    };
                    functions.push(ActingFunction { function, author });
                }
                ActorId::Trigger(_) => {}
            }
        }
        Ok(Caller {
            org: claims.org,
            subject,
            actors,
            functions,
            trigger: claims.trigger(),
            scope: Some(verified.scope.clone()),
            means: Means::Token {
                jti: claims.jti,
                client: claims.client_id.uuid(),
                credential: claims.crd,
                session: claims.sid,
                key: claims.key,
                run: claims.run,
                expires_at: Timestamp::from_millis(claims.exp.saturating_mul(1000)),
            },
            txn: Some(claims.txn),
            revision: claims.rev,
        })
    }

    /// A principal of the chain, if it still stands, with what it holds now.
    pub(crate) async fn link(&self, org: OrgId, principal: PrincipalId) -> Result<Link, Problem> {
        let inner = self.inner();
        let display = match principal {
            PrincipalId::Agent(id) => {
                inner.feed.fresh()?;
                self.agent(org, id).await?.display.clone()
            }
            PrincipalId::User(id) => self.user_display(id).await?,
        };
        let held = inner.access.holding(org, principal).await?;
        Ok(Link { principal, display, grants: held.authority.clone(), groups: held.groups.clone() })
    }

    async fn agent(&self, org: OrgId, id: AgentId) -> Result<Arc<Standing>, Problem> {
        let standing = self.inner().agents.standing(id).await?.filter(|standing| standing.org == org);
        match standing {
            Some(standing) if standing.status == Status::Active => Ok(standing),
            Some(standing) => Err(Problem::new(
                &INVALID_TOKEN,
                format!("The agent is {}; its tokens are void.", standing.status.name()),
            )),
            None => Err(invalid("The token's agent does not exist.")),
        }
    }

    async fn user_display(&self, id: UserId) -> Result<Arc<str>, Problem> {
        let person = self.inner().people.person(id).await?.filter(|person| person.active);
        let person = person.ok_or_else(|| invalid("The token's user is not active."))?;
        Ok(person.display_name.as_str().into())
    }
}

const MALFORMED: &str = "The token is malformed. Send the whole access_token, unchanged.";

/// `iss` as claimed; only good for finding the key.
fn named_issuer(payload: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Named {
        iss: String,
    }
    serde_json::from_slice::<Named>(payload).ok().map(|named| named.iss)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_bearer_scheme_only() {
        assert_eq!(bearer("Bearer a.b.c"), Some("a.b.c"));
        assert_eq!(bearer("bearer  a.b.c "), Some("a.b.c"));
        for other in ["Basic a", "Bearer", "", "DPoP a.b.c", "a.b.c"] {
            assert_eq!(bearer(other), None, "{other}");
        }
    }
}
