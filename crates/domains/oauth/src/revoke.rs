//! Revocation (RFC 7009): by the token's client, its subject, the subject's owner, or who may delete tokens. What is
//! unknown, foreign or already over is answered like a success.

use axum::http::HeaderMap;
use db::{AuthorityEntry, Bookkeeping, Change, CommitError};
use ledger::Fact;
use people::People;
use problem::{INVALID_TOKEN, Problem};
use serde_json::json;
use types::{Id, Timestamp};
use web::Contact;

use crate::claims::Claims;
use crate::error::{OAuthError, invalid_client};
use crate::form::Form;
use crate::introspect::{Asker, DELETE_TOKENS};
use crate::issuer::Issuer;
use crate::store::{ASSERTIONS, SingleUse};
use crate::verified::Verified;
use crate::{Oauth, facts, store};

impl Oauth {
    pub(crate) async fn revoke(
        &self,
        slug: Option<&str>,
        headers: &HeaderMap,
        body: &[u8],
        contact: &Contact,
    ) -> Result<(), OAuthError> {
        let issuer = self.issuer(slug).await?;
        let form = Form::parse(headers, body)?;
        if let Some(secret) = form.get("token").filter(|token| People::is_refresh_token(token)) {
            // Whoever holds it may end it: the command line is a public client (§2.1).
            return Ok(self.inner().people.end_by_refresh(secret, contact).await.map_err(Problem::from)?);
        }
        let asker = match self.asker(&issuer, headers, &form).await {
            Ok(asker) => asker,
            Err(error) => {
                return Err(self.refuse_stranger("revoke", &issuer, error, headers, &form, contact).await);
            }
        };
        let verified = match self.verify(form.need("token")?).await {
            Ok(verified) if verified.claims.org == issuer.org => verified,
            Ok(_) => return Ok(()),
            Err(problem) if *problem.code() == INVALID_TOKEN => return Ok(()),
            Err(problem) => return Err(problem.into()),
        };
        if !self.may_revoke(&asker, &verified.claims).await? {
            let error = OAuthError::UnauthorizedClient("the token was not issued to this client".into());
            let fact = self.refusal("revoke", &issuer, asker.actor(), &error, contact);
            self.inner().ledger.append(fact).await?;
            return Err(error);
        }
        self.end(&issuer, &verified, &asker, contact).await
    }

    async fn may_revoke(&self, asker: &Asker, claims: &Claims) -> Result<bool, OAuthError> {
        if let Asker::Client { agent } = asker
            && agent.principal.uuid() == claims.client_id.uuid()
        {
            return Ok(true);
        }
        Ok(self.holds(asker, claims, &DELETE_TOKENS).await?)
    }

    async fn end(
        &self,
        issuer: &Issuer,
        verified: &Verified,
        by: &Asker,
        contact: &Contact,
    ) -> Result<(), OAuthError> {
        let inner = self.inner();
        let claims = &verified.claims;
        let over = claims.exp <= inner.world.now().seconds() || inner.feed.is_dead(claims.rev, &verified.kin);
        if over {
            return Ok(());
        }
        let mut origin = contact.origin();
        origin.jti = Some(claims.jti);
        origin.txn = Some(claims.txn);
        if let Asker::Bearer(caller) = by {
            origin.act = caller.chain();
        }
        let expires_at = Timestamp::from_millis(claims.exp * 1000);
        let fact = Fact::new(&facts::TOKEN_REVOKED, issuer.org, by.actor())
            .origin(&origin)
            .target("token", claims.jti, "")
            .data(json!({ "expires_at": expires_at }));
        let entry = AuthorityEntry::changed(issuer.org, "token", claims.jti.uuid()).died();
        let change = Change::new(store::proven(issuer), inner.ledger.seal(fact).await?).authority(entry);
        inner.db.commit(change).await?;
        metrics::counter!("safeconduct_tokens_revoked_total").increment(1);
        Ok(())
    }

    /// Takes an assertion's `jti` where no fact goes along.
    pub(crate) async fn use_up(&self, single_use: &SingleUse) -> Result<(), OAuthError> {
        let books = Bookkeeping::new(ASSERTIONS).statement(store::take_assertion(single_use));
        match self.inner().db.keep(books).await {
            Err(CommitError::Refused(code)) if *code == problem::ALREADY_EXISTS => {
                Err(invalid_client("the assertion was used before"))
            }
            other => Ok(other.map(drop)?),
        }
    }
}
