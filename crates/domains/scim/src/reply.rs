//! Answers in SCIM's media type with entity tags, and what a client makes them depend on (RFC 7644 §3.14).

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::error::ScimError;
use crate::form::MEDIA;
use crate::resources::Shown;

const LIST: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";

/// `If-Match` and `If-None-Match`, as opaque tags; weak and strong forms are the same to us.
pub(crate) struct Preconditions {
    only: Option<Vec<String>>,
    unless: Option<Vec<String>>,
}

impl Preconditions {
    /// Refused with 412 if the client wants to write another version than there is.
    pub(crate) fn hold(&self, version: &str) -> Result<(), ScimError> {
        match &self.only {
            Some(tags) if !names(tags, version) => Err(ScimError::Version),
            _ => Ok(()),
        }
    }
}

fn names(tags: &[String], version: &str) -> bool {
    let bare = version.trim_start_matches("W/");
    tags.iter().any(|tag| tag == "*" || tag.trim_start_matches("W/") == bare)
}

impl<S: Sync> FromRequestParts<S> for Preconditions {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self {
            only: tags(&parts.headers, header::IF_MATCH),
            unless: tags(&parts.headers, header::IF_NONE_MATCH),
        })
    }
}

fn tags(headers: &HeaderMap, name: HeaderName) -> Option<Vec<String>> {
    let lines: Vec<&str> =
        headers.get_all(name).iter().map(|line| line.to_str().unwrap_or_default()).collect();
    let tags = lines.iter().flat_map(|line| line.split(',')).map(|tag| tag.trim().to_owned());
    (!lines.is_empty()).then(|| tags.collect())
}

/// One resource.
pub(crate) fn found(shown: Shown, only: &Preconditions) -> Response {
    if only.unless.as_deref().is_some_and(|tags| names(tags, &shown.version)) {
        return with_tag(StatusCode::NOT_MODIFIED.into_response(), &shown.version);
    }
    written(StatusCode::OK, shown)
}

/// A resource as a write left it.
pub(crate) fn written(status: StatusCode, Shown { version, resource }: Shown) -> Response {
    let place = resource.get("meta").and_then(|meta| meta.get("location")).and_then(Value::as_str);
    let place = place.and_then(|place| HeaderValue::try_from(place).ok());
    let mut response = with_tag(message(status, &Value::Object(resource)), &version);
    if let Some(place) = place.filter(|_| status == StatusCode::CREATED) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    response
}

pub(crate) fn gone() -> Response {
    StatusCode::NO_CONTENT.into_response()
}

/// A page, from `start` of `total`.
pub(crate) fn list(resources: Vec<Value>, start: i64, total: i64) -> Response {
    let body = json!({
        "schemas": [LIST],
        "totalResults": total,
        "startIndex": start,
        "itemsPerPage": resources.len(),
        "Resources": resources,
    });
    message(StatusCode::OK, &body)
}

pub(crate) fn message(status: StatusCode, body: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA))], body.to_string()).into_response()
}

fn with_tag(mut response: Response, version: &str) -> Response {
    if let Ok(tag) = HeaderValue::try_from(version) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_compared_whatever_their_strength() {
        let only = |tags: &[&str]| Preconditions {
            only: Some(tags.iter().map(|tag| (*tag).to_owned()).collect()),
            unless: None,
        };
        for tags in [&["W/\"3.1\""][..], &["\"3.1\""], &["*"], &["\"9\"", "W/\"3.1\""]] {
            assert!(only(tags).hold("W/\"3.1\"").is_ok(), "{tags:?}");
        }
        for tags in [&["W/\"3.2\""][..], &[""], &["3.1"]] {
            assert!(only(tags).hold("W/\"3.1\"").is_err(), "{tags:?}");
        }
    }
}
