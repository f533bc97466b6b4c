//! Metadata held against a collection's schema.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use schema::Schema;
use serde_json::Value;
use types::CollectionId;

use crate::FilesError;
use crate::model::{Collection, LARGEST_METADATA};

/// Compiled schemas by collection and its revision; one more empties the lot.
#[derive(Default)]
pub(crate) struct Schemas(Mutex<HashMap<(CollectionId, i64), Arc<Schema>>>);

const MOST: usize = 1_000;
const DEEPEST: usize = 20;

impl Schemas {
    fn get(&self, collection: &Collection, text: &Value) -> Result<Arc<Schema>, FilesError> {
        let name = (collection.id, collection.revision);
        if let Some(known) = self.0.lock().get(&name) {
            return Ok(known.clone());
        }
        let compiled = Arc::new(Schema::compile(text, "/schema").map_err(FilesError::Schema)?);
        let mut known = self.0.lock();
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(name, compiled.clone());
        Ok(compiled)
    }

    /// Whether the metadata is as the collection wants it; a strict one refuses any other.
    pub(crate) fn judge(&self, collection: &Collection, metadata: &Value) -> Result<bool, FilesError> {
        if !metadata.is_object() {
            return Err(FilesError::invalid("metadata", "must be an object"));
        }
        if has_nul(metadata) {
            return Err(FilesError::invalid("metadata", "holds U+0000"));
        }
        if types::json::depth(metadata) > DEEPEST {
            let reason = format!("has arrays and objects more than {DEEPEST} deep in each other");
            return Err(FilesError::invalid("metadata", reason));
        }
        let size = metadata.to_string().len();
        if size > LARGEST_METADATA {
            let reason = format!("has {size} bytes of JSON; at most {LARGEST_METADATA} are kept");
            return Err(FilesError::invalid("metadata", reason));
        }
        let Some(text) = &collection.schema else { return Ok(true) };
        let violations = self.get(collection, text)?.violations(metadata, "/metadata");
        match violations.is_empty() {
            false if collection.strict => Err(FilesError::Metadata(violations)),
            is_valid => Ok(is_valid),
        }
    }
}

/// PostgreSQL's JSON cannot hold it. Bodies are looked through before; what a query says is not.
fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(has_nul),
        Value::Object(members) => members.iter().any(|(name, value)| name.contains('\0') || has_nul(value)),
        _ => false,
    }
}
