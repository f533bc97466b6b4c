//! One call: sent, tried again where that is safe, its answer read.

use std::time::Duration;

use aws_lc_rs::rand;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Response, Url};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::client::Client;
use crate::error::{Error, Headers};

/// Answers that are read whole; what may be longer is streamed.
const LONGEST_ANSWER: usize = 64 * 1024 * 1024;
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

pub(crate) struct Call<'a> {
    client: &'a Client,
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Bytes,
    /// Whether a second arrival does no second thing.
    repeatable: bool,
    timeout: Option<Duration>,
    /// What is wrong with the call before it is sent.
    flaw: Option<Error>,
}

impl<'a> Call<'a> {
    pub(crate) fn new(client: &'a Client, method: Method, url: Url) -> Self {
        // A second DELETE is refused where the first succeeded, so it is not sent blindly either.
        let repeatable = method == Method::GET;
        let timeout = Some(client.patience.timeout);
        let (headers, body) = (HeaderMap::new(), Bytes::new());
        Self { client, method, url, headers, body, repeatable, timeout, flaw: None }
    }

    #[cfg(test)]
    pub(crate) fn flaw(&self) -> Option<&Error> {
        self.flaw.as_ref()
    }

    /// A call that is not sent.
    pub(crate) fn flawed(self, flaw: Error) -> Self {
        Self { flaw: Some(flaw), ..self }
    }

    /// Adds the members that have a value.
    #[must_use]
    pub(crate) fn query(mut self, parameters: &impl Serialize) -> Self {
        match serde_urlencoded::to_string(parameters) {
            Ok(text) if text.is_empty() => {}
            Ok(text) => match self.url.query() {
                Some(query) => self.url.set_query(Some(&format!("{query}&{text}"))),
                None => self.url.set_query(Some(&text)),
            },
            Err(error) => self.flaw = Some(unwritable(error)),
        }
        self
    }

    #[must_use]
    pub(crate) fn json(mut self, body: &impl Serialize) -> Self {
        match serde_json::to_vec(body) {
            Ok(bytes) => self.body = bytes.into(),
            Err(error) => self.flaw = Some(unwritable(error)),
        }
        self.header(CONTENT_TYPE, "application/json")
    }

    /// A body of any kind.
    #[must_use]
    pub(crate) fn bytes(mut self, content_type: &str, body: Bytes) -> Self {
        self.body = body;
        self.header(CONTENT_TYPE, content_type)
    }

    #[must_use]
    pub(crate) fn form(mut self, body: &impl Serialize) -> Self {
        match serde_urlencoded::to_string(body) {
            Ok(text) => self.body = text.into(),
            Err(error) => self.flaw = Some(unwritable(error)),
        }
        self.header(CONTENT_TYPE, "application/x-www-form-urlencoded")
    }

    #[must_use]
    pub(crate) fn header(mut self, name: HeaderName, value: &str) -> Self {
        match HeaderValue::try_from(value) {
            Ok(mut value) => {
                value.set_sensitive(name == AUTHORIZATION);
                self.headers.insert(name, value);
            }
            Err(error) => self.flaw = Some(unwritable(error)),
        }
        self
    }

    /// Gives the call a key of its own: the server acts once, however often it arrives.
    #[must_use]
    pub(crate) fn once(self) -> Self {
        match random_text() {
            Ok(key) => self.once_by(&key),
            Err(error) => Self { flaw: Some(error), ..self },
        }
    }

    /// As [`Self::once`], with a key that the caller chose.
    #[must_use]
    pub(crate) fn once_by(self, key: &str) -> Self {
        Self { repeatable: true, ..self.header(IDEMPOTENCY_KEY, key) }
    }

    /// The change is made only if the thing still has this revision.
    #[must_use]
    pub(crate) fn if_revision(self, revision: Option<i64>) -> Self {
        match revision {
            Some(revision) => self.header(reqwest::header::IF_MATCH, &format!("\"{revision}\"")),
            None => self,
        }
    }

    #[must_use]
    pub(crate) fn timeout(mut self, timeout: Option<Duration>) -> Self {
        self.timeout = timeout;
        self
    }

    pub(crate) async fn answer<T: DeserializeOwned>(self) -> Result<T, Error> {
        let response = self.send().await?;
        let request_id = read_headers(response.headers()).request_id;
        let bytes = whole(response).await?;
        serde_json::from_slice(&bytes).map_err(|error| {
            let id = request_id.map(|id| format!(" (request {id})")).unwrap_or_default();
            let detail = format!(
                "The answer does not have the expected shape: {error}{id}. Are both versions the same?"
            );
            Error::new("unreadable_answer", "The answer could not be read", detail)
        })
    }

    pub(crate) async fn nothing(self) -> Result<(), Error> {
        whole(self.send().await?).await.map(drop)
    }

    /// The successful answer, its body not read yet.
    pub(crate) async fn send(self) -> Result<Response, Error> {
        if let Some(flaw) = self.flaw {
            return Err(flaw);
        }
        let mut renewed = false;
        let mut attempt = 1;
        loop {
            let bearer = match self.client.manager() {
                Some(tokens) if !self.headers.contains_key(AUTHORIZATION) => {
                    Some(tokens.bearer(&self.client.anonymous()).await?)
                }
                _ => None,
            };
            let error = match self.attempt(bearer.as_ref().map(|bearer| bearer.as_str())).await {
                Ok(response) => return Ok(response),
                Err(error) => error,
            };
            // A token dies early when its holder's rights change; a new one may do.
            if let (Some(tokens), Some(dead)) = (self.client.manager(), &bearer)
                && error.status() == Some(401)
                && !renewed
                && tokens.forget(dead).await
            {
                renewed = true;
                continue;
            }
            match self.wait_before_next(&error, attempt) {
                Some(wait) => tokio::time::sleep(wait).await,
                None => return Err(error),
            }
            attempt += 1;
        }
    }

    async fn attempt(&self, bearer: Option<&str>) -> Result<Response, Error> {
        let mut request =
            self.client.http().request(self.method.clone(), self.url.clone()).headers(self.headers.clone());
        if let Some(bearer) = bearer {
            request = request.bearer_auth(bearer);
        }
        if let Some(timeout) = self.timeout {
            request = request.timeout(timeout);
        }
        if !self.body.is_empty() {
            request = request.body(self.body.clone());
        }
        let response = request.send().await.map_err(|error| unreachable(&self.url, error))?;
        if response.status().is_success() {
            return Ok(response);
        }
        let (status, headers) = (response.status().as_u16(), read_headers(response.headers()));
        Err(Error::of_answer(status, &headers, &whole(response).await?))
    }

    /// How long to wait before the next attempt; none if this error stands.
    fn wait_before_next(&self, error: &Error, attempt: u32) -> Option<Duration> {
        let patience = &self.client.patience;
        if attempt >= patience.attempts {
            return None;
        }
        let again = match error.status() {
            // Refused before anything was done.
            Some(429) => true,
            Some(502..=504) => self.repeatable,
            // The same key is being worked on; its answer will be there soon.
            Some(409) => error.code() == "idempotency_in_flight",
            Some(_) => false,
            None => self.repeatable && error.is_unreachable() && error.code() != "timed_out",
        };
        if !again {
            return None;
        }
        let backoff = Duration::from_millis(100) * 2_u32.saturating_pow(attempt - 1);
        Some(error.retry_after().unwrap_or(backoff)).filter(|wait| *wait <= patience.longest_wait)
    }
}

/// 144 random bits.
pub(crate) fn random_text() -> Result<String, Error> {
    let mut bytes = [0; 18];
    let filled = rand::fill(&mut bytes);
    filled.map_err(|_| {
        Error::new("invalid_request", "The request cannot be made", "The system gives no randomness.")
    })?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

pub(crate) fn unreachable(url: &Url, error: reqwest::Error) -> Error {
    let origin = url.origin().ascii_serialization();
    // The address stands in the text once, without its query.
    let error = error.without_url();
    if error.is_timeout() && !error.is_connect() {
        let detail = format!("{origin} did not answer in time. What was asked for may still happen.");
        return Error::new("timed_out", "The server took too long", detail).because(error);
    }
    let detail = format!("{origin}: {}.", innermost(&error));
    Error::new("unreachable", "The server cannot be reached", detail).because(error)
}

/// The reason behind the wrappings, such as `Connection refused`.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut inner = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    inner.to_string()
}

fn unwritable(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    let detail = error.to_string();
    Error::new("invalid_request", "The request cannot be written", detail).because(error)
}

fn read_headers(headers: &HeaderMap) -> Headers {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    Headers {
        request_id: text("x-request-id").map(str::to_owned),
        retry_after: text("retry-after").and_then(|text| text.trim().parse().ok()).map(Duration::from_secs),
    }
}

async fn whole(mut response: Response) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let url = response.url().clone();
    while let Some(chunk) = response.chunk().await.map_err(|error| unreachable(&url, error))? {
        if bytes.len() + chunk.len() > LONGEST_ANSWER {
            let detail = "The answer is longer than 64 MB.";
            return Err(Error::new("unreadable_answer", "The answer could not be read", detail));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}
