//! `otp`: a code of six digits by e-mail.
//!
//! The code is random, kept as an HMAC, good for ten minutes and five tries; a new one voids the earlier. Whether the
//! address is known shows nowhere: the same rows are written, the same answer given, and letters leave later and elsewhere.

use std::time::Duration;

use crypto::mac::MacKey;
use futures::future::BoxFuture;
use mail::{Letter, Post};
use people::People;
use problem::FieldError;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use types::{Secret, World};

use crate::kind::{Begun, Finding, First, Kind, NewState, Next, Proven, Visit, text};
use crate::model::{domain, email};
use crate::service::{SignInParts, SignInSettings};
use crate::{EnabledProvider, OpenState, Reason, SignInError};

const TRIES: i64 = 5;
const DIGITS: u32 = 6;

pub(crate) struct Otp {
    people: People,
    post: Post,
    world: World,
    key: MacKey,
    lifetime: Duration,
    /// Shown in the letter, so that people see whose it is.
    public_url: String,
}

/// What is kept until the code comes back.
#[derive(Serialize, Deserialize)]
struct Sent {
    email: String,
    salt: String,
    tag: Vec<u8>,
}

impl Otp {
    pub(crate) fn over(parts: &SignInParts, settings: &SignInSettings) -> Self {
        Self {
            people: parts.people.clone(),
            post: parts.post.clone(),
            world: parts.world.clone(),
            key: parts.keyring.derive("sign-in codes"),
            lifetime: settings.code_lifetime,
            public_url: settings.public_url.clone(),
        }
    }

    /// Uniform: what would favour some codes is drawn again.
    fn draw(&self) -> Secret<String> {
        let range = 10_u32.pow(DIGITS);
        let fair = u32::MAX - u32::MAX % range;
        loop {
            let number = u32::from_le_bytes(self.world.bytes());
            if number < fair {
                return Secret::new(format!("{:06}", number % range));
            }
        }
    }

    async fn send(
        &self,
        provider: &EnabledProvider,
        input: &Map<String, Value>,
    ) -> Result<Begun, SignInError> {
        let address = email(text(input, "email")?)
            .ok_or_else(|| SignInError::invalid("/input/email", "is no e-mail address"))?;
        if !self.post.is_open() {
            return Err(SignInError::Unavailable("no mail server is configured".to_owned()));
        }
        let code = self.draw();
        let salt = crypto::base62::encode(&self.world.bytes::<16>());
        let tag = self.key.tag(&[salt.as_bytes(), code.reveal().as_bytes()]);
        if self.would_admit(provider, &address).await? {
            let letter = self.letter(&code);
            // An address that no letter can be sent to gets none; that, too, does not show.
            if let Err(error) = self.post.send(&address, letter) {
                tracing::warn!(%error, "a code was not sent");
            }
        }
        let sent = Sent { email: address.clone(), salt, tag: tag.to_vec() };
        let data = serde_json::to_value(sent).map_err(SignInError::internal)?;
        let state = NewState { data, subject: Some(address), tries: TRIES, lifetime: Some(self.lifetime) };
        Ok(Begun { state, next: Next::Ask { fields: vec!["code"] } })
    }

    /// Codes go only to those who could come in with them; others would be an unasked letter.
    async fn would_admit(&self, provider: &EnabledProvider, address: &str) -> Result<bool, SignInError> {
        let provider = provider.provider();
        let allowed = &provider.allowed_domains;
        let in_domain = allowed.is_empty() || allowed.iter().any(|one| one == domain(address));
        let person = self.people.person_by_email(address).await?;
        Ok(in_domain && person.map_or(provider.create_users, |person| person.active))
    }

    fn letter(&self, code: &Secret<String>) -> Letter {
        let minutes = self.lifetime.as_secs() / 60;
        Letter::new("Your sign-in code")
            .text("Somebody, hopefully you, wants to sign in to Safeconduct at this address:")
            .link(&self.public_url)
            .text("Enter this code there:")
            .code(code.reveal())
            .text(format!(
                "It works once, for {minutes} minutes. Nobody of ours will ever ask you for it. If it was not you, \
                 there is nothing to do."
            ))
    }

    fn check_code(
        &self,
        state: Option<&OpenState>,
        input: &Map<String, Value>,
    ) -> Result<Proven, SignInError> {
        let state = state.ok_or(SignInError::Refused(Reason::NoState))?;
        let sent: Sent = serde_json::from_value(state.data().clone()).map_err(SignInError::internal)?;
        let code: String = text(input, "code")?.chars().filter(char::is_ascii_digit).collect();
        if !self.key.verify(&[sent.salt.as_bytes(), code.as_bytes()], &sent.tag) {
            return Err(SignInError::Refused(Reason::WrongProof));
        }
        Ok(Proven {
            email: Some(sent.email),
            email_is_ours: true,
            factor: self.name().to_owned(),
            ..Proven::default()
        })
    }
}

impl Kind for Otp {
    fn name(&self) -> &'static str {
        "otp"
    }

    fn settings(&self) -> Value {
        super::nothing_to_set()
    }

    fn first(&self) -> First {
        First::begin(&["email"])
    }

    fn check(&self, settings: &Map<String, Value>) -> Vec<FieldError> {
        super::no_settings(settings)
    }

    fn begin<'a>(
        &'a self,
        provider: &'a EnabledProvider,
        _: &'a Visit<'a>,
        _: &'a Secret<String>,
        input: &'a Map<String, Value>,
    ) -> BoxFuture<'a, Result<Begun, SignInError>> {
        Box::pin(self.send(provider, input))
    }

    fn account(&self, state: Option<&OpenState>, input: &Map<String, Value>) -> Option<String> {
        let entered = input.get("email").and_then(Value::as_str).and_then(email);
        entered.or_else(|| Some(state?.data().get("email")?.as_str()?.to_owned()))
    }

    fn complete<'a>(
        &'a self,
        _: &'a EnabledProvider,
        _: &'a Visit<'a>,
        state: Option<&'a OpenState>,
        input: &'a Map<String, Value>,
    ) -> BoxFuture<'a, Result<Proven, SignInError>> {
        Box::pin(async move { self.check_code(state, input) })
    }

    fn test<'a>(&'a self, _: &'a EnabledProvider) -> BoxFuture<'a, Vec<Finding>> {
        Box::pin(async move {
            let tried = self.post.test().await;
            let detail = match &tried {
                Ok(()) => "The mail server takes our letters.".to_owned(),
                Err(error) => error.to_string(),
            };
            vec![Finding { what: "mail".to_owned(), works: tried.is_ok(), detail }]
        })
    }
}
