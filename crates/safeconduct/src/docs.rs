//! `/docs`: the reference of this very server, made from its operations, and a page for each error code.

mod reference;

use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use rust_embed::RustEmbed;
use serde_json::Value;

use crate::made::Made;

#[derive(RustEmbed)]
#[folder = "../../docs/errors"]
struct Pages;

const HTML: &str = "text/html; charset=utf-8";
const POLICY: &str =
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const STYLE: &str = "
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
code, pre { font: 13px/1.4 ui-monospace, monospace; overflow-wrap: anywhere; }
pre { background: #8882; padding: .6rem; overflow: auto; }
h3 { font-size: 1rem; margin: 1rem 0 .3rem; }
nav a { margin-right: .6rem; white-space: nowrap; }
details, section { border-top: 1px solid #8884; padding: .5rem 0; }
details[open] { padding-bottom: 1.5rem; }
summary { cursor: pointer; }
table { border-collapse: collapse; width: 100%; }
td { border-top: 1px solid #8882; padding: .3rem .8rem .3rem 0; vertical-align: top; overflow-wrap: anywhere; }
td:first-child { min-width: 8rem; } small { opacity: .75; }
";

pub(crate) fn routes(document: &Value) -> Router {
    let made = |title, body: &str| Made::new(HTML, page(title, body));
    let reference = made("API reference", &reference::page(document));
    let errors = made("Error codes", &every_error());
    Router::new()
        .route("/docs", get(move |headers: HeaderMap| async move { guarded(reference.answer(&headers)) }))
        .route("/docs/", get(|| async { Redirect::permanent("/docs") }))
        .route(
            "/docs/style.css",
            get(|| async { ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], STYLE) }),
        )
        .route("/docs/errors", get(move |headers: HeaderMap| async move { guarded(errors.answer(&headers)) }))
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

/// Each code with its page's first line.
fn every_error() -> String {
    let mut names: Vec<_> =
        Pages::iter().filter_map(|name| Some(name.strip_suffix(".md")?.to_owned())).collect();
    names.sort_unstable();
    let row = |code: &String| {
        let file = Pages::get(&format!("{code}.md")).map(|file| file.data).unwrap_or_default();
        let text = String::from_utf8_lossy(&file);
        let title = text.lines().next().and_then(|line| line.split_once(": ")).map_or("", |(_, title)| title);
        let code = escape(code);
        format!("<tr><td><a href=\"/docs/errors/{code}\"><code>{code}</code></a><td>{}", escape(title))
    };
    let rows: String = names.iter().map(row).collect();
    format!(
        "<h1>Error codes</h1><p>What <code>code</code> in a refusal can be. <a href=\"/docs\">API reference</a></p><table>{rows}</table>"
    )
}

fn html(page: String) -> Response {
    guarded(([(header::CONTENT_TYPE, HTML)], page).into_response())
}

fn guarded(mut response: Response) -> Response {
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

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
