//! The three kinds of resources: their attributes, how they are read, and what writing one means.

mod agents;
mod groups;
mod users;

use serde_json::{Map, Value, json};
use types::Timestamp;

use crate::error::ScimError;
use crate::patch;
use crate::schema::{Mutability, ResourceType};

pub(crate) use self::agents::AGENT;
pub(crate) use self::groups::GROUP;
pub(crate) use self::users::USER;

pub(crate) static TYPES: [&ResourceType; 3] = [&USER, &GROUP, &AGENT];

/// What comes out: a resource in SCIM's form and the mark of the state that it shows.
pub(crate) struct Shown {
    pub(crate) version: String,
    pub(crate) resource: Map<String, Value>,
}

/// How a resource is to be written.
pub(crate) enum Write<'a> {
    Whole(&'a Value),
    Patch(&'a Value),
}

impl Write<'_> {
    /// What the resource is to become. Sent whole, what is left out is cleared – but for what has to be there, and for
    /// what is not always the directory's to say: then it stays as it is.
    fn applied(
        &self,
        of: &ResourceType,
        before: &Map<String, Value>,
    ) -> Result<Map<String, Value>, ScimError> {
        match self {
            Self::Patch(message) => {
                let mut after = before.clone();
                patch::apply(of, &mut after, message)?;
                Ok(after)
            }
            Self::Whole(body) => {
                let mut after = patch::read_whole(of, body)?;
                for attribute in of.all() {
                    let name = attribute.name;
                    let Some(old) = before.get(name) else { continue };
                    let is_fixed = attribute.mutability == Mutability::Immutable;
                    if is_fixed && after.get(name).is_some_and(|new| new != old) {
                        return Err(ScimError::ReadOnly(name.to_owned()));
                    }
                    if !after.contains_key(name) && (attribute.required || KEPT.contains(&name) || is_fixed) {
                        after.insert(name.to_owned(), old.clone());
                    }
                }
                Ok(after)
            }
        }
    }
}

/// Given by others as well as by the directory: a replacement that does not mention them takes none of them.
const KEPT: [&str; 2] = ["roles", "members"];

/// What every resource has.
fn envelope(of: &ResourceType, id: String, external_id: Option<&str>) -> Map<String, Value> {
    let mut resource = Map::new();
    resource.insert("schemas".into(), json!([of.schema]));
    resource.insert("id".into(), id.into());
    put(&mut resource, "externalId", external_id);
    resource
}

fn meta(
    of: &'static ResourceType,
    base: &str,
    id: &str,
    version: &str,
    created: Timestamp,
    changed: Option<Timestamp>,
) -> Value {
    let mut meta = json!({
        "resourceType": of.name,
        "created": created,
        "location": location(of, base, id),
        "version": version,
    });
    if let Some(changed) = changed {
        meta["lastModified"] = json!(changed);
    }
    meta
}

pub(crate) fn location(of: &ResourceType, base: &str, id: &str) -> String {
    format!("{base}{}/{id}", of.endpoint)
}

/// A text, if there is one.
fn put(into: &mut Map<String, Value>, name: &str, text: Option<&str>) {
    if let Some(text) = text.filter(|text| !text.is_empty()) {
        into.insert(name.to_owned(), text.into());
    }
}

/// A text of the resource within its bounds.
fn text(resource: &Map<String, Value>, name: &str, longest: usize) -> Result<Option<String>, ScimError> {
    bounded(name, resource.get(name), longest)
}

fn part(
    resource: &Map<String, Value>,
    name: &str,
    part: &str,
    longest: usize,
) -> Result<Option<String>, ScimError> {
    bounded(part, resource.get(name).and_then(|parts| parts.get(part)), longest)
}

fn bounded(name: &str, value: Option<&Value>, longest: usize) -> Result<Option<String>, ScimError> {
    let text = value.and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty());
    if text.is_some_and(|text| text.chars().count() > longest) {
        return Err(ScimError::value(name, format!("has at most {longest} characters")));
    }
    Ok(text.map(str::to_owned))
}

fn needed(name: &str, value: Option<String>) -> Result<String, ScimError> {
    value.ok_or_else(|| ScimError::value(name, "is needed"))
}

/// The `value` of each value of a multi-valued attribute.
fn values(resource: &Map<String, Value>, name: &str) -> Vec<String> {
    let items = resource.get(name).and_then(Value::as_array).into_iter().flatten();
    items.filter_map(|item| item.get("value")?.as_str().map(str::to_owned)).collect()
}
