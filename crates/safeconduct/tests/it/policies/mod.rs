mod access;
mod authzen;
mod files;
mod rehearsal;
mod requests;
mod versions;

use serde_json::{Value, json};

use crate::support::Caller;

/// A bundle of one module.
fn bundle(text: &str) -> Value {
    json!({ "modules": [{ "path": "rules.rego", "text": text }] })
}

/// Writes a version and puts it in force.
pub(crate) async fn in_force(owner: &Caller, text: &str) -> String {
    let made = owner.post("/api/v1/policies", json!({ "bundle": bundle(text) })).await.ok(201);
    let id = made["id"].as_str().expect("an id").to_owned();
    owner.post(&format!("/api/v1/policies/{id}/activate"), json!({})).await.ok(200);
    id
}
