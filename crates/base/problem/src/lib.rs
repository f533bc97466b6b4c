//! Errors as the outside sees them: RFC 9457 problem details with one catalogue of codes.
//!
//! Every refusal of every surface is a [`Code`] of the [`CATALOGUE`]; each code has a page in `docs/errors/`.
//! Domain errors map to a [`Problem`] in one place of their crate. Knows no HTTP framework and no domain.

mod catalogue;

use std::fmt;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;

pub use catalogue::*;

/// One entry of the catalogue: a stable word for programs, a status and a title for people.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    pub name: &'static str,
    /// HTTP status.
    pub status: u16,
    /// Short, the same for every occurrence.
    pub title: &'static str,
}

/// A refusal: `{type, title, status, code, detail, request_id, errors[], …}` as `application/problem+json`.
#[derive(Debug, Clone)]
pub struct Problem {
    code: &'static Code,
    detail: String,
    errors: Vec<FieldError>,
    /// Further members, such as `permission`, `limit` or `current`.
    members: Vec<(&'static str, Value)>,
    retry_after: Option<u64>,
    /// For our own log only; never leaves the server.
    context: Option<String>,
}

/// One thing that is wrong with the input. `field` is a JSON pointer or the name of a parameter.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
pub struct FieldError {
    pub field: String,
    pub reason: String,
}

impl Problem {
    /// `detail` says what to do next, for this occurrence.
    pub fn new(code: &'static Code, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self { code, detail, errors: Vec::new(), members: Vec::new(), retry_after: None, context: None }
    }

    /// An error that is ours: the caller reads a fixed sentence, the log gets `context`.
    pub fn internal(context: impl fmt::Display) -> Self {
        let detail =
            "Something failed on our side; nothing was changed. Give the request id to your operator.";
        Self::new(&INTERNAL, detail).with_context(context)
    }

    #[must_use]
    pub fn with_error(mut self, field: impl Into<String>, reason: impl Into<String>) -> Self {
        self.errors.push(FieldError { field: field.into(), reason: reason.into() });
        self
    }

    #[must_use]
    pub fn with_errors(mut self, errors: impl IntoIterator<Item = FieldError>) -> Self {
        self.errors.extend(errors);
        self
    }

    #[must_use]
    pub fn with_member(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.members.push((name, value.into()));
        self
    }

    /// Seconds for the `Retry-After` header.
    #[must_use]
    pub fn with_retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    #[must_use]
    pub fn with_context(mut self, context: impl fmt::Display) -> Self {
        self.context = Some(context.to_string());
        self
    }

    pub fn code(&self) -> &'static Code {
        self.code
    }

    pub fn status(&self) -> u16 {
        self.code.status
    }

    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// What was added beside the members that every problem has.
    pub fn member(&self, name: &str) -> Option<&Value> {
        self.members.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    pub fn errors(&self) -> &[FieldError] {
        &self.errors
    }

    pub fn retry_after(&self) -> Option<u64> {
        self.retry_after
    }

    pub fn context(&self) -> Option<&str> {
        self.context.as_deref()
    }

    /// The body; `request_id` ties it to the log and the ledger.
    pub fn body<'a>(&'a self, request_id: &'a str) -> impl Serialize + 'a {
        Body { problem: self, request_id }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.code.name, self.detail)?;
        match &self.context {
            Some(context) => write!(out, " ({context})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Problem {}

struct Body<'a> {
    problem: &'a Problem,
    request_id: &'a str,
}

impl Serialize for Body<'_> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let problem = self.problem;
        let mut map = out.serialize_map(None)?;
        map.serialize_entry("type", &format!("/docs/errors/{}", problem.code.name))?;
        map.serialize_entry("title", problem.code.title)?;
        map.serialize_entry("status", &problem.code.status)?;
        map.serialize_entry("code", problem.code.name)?;
        map.serialize_entry("detail", &problem.detail)?;
        map.serialize_entry("request_id", self.request_id)?;
        if !problem.errors.is_empty() {
            map.serialize_entry("errors", &problem.errors)?;
        }
        for (name, value) in &problem.members {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_names_everything_but_the_inner_context() {
        let problem = Problem::new(&VALIDATION_FAILED, "Mend the fields named.")
            .with_error("/name", "must start with a lower-case letter")
            .with_member("limit", 3)
            .with_context("secret inner thing");
        let body = serde_json::to_value(problem.body("req_1")).unwrap();
        assert_eq!(body["type"], "/docs/errors/validation_failed");
        assert_eq!(body["status"], 422);
        assert_eq!(body["errors"][0]["field"], "/name");
        assert_eq!(body["limit"], 3);
        assert!(!body.to_string().contains("secret inner thing"));
    }

    #[test]
    fn codes_are_unique_and_well_formed() {
        let mut seen = std::collections::BTreeSet::new();
        for code in CATALOGUE {
            assert!(seen.insert(code.name), "{} stands twice", code.name);
            assert!((400..600).contains(&code.status), "{}", code.name);
            assert!(code.name.chars().all(|c| c.is_ascii_lowercase() || c == '_' || c.is_ascii_digit()));
        }
    }
}
