//! JSON as YAML for people: block style, several lines as they are, names first. Read again it is the same value.

use serde_json::{Map, Value};

use crate::yaml::number;

/// Members that come before the others, in this order.
const FIRST: [&str; 6] = ["apiVersion", "kind", "metadata", "spec", "namespace", "name"];

/// One document, without `---`.
pub fn written(value: &Value) -> String {
    let mut out = String::new();
    match value {
        Value::Object(members) if !members.is_empty() => mapping(&mut out, members, 0),
        Value::Array(items) if !items.is_empty() => list(&mut out, items, 0),
        other => {
            scalar(&mut out, other, 0);
            out.push('\n');
        }
    }
    out
}

fn mapping(out: &mut String, members: &Map<String, Value>, depth: usize) {
    for (position, (name, value)) in ordered(members).into_iter().enumerate() {
        if position > 0 {
            indent(out, depth);
        }
        text(out, name);
        out.push(':');
        behind(out, value, depth);
    }
}

/// What stands behind a name.
fn behind(out: &mut String, value: &Value, depth: usize) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            out.push('\n');
            indent(out, depth + 1);
            mapping(out, members, depth + 1);
        }
        Value::Array(items) if !items.is_empty() => {
            out.push('\n');
            indent(out, depth + 1);
            list(out, items, depth + 1);
        }
        other => {
            out.push(' ');
            scalar(out, other, depth);
            out.push('\n');
        }
    }
}

fn list(out: &mut String, items: &[Value], depth: usize) {
    for (position, item) in items.iter().enumerate() {
        if position > 0 {
            indent(out, depth);
        }
        out.push_str("- ");
        match item {
            Value::Object(members) if !members.is_empty() => mapping(out, members, depth + 1),
            Value::Array(items) if !items.is_empty() => list(out, items, depth + 1),
            other => {
                scalar(out, other, depth);
                out.push('\n');
            }
        }
    }
}

fn ordered(members: &Map<String, Value>) -> Vec<(&String, &Value)> {
    let place = |name: &str| FIRST.iter().position(|first| *first == name).unwrap_or(FIRST.len());
    let mut all: Vec<(&String, &Value)> = members.iter().collect();
    all.sort_by_key(|(name, _)| (place(name), *name));
    all
}

fn indent(out: &mut String, depth: usize) {
    out.extend(std::iter::repeat_n("  ", depth));
}

fn scalar(out: &mut String, value: &Value, depth: usize) {
    match value {
        Value::String(lines) if is_block(lines) => block(out, lines, depth),
        Value::String(one) => text(out, one),
        // `{}`, `[]`, numbers, truth values and null are the same in both.
        other => out.push_str(&other.to_string()),
    }
}

fn text(out: &mut String, text: &str) {
    if is_plain(text) {
        out.push_str(text);
    } else {
        // A JSON string is a double-quoted one of YAML.
        out.push_str(&Value::String(text.to_owned()).to_string());
    }
}

/// Nothing that YAML would read as anything but this text.
fn is_plain(text: &str) -> bool {
    let fits = |one: char| one.is_ascii_alphanumeric() || "_-./ @*()".contains(one);
    let starts = text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '/' || first == '_');
    let word = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"];
    starts
        && text.chars().all(fits)
        && !text.ends_with(' ')
        && number(text).is_none()
        && !word.contains(&text.to_ascii_lowercase().as_str())
}

/// Several lines that a literal block holds unchanged.
fn is_block(text: &str) -> bool {
    let fits = |one: char| {
        one == '\n' || one == '\t' || (!one.is_control() && !"\u{85}\u{2028}\u{2029}\u{feff}".contains(one))
    };
    let Some(body) = text.strip_suffix('\n') else { return false };
    !body.is_empty()
        && !body.ends_with('\n')
        && !body.starts_with([' ', '\t', '\n'])
        && text.chars().all(fits)
        && body.lines().all(|line| line.is_empty() || !line.trim().is_empty())
}

fn block(out: &mut String, text: &str, depth: usize) {
    out.push('|');
    for line in text.lines() {
        out.push('\n');
        if !line.is_empty() {
            indent(out, depth + 1);
            out.push_str(line);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::read;

    fn again(value: &Value) -> Value {
        let text = written(value);
        match read(&text) {
            Ok(documents) => documents.first().map_or(Value::Null, crate::Node::to_value),
            Err(fault) => panic!("{fault}\n{text}"),
        }
    }

    #[test]
    fn it_reads_like_a_file_that_people_write() {
        let value = json!({
            "spec": { "functions": [{
                "name": "greet", "code": "def handler(input, context):\n    return 1\n\n# end\n", "tags": [], "on": "true",
                "permissions": ["state/notes/**:update", "*:read"], "timeout_seconds": 30,
            }] },
            "apiVersion": "safeconduct.dev/v1",
        });
        let text = r##"apiVersion: safeconduct.dev/v1
spec:
  functions:
    - name: greet
      code: |
        def handler(input, context):
            return 1

        # end
      "on": "true"
      permissions:
        - "state/notes/**:update"
        - "*:read"
      tags: []
      timeout_seconds: 30
"##;
        assert_eq!(written(&value), text);
        assert_eq!(again(&value), value);
    }

    fn values() -> impl Strategy<Value = Value> {
        let text = prop_oneof![
            "[ -~]{0,12}",
            "[a-z]{1,4}\n[ a-z#:]{0,6}\n",
            "(\n| |\t|a|-|:|#|\\||>|\"|'|é|\u{2028}|\u{7f}){0,9}",
            Just("null".to_owned()),
            Just("~".to_owned()),
            Just("1e3".to_owned()),
            Just("0x1F".to_owned()),
            Just("- a".to_owned()),
            Just("...".to_owned()),
        ];
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            text.clone().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::btree_map(text.clone(), inner, 0..5)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_reads_the_same(value in values()) {
            prop_assert_eq!(again(&value), value);
        }
    }
}
