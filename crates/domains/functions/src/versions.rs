//! Versions never change, so what was opened and compiled once is kept.

use std::collections::HashMap;
use std::sync::Arc;

use crypto::seal::Aad;
use db::{Db, OrgScope};
use parking_lot::RwLock;
use problem::FieldError;
use schema::Schema;
use secrets::{Keyring, Purpose};
use serde_json::Value;
use types::{FunctionVersionId, Id, OrgId};

use crate::coerce::coerce;
use crate::model::Version;
use crate::store::Stored;
use crate::{FunctionError, store};

/// Versions kept open; one more empties the lot.
const MOST: usize = 2_000;

/// A version, ready to check with and to run.
pub(crate) struct Ready {
    pub(crate) version: Version,
    pub(crate) code: Arc<str>,
    pub(crate) input: Option<Schema>,
    pub(crate) output: Option<Schema>,
}

#[derive(Clone)]
pub(crate) struct Versions {
    db: Db,
    keyring: Keyring,
    ready: Arc<RwLock<Known>>,
}

type Known = HashMap<(OrgId, FunctionVersionId), Arc<Ready>>;

impl Versions {
    pub(crate) fn new(db: Db, keyring: Keyring) -> Self {
        Self { db, keyring, ready: Arc::default() }
    }

    pub(crate) async fn get(
        &self,
        scope: &OrgScope,
        id: FunctionVersionId,
    ) -> Result<Arc<Ready>, FunctionError> {
        let key = (scope.org(), id);
        if let Some(ready) = self.ready.read().get(&key) {
            return Ok(ready.clone());
        }
        let stored = store::version(&self.db, scope, id).await?.ok_or(FunctionError::Unknown)?;
        let ready = Arc::new(Ready::new(self.open(stored).await?)?);
        let mut kept = self.ready.write();
        if kept.len() >= MOST {
            kept.clear();
        }
        kept.insert(key, ready.clone());
        Ok(ready)
    }

    pub(crate) async fn open(&self, stored: Stored) -> Result<Version, FunctionError> {
        let Stored { mut version, code } = stored;
        let row = version.id.uuid();
        let aad = place(version.org, row.as_bytes());
        let opened = self.keyring.open_sealed(Purpose::Records, &aad, &code).await?;
        version.code = String::from_utf8_lossy(&opened).into_owned();
        Ok(version)
    }

    pub(crate) async fn seal(&self, version: &Version) -> Result<Vec<u8>, FunctionError> {
        let row = version.id.uuid();
        let aad = place(version.org, row.as_bytes());
        Ok(self.keyring.seal(Purpose::Records, &aad, version.code.as_bytes()).await?)
    }
}

fn place(org: OrgId, row: &[u8]) -> Aad<'_> {
    Aad { table: "function_versions", column: "code", org: Some(org), row }
}

impl Ready {
    /// Refuses schemas that do not compile; stored ones did.
    pub(crate) fn new(version: Version) -> Result<Self, FunctionError> {
        let compiled = |schema: &Option<Value>, pointer| {
            schema.as_ref().map(|schema| Schema::compile(schema, pointer)).transpose()
        };
        let mut errors: Vec<FieldError> = Vec::new();
        let mut collect = |result: Result<Option<Schema>, Vec<FieldError>>| {
            result.unwrap_or_else(|found| {
                errors.extend(found);
                None
            })
        };
        let input = collect(compiled(&version.input_schema, "/input_schema"));
        let output = collect(compiled(&version.output_schema, "/output_schema"));
        if !errors.is_empty() {
            return Err(FunctionError::Schema(errors));
        }
        Ok(Self { code: version.code.as_str().into(), version, input, output })
    }
    /// What a call makes of an input.
    pub(crate) fn coerced(&self, input: &Value) -> Value {
        let mut input = input.clone();
        if let Some(schema) = &self.version.input_schema {
            coerce(schema, &mut input);
        }
        input
    }

    /// Where a coerced input does not fit; pointers begin with `pointer`.
    pub(crate) fn misfits(&self, input: &Value, pointer: &str) -> Vec<FieldError> {
        self.input.as_ref().map(|schema| schema.violations(input, pointer)).unwrap_or_default()
    }
}
