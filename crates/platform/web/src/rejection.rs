//! A problem on its way out: the body gets the request id, the log gets the inner context.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use problem::Problem;

use crate::Contact;
use crate::form::{Form, HOUSE};

/// What handlers answer when they refuse.
pub struct Rejection {
    problem: Problem,
    request_id: String,
}

impl Rejection {
    pub fn new(problem: Problem, contact: &Contact) -> Self {
        Self { problem, request_id: contact.request_id.clone() }
    }
}

/// Marks an answer whose body still lacks its request id; the outermost layer completes it.
#[derive(Clone)]
pub(crate) struct Unfinished(pub(crate) Problem);

/// `Result<_, Refusal>` is what handlers return; `?` turns any domain error into one.
pub struct Refusal(pub(crate) Problem);

impl Refusal {
    /// For whoever asked without a request.
    pub fn into_problem(self) -> Problem {
        self.0
    }
}

impl<E: Into<Problem>> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = StatusCode::INTERNAL_SERVER_ERROR.into_response();
        response.extensions_mut().insert(Unfinished(self.0));
        response
    }
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        finish(&self.problem, HOUSE, &self.request_id)
    }
}

pub(crate) fn finish(problem: &Problem, form: &Form, request_id: &str) -> Response {
    let (code, context) = (problem.code().name, problem.context().unwrap_or_default());
    match problem.status() {
        ..500 => {}
        // Busy, or somebody else's server is down or their code failed: told, but nothing of ours is broken.
        502 | 503 => tracing::warn!(request_id, code, context, "{}", problem.detail()),
        _ => tracing::error!(request_id, code, context, "{}", problem.detail()),
    }
    metrics::counter!("safeconduct_problems_total", "code" => problem.code().name).increment(1);
    let (status, body) = (form.refusal.write)(problem, request_id);
    let body = body.to_string();
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let kind = HeaderValue::from_static(form.refusal.media);
    let mut response = (status, [(header::CONTENT_TYPE, kind)], body).into_response();
    if let Some(seconds) = problem.retry_after() {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if problem.status() == 401 {
        let challenge = HeaderValue::from_static("Bearer realm=\"safeconduct\"");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
        .headers_mut()
        .insert(HeaderName::from_static("cache-control"), HeaderValue::from_static("no-store"));
    response
}
