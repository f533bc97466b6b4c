//! The console's files, embedded and pre-compressed by its build.

use axum::Router;
use axum::extract::{Path, Request};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use rust_embed::{EmbeddedFile, RustEmbed};

#[derive(RustEmbed)]
#[folder = "../../console/dist"]
#[allow_missing = true]
struct Files;

/// Nothing inline, nothing foreign.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; \
    img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const UNBUILT: &str = "<!doctype html><html lang=\"en\"><title>Safeconduct</title>\
    <h1>The console is not built in</h1><p>Run <code>make console</code> and start again. \
    The API works: see <a href=\"/api/v1/openapi.json\">its description</a>.</p></html>";

pub(crate) fn routes(public_url: &str) -> Router {
    let home = public_url.to_owned();
    let to_console = move |request: Request| {
        let home = home.clone();
        async move { canonical(&home, request.headers(), "/console/").into_response() }
    };
    let public_url = public_url.to_owned();
    Router::new()
        .route("/", get(to_console.clone()))
        .route("/console", get(to_console))
        .route("/console/", get(page_at_root))
        .route(
            "/console/{*path}",
            get(move |path, uri, headers| file(public_url.clone(), path, uri, headers)),
        )
}

async fn page_at_root(headers: HeaderMap) -> Response {
    serve("index.html", &headers)
}

async fn file(public_url: String, Path(path): Path<String>, uri: Uri, headers: HeaderMap) -> Response {
    if Files::get(&path).is_some() {
        return serve(&path, &headers);
    }
    if path.starts_with("assets/") {
        return StatusCode::NOT_FOUND.into_response();
    }
    // A page of the console. Under another loopback name the cookie would be another's.
    if host(&headers).is_some_and(|host| !public_url.ends_with(&format!("//{host}")) && is_loopback(host)) {
        let whole = uri.path_and_query().map_or("/console/", |whole| whole.as_str());
        return canonical(&public_url, &headers, whole).into_response();
    }
    serve("index.html", &headers)
}

/// The same page under the address that cookies and links are made for.
fn canonical(public_url: &str, headers: &HeaderMap, path: &str) -> Redirect {
    match host(headers) {
        Some(host) if is_loopback(host) => Redirect::temporary(&format!("{public_url}{path}")),
        _ => Redirect::temporary(path),
    }
}

fn host(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::HOST).and_then(|host| host.to_str().ok())
}

fn is_loopback(host: &str) -> bool {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    matches!(name, "localhost" | "127.0.0.1" | "[::1]")
}

fn serve(path: &str, headers: &HeaderMap) -> Response {
    let accepted =
        headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let packed = [("br", "br"), ("gzip", "gz")].into_iter().find_map(|(encoding, suffix)| {
        let wanted = accepted.split(',').any(|one| one.split(';').next().map(str::trim) == Some(encoding));
        let file = wanted.then(|| Files::get(&format!("{path}.{suffix}"))).flatten()?;
        Some((file, Some(encoding)))
    });
    match packed.or_else(|| Files::get(path).map(|file| (file, None))) {
        Some((file, encoding)) => answer(path, file, encoding),
        None => {
            let kind = [(header::CONTENT_TYPE, "text/html; charset=utf-8")];
            (StatusCode::SERVICE_UNAVAILABLE, kind, UNBUILT).into_response()
        }
    }
}

fn answer(path: &str, file: EmbeddedFile, encoding: Option<&'static str>) -> Response {
    let mut response = file.data.into_owned().into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind(path)));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    // Names under assets/ carry a hash of their content.
    let cache = if path.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    if let Some(encoding) = encoding {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    response
}

fn kind(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "json" => "application/json",
        _ => "application/octet-stream",
    }
}
