//! What comes in: a JSON body held against its documented schema, and query parameters. The schema in the OpenAPI
//! document is the one that is enforced, and all that is wrong is named at once.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::request::Parts;
use problem::{
    BODY_TOO_LARGE, MALFORMED_JSON, MALFORMED_REQUEST, Problem, UNSUPPORTED_MEDIA_TYPE, VALIDATION_FAILED,
};
use serde::de::DeserializeOwned;
use serde_json::Value;
use types::json;

use crate::{Contact, Operation, Refusal, complaint};

const MEND: &str = "Mend the fields named in errors.";
/// Complaints in one answer.
const TOLD: usize = 50;

/// The compiled schema of an operation's body; put into the request by its route.
#[derive(Clone)]
pub(crate) struct BodySchema(pub(crate) Arc<jsonschema::Validator>);

/// The body of an operation, valid by its schema.
pub struct Input<O: Operation>(pub O::Body);

impl<O: Operation, S: Send + Sync> FromRequest<S> for Input<O> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let schema = request.extensions().get::<BodySchema>().cloned();
        let is_json = request.headers().get(CONTENT_TYPE).is_some_and(|kind| {
            let kind = kind.to_str().unwrap_or_default();
            let kind = kind.split(';').next().unwrap_or_default().trim();
            matches!(kind, "application/json" | "application/merge-patch+json") || kind == O::SPEC.form.body
        });
        let encoded = request.headers().get(CONTENT_ENCODING).is_some_and(|coding| coding != "identity");
        let bytes = bytes(request, state).await?;
        if encoded {
            let detail = "Send the body as it is, without a Content-Encoding.";
            return Err(Problem::new(&UNSUPPORTED_MEDIA_TYPE, detail).into());
        }
        if !is_json && !bytes.is_empty() {
            let detail = format!("Send the body as {}.", O::SPEC.form.body);
            return Err(Problem::new(&UNSUPPORTED_MEDIA_TYPE, detail).into());
        }
        let bytes = if bytes.is_empty() { Bytes::from_static(b"{}") } else { bytes };
        let value = json::strict(&bytes)
            .map_err(|error| Problem::new(&MALFORMED_JSON, format!("The body cannot be read: {error}.")))?;
        if has_nul(&value) {
            let detail = "Mend the body: text may not hold the character NUL.";
            return Err(Problem::new(&VALIDATION_FAILED, detail).with_error("", "holds U+0000").into());
        }
        if let Some(BodySchema(validator)) = schema {
            check(&validator, &value)?;
        }
        let body = serde_path_to_error::deserialize(value).map_err(|error| {
            Problem::new(&VALIDATION_FAILED, MEND).with_errors([complaint::of_body(&error)])
        })?;
        Ok(Self(body))
    }
}

pub(crate) async fn bytes<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Problem> {
    Bytes::from_request(request, state).await.map_err(|error| {
        if error.status() == axum::http::StatusCode::PAYLOAD_TOO_LARGE {
            Problem::new(
                &BODY_TOO_LARGE,
                "The body is larger than this server reads. Send less, or in parts.",
            )
        } else {
            broke_off().with_context(error)
        }
    })
}

pub(crate) fn broke_off() -> Problem {
    Problem::new(&MALFORMED_REQUEST, "The body broke off. Send it again.")
}

/// PostgreSQL's text cannot hold it, and nothing of ours means it.
fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(has_nul),
        Value::Object(members) => members.iter().any(|(name, value)| name.contains('\0') || has_nul(value)),
        _ => false,
    }
}

fn check(validator: &jsonschema::Validator, value: &Value) -> Result<(), Problem> {
    let mut errors =
        validator.iter_errors(value).flat_map(|error| complaint::complaints(&error)).take(TOLD).peekable();
    if errors.peek().is_none() {
        return Ok(());
    }
    Err(Problem::new(&VALIDATION_FAILED, MEND).with_errors(errors))
}

/// The query of an operation. Unknown and repeated parameters are refused.
pub struct Params<O: Operation>(pub O::Query);

impl<O: Operation, S: Sync> FromRequestParts<S> for Params<O> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        Ok(Self(query(parts.uri.query().unwrap_or_default())?))
    }
}

pub fn query<T: DeserializeOwned>(text: &str) -> Result<T, Problem> {
    if text.contains("%00") {
        return Err(Problem::new(&VALIDATION_FAILED, "Mend the query parameters.")
            .with_error("query", "holds U+0000"));
    }
    let pairs = serde_urlencoded::Deserializer::new(form_urlencoded::parse(text.as_bytes()));
    serde_path_to_error::deserialize(pairs).map_err(|error| {
        Problem::new(&VALIDATION_FAILED, "Mend the query parameters.")
            .with_errors([complaint::of_query(&error)])
    })
}

/// One segment of the path as an id or name; what is not one does not exist.
pub struct Segment<T>(pub T);

impl<T: std::str::FromStr, S: Sync + Send> FromRequestParts<S> for Segment<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let path = axum::extract::Path::<String>::from_request_parts(parts, state).await;
        let text = path.map_err(|_| crate::allowed::not_found())?;
        Ok(Self(text.parse().map_err(|_| crate::allowed::not_found())?))
    }
}

/// Several segments of the path, or a segment and the rest, as text; what is no UTF-8 does not exist.
pub struct Segments<T>(pub T);

impl<T: DeserializeOwned + Send, S: Sync + Send> FromRequestParts<S> for Segments<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let path = axum::extract::Path::<T>::from_request_parts(parts, state).await;
        Ok(Self(path.map_err(|_| crate::allowed::not_found())?.0))
    }
}

/// Where a reader of a stream was when it lost the connection: the number of `Last-Event-ID`, as our streams give it;
/// none at the first time.
pub fn last_event(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let Some(id) = headers.get("last-event-id") else { return Ok(None) };
    let number = id.to_str().ok().and_then(|id| id.parse().ok());
    number.map(Some).ok_or_else(|| {
        Problem::new(
            &MALFORMED_REQUEST,
            "Last-Event-ID is the number that the stream gave; send it unchanged.",
        )
    })
}

/// Where a handler needs the request's own marks without an admission.
impl<S: Sync> FromRequestParts<S> for Contact {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_default())
    }
}
