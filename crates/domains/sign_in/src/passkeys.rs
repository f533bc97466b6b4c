//! Setting a passkey up.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use problem::Problem;
use serde_json::{Map, Value, json};
use types::{FactorId, Secret, Timestamp};
use web::{Allowance, Decided};

use crate::factors::{Factor, FactorKind, MOST, NewFactor, person_of};
use crate::kind::NewState;
use crate::states::{For, Frame};
use crate::webauthn::Party;
use crate::{Reason, SignIn, SignInError, store};

/// What the browser's `navigator.credentials.create` is given.
pub(crate) struct NewPasskey {
    pub(crate) state: Secret<String>,
    pub(crate) options: Value,
    pub(crate) expires_at: Timestamp,
}

impl SignIn {
    pub(crate) async fn begin_passkey(&self, by: &Allowance) -> Result<NewPasskey, SignInError> {
        let user = person_of(by)?;
        let inner = self.inner();
        let known = store::factors_of(self.db(), user).await?;
        if known.len() >= MOST {
            let detail = "You have ten factors already. Remove one that you do not use.";
            return Err(Problem::new(&problem::CONFLICT, detail).into());
        }
        let challenge = URL_SAFE_NO_PAD.encode(inner.world.bytes::<32>());
        let credentials: Vec<Vec<u8>> = known.into_iter().filter_map(|factor| factor.credential).collect();
        let name = by.caller().subject.display.to_string();
        let options = self.party().creation(&challenge, user, &name, &credentials);
        let state = NewState {
            data: json!({ "user": user, "challenge": challenge }),
            subject: Some(format!("passkey {user}")),
            tries: 1,
            lifetime: None,
        };
        let kept = self.keep_state(For::Enrolment, &Frame::default(), state).await?;
        Ok(NewPasskey { state: kept.handle, options, expires_at: kept.expires_at })
    }

    pub(crate) async fn confirm_passkey(
        &self,
        by: &Allowance,
        handle: &str,
        credential: &Map<String, Value>,
        label: Option<&str>,
    ) -> Result<Decided<NewFactor>, SignInError> {
        let user = person_of(by)?;
        let inner = self.inner();
        let state = self.take_try(For::Enrolment, handle).await?;
        let text = |name: &str| state.data[name].as_str().unwrap_or_default();
        if text("user") != user.to_string() || text("challenge").is_empty() {
            return Err(SignInError::Refused(Reason::NoState));
        }
        let made = self.party().check_creation(text("challenge"), credential);
        let made = made.ok_or(SignInError::Refused(Reason::WrongProof))?;
        let id: FactorId = inner.world.id();
        let factor = Factor {
            id,
            user,
            kind: FactorKind::Passkey,
            label: label.unwrap_or("Passkey").to_owned(),
            secret: None,
            credential: Some(made.credential),
            public_key: Some(made.public_key),
            counter: i64::from(made.counter),
            created_at: inner.world.now(),
            last_used_at: None,
        };
        self.adding(by, factor, vec![self.use_up(state.id)]).await
    }

    fn party(&self) -> Party {
        Party::of(&self.inner().settings.public_url)
    }
}
