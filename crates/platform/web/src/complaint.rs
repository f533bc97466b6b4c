//! What a schema or a query has against a request, in words for whoever sent it: which field, and what it should be.

use std::fmt::Display;

use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use jsonschema::{JsonType, ValidationError};
use problem::FieldError;
use serde_json::Value;
use serde_path_to_error::Segment;

/// Names that a client invented are repeated to this length.
const LONGEST_NAME: usize = 64;

/// Each field that is wrong, by its JSON pointer (RFC 6901). Values are not repeated: they may be secrets.
pub(crate) fn complaints(error: &ValidationError<'_>) -> Vec<FieldError> {
    let pointer = error.instance_path().to_string();
    let inside = |name: &str, reason: &str| FieldError {
        field: format!("{pointer}/{}", token(name)),
        reason: reason.to_owned(),
    };
    match error.kind() {
        Kind::Required { property } => vec![inside(property.as_str().unwrap_or_default(), "is missing")],
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            unexpected.iter().map(|name| inside(name, "is not known here")).collect()
        }
        Kind::OneOfNotValid { context } | Kind::AnyOf { context } => match nearest(context, &pointer) {
            Some(branch) => branch.iter().flat_map(complaints).collect(),
            None => {
                vec![FieldError { field: pointer, reason: "has none of the forms that it may have".into() }]
            }
        },
        kind => vec![FieldError { reason: reason(kind, error), field: pointer }],
    }
}

fn reason(kind: &Kind, error: &ValidationError<'_>) -> String {
    match kind {
        Kind::Type { kind: TypeKind::Single(kind) } => format!("must be {}", article(kind)),
        Kind::Type { kind: TypeKind::Multiple(kinds) } => {
            let (null, kinds): (Vec<_>, Vec<_>) = kinds.iter().partition(|kind| *kind == JsonType::Null);
            format!("must be {}", joined(kinds.iter().chain(&null).map(article)))
        }
        Kind::Enum { options } => match options.as_array() {
            Some(options) => format!("must be {}", joined(options.iter().map(plain))),
            None => error.masked_with("the value").to_string(),
        },
        Kind::Constant { expected_value } => format!("must be {}", plain(expected_value)),
        Kind::Pattern { pattern } => format!("must match {pattern}"),
        Kind::MinLength { limit: 1 } => "must not be empty".to_owned(),
        Kind::MinLength { limit } => format!("must have at least {limit} characters"),
        Kind::MaxLength { limit } => format!("must have at most {limit} characters"),
        Kind::MinItems { limit } => format!("must have at least {limit} items"),
        Kind::MaxItems { limit } => format!("must have at most {limit} items"),
        Kind::MaxProperties { limit } => format!("must have at most {limit} members"),
        Kind::Minimum { limit } => format!("must be at least {limit}"),
        Kind::Maximum { limit } => format!("must be at most {limit}"),
        Kind::UniqueItems => "must not hold anything twice".to_owned(),
        _ => error.masked_with("the value").to_string(),
    }
}

/// The form that was meant, most likely: one that has nothing against the value itself, only against what is in it; else
/// the only one that is not `null`.
fn nearest<'e>(
    forms: &'e [Vec<ValidationError<'static>>],
    pointer: &str,
) -> Option<&'e [ValidationError<'static>]> {
    let is_type = |error: &&ValidationError<'_>| {
        matches!(error.kind(), Kind::Type { .. }) && error.instance_path().to_string() == pointer
    };
    let right_type = forms.iter().filter(|form| !form.iter().any(|error| is_type(&error)));
    let mut right_type = right_type.collect::<Vec<_>>();
    if let [only] = right_type[..] {
        return Some(only);
    }
    if right_type.is_empty() {
        let is_null = |form: &&Vec<ValidationError<'_>>| {
            form.iter()
                .any(|error| matches!(error.kind(), Kind::Type { kind: TypeKind::Single(JsonType::Null) }))
        };
        right_type = forms.iter().filter(|form| !is_null(form)).collect();
    }
    match right_type[..] {
        [only] => Some(only),
        _ => None,
    }
}

fn article(kind: &impl Display) -> String {
    match kind.to_string().as_str() {
        "null" => "null".to_owned(),
        kind @ ("integer" | "array" | "object") => format!("an {kind}"),
        kind => format!("a {kind}"),
    }
}

/// `a`, `a or b`, `a, b or c`.
fn joined(words: impl Iterator<Item = String>) -> String {
    let words: Vec<String> = words.collect();
    match &words[..] {
        [first @ .., last] if !first.is_empty() => format!("{} or {last}", first.join(", ")),
        _ => words.concat(),
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), |text| format!("`{text}`"))
}

/// A reference token of a JSON pointer (RFC 6901 §3).
fn token(name: &str) -> String {
    let shown: String = name.chars().take(LONGEST_NAME).collect();
    let shown = shown.replace('~', "~0").replace('/', "~1");
    if name.chars().nth(LONGEST_NAME).is_some() { format!("{shown}…") } else { shown }
}

/// What a reader of a query says, as the parameter and the reason.
pub(crate) fn of_query(error: &serde_path_to_error::Error<serde_urlencoded::de::Error>) -> FieldError {
    let said = error.inner().to_string();
    let about = |prefix: &str| said.strip_prefix(prefix)?.split('`').nth(1);
    for (prefix, reason) in [
        ("unknown field ", "is not known here"),
        ("missing field ", "is missing"),
        ("duplicate field ", "stands there twice"),
    ] {
        if let Some(name) = about(prefix) {
            return FieldError {
                field: name.chars().take(LONGEST_NAME).collect(),
                reason: reason.to_owned(),
            };
        }
    }
    let reason = match said.strip_prefix("unknown variant ").and_then(|rest| rest.split_once("expected ")) {
        Some((_, expected)) => format!("must be {}", expected.trim_start_matches("one of ")),
        None if said.starts_with("invalid digit") => "must be a whole number".to_owned(),
        None => said,
    };
    let field = match error.path().to_string() {
        // Fields that several queries share are read apart from their names.
        nowhere if matches!(nowhere.as_str(), "." | "?" | "") => "query".to_owned(),
        field => field,
    };
    FieldError { field, reason }
}

/// What a type has against a body that its schema let through.
pub(crate) fn of_body(error: &serde_path_to_error::Error<serde_json::Error>) -> FieldError {
    let token = |segment: &Segment| match segment {
        Segment::Seq { index } => format!("/{index}"),
        Segment::Map { key } => format!("/{}", token(key)),
        Segment::Enum { .. } | Segment::Unknown => String::new(),
    };
    FieldError { field: error.path().iter().map(token).collect(), reason: error.inner().to_string() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(schema: &Value, value: &Value) -> Vec<(String, String)> {
        let validator = jsonschema::validator_for(schema).unwrap();
        let found = validator.iter_errors(value).flat_map(|error| complaints(&error));
        found.map(|error| (error.field, error.reason)).collect()
    }

    #[test]
    fn each_field_is_named_with_what_it_should_be() {
        let schema = json!({
            "type": "object", "required": ["name"], "additionalProperties": false,
            "properties": {
                "name": { "type": "string", "maxLength": 3 },
                "kind": { "enum": ["a", "b", "c"] },
                "count": { "type": ["integer", "null"], "minimum": 1 },
                "more": { "oneOf": [{ "type": "null" }, { "type": "object", "required": ["x"] }] },
                "either": { "oneOf": [{ "type": "string" }, { "type": "array" }] },
            },
        });
        for (value, field, reason) in [
            (json!({}), "/name", "is missing"),
            (json!({ "name": "a", "a/b~": 1 }), "/a~1b~0", "is not known here"),
            (json!({ "name": "abcd" }), "/name", "must have at most 3 characters"),
            (json!({ "name": 7 }), "/name", "must be a string"),
            (json!({ "name": "a", "kind": "d" }), "/kind", "must be `a`, `b` or `c`"),
            (json!({ "name": "a", "count": "d" }), "/count", "must be an integer or null"),
            (json!({ "name": "a", "count": 0 }), "/count", "must be at least 1"),
            (json!({ "name": "a", "more": {} }), "/more/x", "is missing"),
            (json!({ "name": "a", "more": 7 }), "/more", "must be an object"),
            (json!({ "name": "a", "either": 7 }), "/either", "has none of the forms that it may have"),
        ] {
            assert_eq!(told(&schema, &value), [(field.to_owned(), reason.to_owned())], "{value}");
        }
    }

    #[test]
    fn a_long_name_is_not_repeated_in_full() {
        let schema = json!({ "properties": { "a": {} }, "additionalProperties": false });
        let found = told(&schema, &json!({ "x".repeat(100_000): 1 }));
        assert_eq!(found[0].0.chars().count(), LONGEST_NAME + 2);
    }
}
