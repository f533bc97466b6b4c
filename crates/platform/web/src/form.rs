//! How bodies, answers and refusals of an interface look on the wire: our own way, or a protocol's.

use problem::Problem;
use serde_json::{Value, json};

/// One interface's way. An [`Outer`](crate::Outer) knows by the path which one a refusal takes, also where no operation
/// was reached.
#[derive(Clone, Copy, Debug)]
pub struct Form {
    /// Media type of request bodies; JSON ones may always be sent as `application/json`.
    pub body: &'static str,
    pub answer: &'static str,
    /// Bodies are held against the schema that the reference shows, and refused whole.
    pub checks_bodies: bool,
    /// `If-Match` names the revision of one row; else the handler reads it.
    pub etags_are_revisions: bool,
    /// Whether the reference lists the refusals that every operation of ours shares.
    pub shares_refusals: bool,
    pub refusal: RefusalForm,
}

/// How an interface says no.
#[derive(Clone, Copy, Debug)]
pub struct RefusalForm {
    pub media: &'static str,
    /// Name and schema for the reference.
    pub schema: (&'static str, fn() -> Value),
    /// Status and body of a problem of this request.
    pub write: fn(&Problem, &str) -> (u16, Value),
}

/// RFC 9457, with our codes.
const PROBLEM: RefusalForm = RefusalForm {
    media: "application/problem+json",
    schema: ("Problem", schema),
    write: |problem, request_id| {
        (problem.status(), serde_json::to_value(problem.body(request_id)).unwrap_or_default())
    },
};

/// What everything under `/api/v1` speaks.
pub const HOUSE: &Form = &Form {
    body: "application/json",
    answer: "application/json",
    checks_bodies: true,
    etags_are_revisions: true,
    shares_refusals: true,
    refusal: PROBLEM,
};

/// Forms in, JSON out (RFC 6749); the endpoints write their refusals themselves.
pub const OAUTH: &Form = &Form {
    body: "application/x-www-form-urlencoded",
    answer: "application/json",
    checks_bodies: false,
    etags_are_revisions: true,
    shares_refusals: false,
    refusal: PROBLEM,
};

/// Our own way, but the request's body is bytes of any kind, read as they arrive.
pub const OCTETS_IN: &Form = &Form { body: OCTETS, checks_bodies: false, ..*HOUSE };

/// Our own way, but the answer is bytes of any kind, whose ETag is their hash.
pub const OCTETS_OUT: &Form = &Form { answer: OCTETS, etags_are_revisions: false, ..*HOUSE };

const OCTETS: &str = "application/octet-stream";

/// A body or an answer that is no JSON: bytes.
#[derive(Clone, Copy, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Octets;

impl utoipa::PartialSchema for Octets {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .format(Some(utoipa::openapi::SchemaFormat::KnownFormat(utoipa::openapi::KnownFormat::Binary)))
            .description(Some("Bytes of any kind, as they are."))
            .into()
    }
}

impl utoipa::ToSchema for Octets {}

fn schema() -> Value {
    json!({
        "type": "object",
        "description": "RFC 9457 problem details.",
        "required": ["type", "title", "status", "code", "detail", "request_id"],
        "properties": {
            "type": { "type": "string" },
            "title": { "type": "string" },
            "status": { "type": "integer" },
            "code": { "type": "string", "enum": problem::CATALOGUE.iter().map(|code| code.name).collect::<Vec<_>>() },
            "detail": { "type": "string", "description": "What to do next." },
            "request_id": { "type": "string" },
            "errors": { "type": "array", "items": { "$ref": "#/components/schemas/FieldError" } },
        },
    })
}
