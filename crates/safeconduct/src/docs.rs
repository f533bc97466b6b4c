//! `/docs`: the reference of this very server, made from its operations, and a page for each error code.

use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use rust_embed::RustEmbed;
use serde_json::Value;

#[derive(RustEmbed)]
#[folder = "../../docs/errors"]
struct Pages;

const POLICY: &str =
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const STYLE: &str = "
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
code, pre { font: 13px/1.4 ui-monospace, monospace; }
table { border-collapse: collapse; width: 100%; margin: 0 0 2rem; }
td { border-top: 1px solid #8884; padding: .4rem .6rem .4rem 0; vertical-align: top; }
td:first-child { width: 4rem; } small { opacity: .75; }
";

pub(crate) fn routes(document: &Value) -> Router {
    let reference = page("API reference", &reference(document));
    Router::new()
        .route("/docs", get(move || async move { html(reference) }))
        .route(
            "/docs/style.css",
            get(|| async { ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], STYLE) }),
        )
        .route("/docs/errors/{code}", get(error))
}

async fn error(Path(code): Path<String>) -> Response {
    let Some(file) = Pages::get(&format!("{code}.md")) else {
        return (
            StatusCode::NOT_FOUND,
            html(page("No such error", "<p>There is no error of this name.</p>")),
        )
            .into_response();
    };
    let text = String::from_utf8_lossy(&file.data);
    let mut body = String::new();
    pulldown_cmark::html::push_html(&mut body, pulldown_cmark::Parser::new(&text));
    html(page(&code, &body))
}

fn html(page: String) -> Response {
    let mut response = ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response();
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    response
}

fn page(title: &str, body: &str) -> String {
    let title = escape(title);
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title} · Safeconduct</title><link rel=\"stylesheet\" href=\"/docs/style.css\"><body>{body}</body></html>"
    )
}

/// Every operation, by noun: method, path, what it does, what it needs, what it leaves.
fn reference(document: &Value) -> String {
    let mut rows: Vec<(String, String)> = Vec::new();
    for (path, methods) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in methods.as_object().into_iter().flatten() {
            let id = operation["operationId"].as_str().unwrap_or_default();
            rows.push((id.to_owned(), row(path, method, id, operation)));
        }
    }
    rows.sort();
    let mut body = String::from(
        "<h1>API reference</h1><p>The machine-readable form is <a href=\"/api/v1/openapi.json\">openapi.json</a>. \
         Errors are problem details (RFC 9457); each code has a page.</p>",
    );
    let mut noun = String::new();
    for (id, row) in &rows {
        let of = id.split('.').next().unwrap_or_default();
        if noun != of {
            body.push_str(if noun.is_empty() { "" } else { "</table>" });
            body.push_str(&format!("<h2>{}</h2><table>", escape(of)));
            of.clone_into(&mut noun);
        }
        body.push_str(row);
    }
    body.push_str("</table>");
    body
}

fn row(path: &str, method: &str, id: &str, operation: &Value) -> String {
    let permission = operation["x-permission"].as_str().map(|text| format!("needs {text}"));
    let facts: Vec<&str> =
        operation["x-facts"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let facts = (!facts.is_empty()).then(|| format!("leaves {}", facts.join(", ")));
    let notes: Vec<String> = [permission, facts].into_iter().flatten().collect();
    format!(
        "<tr id=\"{id}\"><td><code>{}</code></td><td><code>{}</code><br>{}<br><small><code>{id}</code> {}</small></td></tr>",
        method.to_uppercase(),
        escape(path),
        escape(operation["summary"].as_str().unwrap_or_default()),
        escape(&notes.join(" · ")),
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
