//! The catalogue: what facts there are, how severe they are and what they carry. Each domain declares its own kinds in
//! its `facts.rs` by [`fact_kinds!`](crate::fact_kinds).

use std::fmt;
use std::str::FromStr;

use serde::Serialize;
use serde_json::{Map, Value, json};

/// One kind of fact. Its data is an object of exactly these fields.
#[derive(Debug, PartialEq, Eq)]
pub struct FactKind {
    pub name: &'static str,
    pub severity: Severity,
    pub description: &'static str,
    pub fields: &'static [(&'static str, FieldType)],
}

/// What a field of a fact's data may hold. There are no fractions and no foreign JSON: those enter as integers of a named
/// unit, as decimal strings, or as a [`FieldType::Hash`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldType {
    Text,
    /// Within ±(2^53 − 1), so that every reader of JSON sees the same number.
    Integer,
    Boolean,
    /// RFC 3339.
    Time,
    /// SHA-256 in hexadecimal.
    Hash,
    TextList,
    /// May be absent: `reason: Optional(&Text)`.
    Optional(&'static Self),
}

/// How much a fact matters to whoever watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    Info,
    Notice,
    Warning,
    Critical,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Success,
    Failure,
    Denied,
}

/// The stored word is none of ours.
#[derive(Debug, thiserror::Error)]
#[error("unknown word")]
pub struct UnknownWord;

macro_rules! words {
    ($($kind:ident { $($variant:ident = $word:literal,)+ })+) => {$(
        impl $kind {
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl fmt::Display for $kind {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(self.name())
            }
        }

        impl FromStr for $kind {
            type Err = UnknownWord;
            fn from_str(text: &str) -> Result<Self, UnknownWord> {
                Self::ALL.iter().copied().find(|word| word.name() == text).ok_or(UnknownWord)
            }
        }
    )+};
}
pub(crate) use words;

words! {
    Severity { Info = "info", Notice = "notice", Warning = "warning", Critical = "critical", }
    Outcome { Success = "success", Failure = "failure", Denied = "denied", }
}

/// Declares the fact kinds of a domain and `KINDS`, the list of them.
///
/// ```
/// use safeconduct_ledger as ledger;
/// ledger::fact_kinds! {
///     pub AGENT_CREATED = "agent.created", Notice, "An agent was registered.", { name: Text, roles: TextList };
///     pub AGENT_SUSPENDED = "agent.suspended", Warning, "An agent was stopped.", { reason: Optional(&Text) };
/// }
/// assert_eq!(KINDS[1].name, "agent.suspended");
/// ```
#[macro_export]
macro_rules! fact_kinds {
    ($(
        $(#[$doc:meta])*
        $visibility:vis $constant:ident = $name:literal, $severity:ident, $description:literal,
        { $($field:ident : $type:expr),* $(,)? };
    )+) => {
        $(
            $(#[$doc])*
            #[doc = $description]
            $visibility static $constant: $crate::FactKind = {
                use $crate::FieldType::*;
                // Not every kind has a field that uses the import.
                let _ = Text;
                $crate::FactKind {
                    name: $name,
                    severity: $crate::Severity::$severity,
                    description: $description,
                    fields: &[$((stringify!($field), $type),)*],
                }
            };
        )+

        /// Every kind declared here, in the order of the source.
        pub static KINDS: &[&$crate::FactKind] = &[$(&$constant,)+];
    };
}

impl FactKind {
    /// Whether `data` has this kind's fields and no others; says what is wrong.
    pub(crate) fn check(&self, data: &Map<String, Value>) -> Result<(), String> {
        for (name, kind) in self.fields {
            match data.get(*name) {
                Some(value) if kind.admits(value) => {}
                Some(_) => return Err(format!("`{name}` is not of its type {kind:?}")),
                None if matches!(kind, FieldType::Optional(_)) => {}
                None => return Err(format!("`{name}` is missing")),
            }
        }
        match data.keys().find(|name| !self.fields.iter().any(|(known, _)| known == name)) {
            Some(name) => Err(format!("`{name}` is not declared")),
            None => Ok(()),
        }
    }

    /// JSON Schema of the data, for the catalogue.
    pub fn schema(&self) -> Value {
        let properties: Map<String, Value> =
            self.fields.iter().map(|(name, kind)| ((*name).to_owned(), kind.schema())).collect();
        let needed = self.fields.iter().filter(|(_, kind)| !matches!(kind, FieldType::Optional(_)));
        let required: Vec<&str> = needed.map(|(name, _)| *name).collect();
        json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
    }
}

const LARGEST_INTEGER: i64 = (1 << 53) - 1;

impl FieldType {
    fn admits(&self, value: &Value) -> bool {
        match self {
            Self::Text => value.is_string(),
            Self::Integer => {
                value.as_i64().is_some_and(|number| (-LARGEST_INTEGER..=LARGEST_INTEGER).contains(&number))
            }
            Self::Boolean => value.is_boolean(),
            Self::Time => value.as_str().is_some_and(|text| text.parse::<types::Timestamp>().is_ok()),
            Self::Hash => value.as_str().is_some_and(is_hash),
            Self::TextList => value.as_array().is_some_and(|items| items.iter().all(Value::is_string)),
            Self::Optional(inner) => value.is_null() || inner.admits(value),
        }
    }

    fn schema(&self) -> Value {
        match self {
            Self::Text => json!({"type": "string"}),
            Self::Integer => {
                json!({"type": "integer", "minimum": -LARGEST_INTEGER, "maximum": LARGEST_INTEGER})
            }
            Self::Boolean => json!({"type": "boolean"}),
            Self::Time => json!({"type": "string", "format": "date-time"}),
            Self::Hash => json!({"type": "string", "pattern": "^[0-9a-f]{64}$"}),
            Self::TextList => json!({"type": "array", "items": {"type": "string"}}),
            Self::Optional(inner) => inner.schema(),
        }
    }
}

fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    crate::fact_kinds! {
        ALL = "test.all", Info, "Every type of field.", {
            text: Text, number: Integer, flag: Boolean, at: Time, sum: Hash, list: TextList, maybe: Optional(&Text),
        };
        NONE = "test.none", Critical, "No field at all.", {};
    }

    fn check(kind: &FactKind, data: Value) -> Result<(), String> {
        kind.check(data.as_object().unwrap())
    }

    fn full() -> Value {
        json!({
            "text": "a", "number": -5, "flag": false, "at": "2026-11-01T09:30:00.000Z",
            "sum": "0".repeat(64), "list": ["a", "b"],
        })
    }

    #[test]
    fn data_has_exactly_the_declared_fields() {
        assert_eq!(check(&ALL, full()), Ok(()));
        assert_eq!(check(&NONE, json!({})), Ok(()));
        assert_eq!(check(&NONE, json!({"x": 1})).unwrap_err(), "`x` is not declared");
        for name in ["text", "number", "flag", "at", "sum", "list"] {
            let mut data = full();
            data.as_object_mut().unwrap().remove(name);
            assert_eq!(check(&ALL, data).unwrap_err(), format!("`{name}` is missing"));
        }
    }

    #[test]
    fn each_type_refuses_what_is_not_its_own() {
        for (name, wrong) in [
            ("text", json!(1)),
            ("number", json!(1.5)),
            ("number", json!(1_i64 << 53)),
            ("number", json!("1")),
            ("flag", json!("true")),
            ("at", json!("yesterday")),
            ("sum", json!("A".repeat(64))),
            ("sum", json!("0".repeat(63))),
            ("list", json!(["a", 1])),
            ("list", json!({"a": 1})),
            ("maybe", json!(1)),
            ("text", json!(null)),
        ] {
            let mut data = full();
            data[name] = wrong.clone();
            assert!(check(&ALL, data).unwrap_err().contains(name), "{name}: {wrong}");
        }
    }

    #[test]
    fn words_read_back() {
        for severity in Severity::ALL {
            assert_eq!(severity.name().parse::<Severity>().unwrap(), *severity);
        }
        assert!("Info".parse::<Severity>().is_err());
        assert!(Severity::Info < Severity::Critical);
        assert_eq!(ALL.schema()["required"], json!(["text", "number", "flag", "at", "sum", "list"]));
        assert_eq!(KINDS.len(), 2);
    }
}
