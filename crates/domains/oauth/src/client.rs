//! Who asks at a protocol endpoint: client authentication by Basic, post (RFC 6749 §2.3.1) and private_key_jwt.
//!
//! Whatever is wrong, the caller reads the same sentence; the reason goes to the ledger.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use agents::{Credential, Proof, Standing, Status};
use axum::http::{HeaderMap, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use crypto::jws::VerifyingKey;
use crypto::machine_secret::{MachineSecret, SecretForm};
use parking_lot::RwLock;
use types::{AgentId, CredentialId, Timestamp};

use crate::Oauth;
use crate::assertion::{self, Assertion};
use crate::error::{OAuthError, invalid_client, invalid_request};
use crate::form::Form;
use crate::issuer::Issuer;
use crate::store::SingleUse;

/// A client that proved itself.
pub(crate) struct Proven {
    pub(crate) standing: Arc<Standing>,
    pub(crate) credential: Arc<Credential>,
    pub(crate) method: &'static str,
    /// The assertion that must not prove anything again; goes into the write that the proof leads to.
    pub(crate) single_use: Option<SingleUse>,
}

/// How a client wants to be known.
enum Shown<'a> {
    Secret { client: Cow<'a, str>, secret: Cow<'a, str>, method: &'static str },
    Assertion(&'a str),
}

/// Parsed public keys of agents' credentials, which never change.
#[derive(Default)]
pub(crate) struct ClientKeys(RwLock<HashMap<CredentialId, Arc<VerifyingKey>>>);

const MOST_KEYS: usize = 50_000;

/// The client id that a request names, for the ledger; never a secret.
pub(crate) fn claimed<'a>(headers: &'a HeaderMap, form: &'a Form<'_>) -> Option<String> {
    let named = match shown(headers, form) {
        Ok(Some(Shown::Secret { client, .. })) => client.into_owned(),
        Ok(Some(Shown::Assertion(text))) => Assertion::parse(text).ok()?.client.to_string(),
        _ => form.get("client_id")?.to_owned(),
    };
    // Only what has the form of a client id; people do paste secrets into the wrong field.
    named.parse::<crate::claims::Client>().is_ok().then_some(named)
}

/// At most one way of authentication (RFC 6749 §2.3); none at all is `None`.
fn shown<'a>(headers: &'a HeaderMap, form: &'a Form<'_>) -> Result<Option<Shown<'a>>, OAuthError> {
    let basic = match headers.get(header::AUTHORIZATION) {
        None => None,
        Some(value) => basic(value.to_str().unwrap_or_default())?,
    };
    let ways = [basic.is_some(), form.get("client_secret").is_some(), form.get("client_assertion").is_some()];
    if ways.into_iter().filter(|way| *way).count() > 1 {
        return Err(invalid_request("authenticate the client in one way only"));
    }
    if let Some((client, secret)) = basic {
        return Ok(Some(Shown::Secret { client, secret, method: "client_secret_basic" }));
    }
    if let Some(secret) = form.get("client_secret") {
        let client = form.need("client_id")?.into();
        return Ok(Some(Shown::Secret { client, secret: secret.into(), method: "client_secret_post" }));
    }
    match form.get("client_assertion") {
        Some(_) if form.get("client_assertion_type") != Some(assertion::TYPE) => {
            Err(invalid_request("client_assertion_type must be that of RFC 7523"))
        }
        assertion => Ok(assertion.map(Shown::Assertion)),
    }
}

/// Client and secret.
type Pair = (Cow<'static, str>, Cow<'static, str>);

/// `Basic base64(client:secret)`, both form-encoded; another scheme is not ours to read.
fn basic(value: &str) -> Result<Option<Pair>, OAuthError> {
    let Some((scheme, digits)) = value.split_once(' ') else { return Ok(None) };
    if !scheme.eq_ignore_ascii_case("Basic") {
        return Ok(None);
    }
    let malformed = || invalid_client("the Basic header is malformed");
    let bytes = STANDARD.decode(digits.trim()).map_err(|_| malformed())?;
    let text = String::from_utf8(bytes).map_err(|_| malformed())?;
    let (client, secret) = text.split_once(':').ok_or_else(malformed)?;
    Ok(Some((unescaped(client), unescaped(secret))))
}

fn unescaped(text: &str) -> Cow<'static, str> {
    if text.bytes().any(|byte| matches!(byte, b'%' | b'+')) {
        let decoded = form_urlencoded::parse(text.as_bytes()).next();
        return decoded.map(|(name, _)| name.into_owned()).unwrap_or_default().into();
    }
    text.to_owned().into()
}

impl Oauth {
    /// Whether the request shows any client authentication.
    pub(crate) fn shows_client(headers: &HeaderMap, form: &Form<'_>) -> Result<bool, OAuthError> {
        Ok(shown(headers, form)?.is_some())
    }

    pub(crate) async fn prove(
        &self,
        issuer: &Issuer,
        headers: &HeaderMap,
        form: &Form<'_>,
    ) -> Result<Proven, OAuthError> {
        let proven = match shown(headers, form)? {
            None => return Err(invalid_client("no client authentication")),
            Some(Shown::Secret { client, secret, method }) => {
                self.prove_secret(issuer, &client, &secret, method).await?
            }
            Some(Shown::Assertion(text)) => self.prove_assertion(issuer, text).await?,
        };
        let agent = proven.standing.id.to_string();
        if form.get("client_id").is_some_and(|named| named != agent) {
            return Err(invalid_client("client_id and the proof name different clients"));
        }
        match proven.standing.status {
            Status::Active => Ok(proven),
            // Who proved itself may know how it stands.
            other => Err(OAuthError::InvalidClient {
                reason: "the agent is not active",
                description: format!("the agent is {}; ask its owner", other.name()).into(),
            }),
        }
    }

    async fn prove_secret(
        &self,
        issuer: &Issuer,
        client: &str,
        secret: &str,
        method: &'static str,
    ) -> Result<Proven, OAuthError> {
        let agent: AgentId = client.parse().map_err(|_| invalid_client("the client is no agent"))?;
        let parsed = MachineSecret::parse(SecretForm::Credential, secret)
            .map_err(|_| invalid_client("the secret is malformed"))?;
        let id: CredentialId = format!("crd_{}", parsed.key_id)
            .parse()
            .map_err(|_| invalid_client("the secret is malformed"))?;
        let inner = self.inner();
        let found = inner.agents.credential(id).await?;
        // The tag is made and compared also for credentials that do not exist, so that both take as long.
        let (tag, version) = match found.as_ref().map(|credential| &credential.proof) {
            Some(Proof::Secret { tag, pepper_version }) => (*tag, *pepper_version),
            Some(Proof::PublicKey { .. }) | None => ([0; 32], agents::PEPPER),
        };
        let pepper = inner.agents.pepper(version).ok_or_else(|| invalid_client("the pepper is gone"))?;
        let same = pepper.verify(&[parsed.secret.as_bytes()], &tag);
        let credential = found.ok_or_else(|| invalid_client("unknown credential"))?;
        if !same {
            return Err(invalid_client("wrong secret"));
        }
        let standing = self.standing_of(issuer, agent, &credential, inner.world.now()).await?;
        Ok(Proven { standing, credential, method, single_use: None })
    }

    async fn prove_assertion(&self, issuer: &Issuer, text: &str) -> Result<Proven, OAuthError> {
        let inner = self.inner();
        let (now, skew) = (inner.world.now(), inner.settings.clock_skew);
        let assertion = Assertion::parse(text).map_err(invalid_client)?;
        let mut signer = None;
        for credential in inner.agents.keys_of(assertion.client).await?.iter() {
            let Proof::PublicKey { jwk } = &credential.proof else { continue };
            if assertion.names(jwk)
                && credential.is_usable(now)
                && inner.client_keys.verifies(credential, &assertion)
            {
                signer = Some(credential.clone());
                break;
            }
        }
        let credential =
            signer.ok_or_else(|| invalid_client("no usable key of the client signed the assertion"))?;
        let endpoint = issuer.token_endpoint();
        assertion.check([&issuer.url, &endpoint], now, skew).map_err(invalid_client)?;
        let standing = self.standing_of(issuer, assertion.client, &credential, now).await?;
        let (name, until) = assertion.single_use(skew);
        let single_use = Some(SingleUse { org: issuer.org, name, until });
        Ok(Proven { standing, credential, method: "private_key_jwt", single_use })
    }

    /// Credential, agent and issuer must belong together; another organization's client is an unknown one.
    async fn standing_of(
        &self,
        issuer: &Issuer,
        agent: AgentId,
        credential: &Credential,
        now: Timestamp,
    ) -> Result<Arc<Standing>, OAuthError> {
        if credential.agent != agent || credential.org != issuer.org {
            return Err(invalid_client("the credential is another client's"));
        }
        if !credential.is_usable(now) {
            return Err(invalid_client("the credential is revoked or has expired"));
        }
        let standing = self.inner().agents.standing(agent).await?;
        standing.filter(|standing| standing.org == issuer.org).ok_or_else(|| invalid_client("unknown agent"))
    }
}

impl ClientKeys {
    fn verifies(&self, credential: &Credential, assertion: &Assertion<'_>) -> bool {
        self.get(credential).is_some_and(|key| assertion.is_signed_by(&key))
    }

    fn get(&self, credential: &Credential) -> Option<Arc<VerifyingKey>> {
        if let Some(key) = self.0.read().get(&credential.id) {
            return Some(key.clone());
        }
        let Proof::PublicKey { jwk } = &credential.proof else { return None };
        let key = Arc::new(VerifyingKey::of(jwk).ok()?);
        let mut keys = self.0.write();
        if keys.len() >= MOST_KEYS {
            keys.clear();
        }
        keys.insert(credential.id, key.clone());
        Some(key)
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn headers(authorization: Option<&str>) -> HeaderMap {
        let form = HeaderValue::from_static("application/x-www-form-urlencoded");
        let mut headers = HeaderMap::from_iter([(header::CONTENT_TYPE, form)]);
        if let Some(value) = authorization {
            headers.insert(header::AUTHORIZATION, HeaderValue::try_from(value).unwrap());
        }
        headers
    }

    fn read(
        authorization: Option<&str>,
        body: &str,
    ) -> Result<Option<(String, String, &'static str)>, &'static str> {
        let headers = headers(authorization);
        let form = Form::parse(&headers, body.as_bytes()).unwrap();
        match shown(&headers, &form) {
            Ok(Some(Shown::Secret { client, secret, method })) => {
                Ok(Some((client.into(), secret.into(), method)))
            }
            Ok(Some(Shown::Assertion(text))) => Ok(Some((String::new(), text.into(), "private_key_jwt"))),
            Ok(None) => Ok(None),
            Err(error) => Err(error.code()),
        }
    }

    fn encoded(text: &str) -> String {
        format!("Basic {}", STANDARD.encode(text))
    }

    #[test]
    fn reads_basic_and_post_and_assertion() {
        let expected = Some(("agt_1".to_owned(), "s:e c".to_owned(), "client_secret_basic"));
        assert_eq!(read(Some(&encoded("agt_1:s:e%20c")), ""), Ok(expected.clone()));
        assert_eq!(read(Some(&encoded("agt%5F1:s:e+c").replace("Basic", "basic")), ""), Ok(expected));
        let post = read(None, "client_id=agt_1&client_secret=s");
        assert_eq!(post, Ok(Some(("agt_1".into(), "s".into(), "client_secret_post"))));
        let body = format!("client_assertion=a.b.c&client_assertion_type={}", assertion::TYPE);
        assert_eq!(read(None, &body), Ok(Some((String::new(), "a.b.c".into(), "private_key_jwt"))));
        assert_eq!(read(None, "client_id=agt_1"), Ok(None));
        assert_eq!(read(Some("Bearer x"), ""), Ok(None));
    }

    #[test]
    fn refuses_two_ways_at_once_and_halves() {
        for (authorization, body) in [
            (Some(encoded("a:b")), "client_id=a&client_secret=b"),
            (Some(encoded("a:b")), "client_assertion=x&client_assertion_type=y"),
            (None, "client_id=a&client_secret=b&client_assertion=x"),
            (None, "client_secret=b"),
            (None, "client_assertion=x"),
            (None, "client_assertion=x&client_assertion_type=urn:other"),
        ] {
            assert_eq!(read(authorization.as_deref(), body), Err("invalid_request"), "{body}");
        }
        for broken in ["Basic !!", "Basic YQ==", "Basic /w=="] {
            assert_eq!(read(Some(broken), ""), Err("invalid_client"), "{broken}");
        }
    }

    #[test]
    fn a_secret_in_the_wrong_field_is_not_recorded() {
        let headers = headers(Some(&encoded("sfc_dev_secret:agt_01h455vb4pex5vsknk084sn02q")));
        assert_eq!(claimed(&headers, &Form::parse(&headers, b"").unwrap()), None);
        let headers = self::headers(None);
        let form =
            Form::parse(&headers, b"client_id=agt_01h455vb4pex5vsknk084sn02q&client_secret=s").unwrap();
        assert_eq!(claimed(&headers, &form).as_deref(), Some("agt_01h455vb4pex5vsknk084sn02q"));
    }
}
