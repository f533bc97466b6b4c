//! Input that says the right thing in the wrong type: forms and command lines send text where a schema wants a number.
//!
//! Only what can mean one thing is changed: text that is exactly how JSON writes an integer, a number or a boolean, where
//! the schema admits that type and no text; a number where it admits text only; a single value where it wants an array of
//! such. Everything else stays as it is, and the schema says what is wrong with it.

use serde_json::{Map, Value};

/// Deeper values are left as they are.
const DEEPEST: usize = 32;

/// Changes `value` towards `schema`, which it then is held against.
pub(crate) fn coerce(schema: &Value, value: &mut Value) {
    towards(schema, schema, value, 0);
}

fn towards(root: &Value, schema: &Value, value: &mut Value, depth: usize) {
    if depth > DEEPEST {
        return;
    }
    let Some(schema) = resolved(root, schema) else { return };
    if let Some(changed) = other_type(schema, value) {
        *value = changed;
    }
    match value {
        Value::Object(members) => {
            let Some(Value::Object(properties)) = schema.get("properties") else { return };
            for (name, member) in members {
                if let Some(wanted) = properties.get(name) {
                    towards(root, wanted, member, depth + 1);
                }
            }
        }
        Value::Array(items) => {
            let Some(wanted) = schema.get("items") else { return };
            for item in items {
                towards(root, wanted, item, depth + 1);
            }
        }
        _ => {}
    }
}

/// The schema itself or the one of the same document that it refers to; those were found free of circles.
fn resolved<'a>(root: &'a Value, schema: &'a Value) -> Option<&'a Map<String, Value>> {
    let schema = schema.as_object()?;
    match schema.get("$ref").and_then(Value::as_str).and_then(|to| to.strip_prefix('#')) {
        Some(pointer) => root.pointer(pointer)?.as_object(),
        None => Some(schema),
    }
}

fn other_type(schema: &Map<String, Value>, value: &Value) -> Option<Value> {
    let types = types(schema)?;
    let admits = |name: &str| types.contains(&name);
    if types == ["array"] {
        let single = !matches!(value, Value::Object(_) | Value::Array(_));
        return single.then(|| Value::Array(vec![value.clone()]));
    }
    match value {
        Value::String(text) if !admits("string") => {
            let read: Value = serde_json::from_str(text).ok()?;
            // Written as we would write it: `05` or `1e3` may mean something else to whoever sent it.
            if serde_json::to_string(&read).is_ok_and(|written| written != *text) {
                return None;
            }
            let fits = match &read {
                Value::Bool(_) => admits("boolean"),
                Value::Number(number) if number.is_f64() => admits("number"),
                Value::Number(_) => admits("integer") || admits("number"),
                Value::Null => admits("null"),
                _ => false,
            };
            fits.then_some(read)
        }
        Value::Number(number) if types == ["string"] => Some(Value::String(number.to_string())),
        _ => None,
    }
}

/// The types that a schema names; none if it names none.
fn types(schema: &Map<String, Value>) -> Option<Vec<&str>> {
    match schema.get("type")? {
        Value::String(one) => Some(vec![one]),
        Value::Array(some) => some.iter().map(Value::as_str).collect(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn coerced(schema: Value, mut value: Value) -> Value {
        coerce(&schema, &mut value);
        value
    }

    #[test]
    fn what_can_mean_one_thing_only_becomes_that() {
        for (wanted, sent, becomes) in [
            (json!("integer"), json!("5"), json!(5)),
            (json!("integer"), json!("-12"), json!(-12)),
            (json!("number"), json!("2.5"), json!(2.5)),
            (json!("number"), json!("7"), json!(7)),
            (json!("boolean"), json!("true"), json!(true)),
            (json!(["integer", "null"]), json!("null"), json!(null)),
            (json!("string"), json!(5), json!("5")),
            (json!("array"), json!("one"), json!(["one"])),
        ] {
            assert_eq!(coerced(json!({ "type": wanted }), sent), becomes);
        }
    }

    #[test]
    fn everything_else_stays() {
        for (wanted, sent) in [
            (json!("integer"), json!("5.0")),
            (json!("integer"), json!(" 5")),
            (json!("integer"), json!("05")),
            (json!("integer"), json!("1e3")),
            (json!("integer"), json!("five")),
            (json!("integer"), json!(true)),
            (json!("boolean"), json!("True")),
            (json!("boolean"), json!(1)),
            (json!("boolean"), json!("")),
            (json!(["integer", "string"]), json!("5")),
            (json!(["string", "null"]), json!(5)),
            (json!("object"), json!("{}")),
            (json!("array"), json!({ "a": 1 })),
        ] {
            assert_eq!(coerced(json!({ "type": wanted }), sent.clone()), sent);
        }
        assert_eq!(coerced(json!({ "minimum": 1 }), json!("5")), json!("5"), "no type, no change");
        assert_eq!(coerced(json!(true), json!("5")), json!("5"));
    }

    #[test]
    fn properties_items_and_references_are_followed() {
        let schema = json!({
            "$defs": { "port": { "type": "integer" } },
            "properties": {
                "ports": { "type": "array", "items": { "$ref": "#/$defs/port" } },
                "deep": { "properties": { "on": { "type": "boolean" } } },
            },
        });
        let sent = json!({ "ports": ["80", 443, "x"], "deep": { "on": "false" }, "other": "1" });
        let becomes = json!({ "ports": [80, 443, "x"], "deep": { "on": false }, "other": "1" });
        assert_eq!(coerced(schema.clone(), sent), becomes);
        assert_eq!(coerced(schema, json!({ "ports": "80" })), json!({ "ports": [80] }));
    }
}
