//! Access tokens that renew themselves a minute before they end; however many wait, one asks.

use std::pin::Pin;
use std::time::Duration;

use serde_json::json;
use tokio::sync::{Mutex, OnceCell};
use tokio::time::Instant;
use zeroize::Zeroizing;

use crate::{Client, Error, SigningKey, TokenRequest};

/// How long before its end a token is replaced; of a short-lived one half its life.
const EARLY: Duration = Duration::from_secs(60);
/// How long an assertion may be used; it is used at once.
const ASSERTION_LIFETIME: u64 = 60;

/// An access token, just issued.
pub struct Token {
    pub access_token: Zeroizing<String>,
    /// Time that it has left; `None` if that is not known.
    pub expires_in: Option<Duration>,
}

/// What [`TokenSource::fetch`] gives.
pub type TokenFuture<'a> = Pin<Box<dyn Future<Output = Result<Token, Error>> + Send + 'a>>;

/// Where tokens come from. One task at a time asks.
pub trait TokenSource: Send + Sync {
    /// A new token; `client` leads to the same server without one.
    fn fetch<'a>(&'a self, client: &'a Client) -> TokenFuture<'a>;

    /// Whether asking again could give another token.
    fn renews(&self) -> bool {
        true
    }
}

/// The token in use and its source.
pub(crate) struct Tokens {
    source: Box<dyn TokenSource>,
    held: Mutex<Option<Held>>,
}

struct Held {
    token: Zeroizing<String>,
    renew_at: Option<Instant>,
    ends_at: Option<Instant>,
}

impl Tokens {
    pub(crate) fn new(source: impl TokenSource + 'static) -> Self {
        Self { source: Box::new(source), held: Mutex::new(None) }
    }

    pub(crate) async fn bearer(&self, client: &Client) -> Result<Zeroizing<String>, Error> {
        let mut held = self.held.lock().await;
        let now = Instant::now();
        if let Some(held) = &*held
            && held.renew_at.is_none_or(|at| now < at)
        {
            return Ok(held.token.clone());
        }
        match (self.source.fetch(&client.anonymous()).await, &*held) {
            (Ok(fresh), _) => Ok(held.insert(Held::of(fresh, now)).token.clone()),
            // A server that restarts costs nothing while the old token lives.
            (Err(error), Some(old))
                if error.is_passing() && old.ends_at.is_some_and(|end| Instant::now() < end) =>
            {
                Ok(old.token.clone())
            }
            (Err(error), _) => Err(error),
        }
    }

    /// Drops a token that was refused; says whether another may be had.
    pub(crate) async fn forget(&self, dead: &str) -> bool {
        let mut held = self.held.lock().await;
        if held.as_ref().is_some_and(|held| *held.token == *dead) {
            *held = None;
        }
        self.source.renews()
    }
}

impl Held {
    /// `asked_at` is before the server counted, so the life is never overrated.
    fn of(fresh: Token, asked_at: Instant) -> Self {
        let after = |span| asked_at.checked_add(span);
        Self {
            renew_at: fresh.expires_in.and_then(|life| after(life - EARLY.min(life / 2))),
            ends_at: fresh.expires_in.and_then(after),
            token: fresh.access_token,
        }
    }
}

/// A token from elsewhere, never renewed.
pub(crate) struct Fixed(Zeroizing<String>);

impl Fixed {
    pub(crate) fn new(token: impl Into<String>) -> Self {
        Self(Zeroizing::new(token.into()))
    }
}

impl TokenSource for Fixed {
    fn fetch<'a>(&'a self, _: &'a Client) -> TokenFuture<'a> {
        Box::pin(async { Ok(Token { access_token: self.0.clone(), expires_in: None }) })
    }

    fn renews(&self) -> bool {
        false
    }
}

/// `client_credentials` with a secret.
pub(crate) struct ClientSecret {
    client_id: String,
    secret: Zeroizing<String>,
}

impl ClientSecret {
    pub(crate) fn new(client_id: impl Into<String>, secret: impl Into<String>) -> Self {
        Self { client_id: client_id.into(), secret: Zeroizing::new(secret.into()) }
    }
}

impl TokenSource for ClientSecret {
    fn fetch<'a>(&'a self, client: &'a Client) -> TokenFuture<'a> {
        Box::pin(async {
            let issued =
                client.tokens().issue(&self.client_id, &self.secret, &TokenRequest::default()).await?;
            Ok(issued.into_token())
        })
    }
}

/// `client_credentials` with a signed assertion (RFC 7523).
pub(crate) struct PrivateKey {
    client_id: String,
    key: SigningKey,
    /// The issuer as it calls itself, which is what an assertion is meant for.
    issuer: OnceCell<String>,
}

impl PrivateKey {
    pub(crate) fn new(client_id: impl Into<String>, key: SigningKey) -> Self {
        Self { client_id: client_id.into(), key, issuer: OnceCell::new() }
    }
}

impl TokenSource for PrivateKey {
    fn fetch<'a>(&'a self, client: &'a Client) -> TokenFuture<'a> {
        Box::pin(async {
            let tokens = client.tokens();
            let issuer =
                self.issuer.get_or_try_init(|| async { tokens.metadata().await.map(|found| found.issuer) });
            let assertion = assertion(&self.client_id, &self.key, issuer.await?)?;
            Ok(tokens.issue_by_assertion(&assertion, &TokenRequest::default()).await?.into_token())
        })
    }
}

/// A person's refresh token, which changes with each use.
pub(crate) struct RefreshToken(Mutex<Zeroizing<String>>);

impl RefreshToken {
    pub(crate) fn new(token: impl Into<String>) -> Self {
        Self(Mutex::new(Zeroizing::new(token.into())))
    }
}

impl TokenSource for RefreshToken {
    fn fetch<'a>(&'a self, client: &'a Client) -> TokenFuture<'a> {
        Box::pin(async {
            let mut refresh = self.0.lock().await;
            let signed_in = client.auth().refresh(&refresh).await?;
            *refresh = Zeroizing::new(signed_in.refresh_token.clone());
            Ok(signed_in.token())
        })
    }
}

/// A single-use JWT by which the client says who it is.
pub(crate) fn assertion(client_id: &str, key: &SigningKey, issuer: &str) -> Result<String, Error> {
    let now = unix_seconds();
    let claims = json!({
        "iss": client_id,
        "sub": client_id,
        "aud": issuer,
        "iat": now,
        "exp": now + ASSERTION_LIFETIME,
        "jti": crate::call::random_text()?,
    });
    key.sign("JWT", &claims)
}

#[expect(
    clippy::disallowed_methods,
    reason = "an assertion states the wall-clock time, and this library has no other"
)]
fn unix_seconds() -> u64 {
    let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since_epoch.map_or(0, |span| span.as_secs())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    /// Gives `1`, `2`, …; may be told to fail.
    #[derive(Clone, Default)]
    struct Counter {
        asked: Arc<AtomicU32>,
        fails_from: Option<u32>,
        lifetime: Duration,
    }

    impl TokenSource for Counter {
        fn fetch<'a>(&'a self, _: &'a Client) -> TokenFuture<'a> {
            Box::pin(async {
                let number = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
                // Others get their turn, as over a network.
                tokio::task::yield_now().await;
                if self.fails_from.is_some_and(|from| number >= from) {
                    return Err(Error::new("unreachable", "The server cannot be reached", ""));
                }
                Ok(Token {
                    access_token: Zeroizing::new(number.to_string()),
                    expires_in: Some(self.lifetime),
                })
            })
        }
    }

    fn client() -> Client {
        Client::builder("http://127.0.0.1:1").build().unwrap()
    }

    async fn text(tokens: &Tokens) -> Option<String> {
        tokens.bearer(&client()).await.ok().map(|token| token.to_string())
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_is_replaced_a_minute_before_its_end() {
        let tokens = Tokens::new(Counter { lifetime: Duration::from_secs(600), ..Counter::default() });
        for (seconds, expected) in [(0, "1"), (539, "1"), (1, "2"), (539, "2"), (2, "3")] {
            tokio::time::advance(Duration::from_secs(seconds)).await;
            assert_eq!(text(&tokens).await.as_deref(), Some(expected), "after {seconds} s");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_short_life_is_used_by_half() {
        let tokens = Tokens::new(Counter { lifetime: Duration::from_secs(30), ..Counter::default() });
        for (seconds, expected) in [(0, "1"), (14, "1"), (1, "2")] {
            tokio::time::advance(Duration::from_secs(seconds)).await;
            assert_eq!(text(&tokens).await.as_deref(), Some(expected));
        }
    }

    #[tokio::test]
    async fn a_hundred_that_wait_cause_one_request() {
        let source = Counter { lifetime: Duration::from_secs(600), ..Counter::default() };
        let tokens = Tokens::new(source.clone());
        let client = client();
        let all = futures::future::join_all((0..100).map(|_| tokens.bearer(&client))).await;
        assert!(all.iter().all(|token| token.as_ref().is_ok_and(|token| token.as_str() == "1")));
        assert_eq!(source.asked.load(Ordering::SeqCst), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn while_the_server_is_away_the_old_token_is_used_to_its_end() {
        let tokens = Tokens::new(Counter {
            lifetime: Duration::from_secs(600),
            fails_from: Some(2),
            ..Counter::default()
        });
        for (seconds, expected) in [(0, Some("1")), (599, Some("1")), (1, None)] {
            tokio::time::advance(Duration::from_secs(seconds)).await;
            assert_eq!(text(&tokens).await.as_deref(), expected, "after {seconds} s");
        }
    }

    #[tokio::test]
    async fn only_the_refused_token_is_forgotten() {
        let tokens = Tokens::new(Counter { lifetime: Duration::from_secs(600), ..Counter::default() });
        assert_eq!(text(&tokens).await.as_deref(), Some("1"));
        assert!(tokens.forget("0").await, "a source that renews");
        assert_eq!(text(&tokens).await.as_deref(), Some("1"));
        tokens.forget("1").await;
        assert_eq!(text(&tokens).await.as_deref(), Some("2"));
        assert!(!Tokens::new(Fixed::new("x")).forget("x").await, "a fixed token is the only one");
    }
}
