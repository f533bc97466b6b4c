//! The authorization server: issue, introspect, revoke; and what a token was used for.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures::Stream;
use reqwest::header::AUTHORIZATION;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::token::{self, Token};
use crate::{Client, Error, Page, SigningKey, Time, page};

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// RFC 6749 §5.1. No `Debug`: it holds a secret.
#[derive(Clone, Serialize, Deserialize)]
pub struct IssuedToken {
    pub access_token: String,
    pub token_type: String,
    /// Seconds.
    pub expires_in: u64,
    /// What the token lets through; may be less than what was asked for.
    pub scope: String,
}

/// What the server says of itself (RFC 8414), as far as this library reads it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Metadata {
    pub issuer: String,
    pub token_endpoint: String,
    pub jwks_uri: String,
    #[serde(flatten)]
    pub further: Map<String, Value>,
}

/// RFC 7517 §5.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeySet {
    pub keys: Vec<Value>,
}

/// RFC 7662: `active`, and of an active token what it says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Introspection {
    pub active: bool,
    #[serde(flatten)]
    pub claims: Map<String, Value>,
}

/// One fact that names a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenAct {
    pub id: String,
    pub occurred_at: Time,
    pub kind: String,
    pub outcome: String,
    pub actor: TokenActor,
    pub target: Option<TokenTarget>,
    pub request: Option<String>,
    pub run: Option<String>,
    pub txn: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenActor {
    pub kind: String,
    pub id: Option<String>,
    pub display: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenTarget {
    #[serde(rename = "type")]
    pub kind: String,
    pub id: String,
    pub name: String,
}

/// Narrows a token before it is made.
#[derive(Clone, Debug, Default, Serialize)]
pub struct TokenRequest {
    /// Permissions parted by spaces; everything held if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The audience (RFC 8707); the management API if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
}

impl IssuedToken {
    pub(crate) fn into_token(self) -> Token {
        let expires_in = Some(Duration::from_secs(self.expires_in));
        Token { access_token: Zeroizing::new(self.access_token), expires_in }
    }
}

/// `client.tokens()`.
#[derive(Clone, Copy)]
pub struct Tokens<'a> {
    client: &'a Client,
    /// Of the organization whose issuer is meant; the home organization's if none.
    slug: Option<&'a str>,
}

impl Client {
    pub fn tokens(&self) -> Tokens<'_> {
        self.tokens_of(None)
    }

    /// The issuer of the organization with this slug.
    pub fn tokens_of<'a>(&'a self, slug: Option<&'a str>) -> Tokens<'a> {
        Tokens { client: self, slug }
    }
}

impl<'a> Tokens<'a> {
    pub async fn metadata(&self) -> Result<Metadata, Error> {
        self.client.get(&self.path(&[".well-known", "oauth-authorization-server"])).answer().await
    }

    /// The keys that tokens are checked with (RFC 7517), each a JWK.
    pub async fn keys(&self) -> Result<KeySet, Error> {
        self.client.get(&self.path(&[".well-known", "jwks.json"])).answer().await
    }

    /// `client_credentials` with an agent's secret, shown by HTTP Basic.
    pub async fn issue(
        &self,
        client_id: &str,
        secret: &str,
        wanted: &TokenRequest,
    ) -> Result<IssuedToken, Error> {
        let escaped =
            |text: &str| serde_urlencoded::to_string([("", text)]).unwrap_or_default()[1..].to_owned();
        let pair = Zeroizing::new(format!("{}:{}", escaped(client_id), escaped(secret)));
        let basic = Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())));
        let form = Form { grant_type: "client_credentials", wanted };
        self.ask("token").header(AUTHORIZATION, &basic).form(&form).answer().await
    }

    /// `client_credentials` with an agent's private key.
    pub async fn issue_by_key(
        &self,
        client_id: &str,
        key: &SigningKey,
        wanted: &TokenRequest,
    ) -> Result<IssuedToken, Error> {
        let issuer = self.metadata().await?.issuer;
        self.issue_by_assertion(&token::assertion(client_id, key, &issuer)?, wanted).await
    }

    pub(crate) async fn issue_by_assertion(
        &self,
        assertion: &str,
        wanted: &TokenRequest,
    ) -> Result<IssuedToken, Error> {
        let form = AssertionForm {
            grant_type: "client_credentials",
            client_assertion_type: ASSERTION_TYPE,
            client_assertion: assertion,
            wanted,
        };
        self.ask("token").form(&form).answer().await
    }

    /// What a token is worth, as far as the caller may know.
    pub async fn introspect(&self, token: &str) -> Result<Introspection, Error> {
        self.ask("introspect").form(&[("token", token)]).answer().await
    }

    /// Voids a token before its time. A refresh token ends its session and needs no further proof.
    pub async fn revoke(&self, token: &str) -> Result<(), Error> {
        self.ask("revoke").form(&[("token", token)]).nothing().await
    }

    /// What a token was used for, newest first.
    pub async fn activity(
        &self,
        jti: &str,
        limit: Option<u32>,
        cursor: Option<&str>,
    ) -> Result<Page<TokenAct>, Error> {
        let query = (
            limit.map(|limit| ("limit", limit.to_string())),
            cursor.map(|cursor| ("cursor", cursor.to_owned())),
        );
        let query: Vec<_> = query.0.into_iter().chain(query.1).collect();
        self.client.get(&["api", "v1", "tokens", jti, "activity"]).query(&query).answer().await
    }

    /// Everything that a token was used for.
    pub fn activities(&self, jti: &'a str) -> impl Stream<Item = Result<TokenAct, Error>> + 'a {
        let tokens = *self;
        page::all(None, move |cursor| async move { tokens.activity(jti, Some(200), cursor.as_deref()).await })
    }

    fn ask(&self, endpoint: &str) -> crate::call::Call<'a> {
        self.client.post(&self.path(&["oauth2", endpoint]))
    }

    fn path<'b>(&self, rest: &[&'b str]) -> Vec<&'b str>
    where
        'a: 'b,
    {
        match self.slug {
            Some(slug) => [&["o", slug], rest].concat(),
            None => rest.to_vec(),
        }
    }
}

#[derive(Serialize)]
struct Form<'a> {
    grant_type: &'a str,
    #[serde(flatten)]
    wanted: &'a TokenRequest,
}

#[derive(Serialize)]
struct AssertionForm<'a> {
    grant_type: &'a str,
    client_assertion_type: &'a str,
    client_assertion: &'a str,
    #[serde(flatten)]
    wanted: &'a TokenRequest,
}
