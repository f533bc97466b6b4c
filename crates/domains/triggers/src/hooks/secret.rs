//! Shared secrets of hooks: made or given, sealed, and two of them good while one takes the other's place.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use crypto::seal::Aad;
use secrets::Purpose;
use types::{HookId, Id, OrgId, Secret, Timestamp};

use super::model::{Authentication, AuthenticationKind, Hook, Preset};
use super::verify::key_of;
use crate::TriggerError;
use crate::service::Inner;

const SHORTEST: usize = 16;
const LONGEST: usize = 512;

/// A given secret, if it can serve; otherwise a new one of 256 bits.
pub(crate) fn fitting(
    inner: &Inner,
    by: &Authentication,
    given: Option<&Secret<String>>,
) -> Result<Option<Secret<String>>, TriggerError> {
    if !by.kind.has_secret() {
        return match given {
            Some(_) => Err(TriggerError::invalid("/secret", "belongs to `hmac` and `basic` alone")),
            None => Ok(None),
        };
    }
    let preset = by.preset.unwrap_or(Preset::Generic);
    let Some(secret) = given else {
        let bytes = inner.world.bytes::<32>();
        let is_standard = by.kind == AuthenticationKind::Hmac && preset == Preset::StandardWebhooks;
        return Ok(Some(Secret::new(match is_standard {
            true => format!("whsec_{}", STANDARD.encode(bytes)),
            false => crypto::base62::encode(&bytes),
        })));
    };
    let length = secret.reveal().len();
    if !(SHORTEST..=LONGEST).contains(&length) || secret.reveal().chars().any(char::is_control) {
        let reason = "must have 16 to 512 bytes and no control characters";
        return Err(TriggerError::invalid("/secret", reason));
    }
    if by.kind == AuthenticationKind::Hmac && key_of(preset, secret).is_none() {
        let reason = "must be `whsec_` and at least 16 bytes in base64, as Standard Webhooks has it";
        return Err(TriggerError::invalid("/secret", reason));
    }
    Ok(Some(Secret::new(secret.reveal().clone())))
}

/// One place for both columns, so that a secret that becomes the previous one stays as it is.
fn aad(org: OrgId, row: &[u8]) -> Aad<'_> {
    Aad { table: "hooks", column: "secret", org: Some(org), row }
}

impl Inner {
    pub(crate) async fn seal_secret(
        &self,
        org: OrgId,
        hook: HookId,
        secret: &Secret<String>,
    ) -> Result<Vec<u8>, TriggerError> {
        let row = hook.uuid();
        let aad = aad(org, row.as_bytes());
        Ok(self.keyring.seal(Purpose::Records, &aad, secret.reveal().as_bytes()).await?)
    }

    /// Those that are good now, the newest first.
    pub(crate) async fn good_secrets(
        &self,
        hook: &Hook,
        now: Timestamp,
    ) -> Result<Vec<Secret<String>>, TriggerError> {
        let row = hook.id.uuid();
        let overlaps = hook.secrets.previous_until.is_some_and(|until| now < until);
        let previous = hook.secrets.previous.iter().filter(|_| overlaps);
        let mut secrets = Vec::new();
        for sealed in hook.secrets.current.iter().chain(previous) {
            let plain =
                self.keyring.open_sealed(Purpose::Records, &aad(hook.org, row.as_bytes()), sealed).await?;
            let text = String::from_utf8(plain).map_err(problem::Problem::internal)?;
            secrets.push(Secret::new(text));
        }
        Ok(secrets)
    }
}
