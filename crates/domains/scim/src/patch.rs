//! PATCH (RFC 7644 §3.5.2) on a resource in memory, and in the forms that directories really send: operations with a
//! capital letter, booleans as text, values as one object without a path, names with dots as keys.

use serde_json::{Map, Value};

use crate::error::ScimError;
use crate::filter::{Filter, Literal, Op, element_matches, equal, parse_value_filter};
use crate::path::{AttributePath, is_not_kept, is_urn};
use crate::schema::{Attribute, Kind, Mutability, ResourceType};

const MESSAGE: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
/// Operations of one request.
const MOST: usize = 1_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verb {
    Add,
    Replace,
    Remove,
}

/// Where an operation acts.
struct Target {
    path: AttributePath,
    /// What stands in brackets.
    chosen: Option<Filter>,
    text: String,
}

/// Applies all operations of a message, in order, or refuses.
pub(crate) fn apply(
    of: &ResourceType,
    resource: &mut Map<String, Value>,
    message: &Value,
) -> Result<(), ScimError> {
    let schemas = member(message, "schemas").and_then(Value::as_array);
    if !schemas.is_some_and(|all| {
        all.iter().any(|one| one.as_str().is_some_and(|one| one.eq_ignore_ascii_case(MESSAGE)))
    }) {
        return Err(ScimError::Syntax(format!("`schemas` names {MESSAGE}")));
    }
    let operations = member(message, "Operations").and_then(Value::as_array);
    let operations = operations.ok_or_else(|| ScimError::Syntax("`Operations` is a list".into()))?;
    if operations.len() > MOST {
        return Err(ScimError::Syntax(format!("it has more than {MOST} operations")));
    }
    operations.iter().try_for_each(|operation| one(of, resource, operation))
}

/// A member of a message, whatever its case.
pub(crate) fn member<'a>(of: &'a Value, name: &str) -> Option<&'a Value> {
    let found = of.as_object()?.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value)
}

fn one(of: &ResourceType, resource: &mut Map<String, Value>, operation: &Value) -> Result<(), ScimError> {
    let text = |name| member(operation, name).and_then(Value::as_str);
    let kind = match text("op").map(str::to_ascii_lowercase).as_deref() {
        Some("add") => Verb::Add,
        Some("replace") => Verb::Replace,
        Some("remove") => Verb::Remove,
        _ => return Err(ScimError::Syntax("`op` is add, replace or remove".into())),
    };
    let value = member(operation, "value");
    match text("path").filter(|path| !path.is_empty()) {
        Some(path) => {
            if is_not_kept(of, path) && AttributePath::resolve(of, path).is_none() {
                return Ok(());
            }
            let target = read_target(of, path)?;
            if target.path.attribute.mutability == Mutability::ReadOnly {
                return Err(ScimError::ReadOnly(target.text));
            }
            act(resource, &target, kind, value)
        }
        None if kind == Verb::Remove => Err(ScimError::NoTarget("a removal without path".into())),
        None => {
            let value = value.and_then(Value::as_object);
            let value =
                value.ok_or_else(|| ScimError::Syntax("without `path`, `value` is an object".into()))?;
            spread(of, resource, kind, value)
        }
    }
}

/// Each member of the value is an attribute; what is read-only, or not kept, is left alone.
fn spread(
    of: &ResourceType,
    resource: &mut Map<String, Value>,
    kind: Verb,
    value: &Map<String, Value>,
) -> Result<(), ScimError> {
    for (name, value) in value {
        if name.eq_ignore_ascii_case(of.schema)
            && let Value::Object(inner) = value
        {
            spread(of, resource, kind, inner)?;
            continue;
        }
        if name.eq_ignore_ascii_case("schemas")
            || (is_not_kept(of, name) && AttributePath::resolve(of, name).is_none())
        {
            continue;
        }
        let target = read_target(of, name)?;
        if target.path.attribute.mutability != Mutability::ReadOnly {
            act(resource, &target, kind, Some(value))?;
        }
    }
    Ok(())
}

/// `attribute`, `attribute.part`, `attribute[filter]`, `attribute[filter].part`.
fn read_target(of: &ResourceType, text: &str) -> Result<Target, ScimError> {
    let unknown = || ScimError::Path(format!("{text:?} names no attribute of a {}", of.name));
    let whole = text.trim();
    let Some((head, rest)) = whole.split_once('[') else {
        let path = AttributePath::resolve(of, whole).ok_or_else(unknown)?;
        return Ok(Target { path, chosen: None, text: text.to_owned() });
    };
    let (filter, part) = rest.rsplit_once(']').ok_or_else(unknown)?;
    let path = AttributePath::resolve(of, head).filter(|path| path.sub.is_none()).ok_or_else(unknown)?;
    if !path.attribute.multi {
        return Err(ScimError::Path(format!("{head} has one value only")));
    }
    let chosen = parse_value_filter(path.attribute, filter).map_err(|error| match error {
        ScimError::UnknownAttribute(name) => ScimError::Path(format!("{head} has no part {name:?}")),
        ScimError::Filter(reason) => ScimError::Path(reason),
        other => other,
    })?;
    let sub = match part.strip_prefix('.') {
        Some(part) => Some(path.attribute.sub(part).ok_or_else(unknown)?),
        None if part.is_empty() => None,
        None => return Err(unknown()),
    };
    Ok(Target { path: AttributePath { sub, ..path }, chosen: Some(chosen), text: text.to_owned() })
}

fn act(
    resource: &mut Map<String, Value>,
    target: &Target,
    kind: Verb,
    value: Option<&Value>,
) -> Result<(), ScimError> {
    let attribute = target.path.attribute;
    let needed = || value.ok_or_else(|| ScimError::Syntax(format!("{} needs a `value`", target.text)));
    if attribute.mutability == Mutability::Immutable {
        let same = kind != Verb::Remove && resource.get(attribute.name) == Some(needed()?);
        return if same { Ok(()) } else { Err(ScimError::ReadOnly(target.text.clone())) };
    }
    if attribute.multi {
        let slot = resource.entry(attribute.name).or_insert_with(|| Value::Array(Vec::new()));
        let Value::Array(items) = slot else { return Err(ScimError::Path(target.text.clone())) };
        match (kind, &target.chosen) {
            (Verb::Remove, None) => take(attribute, items, value),
            (Verb::Remove, Some(filter)) => remove_chosen(items, filter, target.path.sub),
            (_, Some(filter)) => write_chosen(items, target, filter, kind, needed()?)?,
            (Verb::Replace, None) => *items = elements(attribute, target.path.sub, needed()?)?,
            (Verb::Add, None) => {
                let more = elements(attribute, target.path.sub, needed()?)?;
                more.into_iter().for_each(|element| add(attribute, items, element));
            }
        }
        return Ok(());
    }
    let Some(sub) = target.path.sub else {
        return match kind {
            Verb::Remove => {
                resource.remove(attribute.name);
                Ok(())
            }
            Verb::Add | Verb::Replace => set(resource, attribute, needed()?),
        };
    };
    let slot = resource.entry(attribute.name).or_insert_with(|| Value::Object(Map::new()));
    let Value::Object(parts) = slot else { return Err(ScimError::Path(target.text.clone())) };
    match kind {
        Verb::Remove => {
            parts.remove(sub.name);
        }
        Verb::Add | Verb::Replace => set(parts, sub, needed()?)?,
    }
    if parts.is_empty() {
        resource.remove(attribute.name);
    }
    Ok(())
}

/// Writes one value; null takes it away. Parts of a complex attribute that are not named stay.
fn set(into: &mut Map<String, Value>, attribute: &Attribute, value: &Value) -> Result<(), ScimError> {
    match cast(attribute, value)? {
        None => {
            into.remove(attribute.name);
        }
        Some(Value::Object(parts)) => match into.get_mut(attribute.name) {
            Some(Value::Object(old)) => old.extend(parts),
            _ => drop(into.insert(attribute.name.to_owned(), Value::Object(parts))),
        },
        Some(value) => drop(into.insert(attribute.name.to_owned(), value)),
    }
    Ok(())
}

/// The value as the attribute has it: names in their own case, booleans from text, nothing that is read-only or unknown.
/// `None` for null and for empty text.
pub(crate) fn cast(attribute: &Attribute, value: &Value) -> Result<Option<Value>, ScimError> {
    let unfit = |what: &str| Err(ScimError::value(attribute.name, format!("must be {what}")));
    match (attribute.kind, value) {
        (_, Value::Null) => Ok(None),
        (Kind::Text | Kind::Reference | Kind::Time, Value::String(text)) => {
            Ok((!text.is_empty()).then(|| value.clone()))
        }
        (Kind::Text | Kind::Reference | Kind::Time, _) => unfit("a text"),
        (Kind::Flag, Value::Bool(_)) => Ok(Some(value.clone())),
        (Kind::Flag, Value::String(text)) if text.eq_ignore_ascii_case("true") => Ok(Some(Value::Bool(true))),
        (Kind::Flag, Value::String(text)) if text.eq_ignore_ascii_case("false") => {
            Ok(Some(Value::Bool(false)))
        }
        (Kind::Flag, _) => unfit("true or false"),
        (Kind::Complex, Value::Object(given)) => {
            let mut parts = Map::new();
            for (name, value) in given {
                let Some(sub) = attribute.sub(name).filter(|sub| sub.mutability != Mutability::ReadOnly)
                else {
                    continue;
                };
                if let Some(value) = cast(sub, value)? {
                    parts.insert(sub.name.to_owned(), value);
                }
            }
            Ok((!parts.is_empty()).then_some(Value::Object(parts)))
        }
        // Some directories give the value itself.
        (Kind::Complex, Value::String(text)) if attribute.sub("value").is_some() && !text.is_empty() => {
            Ok(Some(Value::Object(Map::from_iter([("value".to_owned(), value.clone())]))))
        }
        (Kind::Complex, _) => unfit("an object"),
    }
}

/// The values of a multi-valued attribute: a list, or one alone.
pub(crate) fn elements(
    attribute: &Attribute,
    sub: Option<&'static Attribute>,
    value: &Value,
) -> Result<Vec<Value>, ScimError> {
    let given = match value {
        Value::Array(items) => items.as_slice(),
        one => std::slice::from_ref(one),
    };
    let mut items = Vec::new();
    for one in given {
        let element = match sub {
            None => cast(attribute, one)?,
            Some(sub) => {
                cast(sub, one)?.map(|part| Value::Object(Map::from_iter([(sub.name.to_owned(), part)])))
            }
        };
        if let Some(element) = element {
            add(attribute, &mut items, element);
        }
    }
    Ok(items)
}

/// A value that is there already is not added again; there is one primary value at most (RFC 7643 §2.4).
fn add(attribute: &Attribute, items: &mut Vec<Value>, element: Value) {
    let is_primary = element.get("primary") == Some(&Value::Bool(true));
    if is_primary {
        for item in
            items.iter_mut().filter_map(Value::as_object_mut).filter(|item| item.contains_key("primary"))
        {
            item.insert("primary".to_owned(), Value::Bool(false));
        }
    }
    let value = attribute.sub("value");
    let same = |item: &&mut Value| match value {
        Some(value) => equal(value, &item[value.name], &element[value.name]),
        None => **item == element,
    };
    match (items.iter_mut().find(same), element) {
        (Some(Value::Object(old)), Value::Object(new)) => old.extend(new),
        (Some(_), _) => {}
        (None, element) => items.push(element),
    }
}

/// All of them, or those that the operation names in its value.
fn take(attribute: &Attribute, items: &mut Vec<Value>, value: Option<&Value>) {
    let Some(named) =
        value.and_then(|value| elements(attribute, None, value).ok()).filter(|named| !named.is_empty())
    else {
        items.clear();
        return;
    };
    let key = attribute.sub("value");
    items.retain(|item| {
        !named.iter().any(|one| match key {
            Some(key) => equal(key, &item[key.name], &one[key.name]),
            None => item == one,
        })
    });
}

fn remove_chosen(items: &mut Vec<Value>, filter: &Filter, sub: Option<&'static Attribute>) {
    match sub {
        None => items.retain(|item| !element_matches(filter, item)),
        Some(sub) => {
            for item in items.iter_mut().filter(|item| element_matches(filter, item)) {
                if let Value::Object(parts) = item {
                    parts.remove(sub.name);
                }
            }
            items.retain(|item| item.get("value").is_some());
        }
    }
}

fn write_chosen(
    items: &mut Vec<Value>,
    target: &Target,
    filter: &Filter,
    kind: Verb,
    value: &Value,
) -> Result<(), ScimError> {
    let attribute = target.path.attribute;
    let mut matched = false;
    for item in items.iter_mut().filter(|item| element_matches(filter, item)) {
        matched = true;
        let Value::Object(parts) = item else { continue };
        match target.path.sub {
            Some(sub) => set(parts, sub, value)?,
            None => match cast(attribute, value)? {
                Some(Value::Object(new)) => parts.extend(new),
                _ => parts.clear(),
            },
        }
    }
    if matched {
        items.retain(|item| item.get("value").is_some());
        return Ok(());
    }
    let Some(mut parts) = described(filter).filter(|_| kind == Verb::Add) else {
        return Err(ScimError::NoTarget(target.text.clone()));
    };
    // As if what the filter describes were there.
    match target.path.sub {
        Some(sub) => set(&mut parts, sub, value)?,
        None => {
            if let Some(Value::Object(new)) = cast(attribute, value)? {
                parts.extend(new);
            }
        }
    }
    if parts.contains_key("value") {
        add(attribute, items, Value::Object(parts));
    }
    Ok(())
}

/// The value that a filter of equalities describes.
fn described(filter: &Filter) -> Option<Map<String, Value>> {
    match filter {
        Filter::Compare(path, Op::Eq, literal) => {
            let value = match literal {
                Literal::Text(text) => Value::String(text.clone()),
                Literal::Flag(flag) => Value::Bool(*flag),
                Literal::Time(_) => return None,
            };
            Some(Map::from_iter([(path.sub?.name.to_owned(), value)]))
        }
        Filter::And(all) => {
            let mut parts = Map::new();
            for one in all {
                parts.extend(described(one)?);
            }
            Some(parts)
        }
        _ => None,
    }
}

/// A resource as it was sent whole: names in their own case, without what is read-only, unknown or empty.
pub(crate) fn read_whole(of: &ResourceType, body: &Value) -> Result<Map<String, Value>, ScimError> {
    let body = body.as_object().ok_or_else(|| ScimError::Syntax("a resource is an object".into()))?;
    let mut resource = Map::new();
    for (name, value) in body {
        if is_urn(name) {
            continue;
        }
        let Some(attribute) = of.attribute(name).filter(|one| one.mutability != Mutability::ReadOnly) else {
            continue;
        };
        if attribute.multi {
            let items = if value.is_null() { Vec::new() } else { elements(attribute, None, value)? };
            resource.insert(attribute.name.to_owned(), Value::Array(items));
        } else if let Some(value) = cast(attribute, value)? {
            resource.insert(attribute.name.to_owned(), value);
        }
    }
    Ok(resource)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::resources::{GROUP, USER};

    fn user() -> Map<String, Value> {
        let user = json!({
            "id": "usr_1", "userName": "ada", "displayName": "Ada", "active": true,
            "name": { "givenName": "Ada", "familyName": "Lovelace" },
            "emails": [{ "type": "work", "value": "ada@example.com", "primary": true }],
            "roles": [{ "value": "member" }],
        });
        user.as_object().unwrap().clone()
    }

    fn patched(
        of: &ResourceType,
        mut resource: Map<String, Value>,
        operations: Value,
    ) -> Result<Value, ScimError> {
        apply(of, &mut resource, &json!({ "schemas": [MESSAGE], "Operations": operations }))?;
        Ok(Value::Object(resource))
    }

    #[test]
    fn the_shapes_that_entra_sends() {
        let after = patched(&USER, user(), json!([
            { "op": "Replace", "path": "active", "value": "False" },
            { "op": "Add", "path": "emails[type eq \"work\"].value", "value": "lovelace@example.com" },
            { "op": "Replace", "path": "name.familyName", "value": "King" },
            { "op": "Add", "path": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department", "value": "x" },
            { "op": "Add", "path": "title", "value": "Countess" },
            { "op": "Add", "value": { "displayName": "Ada King", "name.givenName": "Augusta" } },
        ])).unwrap();
        assert_eq!(after["active"], false);
        assert_eq!(
            after["emails"],
            json!([{ "type": "work", "value": "lovelace@example.com", "primary": true }])
        );
        assert_eq!(after["name"], json!({ "givenName": "Augusta", "familyName": "King" }));
        assert_eq!((&after["displayName"], after.get("title")), (&json!("Ada King"), None));
        let without = patched(&USER, user(), json!([{ "op": "Remove", "path": "emails" }])).unwrap();
        let again = patched(
            &USER,
            without.as_object().unwrap().clone(),
            json!([
                { "op": "Add", "path": "emails[type eq \"work\"].value", "value": "new@example.com" },
            ]),
        )
        .unwrap();
        assert_eq!(again["emails"], json!([{ "type": "work", "value": "new@example.com" }]));
        let group = json!({ "displayName": "Ops", "members": [{ "value": "usr_1" }, { "value": "usr_2" }] });
        let removed = patched(
            &GROUP,
            group.as_object().unwrap().clone(),
            json!([
                { "op": "Remove", "path": "members", "value": [{ "value": "usr_1" }] },
            ]),
        )
        .unwrap();
        assert_eq!(removed["members"], json!([{ "value": "usr_2" }]));
    }

    #[test]
    fn the_shapes_that_okta_sends() {
        let after =
            patched(&USER, user(), json!([{ "op": "replace", "value": { "active": false } }])).unwrap();
        assert_eq!(after["active"], false);
        let group = json!({ "id": "grp_1", "displayName": "Ops", "members": [{ "value": "usr_1" }] });
        let after = patched(&GROUP, group.as_object().unwrap().clone(), json!([
            { "op": "replace", "value": { "id": "grp_9", "displayName": "Operations" } },
            { "op": "remove", "path": "members[value eq \"usr_1\"]" },
            { "op": "add", "path": "members", "value": [{ "value": "usr_2", "display": "b@example.com" }] },
        ])).unwrap();
        assert_eq!(
            after,
            json!({ "id": "grp_1", "displayName": "Operations", "members": [{ "value": "usr_2" }] })
        );
    }

    #[test]
    fn adding_twice_is_adding_once_and_removing_what_is_not_there_is_nothing() {
        let after = patched(
            &USER,
            user(),
            json!([
                { "op": "add", "path": "roles", "value": [{ "value": "member" }, { "value": "auditor" }] },
                { "op": "add", "path": "roles", "value": { "value": "auditor" } },
                { "op": "remove", "path": "roles[value eq \"owner\"]" },
            ]),
        )
        .unwrap();
        assert_eq!(after["roles"], json!([{ "value": "member" }, { "value": "auditor" }]));
    }

    #[test]
    fn a_new_primary_value_is_the_only_one() {
        let after = patched(
            &USER,
            user(),
            json!([
                { "op": "add", "path": "emails", "value": [{ "value": "b@example.com", "primary": true }] },
            ]),
        )
        .unwrap();
        let primary = |at: usize| after["emails"][at]["primary"].clone();
        assert_eq!((primary(0), primary(1)), (json!(false), json!(true)));
    }

    #[test]
    fn refusals_have_their_own_kinds() {
        let refused = |operation: Value| patched(&USER, user(), json!([operation])).unwrap_err();
        assert!(matches!(
            refused(json!({ "op": "replace", "path": "id", "value": "x" })),
            ScimError::ReadOnly(_)
        ));
        assert!(matches!(
            refused(json!({ "op": "add", "path": "groups", "value": [] })),
            ScimError::ReadOnly(_)
        ));
        assert!(matches!(
            refused(json!({ "op": "replace", "path": "nothing", "value": "x" })),
            ScimError::Path(_)
        ));
        assert!(matches!(
            refused(json!({ "op": "replace", "path": "emails[", "value": "x" })),
            ScimError::Path(_)
        ));
        assert!(matches!(
            refused(json!({ "op": "replace", "path": "emails[value is 1]", "value": "x" })),
            ScimError::Path(_)
        ));
        let none = json!({ "op": "replace", "path": "emails[type eq \"home\"].value", "value": "x" });
        assert!(matches!(refused(none), ScimError::NoTarget(_)));
        assert!(matches!(refused(json!({ "op": "remove" })), ScimError::NoTarget(_)));
        assert!(matches!(refused(json!({ "op": "move", "path": "active" })), ScimError::Syntax(_)));
        assert!(matches!(refused(json!({ "op": "add", "path": "active" })), ScimError::Syntax(_)));
        assert!(matches!(
            refused(json!({ "op": "add", "path": "active", "value": 3 })),
            ScimError::Value { .. }
        ));
        assert!(matches!(
            refused(json!({ "op": "add", "path": "userName", "value": {} })),
            ScimError::Value { .. }
        ));
        let mut resource = user();
        assert!(matches!(
            apply(&USER, &mut resource, &json!({ "Operations": [] })),
            Err(ScimError::Syntax(_))
        ));
    }

    proptest! {
        #[test]
        fn no_message_makes_it_stumble(
            op in "(add|Replace|remove|x)",
            path in r#"(userName|emails|roles|name|members|name\.givenName|emails\[type eq "work"\]|emails\[.*\]|\[|\]|.){0,2}"#,
            value in prop_oneof![
                Just(json!(null)), Just(json!("x")), Just(json!([])), Just(json!([{}])), Just(json!({ "value": "x" })),
                Just(json!([{ "value": null }, "x", 3])), Just(json!({ "": { "": 1 } })), Just(json!(true)),
            ],
        ) {
            let operation = json!([{ "op": op, "path": path, "value": value }]);
            drop(patched(&USER, user(), operation.clone()));
            drop(patched(&GROUP, json!({ "members": [{ "value": "usr_1" }] }).as_object().unwrap().clone(), operation));
        }
    }
}
