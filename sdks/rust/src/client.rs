//! The way to one server.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use reqwest::redirect::Policy;

use crate::call::Call;
use crate::token::{ClientSecret, Fixed, PrivateKey, RefreshToken, Tokens};
use crate::{Error, SigningKey, TokenSource};

/// Speaks to one server as one principal. Clones share connections and tokens.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: Url,
    tokens: Option<Arc<Tokens>>,
    pub(crate) patience: Patience,
}

/// How long a call may take and how often it is tried.
#[derive(Clone, Copy)]
pub(crate) struct Patience {
    pub(crate) timeout: Duration,
    pub(crate) attempts: u32,
    /// The longest wait that a server may ask for between attempts.
    pub(crate) longest_wait: Duration,
}

/// Settings of a [`Client`].
pub struct ClientBuilder {
    url: String,
    plain_http: bool,
    user_agent: String,
    patience: Patience,
    tokens: Option<Tokens>,
}

impl Client {
    /// `url` is the server's public address, such as `https://safeconduct.example`.
    pub fn builder(url: impl Into<String>) -> ClientBuilder {
        ClientBuilder {
            url: url.into(),
            plain_http: false,
            user_agent: concat!("safeconduct-client-rust/", env!("CARGO_PKG_VERSION")).to_owned(),
            patience: Patience {
                timeout: Duration::from_secs(30),
                attempts: 4,
                longest_wait: Duration::from_secs(20),
            },
            tokens: None,
        }
    }

    /// The address of the server, without a slash at its end.
    pub fn url(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }

    /// The same way, without a token.
    #[must_use]
    pub fn anonymous(&self) -> Self {
        Self { tokens: None, ..self.clone() }
    }

    /// The same way with this access token, which is not renewed.
    #[must_use]
    pub fn with_token(&self, access_token: impl Into<String>) -> Self {
        self.with_tokens(Tokens::new(Fixed::new(access_token)))
    }

    /// The same way as the agent that holds this secret.
    #[must_use]
    pub fn with_client_secret(&self, client_id: impl Into<String>, secret: impl Into<String>) -> Self {
        self.with_tokens(Tokens::new(ClientSecret::new(client_id, secret)))
    }

    /// The same way as the agent that holds this key (`private_key_jwt`).
    #[must_use]
    pub fn with_private_key(&self, client_id: impl Into<String>, key: SigningKey) -> Self {
        self.with_tokens(Tokens::new(PrivateKey::new(client_id, key)))
    }

    /// The same way with tokens from elsewhere.
    #[must_use]
    pub fn with_token_source(&self, source: impl TokenSource + 'static) -> Self {
        self.with_tokens(Tokens::new(source))
    }

    /// A token that is good for a minute at least, unless its whole life is shorter; `None` for an anonymous client.
    pub async fn access_token(&self) -> Result<Option<String>, Error> {
        match &self.tokens {
            None => Ok(None),
            Some(tokens) => tokens.bearer(self).await.map(|token| Some(token.to_string())),
        }
    }

    fn with_tokens(&self, tokens: Tokens) -> Self {
        Self { tokens: Some(Arc::new(tokens)), ..self.clone() }
    }

    pub(crate) fn manager(&self) -> Option<&Tokens> {
        self.tokens.as_deref()
    }

    pub(crate) fn http(&self) -> &reqwest::Client {
        &self.http
    }

    pub(crate) fn get<'a>(&'a self, path: &[&str]) -> Call<'a> {
        self.call(reqwest::Method::GET, path)
    }

    pub(crate) fn post<'a>(&'a self, path: &[&str]) -> Call<'a> {
        self.call(reqwest::Method::POST, path)
    }

    pub(crate) fn put<'a>(&'a self, path: &[&str]) -> Call<'a> {
        self.call(reqwest::Method::PUT, path)
    }

    pub(crate) fn patch<'a>(&'a self, path: &[&str]) -> Call<'a> {
        self.call(reqwest::Method::PATCH, path)
    }

    pub(crate) fn delete<'a>(&'a self, path: &[&str]) -> Call<'a> {
        self.call(reqwest::Method::DELETE, path)
    }

    /// An address leaves `.` and `..` out of itself (WHATWG URL, path state), also escaped: it would lead elsewhere.
    fn call<'a>(&'a self, method: reqwest::Method, path: &[&str]) -> Call<'a> {
        let call = Call::new(self, method, self.address(path));
        match path.iter().find(|segment| matches!(**segment, "." | "..")) {
            Some(segment) => call.flawed(Error::new(
                "unreachable_path",
                "No address leads there",
                format!("`{segment}` cannot stand between slashes in an address. Choose another name."),
            )),
            None => call,
        }
    }

    /// Each segment is escaped, so that no id reaches another path.
    fn address(&self, path: &[&str]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        url
    }
}

impl ClientBuilder {
    /// Lets tokens and secrets travel in the clear to a host that is not this machine.
    #[must_use]
    pub fn allow_plain_http(mut self, allow: bool) -> Self {
        self.plain_http = allow;
        self
    }

    #[must_use]
    pub fn user_agent(mut self, name: impl Into<String>) -> Self {
        self.user_agent = name.into();
        self
    }

    /// For a whole call, all attempts apart; 30 seconds if not said. Streams have none.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.patience.timeout = timeout;
        self
    }

    /// How often a call that may be repeated is tried; 4 if not said.
    #[must_use]
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.patience.attempts = attempts.max(1);
        self
    }

    /// An access token, which is not renewed.
    #[must_use]
    pub fn token(mut self, access_token: impl Into<String>) -> Self {
        self.tokens = Some(Tokens::new(Fixed::new(access_token)));
        self
    }

    /// An agent's secret.
    #[must_use]
    pub fn client_secret(mut self, client_id: impl Into<String>, secret: impl Into<String>) -> Self {
        self.tokens = Some(Tokens::new(ClientSecret::new(client_id, secret)));
        self
    }

    /// An agent's private key.
    #[must_use]
    pub fn private_key(mut self, client_id: impl Into<String>, key: SigningKey) -> Self {
        self.tokens = Some(Tokens::new(PrivateKey::new(client_id, key)));
        self
    }

    /// A person's refresh token. It changes with each use; to keep it between processes write a [`TokenSource`].
    #[must_use]
    pub fn refresh_token(mut self, token: impl Into<String>) -> Self {
        self.tokens = Some(Tokens::new(RefreshToken::new(token)));
        self
    }

    #[must_use]
    pub fn token_source(mut self, source: impl TokenSource + 'static) -> Self {
        self.tokens = Some(Tokens::new(source));
        self
    }

    /// # Errors
    /// `invalid_url`, or `plain_http` where secrets would travel in the clear.
    pub fn build(self) -> Result<Client, Error> {
        let base = self.base()?;
        let http = reqwest::Client::builder()
            .user_agent(self.user_agent)
            .connect_timeout(Duration::from_secs(5))
            // A token must not follow to where somebody points; this API redirects nowhere.
            .redirect(Policy::none())
            .no_proxy()
            .build()
            .map_err(|error| Error::new("unreachable", "The client cannot start", error.to_string()))?;
        let tokens = self.tokens.map(Arc::new);
        Ok(Client { http, base, tokens, patience: self.patience })
    }

    fn base(&self) -> Result<Url, Error> {
        let invalid = |detail: &str| {
            Error::new(
                "invalid_url",
                "The server's address is not valid",
                format!("{detail}: {:?}", self.url),
            )
        };
        let mut url = Url::parse(self.url.trim()).map_err(|_| invalid("expected http://… or https://…"))?;
        url.set_fragment(None);
        url.set_query(None);
        if !matches!(url.scheme(), "http" | "https") {
            return Err(invalid("expected http://… or https://…"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(invalid("an address holds no login; sign in instead"));
        }
        if url.scheme() == "http" && !self.plain_http && !is_this_machine(&url) {
            let detail = "Tokens would travel in the clear to another machine.";
            return Err(Error::new("plain_http", "The address is not encrypted", detail));
        }
        Ok(url)
    }
}

fn is_this_machine(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    match address {
        Ok(address) => address.is_loopback(),
        Err(_) => host == "localhost" || host.ends_with(".localhost"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn build(url: &str) -> Result<Client, String> {
        Client::builder(url).build().map_err(|error| error.code().to_owned())
    }

    #[test]
    fn plain_http_stays_on_this_machine_unless_allowed() {
        for url in
            ["http://127.0.0.1:7717", "http://localhost:7717/", "http://[::1]:7717", "https://sc.example"]
        {
            assert!(build(url).is_ok(), "{url}");
        }
        for url in [
            "http://sc.example",
            "http://10.0.0.7",
            "http://localhost.evil.example",
            "http://127.0.0.1.nip.io",
        ] {
            assert_eq!(build(url).err().as_deref(), Some("plain_http"), "{url}");
            assert!(Client::builder(url).allow_plain_http(true).build().is_ok());
        }
        for url in ["", "127.0.0.1:7717", "ftp://sc.example", "https://user:secret@sc.example"] {
            assert_eq!(build(url).err().as_deref(), Some("invalid_url"), "{url}");
        }
    }

    #[test]
    fn segments_cannot_leave_their_place() {
        let client = build("https://sc.example/under/").unwrap();
        assert_eq!(client.url(), "https://sc.example/under");
        let call = |segment| client.address(&["api", "v1", "agents", segment]).to_string();
        assert_eq!(call("ops:reporter"), "https://sc.example/under/api/v1/agents/ops:reporter");
        assert_eq!(call("a/../b?c#d"), "https://sc.example/under/api/v1/agents/a%2F..%2Fb%3Fc%23d");
        for odd in [".", ".."] {
            let flaw =
                client.call(reqwest::Method::GET, &["api", "v1", "state", "notes", "entries", "a", odd, "b"]);
            assert_eq!(flaw.flaw().map(Error::code), Some("unreachable_path"), "{odd} would lead elsewhere");
        }
    }
}
