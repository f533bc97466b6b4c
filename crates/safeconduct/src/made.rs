//! A page that is made once at the start and sent many times: with an ETag (RFC 9110 §8.8.3), and packed where that is understood.

use std::io::Write;
use std::sync::{Arc, OnceLock};

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use crypto::hash::sha256;
use flate2::Compression;
use flate2::write::GzEncoder;

#[derive(Clone)]
pub(crate) struct Made(Arc<Inner>);

struct Inner {
    text: String,
    kind: &'static str,
    tag: HeaderValue,
    /// Packed when somebody first asks for it: the start does not wait.
    packed: OnceLock<Vec<u8>>,
}

impl Made {
    pub(crate) fn new(kind: &'static str, text: String) -> Self {
        let tag = format!("\"{}\"", hex::encode(sha256(text.as_bytes())));
        let tag = HeaderValue::try_from(tag).unwrap_or(HeaderValue::from_static("\"\""));
        Self(Arc::new(Inner { text, kind, tag, packed: OnceLock::new() }))
    }

    pub(crate) fn answer(&self, headers: &HeaderMap) -> Response {
        let made = &*self.0;
        let says = |name, word: &str| {
            let value =
                headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok()).unwrap_or_default();
            value.split(',').any(|one| one.split(';').next().map(str::trim) == Some(word))
        };
        let known = says(header::IF_NONE_MATCH, made.tag.to_str().unwrap_or_default());
        let packed = says(header::ACCEPT_ENCODING, "gzip");
        let mut response = match (known, packed) {
            (true, _) => StatusCode::NOT_MODIFIED.into_response(),
            (false, true) => made.packed.get_or_init(|| pack(&made.text)).clone().into_response(),
            (false, false) => made.text.clone().into_response(),
        };
        let headers = response.headers_mut();
        headers.insert(header::ETAG, made.tag.clone());
        headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        if !known {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(made.kind));
            if packed {
                headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            }
        }
        response
    }
}

fn pack(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    // Neither call can fail: the writer is memory.
    let _ = encoder.write_all(text.as_bytes());
    encoder.finish().unwrap_or_default()
}
