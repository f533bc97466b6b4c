//! JSON Merge Patch.

use serde_json::{Map, Value, json};

/// Writes the patch into the target (RFC 7396 §2).
pub fn merge_patch(target: &mut Map<String, Value>, patch: &Map<String, Value>) {
    for (name, value) in patch {
        match value {
            Value::Null => {
                target.remove(name);
            }
            Value::Object(changes) => {
                let slot = target.entry(name.clone()).or_insert_with(|| json!({}));
                if !slot.is_object() {
                    *slot = json!({});
                }
                if let Some(inner) = slot.as_object_mut() {
                    merge_patch(inner, changes);
                }
            }
            other => {
                target.insert(name.clone(), other.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merge_follows_rfc_7396() {
        let mut target = json!({"a": "b", "c": {"d": "e", "f": "g"}, "x": 1}).as_object().unwrap().clone();
        let patch = json!({"a": "z", "c": {"f": null}, "x": {"y": 2}, "n": null});
        merge_patch(&mut target, patch.as_object().unwrap());
        assert_eq!(Value::Object(target), json!({"a": "z", "c": {"d": "e"}, "x": {"y": 2}}));
    }
}
