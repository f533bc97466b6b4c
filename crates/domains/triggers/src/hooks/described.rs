//! The live hooks as an OpenAPI 3.1 document, for whoever is to call them; alone, and beside the functions that a caller may
//! execute.

use functions::Executable;
use serde_json::{Map, Value, json};

use super::model::{AuthenticationKind, Hook, InputMode, ResponseMode};

pub(crate) fn document(public_url: &str, slug: &str, hooks: &[Hook]) -> Value {
    let mut paths = Map::new();
    add_hooks(&mut paths, "", hooks);
    openapi(&format!("Hooks of {slug}"), &format!("{public_url}/o/{slug}/hooks"), paths)
}

/// What a caller may use of an organization: functions with their own schemas, and hooks.
pub(crate) fn mine(public_url: &str, slug: &str, functions: Vec<Executable>, hooks: &[Hook]) -> Value {
    let mut paths = Map::new();
    for function in functions {
        let path = format!("/api/v1/functions/{}:{}/execute", function.namespace, function.name);
        paths.insert(path, json!({ "post": execution(function) }));
    }
    add_hooks(&mut paths, &format!("/o/{slug}/hooks"), hooks);
    openapi(&format!("What you may use of {slug}"), public_url, paths)
}

fn execution(function: Executable) -> Value {
    let Executable { id, namespace, name, description, input_schema, output_schema } = function;
    let summary = description.lines().next().filter(|line| !line.is_empty()).map(str::to_owned);
    let input = schema(input_schema, &format!("urn:safeconduct:{id}:input"));
    let output = schema(output_schema, &format!("urn:safeconduct:{id}:output"));
    let run = json!({
        "type": "object",
        "required": ["id", "state"],
        "properties": { "id": { "type": "string" }, "state": { "type": "string" }, "output": output },
    });
    json!({
        "operationId": format!("{namespace}_{name}"),
        "summary": summary.unwrap_or_else(|| format!("{namespace}/{name}")),
        "security": [{ "token": [] }],
        "requestBody": { "required": true, "content": { "application/json": { "schema": {
            "type": "object", "required": ["input"], "properties": { "input": input },
        } } } },
        "responses": {
            "200": { "description": "The run at its end.", "content": { "application/json": { "schema": run } } },
            "202": { "description": "The run goes on; ask for it by its id." },
        },
    })
}

/// A schema as a document of its own, so that what it says of itself (`#/$defs/…`) stays true within another.
fn schema(schema: Option<Value>, id: &str) -> Value {
    match schema {
        Some(Value::Object(mut members)) => {
            members.insert("$id".to_owned(), id.into());
            Value::Object(members)
        }
        Some(other) => other,
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

fn openapi(title: &str, url: &str, paths: Map<String, Value>) -> Value {
    json!({
        "openapi": "3.1.0",
        "info": { "title": title, "version": "1" },
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
