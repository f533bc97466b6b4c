//! How two forms of one thing differ, field by field.

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// One field that is another.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = ConfigFieldChange)]
pub struct FieldChange {
    /// JSON pointer within the entry.
    pub field: String,
    /// Null where it was not there.
    #[schema(value_type = Value)]
    pub before: Value,
    /// Null where it will not be there.
    #[schema(value_type = Value)]
    pub after: Value,
    /// Of lists of rights: what comes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gained: Vec<String>,
    /// Of lists of rights: what goes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lost: Vec<String>,
}

/// Fields that say what somebody may do.
const RIGHTS: [&str; 2] = ["/permissions", "/roles"];

/// Objects are compared member by member, everything else as a whole; what is null is as if it were not there.
pub fn differences(before: &Value, after: &Value) -> Vec<FieldChange> {
    let mut changes = Vec::new();
    compare(String::new(), before, after, &mut changes);
    changes
}

fn compare(field: String, before: &Value, after: &Value, changes: &mut Vec<FieldChange>) {
    if before == after {
        return;
    }
    let whole = field.matches('/').count() > 1 || field.ends_with("schema") || field == "/input";
    match (before, after) {
        (Value::Object(before), Value::Object(after)) if !whole => members(&field, before, after, changes),
        (Value::Null, Value::Object(after)) if field.is_empty() => {
            members(&field, &Map::new(), after, changes);
        }
        (Value::Object(before), Value::Null) if field.is_empty() => {
            members(&field, before, &Map::new(), changes);
        }
        _ => changes.push(change(field, before, after)),
    }
}

fn members(
    field: &str,
    before: &Map<String, Value>,
    after: &Map<String, Value>,
    changes: &mut Vec<FieldChange>,
) {
    let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
    names.sort();
    names.dedup();
    for name in names {
        let token = name.replace('~', "~0").replace('/', "~1");
        let of = |members: &Map<String, Value>| members.get(name).cloned().unwrap_or_default();
        compare(format!("{field}/{token}"), &of(before), &of(after), changes);
    }
}

fn change(field: String, before: &Value, after: &Value) -> FieldChange {
    let (gained, lost) = if RIGHTS.contains(&field.as_str()) {
        (missing(after, before), missing(before, after))
    } else {
        Default::default()
    };
    FieldChange { field, before: before.clone(), after: after.clone(), gained, lost }
}

/// Texts of the one list that the other has not.
fn missing(of: &Value, from: &Value) -> Vec<String> {
    let texts = |value: &Value| -> Vec<String> {
        value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let others = texts(from);
    texts(of).into_iter().filter(|text| !others.contains(text)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_field_is_told_with_both_values() {
        let before = json!({ "name": "a", "tags": ["x"], "metadata": { "team": "red" }, "permissions": ["a:read", "b:read"] });
        let after = json!({ "name": "a", "metadata": { "team": "blue" }, "permissions": ["b:read", "c:read"], "ttl": null });
        let told = differences(&before, &after);
        let fields: Vec<&str> = told.iter().map(|change| change.field.as_str()).collect();
        assert_eq!(fields, ["/metadata/team", "/permissions", "/tags"]);
        assert_eq!((told[1].gained.join(" "), told[1].lost.join(" ")), ("c:read".into(), "a:read".into()));
        assert_eq!((&told[2].before, &told[2].after), (&json!(["x"]), &Value::Null));
        assert_eq!(differences(&after, &after), []);
    }

    #[test]
    fn what_comes_or_goes_whole_is_told_by_its_fields() {
        let entry = json!({ "name": "a", "roles": ["member"] });
        let made = differences(&Value::Null, &entry);
        assert_eq!((made[1].field.as_str(), made[1].gained.join(" ")), ("/roles", "member".into()));
        assert_eq!(differences(&entry, &Value::Null)[1].lost, ["member"]);
    }
}
