//! The documented schema of a type, held against JSON that did not come as a body.

use problem::FieldError;
use serde::de::DeserializeOwned;
use serde_json::Value;
use utoipa::ToSchema;

use crate::complaint;
use crate::openapi::schema_of;

/// A type's schema, compiled.
pub struct Shape {
    schema: Value,
    validator: jsonschema::Validator,
}

impl Shape {
    /// Our own schemas compile; one that did not is a mistake of ours and named as such.
    pub fn of<T: ToSchema + 'static>() -> Result<Self, String> {
        let schema = schema_of::<T>();
        let validator = jsonschema::validator_for(&schema).map_err(|error| error.to_string())?;
        Ok(Self { schema, validator })
    }

    /// Self-contained: what it refers to stands under `components/schemas`.
    pub fn schema(&self) -> &Value {
        &self.schema
    }

    /// All that is wrong, by JSON pointer; at most `most`.
    pub fn complaints(&self, value: &Value, most: usize) -> Vec<FieldError> {
        let errors = self.validator.iter_errors(value);
        errors.flat_map(|error| complaint::complaints(&error)).take(most).collect()
    }

    /// The value as the type that the schema is of.
    pub fn read<T: DeserializeOwned>(value: Value) -> Result<T, FieldError> {
        serde_path_to_error::deserialize(value).map_err(|error| complaint::of_body(&error))
    }
}
