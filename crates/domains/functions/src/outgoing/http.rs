//! `context.http`: the host makes the request, if a rule of the version allows it.
//!
//! Each redirect is asked for anew: rule, address, and whether a secret may go there. A placeholder of a redirect's own is never
//! filled in, or the server that sent it would choose what it is told.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use db::OrgScope;
use egress::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION};
use egress::{Answer, Destination, Egress, EgressError, Method, Request};
use named_secrets::{NamedSecret, NamedSecrets, Reading, SecretName, canonical};
use parking_lot::Mutex;
use sandbox::{HostCall, HostReply, LogLevel, LogLine, LogSource, Outside, Redactor};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::{OnceCell, mpsc};
use tokio::time::Instant;
use types::Secret;
use url::{Origin, Url};

use super::placeholder::{self, Kind, Values};
use super::rule::{EgressRule, HttpMethod, allowed};
use super::tally::Tally;

/// Requests of one run, redirects not counted.
const MOST_REQUESTS: u32 = 1000;
/// Bytes of bodies of one run, in both directions.
const MOST_BYTES: u64 = 64 << 20;
/// Of one body, in either direction.
const LARGEST_BODY: usize = 8 << 20;
const LARGEST_HEAD: usize = 64 << 10;
const MOST_HEADERS: usize = 64;
/// Each becomes a whole value: a body of nothing else would grow thousands of times.
const MOST_PLACEHOLDERS: usize = 64;
const MOST_REDIRECTS: usize = 3;
const LONGEST_WAIT: f64 = 120.0;
/// Refusals that are told in the log one by one.
const TOLD: u32 = 100;
/// What says how a message is carried is the host's to say.
const OURS: [&str; 11] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// A secret that requests of a run may hold.
pub(crate) struct Usable {
    pub(crate) secret: NamedSecret,
    /// Read when a request first needs it.
    pub(crate) value: OnceCell<Secret<String>>,
}

/// The way out of one run; clones share it.
#[derive(Clone)]
pub(crate) struct HttpDoor(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) egress: Egress,
    pub(crate) rules: Vec<EgressRule>,
    pub(crate) secrets: NamedSecrets,
    pub(crate) scope: OrgScope,
    pub(crate) usable: BTreeMap<SecretName, Usable>,
    pub(crate) reading: Reading,
    pub(crate) tally: Arc<Tally>,
    pub(crate) log: mpsc::Sender<LogLine>,
    /// Takes out what code never sees: of answers, and of what the log is told.
    pub(crate) hidden: Mutex<Redactor>,
    /// The same for what code was given, which the log must not show.
    pub(crate) given: Redactor,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    method: String,
    url: String,
    headers: Vec<(String, String)>,
    timeout: f64,
    redirects: bool,
    auth: Option<(String, String)>,
}

/// What is to be sent next.
struct Wanted {
    method: HttpMethod,
    url: Url,
    headers: Vec<(HeaderName, String)>,
    /// User and password of `Authorization: Basic`.
    auth: Option<(String, String)>,
    body: Vec<u8>,
    /// Whether the address is the function's own.
    is_first: bool,
}

/// Why there is no answer.
enum Refused {
    /// By a rule, a bound, or the address.
    Blocked(String),
    /// The request is none.
    Invalid(String),
    /// It was allowed, and came to nothing.
    Failed(String),
}

use Refused::{Blocked, Failed, Invalid};

impl Outside for HttpDoor {
    fn ask(&self, asked: HostCall) -> Pin<Box<dyn Future<Output = HostReply> + Send>> {
        let door = self.clone();
        Box::pin(async move { door.answer(asked).await })
    }
}

impl HttpDoor {
    pub(crate) fn new(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }

    async fn answer(&self, asked: HostCall) -> HostReply {
        let made = self.request(asked).await;
        let outcome = match &made {
            Ok(_) => "answered",
            Err(Blocked(_)) => "blocked",
            Err(Invalid(_)) => "invalid",
            Err(Failed(_)) => "failed",
        };
        metrics::counter!("safeconduct_function_requests_total", "outcome" => outcome).increment(1);
        match made {
            Ok((answer, url)) => self.told(&answer, &url),
            Err(refused) => {
                let (kind, text) = match refused {
                    Blocked(text) => ("blocked", text),
                    Invalid(text) => ("invalid", text),
                    Failed(text) => ("failed", text),
                };
                let text = self.0.hidden.lock().text(text);
                if kind == "blocked" {
                    self.log(&text).await;
                }
                HostReply { head: bytes(&json!({ kind: text })), body: Vec::new() }
            }
        }
    }

    fn told(&self, answer: &Answer, url: &Url) -> HostReply {
        let hidden = self.0.hidden.lock();
        let headers: Vec<(&str, String)> = answer
            .headers
            .iter()
            .map(|(name, value)| {
                (name.as_str(), hidden.text(String::from_utf8_lossy(value.as_bytes()).into_owned()))
            })
            .collect();
        let head =
            json!({ "status": answer.status, "url": hidden.text(url.to_string()), "headers": headers });
        HostReply { head: bytes(&head), body: hidden.bytes(&answer.body).into_owned() }
    }

    /// A line in the run's log for each refusal, up to a number.
    async fn log(&self, text: &str) {
        let count = self.0.tally.block();
        let text = match count {
            ..TOLD => format!("context.http was refused: {}", self.0.given.text(text.to_owned())),
            TOLD => "context.http was refused again; further refusals are not told here".to_owned(),
            _ => return,
        };
        let line = LogLine { source: LogSource::Sandbox, level: LogLevel::Warning, text, fields: None };
        // Who dropped the log does not want it.
        let _sent = self.0.log.send(line).await;
    }

    async fn request(&self, asked: HostCall) -> Result<(Answer, Url), Refused> {
        if self.0.tally.ask() > MOST_REQUESTS {
            return Err(Blocked(format!("this run has made its {MOST_REQUESTS} requests")));
        }
        let (mut wanted, head) = wanted(asked)?;
        let until = Instant::now() + Duration::from_secs_f64(head.timeout);
        for _ in 0..=MOST_REDIRECTS {
            let answer = self.hop(&wanted, until).await?;
            match redirect(&wanted, &answer)? {
                Some(next) if head.redirects => wanted = next,
                _ => return Ok((answer, wanted.url)),
            }
        }
        Err(Failed(format!("more than {MOST_REDIRECTS} redirects, the last one by {}", shown(&wanted.url))))
    }

    async fn hop(&self, wanted: &Wanted, until: Instant) -> Result<Answer, Refused> {
        let (method, place) = (wanted.method.name(), shown(&wanted.url));
        if !allowed(&self.0.rules, wanted.method, &wanted.url) {
            let why = if wanted.is_first { "" } else { ", which was redirected to," };
            return Err(Blocked(format!("no egress rule of this version allows {method} {place}{why}")));
        }
        let content_type = wanted.headers.iter().find(|(name, _)| *name == CONTENT_TYPE);
        let kind = Kind::of(content_type.map(|(_, value)| value.as_str()));
        let values = self.values(wanted, kind).await?;
        let mut url = wanted.url.clone();
        if wanted.is_first {
            placeholder::fill_query(&mut url, &values);
        }
        let body = placeholder::fill_body(kind, wanted.body.clone(), &values);
        if self.0.tally.carry(body.len()) > MOST_BYTES {
            return Err(Blocked(format!("this run has carried its {} MB", MOST_BYTES >> 20)));
        }
        let sent =
            Method::from_bytes(method.as_bytes()).map_err(|_| Invalid(format!("{method} is no method")))?;
        let mut request = Request::bytes(sent, url.as_str(), body.into())
            .map_err(|_| Invalid(format!("{place} is no address")))?
            .answered_with(LARGEST_BODY)
            .within(until.saturating_duration_since(Instant::now()));
        let headers = headers(wanted, &values)?;
        if let (Some((user, password)), Some((_, value))) = (&wanted.auth, headers.last())
            && let Some(name) = placeholder::names(&format!("{user}:{password}")).first()
        {
            // A server that answers what it was sent would show both in one spelling.
            let coded = value.trim_start_matches("Basic ").trim_end_matches('=');
            self.0.hidden.lock().add(name.as_str(), &Secret::new(coded.to_owned()));
        }
        for (name, value) in headers {
            request = request.with(name, &value).map_err(|_| Invalid(format!("{place} is no address")))?;
        }
        let answer = self.0.egress.call(Destination::Tenant, request).await.map_err(|error| match error {
            EgressError::Denied(_) => Blocked(format!("{method} {place}: {error}")),
            _ => Failed(format!("{method} {place}: {error}")),
        })?;
        self.0.tally.call(wanted.url.host_str().unwrap_or_default());
        if self.0.tally.carry(answer.body.len()) > MOST_BYTES {
            return Err(Blocked(format!("this run has carried its {} MB", MOST_BYTES >> 20)));
        }
        Ok(answer)
    }

    /// What stands for the placeholders of a request; none of it is read before all of it may be sent there.
    async fn values(&self, wanted: &Wanted, kind: Kind) -> Result<Values, Refused> {
        let mut names = placeholder::names_in_body(kind, &wanted.body);
        names.extend(wanted.headers.iter().flat_map(|(_, value)| placeholder::names(value)));
        names.extend(wanted.auth.iter().flat_map(|(user, password)| {
            [user, password].into_iter().flat_map(|text| placeholder::names(text))
        }));
        if wanted.is_first {
            names.extend(placeholder::names_in_query(&wanted.url));
        }
        if names.len() > MOST_PLACEHOLDERS {
            return Err(Invalid(format!("a request has at most {MOST_PLACEHOLDERS} placeholders")));
        }
        for name in &names {
            self.may_go(name, &wanted.url)?;
        }
        let mut values = Values::new();
        for name in names {
            if let Some(usable) = self.0.usable.get(&name) {
                values.insert(name, self.value(usable).await?);
            }
        }
        Ok(values)
    }

    fn may_go(&self, name: &SecretName, url: &Url) -> Result<(), Refused> {
        let place = shown(url);
        let Some(Usable { secret, .. }) = self.0.usable.get(name) else {
            return Err(Blocked(format!(
                "the request to {place} names the secret {name}, which this version does not"
            )));
        };
        if url.scheme() != "https" {
            return Err(Blocked(format!("the secret {name} goes over https only, not to {place}")));
        }
        let host = url.host_str().and_then(canonical).unwrap_or_default();
        if secret.is_bound() && !secret.hosts.iter().any(|pattern| pattern.covers(&host)) {
            return Err(Blocked(format!("the secret {name} is not for {place}")));
        }
        Ok(())
    }

    async fn value(&self, usable: &Usable) -> Result<Secret<String>, Refused> {
        let Inner { secrets, scope, reading, .. } = &*self.0;
        let (secret, name) = (&usable.secret, usable.secret.name.as_str());
        let read = || async {
            let value = secrets.read(scope, secret, reading).await?;
            if secret.is_bound() {
                self.0.hidden.lock().add(name, &value);
            }
            Ok::<_, named_secrets::SecretError>(value)
        };
        let value = usable.value.get_or_try_init(read).await.map_err(|error| {
            tracing::warn!(%error, secret = name, "a secret of a run cannot be read");
            Failed(format!("the secret {name} cannot be read now"))
        })?;
        Ok(value.clone())
    }
}

/// What tenant code asked for, if that is a request.
fn wanted(asked: HostCall) -> Result<(Wanted, Head), Refused> {
    let invalid = |text: &str| Err(Invalid(text.to_owned()));
    if asked.service != 1 || asked.head.len() > LARGEST_HEAD || asked.body.len() > LARGEST_BODY {
        return invalid("a request has at most 64 KB of address and headers, and 8 MB of body");
    }
    let head: Head = serde_json::from_slice(&asked.head).map_err(|error| Invalid(error.to_string()))?;
    let Some(method) = HttpMethod::parse(&head.method) else {
        return invalid("the method is none of GET, HEAD, POST, PUT, PATCH, DELETE and OPTIONS");
    };
    if !(head.timeout > 0.0 && head.timeout <= LONGEST_WAIT) {
        return invalid("timeout is more than 0 and at most 120 seconds");
    }
    // A reader of addresses leaves these out, so that another one reads another address.
    if head.url.chars().any(|letter| letter.is_control() || letter.is_whitespace() || letter == '\\') {
        return invalid("the address holds spaces, control characters or backslashes; encode them");
    }
    let Ok(url) = Url::parse(&head.url) else {
        return invalid("the address is none; write it whole, as https://…");
    };
    if head.headers.len() > MOST_HEADERS {
        return invalid("a request has at most 64 headers");
    }
    let mut headers = Vec::with_capacity(head.headers.len());
    for (name, value) in &head.headers {
        let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else {
            return Err(Invalid(format!("{name:?} is no name of a header")));
        };
        if OURS.contains(&name.as_str()) {
            return Err(Invalid(format!("the header {name} is not the function's to set")));
        }
        headers.push((name, value.clone()));
    }
    let wanted = Wanted {
        method,
        url: plain(url)?,
        headers,
        auth: head.auth.clone(),
        body: asked.body,
        is_first: true,
    };
    Ok((wanted, head))
}

/// An address without user and fragment.
fn plain(mut url: Url) -> Result<Url, Refused> {
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Invalid("the address holds a user; give auth=(user, password)".to_owned()));
    }
    url.set_fragment(None);
    if let Some(host) = url.host_str().and_then(|host| host.strip_suffix('.')).map(str::to_owned) {
        url.set_host(Some(&host)).map_err(|_| Invalid("the address has no host".to_owned()))?;
    }
    Ok(url)
}

fn headers(wanted: &Wanted, values: &Values) -> Result<Vec<(HeaderName, String)>, Refused> {
    let mut headers: Vec<(HeaderName, String)> =
        wanted.headers.iter().map(|(name, value)| (name.clone(), placeholder::fill(value, values))).collect();
    if let Some((user, password)) = &wanted.auth {
        let both = format!("{}:{}", placeholder::fill(user, values), placeholder::fill(password, values));
        let name = egress::header::AUTHORIZATION;
        headers.retain(|(other, _)| *other != name);
        headers.push((name, format!("Basic {}", STANDARD.encode(both))));
    }
    match headers.iter().find(|(_, value)| HeaderValue::try_from(value).is_err()) {
        Some((name, _)) => {
            Err(Invalid(format!("the header {name} holds what no header may, such as a line break")))
        }
        None => Ok(headers),
    }
}

/// Where the answer leads, if it leads anywhere.
fn redirect(wanted: &Wanted, answer: &Answer) -> Result<Option<Wanted>, Refused> {
    let Some(to) = location(answer.status, &answer.headers) else { return Ok(None) };
    let place = shown(&wanted.url);
    let url = wanted.url.join(to).map_err(|_| Failed(format!("{place} redirects to what is no address")))?;
    let url = plain(url).map_err(|_| Failed(format!("{place} redirects to an address with a user")))?;
    let becomes_get = match answer.status {
        303 => wanted.method != HttpMethod::Head,
        301 | 302 => wanted.method == HttpMethod::Post,
        _ => false,
    };
    let stays = same_origin(&wanted.url.origin(), &url.origin());
    let is_kept = |(name, value): &&(HeaderName, String)| {
        let of_body = becomes_get && name.as_str().starts_with("content-");
        let credential =
            matches!(name.as_str(), "authorization" | "cookie") || !placeholder::names(value).is_empty();
        !of_body && (stays || !credential)
    };
    Ok(Some(Wanted {
        method: if becomes_get { HttpMethod::Get } else { wanted.method },
        url,
        headers: wanted.headers.iter().filter(is_kept).cloned().collect(),
        auth: wanted.auth.clone().filter(|_| stays),
        body: if becomes_get { Vec::new() } else { wanted.body.clone() },
        is_first: false,
    }))
}

fn location(status: u16, headers: &HeaderMap) -> Option<&str> {
    if !matches!(status, 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    headers.get(LOCATION)?.to_str().ok()
}

fn same_origin(one: &Origin, other: &Origin) -> bool {
    one.is_tuple() && one == other
}

/// An address as messages show it: without the query, which may hold what is nobody else's.
fn shown(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{}{port}{}", url.scheme(), url.host_str().unwrap_or_default(), url.path())
}

fn bytes(head: &Value) -> Vec<u8> {
    head.to_string().into_bytes()
}
