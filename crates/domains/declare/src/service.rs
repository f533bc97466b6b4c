//! The facade, and what its parts share.

use std::sync::Arc;

use db::Db;
use ledger::Ledger;
use manifest::AnySection;
use secrets::Keyring;
use serde_json::{Map, Value, json};
use types::World;
use web::Shape;

use crate::document::{self, Document, KIND, SECTIONS, Source, VERSION};
use crate::model::Finding;

/// What declarations stand on in this process.
pub struct DeclareGround {
    pub db: Db,
    pub ledger: Ledger,
    pub keyring: Keyring,
    pub world: World,
    /// What the domains bring.
    pub sections: Vec<Arc<dyn AnySection>>,
}

/// Configuration as files; clones share it.
#[derive(Clone)]
pub struct Declare(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) db: Db,
    pub(crate) ledger: Ledger,
    pub(crate) keyring: Keyring,
    pub(crate) world: World,
    /// In the order in which their things are made.
    pub(crate) sections: Vec<Registered>,
}

pub(crate) struct Registered {
    pub(crate) section: Arc<dyn AnySection>,
    pub(crate) shape: Shape,
}

impl Declare {
    /// Fails if a section's own schema does not compile.
    pub fn new(ground: DeclareGround) -> Result<Self, String> {
        let DeclareGround { db, ledger, keyring, world, mut sections } = ground;
        let place = |name: &str| SECTIONS.iter().position(|section| *section == name);
        sections.sort_by_key(|section| place(section.name()).unwrap_or(SECTIONS.len()));
        let registered = |section: Arc<dyn AnySection>| {
            let shape = section.shape().map_err(|error| format!("section {}: {error}", section.name()))?;
            Ok::<_, String>(Registered { section, shape })
        };
        let sections = sections.into_iter().map(registered).collect::<Result<_, _>>()?;
        Ok(Self(Arc::new(Inner { db, ledger, keyring, world, sections })))
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.0
    }

    pub(crate) fn read(&self, source: &Source) -> Result<Document, Vec<Finding>> {
        document::read(&self.0.sections, source)
    }

    /// JSON Schema of documents, for editors.
    pub(crate) fn schema(&self) -> Value {
        let (mut properties, mut components) = (Map::new(), Map::new());
        for Registered { section, shape } in &self.0.sections {
            let schema = shape.schema();
            let named = schema["components"]["schemas"].as_object().cloned().unwrap_or_default();
            components.extend(named);
            let entry = json!({ "$ref": schema["$ref"] });
            properties
                .insert(section.name().to_owned(), json!({ "type": ["array", "null"], "items": entry }));
        }
        json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": "Configuration of Safeconduct",
            "type": "object",
            "required": ["apiVersion", "kind", "metadata", "spec"],
            "additionalProperties": false,
            "properties": {
                "apiVersion": { "const": VERSION },
                "kind": { "const": KIND },
                "metadata": {
                    "type": "object", "required": ["name"], "additionalProperties": false,
                    "properties": {
                        "name": { "type": "string", "pattern": "^[a-z][a-z0-9_.-]{0,62}$" },
                        "description": { "type": "string" },
                    },
                },
                "spec": { "type": ["object", "null"], "additionalProperties": false, "properties": properties },
            },
            "components": { "schemas": components },
        })
    }
}
