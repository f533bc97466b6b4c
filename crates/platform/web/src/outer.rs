//! The outermost layer: request id, caller's address, security headers, problems completed, one log line per request.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{ConnectInfo, MatchedPath, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Version, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use problem::{MALFORMED_REQUEST, METHOD_NOT_ALLOWED, Problem, UNKNOWN_ROUTE};
use types::{RequestId, World};

use crate::form::{Form, HOUSE};
use crate::rejection::{Unfinished, finish};
use crate::small::with_small_body;
use crate::{Contact, Peer, Refusal};

/// Which peers may say for whom they speak.
#[derive(Clone, Default)]
pub struct Outer {
    pub world: Option<World>,
    pub trusted_proxies: Arc<[IpAddr]>,
    /// Under TLS (or behind a trusted proxy that ends it) HSTS is sent.
    pub secure: bool,
    /// Below which paths refusals take another form than ours.
    pub forms: &'static [(&'static str, &'static Form)],
}

impl Outer {
    fn form(&self, path: &str) -> &'static Form {
        let found = self.forms.iter().find(|(prefix, _)| path.starts_with(prefix));
        found.map_or(HOUSE, |(_, form)| form)
    }
}

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Headers that every answer carries unless its handler chose stricter ones.
const SECURITY: [(HeaderName, &str); 5] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

pub(crate) async fn outer(outer: Outer, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let contact = contact(&outer, &request);
    let request_id = contact.request_id.clone();
    let method = request.method().clone();
    let route =
        request.extensions().get::<MatchedPath>().map_or("unmatched".into(), |path| path.as_str().to_owned());
    let form = outer.form(request.uri().path());
    request.extensions_mut().insert(contact);
    let readable = match names_its_host(&request) {
        true => with_small_body(request).await,
        false => Err(Problem::new(&MALFORMED_REQUEST, "Send one Host header (RFC 9112 §3.2).")),
    };
    let response = match readable {
        Ok(request) => next.run(request).await,
        Err(problem) => Refusal(problem).into_response(),
    };
    let mut response = complete(response, form, &request_id);
    for (name, value) in SECURITY {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    if outer.secure {
        let hsts = HeaderValue::from_static("max-age=31536000");
        response.headers_mut().entry(header::STRICT_TRANSPORT_SECURITY).or_insert(hsts);
    }
    if let Ok(value) = HeaderValue::try_from(request_id.as_str()) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    let status = response.status().as_u16();
    let elapsed = started.elapsed();
    metrics::histogram!("safeconduct_http_seconds", "route" => route.clone(), "status" => status.to_string())
        .record(elapsed);
    tracing::info!(request_id, %method, route, status, micros = elapsed.as_micros() as u64, "request");
    response
}

fn complete(mut response: Response, form: &Form, request_id: &str) -> Response {
    if let Some(Unfinished(problem)) = response.extensions_mut().remove::<Unfinished>() {
        let mut finished = finish(&problem, form, request_id);
        // Rate-limit headers were added on the way out.
        for (name, value) in response.headers() {
            finished.headers_mut().entry(name.clone()).or_insert(value.clone());
        }
        return finished;
    }
    let is_bare = !response.headers().contains_key(header::CONTENT_TYPE);
    match response.status() {
        StatusCode::METHOD_NOT_ALLOWED if is_bare => {
            let allow = response.headers().get(header::ALLOW).cloned();
            let problem = Problem::new(&METHOD_NOT_ALLOWED, "Use a method from Allow.");
            let mut finished = finish(&problem, form, request_id);
            if let Some(allow) = allow {
                finished.headers_mut().insert(header::ALLOW, allow);
            }
            finished
        }
        _ => response,
    }
}

fn names_its_host(request: &Request) -> bool {
    match request.headers().get_all(header::HOST).iter().count() {
        0 => request.version() != Version::HTTP_11 || request.uri().authority().is_some(),
        hosts => hosts == 1,
    }
}

/// Answers paths that nothing is mounted on.
pub(crate) async fn unknown_route() -> crate::Refusal {
    Problem::new(&UNKNOWN_ROUTE, "Nothing lives at this path. The reference is at /docs.").into()
}

fn contact(outer: &Outer, request: &Request) -> Contact {
    let headers = request.headers();
    let peer = request.extensions().get::<ConnectInfo<Peer>>().map(|info| info.0);
    let request: Option<RequestId> = outer.world.as_ref().map(World::id);
    let request_id = sent_id(headers).or_else(|| request.map(|id| id.to_string())).unwrap_or_default();
    let user_agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    Contact {
        peer,
        ip: address(outer, peer, headers),
        user_agent: user_agent.map(|text| text.chars().take(256).collect()),
        request_id,
        request,
        run: None,
    }
}

/// The caller's own request id if it is 1 to 128 harmless characters.
fn sent_id(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(REQUEST_ID)?.to_str().ok()?;
    let harmless = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':');
    ((1..=128).contains(&text.len()) && text.bytes().all(harmless)).then(|| text.to_owned())
}

/// The last address in `X-Forwarded-For` that is no trusted proxy – read only when the peer is one.
fn address(outer: &Outer, peer: Option<Peer>, headers: &HeaderMap) -> Option<IpAddr> {
    let Some(Peer::Network(peer)) = peer else { return None };
    let peer = peer.ip().to_canonical();
    let is_trusted = |ip: &IpAddr| outer.trusted_proxies.contains(ip);
    if !is_trusted(&peer) {
        return Some(peer);
    }
    let forwarded = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
    let hops: Vec<IpAddr> = forwarded
        .flat_map(|line| line.split(','))
        .filter_map(|text| text.trim().parse::<IpAddr>().ok())
        .map(|ip| ip.to_canonical())
        .collect();
    hops.into_iter().rev().find(|ip| !is_trusted(ip)).or(Some(peer))
}
