//! What every attempt goes through: delays for who guesses, a fact for who is refused, a letter to whose account is tried.

use ledger::{Actor, Fact};
use mail::Letter;
use serde_json::json;
use web::Contact;

use crate::defence::Attempt;
use crate::{SignIn, SignInError, facts};

impl SignIn {
    /// Runs an attempt. `account` is what it is an attempt at, as far as that is known.
    pub(crate) async fn watched<T>(
        &self,
        by: &str,
        account: Option<&str>,
        contact: &Contact,
        attempt: impl Future<Output = Result<T, SignInError>>,
    ) -> Result<T, SignInError> {
        let who = Attempt { ip: contact.ip, account };
        let outcome = match self.defence().admit(who).await {
            Ok(()) => attempt.await,
            Err(error) => Err(error),
        };
        let reason = match &outcome {
            Ok(_) => {
                if account.is_some() {
                    self.defence().succeeded(who).await;
                    self.counted(by, "success");
                }
                return outcome;
            }
            Err(SignInError::Refused(reason)) => {
                if self.defence().failed(who).await {
                    self.tell_owner(account.unwrap_or_default(), contact).await?;
                }
                reason.text()
            }
            Err(SignInError::Disabled) => "provider switched off",
            Err(SignInError::TooMany(_)) => "too many attempts",
            Err(_) => {
                self.counted(by, "failed");
                return outcome;
            }
        };
        self.counted(by, "refused");
        self.inner().people.refused(by, reason, contact).await?;
        outcome
    }

    /// Somebody keeps trying to sign in as a person: they are told once per hour of trying.
    async fn tell_owner(&self, account: &str, contact: &Contact) -> Result<(), SignInError> {
        let inner = self.inner();
        let person = match account.parse() {
            Ok(user) => inner.people.person(user).await?.map(|person| people::Person::clone(&person)),
            Err(_) => inner.people.person_by_email(account).await?,
        };
        let home = inner.people.home().await?.id;
        let mut fact = Fact::new(&facts::ACCOUNT_TRIED, home, Actor::anonymous(""))
            .origin(&contact.origin())
            .data(json!({}));
        if let Some(person) = &person {
            fact = fact.target("user", person.id, &person.display_name);
        }
        inner.ledger.append(fact).await?;
        if let Some(email) =
            person.as_ref().filter(|person| person.active).and_then(|one| one.email.as_deref())
            && let Err(error) = inner.post.send(email, notice(&inner.settings.public_url))
        {
            tracing::warn!(%error, "nobody could be told that their account is tried");
        }
        Ok(())
    }
}

fn notice(public_url: &str) -> Letter {
    Letter::new("Somebody tries to sign in as you")
        .text("Several attempts to sign in with your account failed, at:")
        .link(public_url)
        .text("Further attempts are slowed down. If it was not you: your account was not entered, but use a password that \
               you use nowhere else, and set up an authenticator app.")
}

/// Steps that are no kind's own.
const STEPS: [&str; 2] = ["second factor", "step-up"];

impl SignIn {
    fn counted(&self, by: &str, outcome: &'static str) {
        // Names of providers are as many as administrators like; kinds are few.
        let kind = self.kinds().names().into_iter().chain(STEPS).find(|known| *known == by);
        metrics::counter!("safeconduct_sign_ins_total", "kind" => kind.unwrap_or("other"), "outcome" => outcome)
            .increment(1);
    }
}
