//! One error for everything that can go wrong on the way to an answer.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Why a call gave no result: a refusal of the server, or a code of this library where the server said nothing.
///
/// Codes of the server stand in its catalogue (`docs/errors/`). This library adds `unreachable`, `timed_out`,
/// `unreadable_answer`, `plain_http`, `invalid_url` and `invalid_key`.
#[derive(Debug)]
pub struct Error(Box<Failure>);

#[derive(Debug, Default)]
struct Failure {
    status: Option<u16>,
    code: String,
    title: String,
    detail: String,
    request_id: Option<String>,
    errors: Vec<FieldError>,
    members: Map<String, Value>,
    retry_after: Option<Duration>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// One thing that is wrong with the input. `field` is a JSON pointer or the name of a parameter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    pub field: String,
    pub reason: String,
}

impl Error {
    /// A word for programs, such as `permission_denied`.
    pub fn code(&self) -> &str {
        &self.0.code
    }

    /// The HTTP status; none where no server answered.
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// Short, the same for every occurrence of the code.
    pub fn title(&self) -> &str {
        &self.0.title
    }

    /// What to do next, for this occurrence.
    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    /// Ties the refusal to the server's log and ledger.
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// All that is wrong with the input.
    pub fn errors(&self) -> &[FieldError] {
        &self.0.errors
    }

    /// A further member of the problem, such as `permission` or `limit`.
    pub fn member(&self, name: &str) -> Option<&Value> {
        self.0.members.get(name)
    }

    /// How long the server asked to wait.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Whether no answer came: the server was not reached, or the connection broke.
    pub fn is_unreachable(&self) -> bool {
        self.0.status.is_none() && matches!(self.0.code.as_str(), "unreachable" | "timed_out")
    }

    /// Whether the server is away or unwell, so that the same call may succeed later.
    pub fn is_passing(&self) -> bool {
        self.is_unreachable() || self.0.status.is_some_and(|status| status == 429 || status >= 500)
    }

    /// An error without an answer of the server, such as one of a [`crate::TokenSource`].
    pub fn new(code: &str, title: &str, detail: impl Into<String>) -> Self {
        let (code, title, detail) = (code.to_owned(), title.to_owned(), detail.into());
        Self(Box::new(Failure { code, title, detail, ..Failure::default() }))
    }

    #[must_use]
    pub(crate) fn because(mut self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.0.source = Some(Box::new(source));
        self
    }

    /// Reads a refusal: a problem (RFC 9457), an OAuth error (RFC 6749 §5.2), or whatever a proxy in between says.
    pub(crate) fn of_answer(status: u16, headers: &Headers, body: &[u8]) -> Self {
        let mut members: Map<String, Value> = serde_json::from_slice(body).unwrap_or_default();
        let mut text = |name: &str| match members.remove(name) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        };
        let refused = text("error");
        let title =
            text("title").or_else(|| refused.as_ref().map(|_| "The authorization server refused".to_owned()));
        let code = text("code").or(refused);
        let detail = text("detail").or_else(|| text("error_description"));
        let request_id = text("request_id").or_else(|| headers.request_id.clone());
        let errors = members.remove("errors").map(serde_json::from_value).and_then(Result::ok);
        for known in ["type", "status", "error_uri"] {
            members.remove(known);
        }
        Self(Box::new(Failure {
            status: Some(status),
            title: title.unwrap_or_else(|| format!("The server answered {status}")),
            detail: detail.unwrap_or_else(|| match code {
                Some(_) => String::new(),
                None => "The answer is none of Safeconduct's; is something else at this address?".to_owned(),
            }),
            code: code.unwrap_or_else(|| "unreadable_answer".to_owned()),
            request_id,
            errors: errors.unwrap_or_default(),
            members,
            retry_after: headers.retry_after,
            source: None,
        }))
    }
}

/// What an error needs of the answer's headers.
#[derive(Default)]
pub(crate) struct Headers {
    pub(crate) request_id: Option<String>,
    pub(crate) retry_after: Option<Duration>,
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} ({})", self.0.title, self.0.code)?;
        if !self.0.detail.is_empty() {
            write!(out, ": {}", self.0.detail)?;
        }
        for error in &self.0.errors {
            write!(out, "; {}: {}", error.field, error.reason)?;
        }
        match &self.0.request_id {
            Some(id) => write!(out, " [{id}]"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn std::error::Error + 'static))
    }
}

/// As the problem that it came as, for programs that hand it on.
impl Serialize for Error {
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        let failure = &self.0;
        let mut map = out.serialize_map(None)?;
        map.serialize_entry("title", &failure.title)?;
        map.serialize_entry("status", &failure.status)?;
        map.serialize_entry("code", &failure.code)?;
        map.serialize_entry("detail", &failure.detail)?;
        map.serialize_entry("request_id", &failure.request_id)?;
        map.serialize_entry("errors", &failure.errors)?;
        for (name, value) in &failure.members {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_are_read_whole() {
        let body =
            br#"{"type": "/docs/errors/permission_denied", "title": "A permission is missing", "status": 403,
            "code": "permission_denied", "detail": "Ask for it.", "request_id": "req_1",
            "errors": [{"field": "/name", "reason": "is missing"}], "permission": "agents:create"}"#;
        let error = Error::of_answer(403, &Headers::default(), body);
        assert_eq!(
            (error.code(), error.status(), error.request_id()),
            ("permission_denied", Some(403), Some("req_1"))
        );
        assert_eq!(error.member("permission").and_then(Value::as_str), Some("agents:create"));
        assert_eq!(error.errors()[0].field, "/name");
        assert!(!error.is_unreachable());
        let written = serde_json::to_value(&error).unwrap();
        assert_eq!(written["permission"], "agents:create");
        assert_eq!(written["status"], 403);
    }

    #[test]
    fn oauth_errors_and_strangers_are_read_too() {
        let body = br#"{"error": "invalid_client", "error_description": "Check the secret."}"#;
        let error = Error::of_answer(401, &Headers::default(), body);
        assert_eq!((error.code(), error.detail()), ("invalid_client", "Check the secret."));
        let headers = Headers { request_id: Some("req_2".into()), retry_after: None };
        let error = Error::of_answer(502, &headers, b"<html>Bad gateway</html>");
        assert_eq!((error.code(), error.request_id()), ("unreadable_answer", Some("req_2")));
        assert!(error.detail().contains("none of Safeconduct's"));
    }
}
