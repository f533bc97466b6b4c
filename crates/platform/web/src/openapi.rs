//! The OpenAPI 3.1 document, from the operations themselves.

use std::collections::BTreeMap;

use problem::Code;
use serde_json::{Map, Value, json};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;
use utoipa::{PartialSchema, ToSchema};

use crate::{Access, Nothing, Operation, Spec, StepUp};

type Schemas = Vec<(String, RefOr<Schema>)>;

/// One mounted operation, described.
pub struct Described {
    pub spec: &'static Spec,
    summary: &'static str,
    body: Option<Value>,
    query: Value,
    answer: Option<Value>,
    schemas: Schemas,
}

/// Refusals that any operation may answer with.
const SHARED: [&Code; 8] = [
    &problem::MALFORMED_REQUEST,
    &problem::UNAUTHENTICATED,
    &problem::PERMISSION_DENIED,
    &problem::NOT_FOUND,
    &problem::VALIDATION_FAILED,
    &problem::RATE_LIMITED,
    &problem::INTERNAL,
    &problem::DATABASE_UNAVAILABLE,
];

impl Described {
    pub(crate) fn of<O: Operation>() -> Self {
        let mut schemas = Schemas::new();
        let body = reference::<O::Body>(&mut schemas);
        let answer = reference::<O::Answer>(&mut schemas);
        let query = serde_json::to_value(O::Query::schema()).unwrap_or_default();
        O::Query::schemas(&mut schemas);
        Self { spec: O::spec(), summary: O::SUMMARY, body, query, answer, schemas }
    }

    /// The schema of a successful answer, with everything it refers to; for tests. None of what is no JSON.
    pub fn answer_schema(&self) -> Option<Value> {
        let mut schema = self.answer.clone().filter(|_| self.spec.form.answer.ends_with("json"))?;
        schema["components"] = json!({ "schemas": components(&self.schemas) });
        Some(schema)
    }

    /// Every named schema that this operation refers to.
    pub fn named_schemas(&self) -> BTreeMap<String, Value> {
        components(&self.schemas)
    }

    fn operation(&self) -> Value {
        let spec = self.spec;
        let mut operation = json!({
            "operationId": spec.id,
            "summary": self.summary,
            "tags": [spec.id.split('.').next().unwrap_or_default()],
            "parameters": self.parameters(),
            "responses": self.responses(),
            "x-facts": spec.facts.iter().map(|fact| fact.name).collect::<Vec<_>>(),
        });
        match spec.access {
            Access::Open => operation["security"] = json!([]),
            Access::SignedIn => {}
            Access::Holding(permission) => operation["x-permission"] = json!(permission),
        }
        if spec.step_up == StepUp::Always {
            operation["x-step-up"] = json!(true);
        }
        if spec.in_person && spec.access != Access::Open {
            operation["x-in-person"] = json!(true);
        }
        if let Some(body) = &self.body {
            let mut content = json!({ "schema": body });
            if let Ok(example) = serde_json::from_str::<Value>(spec.example) {
                content["example"] = example;
            }
            operation["requestBody"] = json!({ "required": true, "content": { spec.form.body: content } });
        }
        operation
    }

    fn parameters(&self) -> Vec<Value> {
        let segments = self.spec.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        let mut parameters: Vec<Value> = segments
            .map(|name| {
                let name = name.trim_start_matches('*');
                json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } })
            })
            .collect();
        let required: Vec<&str> =
            self.query["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let properties = self.query["properties"].as_object().cloned().unwrap_or_default();
        for (name, mut schema) in properties {
            let description = schema.as_object_mut().and_then(|schema| schema.remove("description"));
            let mut parameter = json!({
                "name": name, "in": "query", "required": required.contains(&name.as_str()), "schema": schema,
            });
            if let Some(description) = description {
                parameter["description"] = description;
            }
            parameters.push(parameter);
        }
        if self.spec.idempotent {
            parameters.push(json!({ "$ref": "#/components/parameters/IdempotencyKey" }));
        }
        parameters
    }

    fn responses(&self) -> Value {
        let mut success = json!({ "description": self.summary });
        if let Some(answer) = &self.answer {
            success["content"] = json!({ self.spec.form.answer: { "schema": answer } });
        }
        let mut by_status: BTreeMap<u16, Vec<&str>> = BTreeMap::new();
        let shared = SHARED.iter().filter(|_| self.spec.form.shares_refusals);
        for code in shared.chain(self.spec.errors) {
            let listed = by_status.entry(code.status).or_default();
            if !listed.contains(&code.name) {
                listed.push(code.name);
            }
        }
        let mut responses = Map::new();
        responses.insert(self.spec.status.to_string(), success);
        for (status, codes) in by_status {
            let refusal = &self.spec.form.refusal;
            let schema = json!({ "$ref": format!("#/components/schemas/{}", refusal.schema.0) });
            let content = json!({ refusal.media: { "schema": schema } });
            responses.insert(
                status.to_string(),
                json!({ "description": codes.join(", "), "content": content, "x-codes": codes }),
            );
        }
        Value::Object(responses)
    }
}

/// The whole document.
pub fn document(operations: &[Described]) -> Value {
    let mut paths: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    let mut schemas = BTreeMap::new();
    for described in operations {
        let method = described.spec.method.name().to_lowercase();
        // The rest of a path is a parameter like any other; whoever encodes its slashes is understood, too.
        let path = described.spec.path.replace("{*", "{");
        paths.entry(path).or_default().insert(method, described.operation());
        schemas.extend(components(&described.schemas));
        let (name, schema) = described.spec.form.refusal.schema;
        schemas.entry(name.to_owned()).or_insert_with(schema);
    }
    schemas.insert(
        "FieldError".to_owned(),
        serde_json::to_value(problem::FieldError::schema()).unwrap_or_default(),
    );
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Safeconduct",
            "description": "Control plane for AI agents: identity, authority, acts, ledger.",
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "parameters": { "IdempotencyKey": {
                "name": "Idempotency-Key", "in": "header", "required": false,
                "description": "A repeat with the same key within 24 hours replays the first answer.",
                "schema": { "type": "string", "maxLength": 255 },
            } },
            "securitySchemes": {
                "bearer": { "type": "http", "scheme": "bearer", "bearerFormat": "at+jwt" },
                "session": { "type": "apiKey", "in": "cookie", "name": "__Host-safeconduct" },
            },
        },
        "security": [{ "bearer": [] }, { "session": [] }],
    })
}

/// A self-contained schema of the body, to check requests with.
pub(crate) fn body_schema<O: Operation>() -> Value {
    schema_of::<O::Body>()
}

/// A self-contained schema of a type.
pub(crate) fn schema_of<T: ToSchema + 'static>() -> Value {
    let mut schemas = Schemas::new();
    let mut schema = reference::<T>(&mut schemas).unwrap_or_default();
    schema["components"] = json!({ "schemas": components(&schemas) });
    schema
}

fn reference<T: ToSchema + 'static>(schemas: &mut Schemas) -> Option<Value> {
    if std::any::TypeId::of::<T>() == std::any::TypeId::of::<Nothing>() {
        return None;
    }
    schemas.push((T::name().into_owned(), T::schema()));
    T::schemas(schemas);
    Some(json!({ "$ref": format!("#/components/schemas/{}", T::name()) }))
}

fn components(schemas: &Schemas) -> BTreeMap<String, Value> {
    schemas
        .iter()
        .map(|(name, schema)| (name.clone(), serde_json::to_value(schema).unwrap_or_default()))
        .collect()
}
