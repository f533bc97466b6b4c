//! Lists: `{items, next_cursor}` with signed keyset cursors. A cursor is bound to its operation and organization; one that
//! was altered, or taken from another list, is refused.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use crypto::mac::MacKey;
use problem::{INVALID_CURSOR, Problem};
use serde::Serialize;
use serde_json::Value;
use types::{Id, OrgId};
use utoipa::openapi::schema::{Array, Object, Schema, SchemaType, Type};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

use crate::Allowance;

const TAG: usize = 16;
const LONGEST: usize = 1024;

/// One page of a list.
#[derive(Debug, Serialize)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Give it back as `cursor` for the next page; `null` on the last.
    pub next_cursor: Option<String>,
    /// How many there are in all; only with `count=true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<i64>,
}

impl<T: ToSchema> PartialSchema for Page<T> {
    fn schema() -> RefOr<Schema> {
        let item = Ref::from_schema_name(T::name());
        let cursor = Object::builder()
            .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
            .description(Some("Give it back as `cursor` for the next page; null on the last."));
        let total = Object::builder()
            .schema_type(Type::Integer)
            .description(Some("How many there are in all; only with `count=true`."));
        Object::builder()
            .property("items", Array::new(item))
            .property("next_cursor", cursor)
            .property("total", total)
            .required("items")
            .required("next_cursor")
            .into()
    }
}

impl<T: ToSchema> ToSchema for Page<T> {
    fn name() -> Cow<'static, str> {
        format!("PageOf{}", T::name()).into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(schemas);
    }
}

/// How many rows were asked for: 1 to 200, 50 if not said.
pub fn page_size(limit: Option<i64>) -> Result<i64, Problem> {
    match limit.unwrap_or(50) {
        limit @ 1..=200 => Ok(limit),
        _ => Err(Problem::new(&problem::VALIDATION_FAILED, "Mend the query parameters.")
            .with_error("limit", "must be 1 to 200")),
    }
}

/// Signs cursors and reads them back.
pub struct Cursors(MacKey);

impl Cursors {
    pub fn new(key: MacKey) -> Self {
        Self(key)
    }

    /// `keys` are the sort columns of the last row, in order.
    pub fn write(&self, operation: &str, org: OrgId, keys: &[Value]) -> String {
        let body = serde_json::to_vec(keys).unwrap_or_default();
        let tag = self.tag(operation, org, &body);
        let mut bytes = Vec::with_capacity(TAG + body.len());
        bytes.extend_from_slice(&tag[..TAG]);
        bytes.extend_from_slice(&body);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    pub fn read(&self, operation: &str, org: OrgId, text: &str) -> Result<Vec<Value>, Problem> {
        let invalid = || Problem::new(&INVALID_CURSOR, "Start the list again without a cursor.");
        if text.len() > LONGEST {
            return Err(invalid());
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| invalid())?;
        let (tag, body) = bytes.split_at_checked(TAG).ok_or_else(invalid)?;
        if !crypto::eq(tag, &self.tag(operation, org, body)[..TAG]) {
            return Err(invalid());
        }
        serde_json::from_slice(body).map_err(|_| invalid())
    }

    fn tag(&self, operation: &str, org: OrgId, body: &[u8]) -> [u8; 32] {
        self.0.tag(&[operation.as_bytes(), &[0], org.uuid().as_bytes(), body])
    }
}

impl Allowance {
    /// A cursor of this operation and organization.
    pub fn cursor(&self, keys: &[Value]) -> String {
        self.door.cursors.write(self.spec.id, self.caller.org, keys)
    }

    /// The sort columns of the last row of the page before; empty on the first page.
    pub fn keys_after(&self, cursor: Option<&str>) -> Result<Vec<Value>, Problem> {
        match cursor {
            Some(cursor) => self.door.cursors.read(self.spec.id, self.caller.org, cursor),
            None => Ok(Vec::new()),
        }
    }

    /// For lists that are sorted by id alone.
    pub fn after<I: Id>(&self, cursor: Option<&str>) -> Result<Option<I>, Problem> {
        let keys = self.keys_after(cursor)?;
        Ok(keys.first().and_then(Value::as_str).and_then(|text| text.parse().ok()))
    }
}

/// Cuts the surplus row that tells whether there is a next page; `key` gives a row's sort columns.
pub fn page<T, U>(
    mut rows: Vec<T>,
    limit: i64,
    cursor: impl Fn(&T) -> String,
    view: impl Fn(T) -> U,
) -> Page<U> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next_cursor = if more { rows.last().map(cursor) } else { None };
    Page { items: rows.into_iter().map(view).collect(), next_cursor, total: None }
}
