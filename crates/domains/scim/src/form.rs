//! SCIM's media type and its form of refusals (RFC 7644 §3.12).

use problem::Problem;
use serde_json::{Value, json};
use web::{Form, RefusalForm};

pub(crate) const MEDIA: &str = "application/scim+json";
const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";

/// How everything under `/scim/v2` looks on the wire.
pub const SCIM: &Form = &Form {
    body: MEDIA,
    answer: MEDIA,
    // Names of attributes are case-insensitive and unknown ones are ignored, which no JSON schema can say.
    checks_bodies: false,
    etags_are_revisions: false,
    shares_refusals: true,
    refusal: RefusalForm { media: MEDIA, schema: ("ScimError", schema), write: refusal },
};

/// Clients know SCIM's statuses only, so what is wrong with values is 400; our own code stands behind the detail.
fn refusal(problem: &Problem, _: &str) -> (u16, Value) {
    let code = problem.code().name;
    let (status, kind) = match code {
        "validation_failed" => (400, Some("invalidValue")),
        "malformed_json" | "malformed_request" | "invalid_syntax" => (400, Some("invalidSyntax")),
        "invalid_filter" => (400, Some("invalidFilter")),
        "invalid_path" => (400, Some("invalidPath")),
        "no_target" => (400, Some("noTarget")),
        "read_only" => (400, Some("mutability")),
        "invalid_value" => (400, Some("invalidValue")),
        "owner_unknown" => (problem.status(), Some("invalidValue")),
        "already_exists" | "agent_exists" => (409, Some("uniqueness")),
        _ => (problem.status(), None),
    };
    let reasons = problem.errors().iter().map(|error| format!(" {} {}.", error.field, error.reason));
    let reasons: String = if code == "invalid_value" { String::new() } else { reasons.collect() };
    let mut body = json!({
        "schemas": [ERROR],
        "status": status.to_string(),
        "detail": format!("{}{reasons} ({code})", problem.detail()),
    });
    if let Some(kind) = kind {
        body["scimType"] = kind.into();
    }
    (status, body)
}

fn schema() -> Value {
    json!({
        "type": "object",
        "description": "RFC 7644 §3.12.",
        "required": ["schemas", "status", "detail"],
        "properties": {
            "schemas": { "type": "array", "items": { "type": "string" } },
            "status": { "type": "string" },
            "scimType": { "type": "string", "enum": [
                "invalidFilter", "invalidPath", "invalidSyntax", "invalidValue", "mutability", "noTarget", "uniqueness",
            ] },
            "detail": { "type": "string", "description": "What to do next, and our code in parentheses." },
        },
    })
}
