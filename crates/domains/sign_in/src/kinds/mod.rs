//! The kinds of providers, a file each.

mod active_directory;
mod external;
mod ldap;
mod oidc;
mod otp;
mod passkey;
mod password;
mod workos;

pub(crate) use external::issuer_of;

use std::sync::Arc;

use problem::FieldError;
use serde_json::{Map, Value, json};

use crate::kind::Kinds;
use crate::passwords::Hasher;
use crate::service::{SignInParts, SignInSettings};

pub(crate) fn all(parts: &SignInParts, settings: &SignInSettings, hasher: &Hasher) -> Kinds {
    Kinds::new(vec![
        Arc::new(active_directory::ActiveDirectory::over(parts)),
        Arc::new(external::External::over(parts, settings)),
        Arc::new(ldap::Ldap::over(parts)),
        Arc::new(oidc::Oidc::over(parts, settings)),
        Arc::new(otp::Otp::over(parts, settings)),
        Arc::new(passkey::Passkey::over(parts, settings)),
        Arc::new(password::Password::over(parts, hasher.clone())),
        Arc::new(workos::WorkOs::over(parts, settings)),
    ])
}

/// The schema of kinds that have no settings of their own.
fn nothing_to_set() -> Value {
    json!({ "type": "object", "properties": {}, "additionalProperties": false })
}

/// What is wrong with settings by their kind's own schema, and what is missing.
fn by_schema(schema: &Value, settings: &Map<String, Value>) -> Vec<FieldError> {
    let error = |field: String, reason: String| FieldError { field: format!("/settings{field}"), reason };
    match jsonschema::validator_for(schema) {
        Ok(validator) => validator
            .iter_errors(&Value::Object(settings.clone()))
            .map(|wrong| error(wrong.instance_path().to_string(), wrong.masked_with("the value").to_string()))
            .collect(),
        Err(wrong) => vec![error(String::new(), wrong.to_string())],
    }
}

/// For kinds that have none of their own.
fn no_settings(settings: &Map<String, Value>) -> Vec<FieldError> {
    let unknown = |name: &String| FieldError {
        field: format!("/settings/{name}"),
        reason: "this kind has no settings of its own".to_owned(),
    };
    settings.keys().map(unknown).collect()
}
