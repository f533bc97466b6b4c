//! Deliveries that the vendors' own libraries signed (npm `@octokit/webhooks-methods`, `stripe`, `standardwebhooks`).

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

const PEER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/webhooks");

pub struct VendorsDelivery {
    /// As hooks name the vendor's form.
    pub preset: String,
    pub secret: String,
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

/// One of each vendor, signed at this time.
pub fn signed_by_vendors(seconds: i64) -> Vec<VendorsDelivery> {
    let is_there = Path::new(PEER).join("node_modules/stripe").is_dir();
    assert!(
        is_there,
        "the vendors' libraries of the tests are missing; scripts/setup.sh webhooks installs them"
    );
    let output = Command::new("node").args(["sign.mjs", &seconds.to_string()]).current_dir(PEER).output();
    let output = output.expect("node starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let signed: Vec<Value> = serde_json::from_slice(&output.stdout).expect("the peer answers in JSON");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let delivery = |one: &Value| VendorsDelivery {
        preset: text(&one["preset"]),
        secret: text(&one["secret"]),
        headers: one["headers"]
            .as_object()
            .expect("headers")
            .iter()
            .map(|(name, value)| (name.clone(), text(value)))
            .collect(),
        body: text(&one["body"]),
    };
    signed.iter().map(delivery).collect()
}
