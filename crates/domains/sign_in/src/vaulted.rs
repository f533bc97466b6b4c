//! Secret settings that lie in a Vault: kept as references among the open settings, and read when the provider is used.
//!
//! `{"mount": "secret", "path": "apps/oidc", "key": "client_secret"}` in the place of a secret refers to one that is there;
//! with a `value` beside, the secret is written there first and only the reference kept.

use problem::{FieldError, Problem, VAULT_UNAVAILABLE};
use secrets::{Reference, VaultError};
use serde_json::{Map, Value};
use types::Secret;

use crate::kind::Kind;
use crate::{Owner, SignIn, SignInError};

type Members = Map<String, Value>;

/// One secret setting that is an object.
pub(crate) struct Referred {
    name: &'static str,
    reference: Reference,
    /// To be written there.
    value: Option<Secret<String>>,
}

impl SignIn {
    /// The references among settings, each within its owner's reach.
    pub(crate) fn referred(
        &self,
        kind: &dyn Kind,
        owner: Owner,
        settings: &Members,
    ) -> Result<Vec<Referred>, SignInError> {
        let objects = kind.secrets().iter().filter_map(|name| match settings.get(*name) {
            Some(Value::Object(members)) => Some((*name, members.clone())),
            _ => None,
        });
        objects.map(|(name, members)| self.one(owner, name, members)).collect()
    }

    fn one(&self, owner: Owner, name: &'static str, mut members: Members) -> Result<Referred, SignInError> {
        let field = format!("/settings/{name}");
        let value = match members.remove("value") {
            None => None,
            Some(Value::String(text)) if !text.is_empty() => Some(Secret::new(text)),
            Some(_) => return Err(SignInError::invalid(&format!("{field}/value"), "is the secret, as text")),
        };
        let reference: Reference = serde_json::from_value(Value::Object(members)).map_err(|_| {
            let reason = "is the secret, or where it lies: mount, path, key, and engine (`kv1`, `kv2`) and version if needed";
            SignInError::invalid(&field, reason)
        })?;
        if value.is_some() && reference.version.is_some() {
            return Err(SignInError::invalid(&format!("{field}/version"), "comes of writing; leave it out"));
        }
        self.inner().vault.admit(owner.org(), &reference).map_err(|error| at(&field, error))?;
        Ok(Referred { name, reference, value })
    }

    /// Settings as their kind reads them: what is referred to stands in them.
    pub(crate) async fn resolved(
        &self,
        settings: &Members,
        referred: &[Referred],
    ) -> Result<Members, SignInError> {
        let mut whole = settings.clone();
        for one in referred {
            let secret = match &one.value {
                Some(value) => value.clone(),
                None => {
                    let read = self.inner().vault.read(&one.reference).await;
                    read.map_err(|error| at(&format!("/settings/{}", one.name), error))?
                }
            };
            whole.insert(one.name.to_owned(), Value::String(secret.reveal().clone()));
        }
        Ok(whole)
    }

    /// Writes what is to be written, and leaves the bare references.
    pub(crate) async fn put_away(
        &self,
        settings: &mut Members,
        referred: &[Referred],
    ) -> Result<(), SignInError> {
        for one in referred {
            if let Some(value) = &one.value {
                let written = self.inner().vault.write(&one.reference, value).await;
                written.map_err(|error| at(&format!("/settings/{}", one.name), error))?;
            }
            let reference = serde_json::to_value(&one.reference).map_err(SignInError::internal)?;
            settings.insert(one.name.to_owned(), reference);
        }
        Ok(())
    }
}

/// What the caller can mend is theirs; for the rest they come again.
fn at(field: &str, error: VaultError) -> SignInError {
    if error.passes() {
        let detail =
            "The Vault that holds this secret cannot be used at the moment. Nothing was changed; try again.";
        return Problem::new(&VAULT_UNAVAILABLE, detail).with_retry_after(5).with_context(error).into();
    }
    let field = match &error {
        VaultError::Invalid { member, .. } => format!("{field}/{member}"),
        _ => field.to_owned(),
    };
    SignInError::Invalid(vec![FieldError { field, reason: error.to_string() }])
}
