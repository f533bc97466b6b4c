//! The kinds of providers, a file each.

mod otp;
mod passkey;
mod password;

use std::sync::Arc;

use problem::FieldError;
use serde_json::{Map, Value, json};

use crate::kind::Kinds;
use crate::passwords::Hasher;
use crate::service::{SignInParts, SignInSettings};

pub(crate) fn all(parts: &SignInParts, settings: &SignInSettings, hasher: &Hasher) -> Kinds {
    Kinds::new(vec![
        Arc::new(otp::Otp::over(parts, settings)),
        Arc::new(passkey::Passkey::over(parts, settings)),
        Arc::new(password::Password::over(parts, hasher.clone())),
    ])
}

/// The schema of kinds that have no settings of their own.
fn nothing_to_set() -> Value {
    json!({ "type": "object", "properties": {}, "additionalProperties": false })
}

/// For kinds that have none of their own.
fn no_settings(settings: &Map<String, Value>) -> Vec<FieldError> {
    let unknown = |name: &String| FieldError {
        field: format!("/settings/{name}"),
        reason: "this kind has no settings of its own".to_owned(),
    };
    settings.keys().map(unknown).collect()
}
