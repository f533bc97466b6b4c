//! The live hooks as an OpenAPI 3.1 document, for whoever is to call them.

use serde_json::{Map, Value, json};

use super::model::{AuthenticationKind, Hook, InputMode, ResponseMode};

pub(crate) fn document(public_url: &str, slug: &str, hooks: &[Hook]) -> Value {
    let mut paths = Map::new();
    for hook in hooks {
        let path = paths.entry(format!("/{}", hook.path)).or_insert_with(|| json!({}));
        for method in &hook.methods {
            if let Some(path) = path.as_object_mut() {
                path.insert(method.name().to_ascii_lowercase(), operation(hook, method.name()));
            }
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": { "title": format!("Hooks of {slug}"), "version": "1" },
        "servers": [{ "url": format!("{public_url}/o/{slug}/hooks") }],
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
