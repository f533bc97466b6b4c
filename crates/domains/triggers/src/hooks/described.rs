//! What is there to be called, as OpenAPI 3.1 documents: the live hooks, for those who send to them; and all that one caller may
//! use, functions with their own types among it.

use functions::Executable;
use serde_json::{Map, Value, json};

use super::model::{AuthenticationKind, Hook, InputMode, ResponseMode};

/// Schemas in one document, as JSON; each has at most 64 KB.
const SCHEMAS: usize = 4 << 20;

pub(crate) fn document(public_url: &str, slug: &str, hooks: &[Hook]) -> Value {
    let mut paths = Map::new();
    add_hooks(&mut paths, "", hooks);
    openapi(
        json!({ "title": format!("Hooks of {slug}"), "version": "1" }),
        &format!("{public_url}/o/{slug}/hooks"),
        paths,
    )
}

/// What a caller may use; `is_whole` if these are all.
pub(crate) fn mine(
    public_url: &str,
    slug: &str,
    functions: &[Executable],
    hooks: &[Hook],
    is_whole: bool,
) -> Value {
    let mut paths = Map::new();
    let (mut bytes, mut is_whole) = (0, is_whole);
    for function in functions {
        bytes += size(&function.input_schema) + size(&function.output_schema);
        if bytes > SCHEMAS {
            is_whole = false;
            break;
        }
        let path = format!("/api/v1/functions/{}:{}/execute", function.namespace, function.name);
        paths.insert(path, json!({ "post": execution(function) }));
    }
    add_hooks(&mut paths, &format!("/o/{slug}/hooks"), hooks);
    let mut info = json!({ "title": format!("What you may use of {slug}"), "version": "1" });
    if !is_whole {
        info["description"] = "There is more than one document holds: these are the newest.".into();
    }
    openapi(info, public_url, paths)
}

fn size(schema: &Option<Value>) -> usize {
    schema.as_ref().map_or(0, |schema| schema.to_string().len())
}

fn execution(function: &Executable) -> Value {
    let Executable { id, namespace, name, description, input_schema, output_schema } = function;
    let summary = description.lines().next().filter(|line| !line.is_empty()).map(str::to_owned);
    let run = json!({
        "type": "object",
        "required": ["id", "state"],
        "properties": {
            "id": { "type": "string" },
            "state": { "type": "string" },
            "output": embedded(output_schema, &format!("urn:safeconduct:{id}:output")),
        },
    });
    let asked = json!({
        "type": "object",
        "required": ["input"],
        "properties": { "input": embedded(input_schema, &format!("urn:safeconduct:{id}:input")) },
    });
    json!({
        // Neither part has a dot, and ids of hooks' operations have none.
        "operationId": format!("{namespace}.{name}"),
        "summary": summary.unwrap_or_else(|| format!("{namespace}/{name}")),
        "security": [{ "token": [] }],
        "requestBody": { "required": true, "content": { "application/json": { "schema": asked } } },
        "responses": {
            "200": { "description": "The run at its end.", "content": { "application/json": { "schema": run } } },
            "202": { "description": "The run goes on; ask for it by its id." },
        },
    })
}

/// A schema as a document of its own, so that what it says of itself (`#/$defs/…`) stays true within another.
fn embedded(schema: &Option<Value>, id: &str) -> Value {
    match schema {
        Some(Value::Object(members)) => {
            let mut members = members.clone();
            members.insert("$id".to_owned(), id.into());
            Value::Object(members)
        }
        Some(other) => other.clone(),
        None => json!({}),
    }
}

fn add_hooks(paths: &mut Map<String, Value>, before: &str, hooks: &[Hook]) {
    for hook in hooks {
        let path = paths.entry(format!("{before}/{}", hook.path)).or_insert_with(|| json!({}));
        for method in &hook.methods {
            if let Some(path) = path.as_object_mut() {
                path.insert(method.name().to_ascii_lowercase(), operation(hook, method.name()));
            }
        }
    }
}

fn openapi(info: Value, url: &str, paths: Map<String, Value>) -> Value {
    json!({
        "openapi": "3.1.0",
        "info": info,
        "servers": [{ "url": url }],
        "paths": paths,
        "components": { "securitySchemes": {
            "token": { "type": "http", "scheme": "bearer" },
            "basic": { "type": "http", "scheme": "basic" },
        } },
    })
}

fn operation(hook: &Hook, method: &str) -> Value {
    let names = hook.path.as_str().split('/').filter_map(|one| one.strip_prefix('{')?.strip_suffix('}'));
    let parameters: Vec<Value> = names
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
        .collect();
    let (status, says) = match hook.response {
        ResponseMode::Async => ("202", "Accepted; the run's id."),
        ResponseMode::Sync => ("200", "The function's result; 202 with the run's id where it takes long."),
        ResponseMode::Mapped => ("default", "As the function says."),
    };
    let mut operation = json!({
        "operationId": format!("{}_{}", hook.id, method.to_ascii_lowercase()),
        "summary": hook.description.lines().next().filter(|line| !line.is_empty()).unwrap_or(hook.path.as_str()),
        "parameters": parameters,
        "responses": { status: { "description": says } },
    });
    match hook.authentication.kind {
        AuthenticationKind::Token => operation["security"] = json!([{ "token": [] }]),
        AuthenticationKind::Basic => operation["security"] = json!([{ "basic": [] }]),
        AuthenticationKind::Hmac => {
            operation["x-safeconduct-signature"] = json!(hook.authentication);
        }
        AuthenticationKind::None => {}
    }
    if method != "GET" && hook.input.mode == InputMode::Body {
        operation["requestBody"] =
            json!({ "content": { "application/json": { "schema": { "type": "object" } } } });
    }
    operation
}
