//! `passkey`: WebAuthn with a discoverable credential and user verification. It is first factor and second in one; as a
//! confirmation it is any person's other factor.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use db::Db;
use futures::future::BoxFuture;
use problem::FieldError;
use serde_json::{Map, Value, json};
use types::{Secret, World};

use crate::kind::{Begun, Finding, Kind, NewState, Next, Proven, Visit};
use crate::service::{SignInParts, SignInSettings};
use crate::webauthn::{Party, credential_id};
use crate::{EnabledProvider, OpenState, Reason, SignInError, store};

pub(crate) struct Passkey {
    db: Db,
    world: World,
    party: Party,
}

impl Passkey {
    pub(crate) fn over(parts: &SignInParts, settings: &SignInSettings) -> Self {
        Self { db: parts.db.clone(), world: parts.world.clone(), party: Party::of(&settings.public_url) }
    }

    async fn check_answer(
        &self,
        state: Option<&OpenState>,
        input: &Map<String, Value>,
    ) -> Result<Proven, SignInError> {
        let wrong = || SignInError::Refused(Reason::WrongProof);
        let state = state.ok_or(SignInError::Refused(Reason::NoState))?;
        let challenge = state.data()["challenge"].as_str().unwrap_or_default();
        let credential = input.get("credential").and_then(Value::as_object);
        let credential = credential.ok_or_else(|| SignInError::invalid("/input/credential", "is needed"))?;
        let id = credential_id(credential).ok_or_else(wrong)?;
        let factor = store::factor_by_credential(&self.db, &id).await?.ok_or_else(wrong)?;
        let key = factor.public_key.as_deref().ok_or_else(wrong)?;
        let shown = self.party.check_answer(challenge, credential, key, factor.user).ok_or_else(wrong)?;
        let now = self.world.now();
        // A counter that does not grow was copied (§6.1.1); many authenticators do not count and stay at nought.
        let counter = i64::from(shown.counter);
        let used = match counter == 0 && factor.counter == 0 {
            true => store::touch_factor(factor.id, now),
            false => store::use_factor(factor.id, counter, now),
        };
        Ok(Proven {
            user: Some(factor.user),
            factor: self.name().to_owned(),
            is_multi: true,
            used: vec![used],
            ..Proven::default()
        })
    }
}

impl Kind for Passkey {
    fn name(&self) -> &'static str {
        "passkey"
    }

    fn settings(&self) -> Value {
        super::nothing_to_set()
    }

    fn check(&self, settings: &Map<String, Value>) -> Vec<FieldError> {
        super::no_settings(settings)
    }

    fn begin<'a>(
        &'a self,
        _: &'a EnabledProvider,
        _: &'a Visit<'a>,
        _: &'a Secret<String>,
        _: &'a Map<String, Value>,
    ) -> BoxFuture<'a, Result<Begun, SignInError>> {
        Box::pin(async move {
            let challenge = URL_SAFE_NO_PAD.encode(self.world.bytes::<32>());
            let options = self.party.request(&challenge);
            let data = json!({ "challenge": challenge });
            let state = NewState { data, subject: None, tries: 1, lifetime: None };
            Ok(Begun { state, next: Next::Webauthn { options } })
        })
    }

    fn complete<'a>(
        &'a self,
        _: &'a EnabledProvider,
        _: &'a Visit<'a>,
        state: Option<&'a OpenState>,
        input: &'a Map<String, Value>,
    ) -> BoxFuture<'a, Result<Proven, SignInError>> {
        Box::pin(self.check_answer(state, input))
    }

    fn test<'a>(&'a self, _: &'a EnabledProvider) -> BoxFuture<'a, Vec<Finding>> {
        Box::pin(async move {
            let works = self.party.is_name();
            let detail = match works {
                true => format!("Passkeys belong to {}.", self.party.id),
                false => {
                    "Browsers know no passkeys of addresses: set server.public_url to a name.".to_owned()
                }
            };
            vec![Finding { what: "name".to_owned(), works, detail }]
        })
    }
}
