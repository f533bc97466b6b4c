//! What a request for resources asks: which, in which order, how many, and which of their attributes.

use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use web::Search;

use crate::error::ScimError;
use crate::filter;
use crate::path::AttributePath;
use crate::schema::{Attribute, Column, Kind, ResourceType};

/// Resources of one answer, if the client names no number, and at most.
const PAGE: i64 = 100;
pub(crate) const LARGEST_PAGE: i64 = 200;
/// Nobody has as many.
const FARTHEST: i64 = 100_000_000;

/// RFC 7644 §3.4.2. Unknown parameters are ignored.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ScimQuery)]
pub struct Query {
    /// Such as `userName eq "ada@example.com"`; at most 2,048 bytes, 8 levels, 24 terms.
    pub filter: Option<String>,
    /// An attribute with one value.
    pub sort_by: Option<String>,
    /// `ascending` or `descending`.
    pub sort_order: Option<String>,
    /// From 1.
    pub start_index: Option<i64>,
    /// 0 to 200; 100 if left out.
    pub count: Option<i64>,
    /// Only these, with commas between, and `id`.
    pub attributes: Option<String>,
    /// All but these.
    pub excluded_attributes: Option<String>,
}

impl Query {
    pub(crate) fn start(&self) -> i64 {
        self.start_index.unwrap_or(1).clamp(1, FARTHEST)
    }

    pub(crate) fn count(&self) -> i64 {
        self.count.unwrap_or(PAGE).clamp(0, LARGEST_PAGE)
    }

    pub(crate) fn search(&self, of: &ResourceType) -> Result<Search, ScimError> {
        let filter = self.filter.as_deref().filter(|text| !text.trim().is_empty());
        let filter = filter.map(|text| filter::parse(of, text)).transpose()?;
        let descending = match self.sort_order.as_deref().map(str::to_ascii_lowercase).as_deref() {
            None | Some("ascending") => false,
            Some("descending") => true,
            Some(_) => return Err(ScimError::value("sortOrder", "is ascending or descending")),
        };
        let order = self.sort_by.as_deref().map(|name| order(of, name)).transpose()?;
        Ok(Search {
            condition: filter.as_ref().map(filter::compile),
            order: order.map(|expression| if descending { format!("{expression} DESC") } else { expression }),
            offset: self.start() - 1,
            limit: self.count(),
        })
    }

    pub(crate) fn projection(&self, of: &ResourceType) -> Projection {
        let names = |list: &Option<String>| -> Option<Vec<AttributePath>> {
            let list = list.as_deref().filter(|text| !text.trim().is_empty())?;
            // What is not known is not there to be shown or hidden.
            Some(list.split(',').filter_map(|name| AttributePath::resolve(of, name.trim())).collect())
        };
        Projection {
            only: names(&self.attributes),
            without: names(&self.excluded_attributes).unwrap_or_default(),
        }
    }
}

fn order(of: &ResourceType, name: &str) -> Result<String, ScimError> {
    let path =
        AttributePath::resolve(of, name).ok_or_else(|| ScimError::UnknownAttribute(name.to_owned()))?;
    let target: &Attribute = path.target().compared().unwrap_or(path.target());
    match target.column {
        _ if matches!(path.attribute.column, Column::Rows(_)) => {}
        Column::Text(column) if !target.case_exact => return Ok(format!("lower({column})")),
        Column::Text(column) | Column::Time(column) | Column::Id(column, _) => return Ok(column.to_owned()),
        Column::Flag(flag) => return Ok(format!("CASE WHEN {flag} THEN 1 ELSE 0 END")),
        Column::Inline | Column::Rows(_) => {}
    }
    Err(ScimError::Filter(format!("resources cannot be sorted by {name}")))
}

/// Which attributes an answer shows (RFC 7644 §3.9).
#[derive(Clone, Debug, Default)]
pub(crate) struct Projection {
    only: Option<Vec<AttributePath>>,
    without: Vec<AttributePath>,
}

impl Projection {
    /// Will this attribute be shown at all? What is not is not looked up.
    pub(crate) fn shows(&self, name: &str) -> bool {
        let whole = |path: &AttributePath| path.attribute.name == name;
        match &self.only {
            Some(only) => only.iter().any(whole),
            None => !self.without.iter().any(|path| whole(path) && path.sub.is_none()),
        }
    }

    pub(crate) fn cut(&self, of: &ResourceType, resource: &mut Map<String, Value>) {
        for attribute in of.all().filter(|attribute| !attribute.always_returned) {
            let name = attribute.name;
            if !self.shows(name) {
                resource.remove(name);
                continue;
            }
            if attribute.kind != Kind::Complex {
                continue;
            }
            let subs = |paths: &[AttributePath]| -> Vec<&'static str> {
                let of_this = paths.iter().filter(|path| path.attribute.name == name);
                of_this.filter_map(|path| path.sub.map(|sub| sub.name)).collect()
            };
            let is_whole = |only: &[AttributePath]| {
                only.iter().any(|path| path.attribute.name == name && path.sub.is_none())
            };
            let keeps: Box<dyn Fn(&str) -> bool> = match &self.only {
                Some(only) if is_whole(only) => continue,
                Some(only) => {
                    let named = subs(only);
                    Box::new(move |part| named.contains(&part))
                }
                None => {
                    let hidden = subs(&self.without);
                    Box::new(move |part| !hidden.contains(&part))
                }
            };
            match resource.get_mut(name) {
                Some(Value::Object(parts)) => parts.retain(|part, _| keeps(part)),
                Some(Value::Array(items)) => {
                    for parts in items.iter_mut().filter_map(Value::as_object_mut) {
                        parts.retain(|part, _| keeps(part));
                    }
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::resources::USER;

    fn cut(attributes: Option<&str>, excluded: Option<&str>) -> Value {
        let resource = json!({
            "schemas": [], "id": "usr_1", "userName": "ada", "emails": [{ "value": "a@b.example", "type": "work" }],
            "name": { "givenName": "Ada", "familyName": "Lovelace" }, "meta": { "resourceType": "User" },
        });
        let query = Query {
            attributes: attributes.map(str::to_owned),
            excluded_attributes: excluded.map(str::to_owned),
            ..Query::default()
        };
        let mut resource = resource.as_object().unwrap().clone();
        query.projection(&USER).cut(&USER, &mut resource);
        Value::Object(resource)
    }

    #[test]
    fn attributes_are_chosen_and_hidden() {
        let only = cut(Some("USERNAME, name.givenName,nothing"), None);
        assert_eq!(
            only,
            json!({ "schemas": [], "id": "usr_1", "userName": "ada", "name": { "givenName": "Ada" } })
        );
        let without = cut(None, Some("emails.type,meta,name,id"));
        let expected = json!({ "schemas": [], "id": "usr_1", "userName": "ada", "emails": [{ "value": "a@b.example" }] });
        assert_eq!(without, expected);
    }

    #[test]
    fn pages_stay_within_their_bounds() {
        let query = |start, count| Query { start_index: Some(start), count: Some(count), ..Query::default() };
        let of = |query: &Query| query.search(&USER).map(|search| (search.offset, search.limit)).unwrap();
        assert_eq!(of(&query(0, -5)), (0, 0));
        assert_eq!(of(&query(11, 10)), (10, 10));
        assert_eq!(of(&query(i64::MAX, i64::MAX)), (FARTHEST - 1, LARGEST_PAGE));
        assert_eq!(of(&Query::default()), (0, PAGE));
    }

    #[test]
    fn sorting_is_by_attributes_with_one_value() {
        let by = |name: &str| Query { sort_by: Some(name.into()), ..Query::default() }.search(&USER);
        for name in ["userName", "name.familyName", "meta.created", "id", "emails", "active"] {
            assert!(by(name).unwrap().order.is_some(), "{name}");
        }
        for name in ["roles", "groups", "name", "nothing", "userName; DROP TABLE users"] {
            assert!(by(name).is_err(), "{name}");
        }
    }
}
