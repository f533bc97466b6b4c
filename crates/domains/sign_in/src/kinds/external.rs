//! `external`: a JWT of an issuer that the operator or an organization trusts, handed over by a program that got it for a
//! person, becomes our session. A token works once, and only shortly after it was made.

use std::time::Duration;

use crypto::jws::Compact;
use crypto::mac::MacKey;
use futures::future::BoxFuture;
use problem::FieldError;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use types::{Timestamp, World};

use super::oidc::{ClaimNames, claim_names, person};
use crate::kind::{Finding, First, Kind, Proven, Visit};
use crate::openid::{Expected, Issuers, LONGEST, Metadata, Trouble, secure, verify};
use crate::service::{SignInParts, SignInSettings};
use crate::{EnabledProvider, OpenState, SignInError, store};

pub(crate) struct External {
    issuers: Issuers,
    world: World,
    skew: Duration,
    key: MacKey,
}

#[derive(Deserialize)]
struct Settings {
    issuer: String,
    audience: String,
    /// Of issuers that do not describe themselves.
    jwks_uri: Option<String>,
    #[serde(default = "usual_age")]
    max_age_seconds: u64,
    #[serde(default)]
    claims: ClaimNames,
}

fn usual_age() -> u64 {
    300
}

impl External {
    pub(crate) fn over(parts: &SignInParts, settings: &SignInSettings) -> Self {
        Self {
            issuers: Issuers::spoken_to_over(parts.egress.clone(), parts.world.clone()),
            world: parts.world.clone(),
            skew: settings.clock_skew,
            key: parts.keyring.derive("external tokens"),
        }
    }

    async fn check_token(
        &self,
        provider: &EnabledProvider,
        input: &Map<String, Value>,
    ) -> Result<Proven, SignInError> {
        let settings: Settings = provider.read()?;
        let token = token(input)?;
        let compact = Compact::parse(token, LONGEST).map_err(Trouble::from)?;
        let metadata = self.metadata(provider, &settings).await?;
        let keys = self.issuers.keys(provider, &metadata, compact.header().kid.as_deref()).await?;
        let now = self.world.now();
        let expected = Expected {
            issuer: &settings.issuer,
            audience: &settings.audience,
            nonce: None,
            is_to_us: false,
            now,
            skew: self.skew,
        };
        let claims = verify(&compact, &keys, &expected)?;
        let until = self.fresh(&settings, &claims, now)?;
        let tag = self.key.tag(&[provider.id().to_string().as_bytes(), token.as_bytes()]);
        Ok(Proven {
            factor: self.name().to_owned(),
            used: vec![store::use_token(self.world.id(), tag, provider.id(), now, until)],
            ..person(&settings.issuer, &settings.claims, &claims)
        })
    }

    /// Until when the token must be remembered; refused if it was made too long ago.
    fn fresh(
        &self,
        settings: &Settings,
        claims: &Map<String, Value>,
        now: Timestamp,
    ) -> Result<Timestamp, Trouble> {
        let made = claims
            .get("iat")
            .and_then(Value::as_f64)
            .ok_or(Trouble::Token("it does not say when it was made"))?;
        let made = Timestamp::from_millis((made * 1000.0) as i64);
        let until = made.plus(Duration::from_secs(settings.max_age_seconds) + self.skew);
        if until <= now { Err(Trouble::Token("it was made too long ago")) } else { Ok(until) }
    }

    async fn metadata(&self, provider: &EnabledProvider, settings: &Settings) -> Result<Metadata, Trouble> {
        match &settings.jwks_uri {
            Some(uri) => Ok(Metadata::of_keys(&settings.issuer, uri)),
            None => Ok(Metadata::clone(&*self.issuers.metadata(provider, &settings.issuer).await?)),
        }
    }

    async fn try_out(&self, provider: &EnabledProvider) -> Result<Vec<Finding>, SignInError> {
        let settings: Settings = provider.read()?;
        let to = provider.destination();
        let mut findings = Vec::new();
        let metadata = match &settings.jwks_uri {
            Some(uri) => Metadata::of_keys(&settings.issuer, uri),
            None => match self.issuers.discover(to, &settings.issuer).await {
                Ok(metadata) => {
                    findings.push(Finding::good(
                        "discovery",
                        "The issuer describes itself as it is set up here.",
                    ));
                    metadata
                }
                Err(trouble) => return Ok(vec![Finding::bad("discovery", trouble.to_string())]),
            },
        };
        findings.push(self.issuers.try_keys(to, &metadata).await);
        Ok(findings)
    }
}

/// As long as a token may be, which is longer than other input.
fn token(input: &Map<String, Value>) -> Result<&str, SignInError> {
    let found = input.get("token").and_then(Value::as_str).filter(|text| !text.is_empty());
    found.ok_or_else(|| SignInError::invalid("/input/token", "is needed, as text"))
}

/// What a token says of its issuer, before anything about it is believed: good for finding the provider.
pub(crate) fn issuer_of(token: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Claimed {
        iss: String,
    }
    let compact = Compact::parse(token, LONGEST).ok()?;
    serde_json::from_slice::<Claimed>(compact.unverified_payload()).ok().map(|claimed| claimed.iss)
}

impl Kind for External {
    fn name(&self) -> &'static str {
        "external"
    }

    fn settings(&self) -> Value {
        let uri =
            |about: &str| json!({ "type": "string", "minLength": 8, "maxLength": 500, "description": about });
        json!({
            "type": "object",
            "properties": {
                "issuer": uri("As it calls itself in its tokens, letter by letter."),
                "audience": { "type": "string", "minLength": 1, "maxLength": 500, "description": "Whom its tokens must be meant for, to be taken here." },
                "jwks_uri": uri("Where its keys are, if it does not describe itself."),
                "max_age_seconds": { "type": "integer", "minimum": 10, "maximum": 3600, "default": 300, "description": "How long after it was made a token is taken." },
                "claims": claim_names(),
            },
            "required": ["issuer", "audience"],
            "additionalProperties": false,
        })
    }

    fn first(&self) -> First {
        First::login(&["token"])
    }

    fn check(&self, settings: &Map<String, Value>) -> Vec<FieldError> {
        let mut errors = super::by_schema(&self.settings(), settings);
        for name in ["issuer", "jwks_uri"] {
            let url = settings.get(name).and_then(Value::as_str);
            if errors.is_empty() && url.is_some_and(|url| secure(url).is_err()) {
                let reason = "is no https address (http works on this very machine only)".to_owned();
                errors.push(FieldError { field: format!("/settings/{name}"), reason });
            }
        }
        errors
    }

    fn complete<'a>(
        &'a self,
        provider: &'a EnabledProvider,
        _: &'a Visit<'a>,
        _: Option<&'a OpenState>,
        input: &'a Map<String, Value>,
    ) -> BoxFuture<'a, Result<Proven, SignInError>> {
        Box::pin(self.check_token(provider, input))
    }

    fn test<'a>(&'a self, provider: &'a EnabledProvider) -> BoxFuture<'a, Vec<Finding>> {
        Box::pin(async move {
            let tried = self.try_out(provider).await;
            tried.unwrap_or_else(|error| vec![Finding::bad("settings", error.to_string())])
        })
    }
}
