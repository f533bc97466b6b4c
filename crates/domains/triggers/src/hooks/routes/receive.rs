//! `/o/{slug}/hooks/{path…}`: the door for senders of other systems. Which of them is believed is each hook's affair; what
//! they are answered is foreign content.

use axum::extract::{Path, Request, State};
use axum::http::Method;
use axum::response::Response;
use problem::{
    BODY_TOO_LARGE, HOOK_FAILED, HOOK_UNAUTHENTICATED, IDEMPOTENCY_IN_FLIGHT, INPUT_INVALID, MALFORMED_JSON,
    METHOD_NOT_ALLOWED, NOT_FOUND, OVERLOADED, PERMISSION_DENIED, POLICY_DENIED, Problem, RATE_LIMITED,
    SANDBOX_UNAVAILABLE, TRIGGER_ORPHANED, UNSUPPORTED_MEDIA_TYPE,
};
use web::{Code, FactKind, Nothing, Operation, Rate, Refusal, Spec, Visitor, leaves, operation, refuses};

use crate::hooks::receive::Knock;
use crate::{Triggers, facts};

const LEAVES: &[&FactKind] = leaves![runs::facts::RUN_SUCCEEDED];
const MAY_LEAVE: &[&FactKind] = leaves![
    facts::HOOK_REFUSED,
    runs::facts::RUN_FAILED,
    runs::facts::RUN_TIMED_OUT,
    runs::facts::RUN_CANCELLED,
    runs::facts::RUN_DEAD
];
const REFUSES: &[&Code] = refuses![
    NOT_FOUND,
    HOOK_UNAUTHENTICATED,
    PERMISSION_DENIED,
    POLICY_DENIED,
    MALFORMED_JSON,
    UNSUPPORTED_MEDIA_TYPE,
    BODY_TOO_LARGE,
    INPUT_INVALID,
    IDEMPOTENCY_IN_FLIGHT,
    TRIGGER_ORPHANED,
    RATE_LIMITED,
    OVERLOADED,
    HOOK_FAILED,
    SANDBOX_UNAVAILABLE
];

operation! {
    /// Delivers to a hook; the answer is the hook's.
    pub ReceivePost -> Nothing = Spec::post("hooks.receive", "/o/{slug}/hooks/{*path}")
        .open().rate(Rate::Own).facts(LEAVES).further_facts(MAY_LEAVE).errors(REFUSES);

    /// Delivers to a hook that takes GET. It may run a function: whether asking is safe is that function's affair.
    pub ReceiveGet -> Nothing = Spec::get("hooks.receive_get", "/o/{slug}/hooks/{*path}")
        .open().rate(Rate::Own).errors(REFUSES);

    /// Delivers to a hook that takes PUT.
    pub ReceivePut -> Nothing = Spec::put("hooks.receive_put", "/o/{slug}/hooks/{*path}")
        .open().rate(Rate::Own).facts(LEAVES).further_facts(MAY_LEAVE).errors(REFUSES);

    /// Delivers to a hook that takes PATCH.
    pub ReceivePatch -> Nothing = Spec::patch("hooks.receive_patch", "/o/{slug}/hooks/{*path}")
        .open().rate(Rate::Own).facts(LEAVES).further_facts(MAY_LEAVE).errors(REFUSES);

    /// Delivers to a hook that takes DELETE.
    pub ReceiveDelete -> Nothing = Spec::delete("hooks.receive_delete", "/o/{slug}/hooks/{*path}")
        .open().rate(Rate::Own).facts(LEAVES).further_facts(MAY_LEAVE).errors(REFUSES);
}

pub async fn receive<O: Operation>(
    State(triggers): State<Triggers>,
    visitor: Visitor<O>,
    Path((slug, _)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    // What is mounted for GET also hears HEAD; nobody who asks for a head means to run anything.
    let method = match parts.method == Method::HEAD {
        true => Err(()),
        false => parts.method.as_str().parse(),
    };
    let method =
        method.map_err(|()| Problem::new(&METHOD_NOT_ALLOWED, "Use GET, POST, PUT, PATCH or DELETE."))?;
    // Undecoded: an escaped slash is no border of segments.
    let path = parts.uri.path().splitn(5, '/').nth(4).unwrap_or_default().to_owned();
    let query = parts.uri.query().unwrap_or_default().to_owned();
    let knock = Knock { contact: visitor.contact, slug, path, query, headers: parts.headers, body };
    // The whole way to the run and back is a large future.
    Ok(Box::pin(triggers.receive(method, knock)).await?)
}
