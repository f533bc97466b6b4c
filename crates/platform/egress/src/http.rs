//! One call over HTTP/1.1, on a connection of its own.

use std::time::Duration;

use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use hyper::{Method, Response, Uri};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;

use crate::{CALL, Destination, Egress, EgressError};

/// Documents of the kind that is asked for here are small.
const MOST: usize = 1024 * 1024;

/// What is asked.
pub struct Request<'a> {
    method: Method,
    url: &'a str,
    uri: Uri,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Bytes,
    /// Certificates (PEM) that are trusted besides, for this call.
    authorities: Option<&'a str>,
    /// Bytes that the answer may have.
    most: usize,
    /// For the whole of the call.
    pub(crate) within: Duration,
}

/// What came back, whole.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    /// Of `Content-Type` the type alone, in lower case.
    pub media_type: String,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    /// A header that is text.
    pub fn header(&self, name: HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

impl<'a> Request<'a> {
    pub fn get(url: &'a str) -> Result<Self, EgressError> {
        Self::new(Method::GET, url)
    }

    /// `body` is a form.
    pub fn post_form(url: &'a str, body: String) -> Result<Self, EgressError> {
        let form = HeaderValue::from_static("application/x-www-form-urlencoded");
        let mut request = Self::new(Method::POST, url)?;
        request.headers.push((CONTENT_TYPE, form));
        request.body = body.into();
        Ok(request)
    }

    /// `body` is JSON, if there is one.
    pub fn json(method: Method, url: &'a str, body: Option<&serde_json::Value>) -> Result<Self, EgressError> {
        let mut request = Self::new(method, url)?;
        if let Some(body) = body {
            request.headers.push((CONTENT_TYPE, HeaderValue::from_static("application/json")));
            request.body = body.to_string().into();
        }
        Ok(request)
    }

    /// `body` is whatever the other side takes; shared, not copied, by calls that are made again.
    pub fn bytes(method: Method, url: &'a str, body: Bytes) -> Result<Self, EgressError> {
        let mut request = Self::new(method, url)?;
        request.body = body;
        Ok(request)
    }

    /// Takes an answer of so many bytes; a megabyte if it is not said.
    pub fn answered_with(mut self, most: usize) -> Self {
        self.most = most;
        self
    }

    /// Waits so long for the whole of the answer; ten seconds if it is not said.
    pub fn within(mut self, span: Duration) -> Self {
        self.within = span;
        self
    }

    /// Trusts these certificates (PEM) too.
    pub fn trusting(mut self, authorities: &'a str) -> Self {
        self.authorities = Some(authorities);
        self
    }

    fn new(method: Method, url: &'a str) -> Result<Self, EgressError> {
        let wrong = || EgressError::Address(url.to_owned());
        let uri: Uri = url.parse().map_err(|_| wrong())?;
        let is_web = matches!(uri.scheme_str(), Some("http" | "https"));
        // A user part would be a credential in an address.
        let is_plain = uri.authority().is_some_and(|authority| !authority.as_str().contains('@'));
        if !is_web || !is_plain || uri.host().is_none_or(str::is_empty) {
            return Err(wrong());
        }
        Ok(Self {
            method,
            url,
            uri,
            headers: Vec::new(),
            body: Bytes::new(),
            authorities: None,
            most: MOST,
            within: CALL,
        })
    }

    /// A header; it is secret, whatever it is.
    pub fn with(mut self, name: HeaderName, value: &str) -> Result<Self, EgressError> {
        let mut value =
            HeaderValue::try_from(value).map_err(|_| EgressError::Address(self.url.to_owned()))?;
        value.set_sensitive(true);
        self.headers.push((name, value));
        Ok(self)
    }

    /// Without the brackets of an IPv6 address.
    pub(crate) fn host(&self) -> &str {
        self.uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']')
    }

    pub(crate) fn most(&self) -> usize {
        self.most
    }

    fn is_secure(&self) -> bool {
        self.uri.scheme_str() == Some("https")
    }
}

impl Egress {
    pub(crate) async fn exchange(
        &self,
        to: Destination,
        request: Request<'_>,
    ) -> Result<Answer, EgressError> {
        let (host, most) = (request.host().to_owned(), request.most);
        collect(self.open(to, request).await?, host, most).await
    }

    /// Asks, and answers when the head of the answer is there.
    pub(crate) async fn open(
        &self,
        to: Destination,
        request: Request<'_>,
    ) -> Result<Response<Incoming>, EgressError> {
        let host = request.host().to_owned();
        let port = request.uri.port_u16().unwrap_or(if request.is_secure() { 443 } else { 80 });
        let stream = self.connect(to, &host, port).await?;
        if !request.is_secure() {
            return send(stream, &host, request).await;
        }
        let name = ServerName::try_from(host.clone()).map_err(|_| EgressError::Address(host.clone()))?;
        let config = self.tls(request.authorities)?;
        let secured = TlsConnector::from(config).connect(name, stream).await;
        send(secured.map_err(|error| refused(&host, &error))?, &host, request).await
    }
}

/// Whether it was the certificate, which somebody can mend.
fn refused(host: &str, error: &std::io::Error) -> EgressError {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let host = host.to_owned();
    match inner {
        Some(rustls::Error::InvalidCertificate(reason)) => {
            EgressError::Certificate { host, reason: reason.to_string() }
        }
        _ => EgressError::Tls { host, reason: error.to_string() },
    }
}

async fn send<S>(stream: S, host: &str, request: Request<'_>) -> Result<Response<Incoming>, EgressError>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let http = |reason: String| EgressError::Http { host: host.to_owned(), reason };
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| http(error.to_string()))?;
    // Ends when the answer is read and the sender dropped.
    telemetry::spawn("egress connection", async move { drop(connection.await) });
    let authority = request.uri.authority().map_or("", |authority| authority.as_str());
    let path = request.uri.path_and_query().map_or("/", |path| path.as_str());
    let mut built =
        hyper::Request::builder().method(request.method.clone()).uri(path).header(HOST, authority);
    if !request.headers.iter().any(|(name, _)| *name == USER_AGENT) {
        built = built.header(USER_AGENT, concat!("safeconduct/", env!("CARGO_PKG_VERSION")));
    }
    for (name, value) in &request.headers {
        built = built.header(name, value);
    }
    let built = built.body(Full::new(request.body)).map_err(|error| http(error.to_string()))?;
    sender.send_request(built).await.map_err(|error| http(error.to_string()))
}

async fn collect(answer: Response<Incoming>, host: String, most: usize) -> Result<Answer, EgressError> {
    let (head, body) = answer.into_parts();
    let body = Limited::new(body, most).collect().await;
    let body = body.map_err(|error| match error.is::<LengthLimitError>() {
        true => EgressError::TooLarge { host, most },
        false => EgressError::Http { host, reason: error.to_string() },
    })?;
    let media_type = head.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    Ok(Answer {
        status: head.status.as_u16(),
        media_type,
        headers: head.headers,
        body: body.to_bytes().to_vec(),
    })
}
