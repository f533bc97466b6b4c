//! What others can shape never runs as us: functions' outputs, blobs, logos pass here on their way out.
//!
//! Headers by allow-list, a sandbox without same-origin, no sniffing, attachment unless the type is harmless.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;

/// Types that a browser may show in place. SVG is not among them: it carries script.
const SHOWN: [&str; 8] = [
    "text/plain",
    "application/json",
    "image/png",
    "image/jpeg",
    "image/gif",
    "image/webp",
    "audio/mpeg",
    "video/mp4",
];

const KEPT: [HeaderName; 6] = [
    header::CONTENT_TYPE,
    header::CONTENT_LENGTH,
    header::CONTENT_RANGE,
    header::ACCEPT_RANGES,
    header::ETAG,
    header::LAST_MODIFIED,
];

/// An answer whose body and headers somebody else shaped.
pub fn foreign_content(status: StatusCode, theirs: &HeaderMap, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    for name in KEPT {
        if let Some(value) = theirs.get(&name) {
            headers.insert(name, value.clone());
        }
    }
    let kind = theirs.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if !SHOWN.contains(&essence.as_str()) {
        headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment"));
    }
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox; default-src 'none'"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    );
    response
}

/// The same for a file that is to be kept, never shown, under the last part of its name.
pub fn foreign_file(status: StatusCode, theirs: &HeaderMap, name: &str, body: Body) -> Response {
    let mut response = foreign_content(status, theirs, body);
    response.headers_mut().insert(header::CONTENT_DISPOSITION, disposition(name));
    response
}

/// RFC 6266, with the name as RFC 8187 writes it and a plain one for clients that cannot read that.
fn disposition(name: &str) -> HeaderValue {
    let last = name.rsplit('/').next().unwrap_or_default();
    let harmless = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_');
    let plain: String = last.chars().map(|letter| if harmless(letter) { letter } else { '_' }).collect();
    let encoded: String = last
        .bytes()
        .map(|byte| match harmless(char::from(byte)) {
            true => char::from(byte).to_string(),
            false => format!("%{byte:02X}"),
        })
        .collect();
    let text = format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}");
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("attachment"))
}

/// What of a request may reach foreign code: never our cookie, never our authorization.
pub fn strip_ours(headers: &mut HeaderMap) {
    headers.remove(header::COOKIE);
    headers.remove(header::AUTHORIZATION);
    headers.remove("x-api-key");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(kind: &'static str) -> Response {
        let mut theirs = HeaderMap::new();
        theirs.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        theirs.insert(header::SET_COOKIE, HeaderValue::from_static("a=b"));
        theirs.insert("service-worker-allowed", HeaderValue::from_static("/"));
        theirs.insert("clear-site-data", HeaderValue::from_static("\"*\""));
        theirs.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        theirs.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("script-src *"));
        foreign_content(StatusCode::OK, &theirs, Body::empty())
    }

    #[test]
    fn only_listed_headers_pass_and_the_sandbox_is_ours() {
        let response = sent("text/html");
        for gone in ["set-cookie", "service-worker-allowed", "clear-site-data", "access-control-allow-origin"]
        {
            assert!(!response.headers().contains_key(gone), "{gone}");
        }
        let policy = response.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.starts_with("sandbox") && !policy.contains("allow-same-origin"));
    }

    #[test]
    fn html_and_svg_are_attachments_and_png_is_shown() {
        for (kind, attached) in [
            ("text/html", true),
            ("image/svg+xml", true),
            ("Text/HTML; charset=utf-8", true),
            ("image/png", false),
        ] {
            assert_eq!(sent(kind).headers().contains_key(header::CONTENT_DISPOSITION), attached, "{kind}");
        }
    }

    #[test]
    fn a_file_is_an_attachment_whatever_it_is_and_however_it_is_called() {
        let mut theirs = HeaderMap::new();
        theirs.insert(header::CONTENT_TYPE, HeaderValue::from_static("image/png"));
        let response = foreign_file(StatusCode::OK, &theirs, "a/b \"c\"; é.png", Body::empty());
        assert_eq!(
            response.headers()[header::CONTENT_DISPOSITION],
            "attachment; filename=\"b__c____.png\"; filename*=UTF-8''b%20%22c%22%3B%20%C3%A9.png"
        );
    }
}
