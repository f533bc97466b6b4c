//! Tokens of people: an access token on a session with all rights of theirs, and by name those that people step up for,
//! because a token cannot step up and a wildcard does not count there.

use std::sync::Arc;

use ledger::Actor;
use people::{OrgRef, People, Refreshed, Session, SessionKind};
use problem::{INVALID_TOKEN, Problem};
use types::Secret;
use web::{Allowance, Contact, PrincipalId};

use crate::Oauth;
use crate::claims::{Claims, first_party};
use crate::error::OAuthError;
use crate::scope::spell_out;
use crate::token::{Draft, How, TokenAnswer, issued_fact};

/// An access token and the refresh token for the next.
pub(crate) struct SignedIn {
    pub(crate) session: Session,
    pub(crate) access: TokenAnswer,
    pub(crate) refresh: Secret<String>,
}

impl Oauth {
    /// Redeems an owner link for a command line.
    pub(crate) async fn redeem_link(&self, token: &str, contact: &Contact) -> Result<SignedIn, Problem> {
        let rev = self.begin()?;
        let started = self.people().redeem(token, SessionKind::Cli, contact).await?;
        let access = self.mint_for_person(&started.session, rev, "owner_link", contact).await?;
        Ok(SignedIn { session: started.session, access, refresh: started.secret })
    }

    /// Exchanges a refresh token; it works once.
    pub(crate) async fn refresh(&self, secret: &str, contact: &Contact) -> Result<SignedIn, Problem> {
        let rev = self.begin()?;
        let Refreshed { session, secret: refresh } = self.people().refresh(secret, contact).await?;
        let access = self.mint_for_person(&session, rev, "refresh_token", contact).await?;
        Ok(SignedIn { session, access, refresh })
    }

    /// The same person in another organization.
    pub(crate) async fn switch(&self, by: &Allowance, to: &OrgRef) -> Result<SignedIn, Problem> {
        let rev = self.begin()?;
        let started = self.people().switch(by, to, SessionKind::Cli).await?;
        let access = self.mint_for_person(&started.session, rev, "switch", by.contact()).await?;
        Ok(SignedIn { session: started.session, access, refresh: started.secret })
    }

    /// The revision of the token to be, before its session is read: whatever ends the session later is younger.
    pub(crate) fn begin(&self) -> Result<i64, Problem> {
        let rev = self.inner().feed.applied();
        self.inner().feed.fresh()?;
        Ok(rev)
    }

    pub(crate) async fn mint_for_person(
        &self,
        session: &Session,
        rev: i64,
        grant: &'static str,
        contact: &Contact,
    ) -> Result<TokenAnswer, Problem> {
        let inner = self.inner();
        let principal = PrincipalId::User(session.user);
        let link = self.link(session.org, principal).await?;
        let scope: Arc<str> = spell_out(&link.grants, self.needed_by_name()).to_scope_string().into();
        let issuer = inner.issuers.of_org(session.org).await?;
        let issuer = issuer.ok_or_else(|| Problem::internal("a session without organization"))?;
        let draft = Draft {
            sub: principal,
            client: first_party(),
            aud: inner.issuers.api().clone(),
            scope,
            lifetime: inner.settings.person_lifetime,
        };
        let claims = Claims { sid: Some(session.id), ..self.claims(&issuer, rev, draft) };
        let answer = self.answer(&issuer, &claims).await.map_err(ours)?;
        let how = How { grant, method: "none", narrowed: false };
        let actor = Actor::user(session.user, &*link.display);
        inner.ledger.append(issued_fact(&claims, actor, contact, &how)).await?;
        inner.live.note(&claims, inner.world.now());
        Ok(answer)
    }

    fn people(&self) -> &People {
        &self.inner().people
    }
}

/// Signing fails for our own reasons only.
fn ours(error: OAuthError) -> Problem {
    match error {
        OAuthError::House(problem) => problem,
        other => Problem::new(&INVALID_TOKEN, "Sign in again.").with_context(other),
    }
}
