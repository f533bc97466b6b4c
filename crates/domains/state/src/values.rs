//! Values on their way into a row and out of it: held against the namespace's schema, sealed where that is secret.

use std::collections::HashMap;
use std::sync::Arc;

use crypto::seal::Aad;
use parking_lot::Mutex;
use schema::Schema;
use secrets::Purpose;
use serde_json::Value;
use types::{EntryId, Id, NamespaceId, OrgId};

use crate::StateError;
use crate::model::{Entry, Kept, LARGEST_VALUE, Namespace};
use crate::service::Inner;

/// Compiled schemas by namespace and its revision; one more empties the lot.
#[derive(Default)]
pub(crate) struct Schemas(Mutex<HashMap<(NamespaceId, i64), Arc<Schema>>>);

const MOST: usize = 1_000;

impl Schemas {
    fn get(&self, namespace: &Namespace, text: &Value) -> Result<Arc<Schema>, StateError> {
        let name = (namespace.id, namespace.revision);
        if let Some(known) = self.0.lock().get(&name) {
            return Ok(known.clone());
        }
        let compiled = Arc::new(Schema::compile(text, "/schema").map_err(StateError::Schema)?);
        let mut known = self.0.lock();
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(name, compiled.clone());
        Ok(compiled)
    }
}

/// The table that a sealed value stands in.
#[derive(Clone, Copy)]
pub(crate) enum Place {
    Entries,
    History,
}

/// Entry and revision: an older value put back where a newer one stood does not open.
fn row_of(entry: EntryId, revision: i64) -> [u8; 24] {
    let mut row = [0; 24];
    row[..16].copy_from_slice(entry.uuid().as_bytes());
    row[16..].copy_from_slice(&revision.to_be_bytes());
    row
}

fn aad(place: Place, org: OrgId, row: &[u8]) -> Aad<'_> {
    let table = match place {
        Place::Entries => "state_entries",
        Place::History => "state_history",
    };
    Aad { table, column: "sealed", org: Some(org), row }
}

impl Inner {
    /// Whether the value is as the namespace wants it; a strict one refuses any other.
    pub(crate) fn judge(&self, namespace: &Namespace, value: &Value, at: &str) -> Result<bool, StateError> {
        let Some(text) = &namespace.schema else { return Ok(true) };
        let violations = self.schemas.get(namespace, text)?.violations(value, &format!("{at}/value"));
        match (violations.is_empty(), namespace.strict) {
            // Violations name members of the value.
            (false, true) if namespace.secret => {
                Err(StateError::invalid(format!("{at}/value"), "does not match the namespace's schema"))
            }
            (false, true) => Err(StateError::Value(violations)),
            (is_valid, _) => Ok(is_valid),
        }
    }

    pub(crate) async fn keep(
        &self,
        namespace: &Namespace,
        place: Place,
        entry: &Entry,
        json: &str,
    ) -> Result<Kept, StateError> {
        if !namespace.secret {
            return Ok(Kept::Plain(json.to_owned()));
        }
        let row = row_of(entry.id, entry.revision);
        let aad = aad(place, namespace.org, &row);
        Ok(Kept::Sealed(self.keyring.seal(Purpose::Records, &aad, json.as_bytes()).await?))
    }

    pub(crate) async fn open(
        &self,
        namespace: &Namespace,
        entry: &Entry,
        kept: &Kept,
    ) -> Result<Value, StateError> {
        let row = row_of(entry.id, entry.revision);
        let json = match kept {
            Kept::Plain(json) => return read(json.as_bytes()),
            Kept::Sealed(sealed) => {
                let aad = aad(Place::Entries, namespace.org, &row);
                self.keyring.open_sealed(Purpose::Records, &aad, sealed).await?
            }
            Kept::Unread => return Err(problem::Problem::internal("a value that was not read").into()),
        };
        read(&json)
    }
}

/// What was written is JSON.
pub(crate) fn read(json: &[u8]) -> Result<Value, StateError> {
    Ok(serde_json::from_slice(json).map_err(problem::Problem::internal)?)
}

/// As deep as what functions give: an answer that holds the value must still be readable for usual readers.
const DEEPEST: usize = 100;

/// The value's JSON – compact, names in order – if it is small enough.
pub(crate) fn written(value: &Value, at: &str) -> Result<String, StateError> {
    if types::json::depth(value) > DEEPEST {
        let reason = format!("has arrays and objects more than {DEEPEST} deep in each other");
        return Err(StateError::invalid(format!("{at}/value"), reason));
    }
    let json = serde_json::to_string(value).map_err(problem::Problem::internal)?;
    if json.len() <= LARGEST_VALUE {
        return Ok(json);
    }
    let reason = format!("has {} bytes; at most {LARGEST_VALUE} are kept", json.len());
    Err(StateError::invalid(format!("{at}/value"), reason))
}
