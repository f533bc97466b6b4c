//! JSON Schema 2020-12 from people whom we do not trust: of what functions take and give, of what is kept in state.
//!
//! A schema refers to itself only (`#` or `#/…`), never in a circle, and stays small when every reference is written out:
//! so checking a value costs at most its size times the schema's. That product is bounded: a value that is too large for its
//! schema is refused unread, and of one that fails in many places only the first is told where looking for all would take
//! long. Patterns run in linear time. No file and no address is ever read.

use std::collections::HashMap;

use jsonschema::{Draft, PatternOptions, Validator};
use problem::FieldError;
use serde_json::Value;

const LARGEST: usize = 64 * 1024;
const DEEPEST: usize = 64;
/// Subschemas once every reference is written out.
const MOST: u64 = 4_000;
/// Violations told at once.
const TOLD: usize = 100;
/// Subschemas times parts of the value: what a check may look at, a second or two of one core.
const LOOKS: u64 = 20_000_000;
/// The same while every violation is looked for; each that is found takes memory, told or not.
const LOOKS_FOR_ALL: u64 = 200_000;

/// A schema that was found good.
#[derive(Debug)]
pub struct Schema {
    validator: Validator,
    /// Subschemas once every reference is written out.
    weight: u64,
}

impl Schema {
    /// `pointer` is where the schema stands in the request, for the errors.
    ///
    /// # Errors
    /// What is wrong with the schema, with pointers into the request.
    pub fn compile(schema: &Value, pointer: &str) -> Result<Self, Vec<FieldError>> {
        let error =
            |place: &str, reason: String| vec![FieldError { field: format!("{pointer}{place}"), reason }];
        let size = serde_json::to_vec(schema).map_or(usize::MAX, |bytes| bytes.len());
        if size > LARGEST {
            return Err(error("", format!("has {size} bytes; at most {LARGEST} are read")));
        }
        let weight = Weights::new(schema).weigh_root().map_err(|(place, reason)| error(&place, reason))?;
        let built = jsonschema::options()
            .with_draft(Draft::Draft202012)
            .with_pattern_options(PatternOptions::regex())
            .offline()
            .build(schema);
        match built {
            Ok(validator) => Ok(Self { validator, weight }),
            Err(refusal) => Err(error(&refusal.instance_path().to_string(), refusal.to_string())),
        }
    }

    /// What is wrong with `value` – everything, up to a hundred, unless looking for it all would take long; pointers begin
    /// with `pointer`.
    pub fn violations(&self, value: &Value, pointer: &str) -> Vec<FieldError> {
        let error = |error: jsonschema::ValidationError<'_>| FieldError {
            field: format!("{pointer}{}", error.instance_path()),
            reason: error.masked_with("the value").to_string(),
        };
        let looks = self.weight.saturating_mul(parts(value));
        if looks > LOOKS {
            let reason = "has more parts than can be held against this schema; make one of them smaller";
            return vec![FieldError { field: pointer.to_owned(), reason: reason.to_owned() }];
        }
        if self.validator.is_valid(value) {
            return Vec::new();
        }
        if looks > LOOKS_FOR_ALL {
            return self.validator.validate(value).err().map(error).into_iter().collect();
        }
        self.validator.iter_errors(value).take(TOLD).map(error).collect()
    }
}

/// Values in a value, itself included.
fn parts(value: &Value) -> u64 {
    match value {
        Value::Array(items) => 1 + items.iter().map(parts).sum::<u64>(),
        Value::Object(members) => 1 + members.values().map(parts).sum::<u64>(),
        _ => 1,
    }
}

/// Counts subschemas with every reference written out, and refuses what could make checking endless.
struct Weights<'a> {
    root: &'a Value,
    /// By JSON pointer; `None` while it is being counted: meeting it again is a circle.
    known: HashMap<String, Option<u64>>,
}

type Refused = (String, String);

impl<'a> Weights<'a> {
    fn new(root: &'a Value) -> Self {
        Self { root, known: HashMap::new() }
    }

    fn weigh_root(&mut self) -> Result<u64, Refused> {
        self.weigh_at("", self.root, 0)
    }

    fn weigh_at(&mut self, pointer: &str, value: &'a Value, depth: usize) -> Result<u64, Refused> {
        if depth > DEEPEST {
            return Err((pointer.to_owned(), format!("is nested deeper than {DEEPEST}")));
        }
        match self.known.get(pointer) {
            Some(Some(weight)) => return Ok(*weight),
            Some(None) => {
                return Err((
                    pointer.to_owned(),
                    "refers to itself in a circle; write out a bounded depth".into(),
                ));
            }
            None => {}
        }
        self.known.insert(pointer.to_owned(), None);
        let mut weight = 1_u64;
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    weight = weight.saturating_add(self.weigh_member(pointer, name, member, depth)?);
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    let place = format!("{pointer}/{index}");
                    weight = weight.saturating_add(self.weigh_at(&place, item, depth + 1)?);
                }
            }
            _ => {}
        }
        if weight > MOST {
            let reason = format!(
                "is {weight} schemas large when references are written out; at most {MOST} are allowed"
            );
            return Err((pointer.to_owned(), reason));
        }
        self.known.insert(pointer.to_owned(), Some(weight));
        Ok(weight)
    }

    fn weigh_member(
        &mut self,
        pointer: &str,
        name: &str,
        member: &'a Value,
        depth: usize,
    ) -> Result<u64, Refused> {
        let place = format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
        match (name, member) {
            // Written out where they are referred to.
            ("$defs", Value::Object(definitions)) => {
                for (name, definition) in definitions {
                    let inner = format!("{place}/{}", name.replace('~', "~0").replace('/', "~1"));
                    self.weigh_at(&inner, definition, depth + 1)?;
                }
                Ok(0)
            }
            ("$ref", Value::String(target)) => self.weigh_reference(&place, target, depth),
            ("$dynamicRef" | "$recursiveRef" | "$dynamicAnchor" | "$anchor", Value::String(_)) => {
                Err((place, "is not supported; refer by `#/$defs/…`".into()))
            }
            ("$id", Value::String(_)) if !pointer.is_empty() => {
                Err((place, "may stand at the top only".into()))
            }
            ("$schema", Value::String(dialect))
                if !dialect.starts_with("https://json-schema.org/draft/2020-12/") =>
            {
                Err((place, "only https://json-schema.org/draft/2020-12/schema is understood".into()))
            }
            (_, Value::Object(_) | Value::Array(_)) => self.weigh_at(&place, member, depth + 1),
            _ => Ok(0),
        }
    }

    fn weigh_reference(&mut self, place: &str, target: &str, depth: usize) -> Result<u64, Refused> {
        let remote =
            || (place.to_owned(), "refers outside the schema; only `#` and `#/…` are followed".to_owned());
        let pointer = target.strip_prefix('#').ok_or_else(remote)?;
        if !(pointer.is_empty() || pointer.starts_with('/')) || pointer.contains('%') {
            return Err(remote());
        }
        let nowhere = || (place.to_owned(), format!("`{target}` points to nothing in this schema"));
        let value = self.root.pointer(pointer).ok_or_else(nowhere)?;
        self.weigh_at(pointer, value, depth + 1)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn refused(schema: &Value) -> Vec<FieldError> {
        Schema::compile(schema, "/input_schema").unwrap_err()
    }

    #[test]
    fn all_violations_come_with_pointers() {
        let schema = json!({
            "type": "object", "required": ["path"], "additionalProperties": false,
            "properties": { "path": { "type": "string" }, "rows": { "type": "array", "items": { "$ref": "#/$defs/row" } } },
            "$defs": { "row": { "type": "object", "properties": { "n": { "type": "integer", "minimum": 0 } } } },
        });
        let schema = Schema::compile(&schema, "").unwrap();
        assert!(schema.violations(&json!({ "path": "a", "rows": [{ "n": 1 }] }), "/input").is_empty());
        let found = schema
            .violations(&json!({ "rows": [{ "n": 1 }, { "n": -1 }, { "n": "x" }], "else": 1 }), "/input");
        let fields: std::collections::BTreeSet<&str> =
            found.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(fields, ["/input", "/input/rows/1/n", "/input/rows/2/n"].into());
        assert_eq!(found.len(), 4, "{found:?}");
        assert!(found.iter().all(|error| !error.reason.contains("-1")), "the value itself is not repeated");
    }

    /// Written out a thousand times at each item: every violation of these would take gigabytes.
    #[test]
    fn a_value_that_fails_everywhere_costs_no_more_than_its_first_failure() {
        let mut defs = serde_json::Map::new();
        for deep in 0..9 {
            let next = json!({ "$ref": format!("#/$defs/a{}", deep + 1) });
            defs.insert(format!("a{deep}"), json!({ "allOf": [next, next] }));
        }
        defs.insert("a9".into(), json!({ "type": "string" }));
        let schema =
            Schema::compile(&json!({ "items": { "$ref": "#/$defs/a0" }, "$defs": defs }), "").unwrap();
        let list = |items: usize, of: Value| Value::Array(vec![of; items]);
        assert_eq!(schema.violations(&list(2_000, json!(1)), "/value").len(), 1);
        assert!(schema.violations(&list(2_000, json!("fits")), "/value").is_empty());
        let unread = schema.violations(&list(80_000, json!("fits")), "/value");
        assert_eq!((unread.len(), unread[0].field.as_str()), (1, "/value"));
        assert!(unread[0].reason.contains("more parts"), "{unread:?}");
    }

    #[test]
    fn what_is_no_schema_is_refused_where_it_is_wrong() {
        for (schema, field) in [
            (json!({ "type": "strin" }), "/input_schema/type"),
            (json!({ "properties": { "a": { "minimum": "x" } } }), "/input_schema/properties/a/minimum"),
            (json!({ "pattern": "(" }), "/input_schema"),
            (json!(5), "/input_schema"),
        ] {
            let errors = refused(&schema);
            assert!(errors[0].field.starts_with(field), "{schema}: {errors:?}");
        }
    }

    #[test]
    fn nothing_outside_is_read_and_nothing_goes_in_circles() {
        for schema in [
            json!({ "$ref": "http://127.0.0.1:9/x" }),
            json!({ "$ref": "file:///etc/passwd" }),
            json!({ "$ref": "other.json" }),
            json!({ "$ref": "#" }),
            json!({ "$defs": { "a": { "$ref": "#/$defs/b" }, "b": { "$ref": "#/$defs/a" } }, "$ref": "#/$defs/a" }),
            json!({ "properties": { "next": { "$ref": "#" } } }),
            json!({ "$dynamicRef": "#x" }),
            json!({ "properties": { "a": { "$id": "x" } } }),
            json!({ "$ref": "#/$defs/nowhere" }),
            json!({ "$schema": "http://json-schema.org/draft-07/schema#" }),
        ] {
            assert_eq!(refused(&schema).len(), 1, "{schema}");
        }
    }

    #[test]
    fn a_schema_that_doubles_itself_under_any_name_is_refused() {
        let doubling = |level: u32| match level {
            0 => json!({ "type": "object" }),
            _ => {
                json!({ "allOf": [{ "$ref": format!("#/$defs/d{}", level - 1) }, { "$ref": format!("#/$defs/d{}", level - 1) }] })
            }
        };
        let definitions: serde_json::Map<String, Value> =
            (0..26).map(|level| (format!("d{level}"), doubling(level))).collect();
        for keyword in ["dependentSchemas", "properties", "patternProperties"] {
            for name in ["default", "const", "enum", "examples", "$defs"] {
                let schema = json!({ "$defs": definitions, keyword: { name: { "$ref": "#/$defs/d25" } } });
                assert!(Schema::compile(&schema, "/input_schema").is_err(), "{keyword}.{name}");
            }
        }
    }

    #[test]
    fn a_schema_that_doubles_itself_is_refused() {
        let mut definitions = serde_json::Map::new();
        definitions.insert("d0".into(), json!({ "type": "string" }));
        for level in 1..60 {
            let below = json!({ "$ref": format!("#/$defs/d{}", level - 1) });
            definitions.insert(format!("d{level}"), json!({ "allOf": [below, below] }));
        }
        let errors = refused(&json!({ "$defs": definitions, "$ref": "#/$defs/d20" }));
        assert!(errors[0].reason.contains("at most"), "{errors:?}");
        let mut deep = json!({});
        for _ in 0..100 {
            deep = json!({ "items": deep });
        }
        assert!(refused(&deep)[0].reason.contains("nested"));
    }

    #[test]
    fn patterns_take_linear_time() {
        let schema = Schema::compile(&json!({ "pattern": "^(a+)+$" }), "").unwrap();
        // A backtracking engine would not come back from this.
        assert_eq!(schema.violations(&json!("a".repeat(50_000) + "!"), "").len(), 1);
    }

    proptest! {
        #[test]
        fn compiling_foreign_schemas_is_total(text in "[{}\\[\\],:\"a-z$#/0-9]{0,80}") {
            if let Ok(value) = serde_json::from_str::<Value>(&text) {
                let _ = Schema::compile(&value, "");
            }
        }
    }
}
