//! Setting a password: by whoever is signed in and has confirmed, or by a link that only the mailbox's owner can read.

use std::time::Duration;

use db::{Change, CommitError};
use ledger::{Actor, Fact};
use mail::Letter;
use people::Person;
use serde_json::json;
use types::{Secret, UserId};
use web::{Allowance, Contact};

use crate::factors::person_of;
use crate::kind::NewState;
use crate::model::email;
use crate::passwords::weakness;
use crate::service::SIGN_IN;
use crate::states::{For, Frame};
use crate::{Reason, SignIn, SignInError, facts, store};

const LIFETIME: Duration = Duration::from_secs(30 * 60);
/// A refused password costs a try.
const TRIES: i64 = 10;

impl SignIn {
    /// Sets the caller's own password; their other sessions end.
    pub(crate) async fn set_password(
        &self,
        by: &Allowance,
        password: &Secret<String>,
    ) -> Result<Change, SignInError> {
        let inner = self.inner();
        let user = person_of(by)?;
        let session = inner.people.session_at_browser(by).await?.id;
        let person = inner.people.person(user).await?;
        let person = person.ok_or_else(|| SignInError::internal("a session without person"))?;
        strong(password, &person)?;
        let hash = self.hasher().hash(password.clone()).await?;
        let fact = by
            .fact(&facts::PASSWORD_SET)
            .target("user", user, &person.display_name)
            .data(json!({ "by": "session" }));
        let change = Change::new(SIGN_IN, inner.ledger.seal(fact).await?).statement(store::set_password(
            user,
            &hash,
            inner.world.now(),
        ));
        let (actor, origin) = (by.caller().actor(), by.origin());
        let (change, _) = inner.people.ending_sessions(change, user, Some(session), &actor, &origin).await?;
        Ok(change)
    }

    /// Sends a link to set a new password. Whoever asks learns nothing.
    pub(crate) async fn forgot_password(&self, address: &str, contact: &Contact) -> Result<(), SignInError> {
        let inner = self.inner();
        let provider = self.enabled_of_kind("password", None).await?;
        let address = email(address).ok_or_else(|| SignInError::invalid("/email", "is no e-mail address"))?;
        if !inner.post.is_open() {
            return Err(SignInError::Unavailable("no mail server is configured".to_owned()));
        }
        self.defence().letter(&address).await?;
        let person = inner.people.person_by_email(&address).await?.filter(|person| person.active);
        let data = json!({ "user": person.as_ref().map(|person| person.id) });
        let frame = Frame { provider: Some(provider.id()), ..Frame::default() };
        let new = NewState { data, subject: Some(address.clone()), tries: TRIES, lifetime: Some(LIFETIME) };
        let kept = self.keep_state(For::Reset, &frame, new).await?;
        if person.is_some()
            && let Err(error) = inner.post.send(&address, self.reset_letter(kept.handle.reveal()))
        {
            tracing::warn!(%error, "a link for a new password was not sent");
        }
        let home = inner.people.home().await?.id;
        let fact = Fact::new(&facts::RESET_ASKED, home, Actor::anonymous(""))
            .origin(&contact.origin())
            .data(json!({}));
        let source = contact.ip.unwrap_or(std::net::IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED));
        Ok(inner.ledger.refuse(fact, source).await?)
    }

    /// Sets the password of the link's owner and ends all their sessions. Of many who use one link, one succeeds.
    pub(crate) async fn reset_password(
        &self,
        token: &str,
        password: &Secret<String>,
        contact: &Contact,
    ) -> Result<(), SignInError> {
        let resetting = self.try_reset(token, password, contact);
        self.watched("password reset", None, contact, Box::pin(resetting)).await
    }

    async fn try_reset(
        &self,
        token: &str,
        password: &Secret<String>,
        contact: &Contact,
    ) -> Result<(), SignInError> {
        let inner = self.inner();
        let state = self.take_try(For::Reset, token).await?;
        self.enabled_again(state.provider.ok_or(SignInError::Refused(Reason::NoState))?).await?;
        let user: UserId = state.data["user"]
            .as_str()
            .and_then(|text| text.parse().ok())
            .ok_or(SignInError::Refused(Reason::UnknownPerson))?;
        let person = inner.people.person(user).await?.filter(|person| person.active);
        let person = person.ok_or(SignInError::Refused(Reason::Suspended))?;
        strong(password, &person)?;
        let hash = self.hasher().hash(password.clone()).await?;
        let of = inner.people.orgs_of(user).await?;
        let org = of.first().copied().ok_or(SignInError::Refused(Reason::NotAMember))?;
        let actor = Actor::user(user, &person.display_name);
        let fact = Fact::new(&facts::PASSWORD_SET, org, actor.clone())
            .origin(&contact.origin())
            .target("user", user, &person.display_name)
            .data(json!({ "by": "link" }));
        let change = Change::new(SIGN_IN, inner.ledger.seal(fact).await?)
            .statement(self.use_up(state.id))
            .statement(store::set_password(user, &hash, inner.world.now()));
        let (change, _) = inner.people.ending_sessions(change, user, None, &actor, &contact.origin()).await?;
        match inner.db.commit(change).await {
            Ok(_) => Ok(()),
            Err(CommitError::Refused(_)) => Err(SignInError::Refused(Reason::NoState)),
            Err(error) => Err(error.into()),
        }
    }

    fn reset_letter(&self, token: &str) -> Letter {
        Letter::new("A new password")
            .text("Somebody, hopefully you, asked for a new password. Choose one here:")
            .link(format!("{}/console/reset#{token}", self.inner().settings.public_url))
            .text("The link works once, for 30 minutes. If it was not you, there is nothing to do: your password stays.")
    }
}

fn strong(password: &Secret<String>, person: &Person) -> Result<(), SignInError> {
    let known = [person.email.as_deref().unwrap_or_default(), person.display_name.as_str()];
    match weakness(password.reveal(), &known) {
        Some(reason) => Err(SignInError::invalid("/password", reason)),
        None => Ok(()),
    }
}
