//! Secrets over HTTP: kept under names, never shown.

mod keep;
mod rights;

use serde_json::{Value, json};

use crate::support::Caller;

pub(crate) const SECRETS: &str = "/api/v1/secrets";

/// Keeps a secret; the answer.
pub(crate) async fn secret(by: &Caller, name: &str, value: &str, hosts: Value) -> Value {
    by.post(SECRETS, json!({ "name": name, "value": value, "hosts": hosts })).await.ok(201)
}
