//! Issuers as they describe themselves, and their keys; kept for some minutes per provider, so that nobody's document is
//! taken for another's.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crypto::jwk::Jwk;
use egress::{Destination, Egress, Request};
use parking_lot::Mutex;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use types::{AuthProviderId, Timestamp, World};

use super::Trouble;
use crate::EnabledProvider;
use crate::kind::Finding;

/// How long a document is believed without another look.
const FRESH: Duration = Duration::from_secs(600);
/// How often a key that nobody knows makes us look again; whoever invents names of keys asks no more than this.
const AGAIN: Duration = Duration::from_secs(30);
/// Issuers that are kept.
const MOST: usize = 10_000;
const MOST_KEYS: usize = 100;

/// The members of OpenID Connect Discovery 1.0 §3 and RFC 8414 that are used here.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Metadata {
    pub(crate) issuer: String,
    pub(crate) authorization_endpoint: Option<String>,
    pub(crate) token_endpoint: Option<String>,
    pub(crate) userinfo_endpoint: Option<String>,
    pub(crate) jwks_uri: Option<String>,
    #[serde(default)]
    pub(crate) token_endpoint_auth_methods_supported: Vec<String>,
    /// RFC 9207.
    #[serde(default)]
    pub(crate) authorization_response_iss_parameter_supported: bool,
}

impl Metadata {
    /// Of an issuer that does not describe itself.
    pub(crate) fn of_keys(issuer: &str, jwks_uri: &str) -> Self {
        Self {
            issuer: issuer.to_owned(),
            authorization_endpoint: None,
            token_endpoint: None,
            userinfo_endpoint: None,
            jwks_uri: Some(jwks_uri.to_owned()),
            token_endpoint_auth_methods_supported: Vec::new(),
            authorization_response_iss_parameter_supported: false,
        }
    }
}

#[derive(Clone)]
pub(crate) struct Issuers {
    egress: Egress,
    world: World,
    known: Arc<Mutex<HashMap<(AuthProviderId, String), Known>>>,
}

#[derive(Clone)]
struct Known {
    metadata: Arc<Metadata>,
    seen: Timestamp,
    keys: Option<(Arc<[Jwk]>, Timestamp)>,
}

impl Issuers {
    pub(crate) fn spoken_to_over(egress: Egress, world: World) -> Self {
        Self { egress, world, known: Arc::default() }
    }

    pub(crate) fn egress(&self) -> &Egress {
        &self.egress
    }

    /// The issuer's document, perhaps as it was minutes ago.
    pub(crate) async fn metadata(
        &self,
        provider: &EnabledProvider,
        issuer: &str,
    ) -> Result<Arc<Metadata>, Trouble> {
        let place = (provider.id(), issuer.to_owned());
        let now = self.world.now();
        if let Some(known) = self.known.lock().get(&place).filter(|known| now.since(known.seen) < FRESH) {
            return Ok(Arc::clone(&known.metadata));
        }
        let metadata = Arc::new(self.discover(provider.destination(), issuer).await?);
        let mut all = self.known.lock();
        if all.len() >= MOST {
            all.clear();
        }
        let keys = all.get(&place).and_then(|known| known.keys.clone());
        all.insert(place, Known { metadata: Arc::clone(&metadata), seen: now, keys });
        Ok(metadata)
    }

    /// A fresh look, for tests of a provider.
    pub(crate) async fn discover(&self, to: Destination, issuer: &str) -> Result<Metadata, Trouble> {
        let url = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let metadata: Metadata = self.json(to, &url).await?;
        if metadata.issuer != issuer {
            return Err(Trouble::WrongIssuer { expected: issuer.to_owned(), found: metadata.issuer });
        }
        let endpoints = [
            &metadata.authorization_endpoint,
            &metadata.token_endpoint,
            &metadata.userinfo_endpoint,
            &metadata.jwks_uri,
        ];
        endpoints.into_iter().flatten().try_for_each(|url| secure(url))?;
        Ok(metadata)
    }

    /// The keys among which one of this name may be; looks anew for a name that is not known, not too often.
    pub(crate) async fn keys(
        &self,
        provider: &EnabledProvider,
        metadata: &Metadata,
        kid: Option<&str>,
    ) -> Result<Arc<[Jwk]>, Trouble> {
        let place = (provider.id(), metadata.issuer.clone());
        let now = self.world.now();
        let kept = self.known.lock().get(&place).and_then(|known| known.keys.clone());
        if let Some((keys, seen)) = kept {
            let age = now.since(seen);
            let has = kid.is_none_or(|kid| keys.iter().any(|key| key.kid.as_deref() == Some(kid)));
            if age < AGAIN || (has && age < FRESH) {
                return Ok(keys);
            }
        }
        let keys = self.fetch_keys(provider.destination(), metadata).await?;
        let new = || Known { metadata: Arc::new(metadata.clone()), seen: now, keys: None };
        self.known.lock().entry(place).or_insert_with(new).keys = Some((Arc::clone(&keys), now));
        Ok(keys)
    }

    /// Whether there are keys that could verify something.
    pub(crate) async fn try_keys(&self, to: Destination, metadata: &Metadata) -> Finding {
        match self.fetch_keys(to, metadata).await {
            Ok(keys) if keys.is_empty() => {
                Finding::bad("keys", "The issuer has no key for signatures with ES256, EdDSA or RS256.")
            }
            Ok(keys) => Finding::good("keys", format!("The issuer has {} keys for signatures.", keys.len())),
            Err(trouble) => Finding::bad("keys", trouble.to_string()),
        }
    }

    /// Keys of other kinds, and those that are not for signatures, are left out.
    async fn fetch_keys(&self, to: Destination, metadata: &Metadata) -> Result<Arc<[Jwk]>, Trouble> {
        #[derive(Deserialize)]
        struct KeySet {
            keys: Vec<Value>,
        }
        let url = metadata.jwks_uri.as_deref().ok_or(Trouble::Missing("jwks_uri"))?;
        let set: KeySet = self.json(to, url).await?;
        let keys = set.keys.into_iter().take(MOST_KEYS);
        let keys = keys.filter_map(|key| serde_json::from_value::<Jwk>(key).ok());
        Ok(keys.filter(|key| key.usage.as_deref().is_none_or(|usage| usage == "sig")).collect())
    }

    async fn json<T: DeserializeOwned>(&self, to: Destination, url: &str) -> Result<T, Trouble> {
        secure(url)?;
        let answer = self.egress.call(to, Request::get(url)?).await?;
        if answer.status != 200 {
            return Err(Trouble::Status { url: url.to_owned(), status: answer.status });
        }
        serde_json::from_slice(&answer.body)
            .map_err(|error| Trouble::Json { url: url.to_owned(), reason: error.to_string() })
    }
}

/// TLS is what proves who an issuer is. On this very machine nobody stands between.
pub(crate) fn secure(url: &str) -> Result<(), Trouble> {
    let local = ["http://127.0.0.1", "http://localhost", "http://[::1]"];
    let is_local = |start: &&str| {
        url.strip_prefix(start).is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/', '?']))
    };
    match url.starts_with("https://") || local.iter().any(is_local) {
        true => Ok(()),
        false => Err(Trouble::Insecure(url.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn issuers_are_spoken_to_over_tls() {
        for fine in ["https://id.example", "http://127.0.0.1:8080/x", "http://localhost", "http://[::1]:1/"] {
            assert!(secure(fine).is_ok(), "{fine}");
        }
        for wrong in [
            "http://id.example",
            "http://127.0.0.1.evil.example",
            "http://localhost.evil.example",
            "http://127.0.0.1@evil.example",
            "ftp://id.example",
            "id.example",
            "",
        ] {
            assert!(secure(wrong).is_err(), "{wrong}");
        }
    }
}
