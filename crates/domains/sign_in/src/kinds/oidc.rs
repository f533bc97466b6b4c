//! `oidc`: OpenID Connect Core 1.0 by discovery, authorization code with PKCE (RFC 7636), nonce, and the issuer in the
//! answer (RFC 9207) where the provider gives it. Nonce and verifier stay on the server; each provider has a callback of its
//! own, and the browser that comes back must be the one that left.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use crypto::hash::sha256;
use crypto::jws::Compact;
use egress::Request;
use futures::future::BoxFuture;
use problem::FieldError;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use types::{Secret, World};

use crate::kind::{Begun, Finding, Kind, NewState, Next, Proven, Visit, text};
use crate::openid::{Expected, Issuers, LONGEST, Metadata, Trouble, claim, secure, verify};
use crate::service::{SignInParts, SignInSettings};
use crate::{EnabledProvider, OpenState, Reason, SignInError};

pub(crate) struct Oidc {
    issuers: Issuers,
    world: World,
    skew: std::time::Duration,
}

#[derive(Deserialize)]
struct Settings {
    issuer: String,
    client_id: String,
    client_secret: Option<String>,
    #[serde(default = "usual_scopes")]
    scopes: Vec<String>,
    /// Sent along to issuers that want to be told for whom.
    audience: Option<String>,
    prompt: Option<String>,
    #[serde(default)]
    claims: ClaimNames,
}

/// Which claim says what: a name, or a JSON pointer.
#[derive(Deserialize)]
#[serde(default)]
pub(super) struct ClaimNames {
    email: String,
    name: String,
    username: String,
    groups: String,
}

impl Default for ClaimNames {
    fn default() -> Self {
        let [email, name, username, groups] =
            ["email", "name", "preferred_username", "groups"].map(str::to_owned);
        Self { email, name, username, groups }
    }
}

fn usual_scopes() -> Vec<String> {
    ["openid", "email", "profile"].map(str::to_owned).to_vec()
}

/// What is kept until the browser comes back.
#[derive(Serialize, Deserialize)]
struct Sent {
    /// Settings may change meanwhile; the answer of another issuer is not taken for this one's.
    issuer: String,
    nonce: String,
    verifier: String,
}

#[derive(Deserialize)]
struct TokenAnswer {
    id_token: Option<String>,
    access_token: Option<String>,
}

#[derive(Deserialize, Default)]
struct TokenRefusal {
    #[serde(default)]
    error: String,
}

impl Oidc {
    pub(crate) fn over(parts: &SignInParts, settings: &SignInSettings) -> Self {
        let issuers = Issuers::spoken_to_over(parts.egress.clone(), parts.world.clone());
        Self { issuers, world: parts.world.clone(), skew: settings.clock_skew }
    }

    async fn send_away(
        &self,
        provider: &EnabledProvider,
        visit: &Visit<'_>,
        state: &Secret<String>,
    ) -> Result<Begun, SignInError> {
        let settings: Settings = provider.read()?;
        let metadata = self.issuers.metadata(provider, &settings.issuer).await?;
        let endpoint = metadata.authorization_endpoint.as_deref();
        let endpoint = endpoint.ok_or(Trouble::Missing("authorization_endpoint"))?;
        let random = || crypto::base62::encode(&self.world.bytes::<32>());
        let sent = Sent { issuer: settings.issuer, nonce: random(), verifier: random() };
        let challenge = URL_SAFE_NO_PAD.encode(sha256(sent.verifier.as_bytes()));
        let scope = settings.scopes.join(" ");
        let mut query = vec![
            ("response_type", "code"),
            ("client_id", &settings.client_id),
            ("redirect_uri", &visit.callback),
            ("scope", &scope),
            ("state", state.reveal()),
            ("nonce", &sent.nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        query.extend(settings.prompt.as_deref().map(|prompt| ("prompt", prompt)));
        query.extend(settings.audience.as_deref().map(|audience| ("audience", audience)));
        let query = serde_urlencoded::to_string(query).map_err(SignInError::internal)?;
        let url = format!("{endpoint}{}{query}", if endpoint.contains('?') { '&' } else { '?' });
        let data = serde_json::to_value(sent).map_err(SignInError::internal)?;
        // One: a code that was tried is spent at the issuer, too.
        let state = NewState { data, subject: None, tries: 1, lifetime: None };
        Ok(Begun { state, next: Next::Redirect { url } })
    }

    async fn take_back(
        &self,
        provider: &EnabledProvider,
        visit: &Visit<'_>,
        state: Option<&OpenState>,
        input: &Map<String, Value>,
    ) -> Result<Proven, SignInError> {
        let state = state.ok_or(SignInError::Refused(Reason::NoState))?;
        let sent: Sent = serde_json::from_value(state.data().clone()).map_err(SignInError::internal)?;
        let settings: Settings = provider.read()?;
        if sent.issuer != settings.issuer {
            return Err(SignInError::Refused(Reason::NoState));
        }
        let metadata = self.issuers.metadata(provider, &settings.issuer).await?;
        let said = input.get("iss").and_then(Value::as_str);
        let is_from_issuer = match said {
            Some(iss) => iss == settings.issuer,
            None => !metadata.authorization_response_iss_parameter_supported,
        };
        if !is_from_issuer {
            return Err(Trouble::Token("the answer came from another issuer").into());
        }
        if let Some(error) = input.get("error").and_then(Value::as_str) {
            tracing::info!(provider = %provider.id(), error, "the identity provider signed nobody in");
            return Err(SignInError::Refused(Reason::WrongProof));
        }
        let code = text(input, "code")?;
        let tokens =
            self.redeem(provider, &settings, &metadata, code, &sent.verifier, &visit.callback).await?;
        let id_token = tokens.id_token.ok_or(Trouble::Missing("an id_token; is openid among the scopes?"))?;
        let compact = Compact::parse(&id_token, LONGEST).map_err(Trouble::from)?;
        let keys = self.issuers.keys(provider, &metadata, compact.header().kid.as_deref()).await?;
        let expected = Expected {
            issuer: &settings.issuer,
            audience: &settings.client_id,
            nonce: Some(&sent.nonce),
            is_to_us: true,
            now: self.world.now(),
            skew: self.skew,
        };
        let mut claims = verify(&compact, &keys, &expected)?;
        if let Some(access_token) = tokens.access_token {
            self.ask_more(provider, &settings, &metadata, &access_token, &mut claims).await?;
        }
        Ok(Proven { factor: self.name().to_owned(), ..person(&settings.issuer, &settings.claims, &claims) })
    }

    async fn redeem(
        &self,
        provider: &EnabledProvider,
        settings: &Settings,
        metadata: &Metadata,
        code: &str,
        verifier: &str,
        callback: &str,
    ) -> Result<TokenAnswer, Trouble> {
        let url = metadata.token_endpoint.as_deref().ok_or(Trouble::Missing("token_endpoint"))?;
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", callback),
            ("code_verifier", verifier),
        ];
        let methods = &metadata.token_endpoint_auth_methods_supported;
        // `client_secret_basic` is what a document that names nothing means.
        let by_post = !methods.is_empty() && methods.iter().all(|method| method != "client_secret_basic");
        let mut basic = None;
        match &settings.client_secret {
            Some(secret) if by_post => {
                form.extend([("client_id", settings.client_id.as_str()), ("client_secret", secret)]);
            }
            Some(secret) => basic = Some(basic_auth(&settings.client_id, secret)),
            None => form.push(("client_id", &settings.client_id)),
        }
        let form = serde_urlencoded::to_string(form)
            .map_err(|error| Trouble::Json { url: url.to_owned(), reason: error.to_string() })?;
        let mut request = Request::post_form(url, form)?;
        if let Some(basic) = basic {
            request = request.with(axum::http::header::AUTHORIZATION, &basic)?;
        }
        let answer = self.issuers.egress().call(provider.destination(), request).await?;
        match answer.status {
            200 => serde_json::from_slice(&answer.body)
                .map_err(|error| Trouble::Json { url: url.to_owned(), reason: error.to_string() }),
            400..=403 => {
                let refusal: TokenRefusal = serde_json::from_slice(&answer.body).unwrap_or_default();
                Err(Trouble::Refused(refusal.error.chars().take(100).collect()))
            }
            status => Err(Trouble::Status { url: url.to_owned(), status }),
        }
    }

    /// What the ID token does not say, the issuer may say when it is asked; of the same person only (§5.3.2).
    async fn ask_more(
        &self,
        provider: &EnabledProvider,
        settings: &Settings,
        metadata: &Metadata,
        access_token: &str,
        claims: &mut Map<String, Value>,
    ) -> Result<(), Trouble> {
        let names = &settings.claims;
        let wanted = [&names.email, &names.name, &names.groups];
        let Some(url) = &metadata.userinfo_endpoint else { return Ok(()) };
        if wanted.into_iter().all(|name| claim(claims, name).is_some()) {
            return Ok(());
        }
        let bearer = format!("Bearer {access_token}");
        let request = Request::get(url)?.with(axum::http::header::AUTHORIZATION, &bearer)?;
        let answer = self.issuers.egress().call(provider.destination(), request).await?;
        if answer.status != 200 {
            return Err(Trouble::Status { url: url.clone(), status: answer.status });
        }
        let more: Map<String, Value> = serde_json::from_slice(&answer.body)
            .map_err(|error| Trouble::Json { url: url.clone(), reason: error.to_string() })?;
        if more.get("sub") != claims.get("sub") {
            return Err(Trouble::Token("the userinfo endpoint speaks of somebody else"));
        }
        for (name, value) in more {
            claims.entry(name).or_insert(value);
        }
        Ok(())
    }

    async fn try_out(&self, provider: &EnabledProvider) -> Result<Vec<Finding>, SignInError> {
        let settings: Settings = provider.read()?;
        let metadata = match self.issuers.discover(provider.destination(), &settings.issuer).await {
            Ok(metadata) => metadata,
            Err(trouble) => return Ok(vec![Finding::bad("discovery", trouble.to_string())]),
        };
        let mut findings =
            vec![Finding::good("discovery", "The issuer describes itself as it is set up here.")];
        if metadata.authorization_endpoint.is_none() {
            findings
                .push(Finding::bad("sign-in page", Trouble::Missing("authorization_endpoint").to_string()));
        }
        findings.push(self.issuers.try_keys(provider.destination(), &metadata).await);
        findings.push(self.try_client(provider, &settings, &metadata).await);
        Ok(findings)
    }

    /// A code that nobody was given: an issuer that knows the client refuses the code, one that does not refuses the client.
    async fn try_client(
        &self,
        provider: &EnabledProvider,
        settings: &Settings,
        metadata: &Metadata,
    ) -> Finding {
        let verifier = crypto::base62::encode(&self.world.bytes::<32>());
        let tried =
            self.redeem(provider, settings, metadata, "none", &verifier, "https://none.invalid/").await;
        match tried {
            Err(Trouble::Refused(error)) if error == "invalid_grant" => {
                Finding::good("client", "The issuer knows the client.")
            }
            Err(Trouble::Refused(error))
                if ["invalid_client", "unauthorized_client"].contains(&error.as_str()) =>
            {
                let detail = format!("The issuer refuses client_id or client_secret: {error}.");
                Finding::bad("client", detail)
            }
            Err(Trouble::Refused(error)) => Finding::good(
                "client",
                format!("The issuer answered {error}; sign in to see whether it knows the client."),
            ),
            Err(trouble) => Finding::bad("client", trouble.to_string()),
            Ok(_) => Finding::bad("client", "The issuer gave tokens for a code that it never made."),
        }
    }
}

/// RFC 6749 §2.3.1: both are form-encoded first.
fn basic_auth(id: &str, secret: &str) -> String {
    let encode = |text: &str| form_encoded(text);
    format!("Basic {}", STANDARD.encode(format!("{}:{}", encode(id), encode(secret))))
}

fn form_encoded(text: &str) -> String {
    let pair = serde_urlencoded::to_string([("", text)]).unwrap_or_default();
    pair.trim_start_matches('=').to_owned()
}

/// Whom an issuer's claims speak of; what proved it, the caller adds.
pub(super) fn person(issuer: &str, names: &ClaimNames, claims: &Map<String, Value>) -> Proven {
    let text = |name: &str| claim(claims, name).and_then(Value::as_str).map(str::trim);
    let said = |name: &str| text(name).filter(|text| !text.is_empty());
    let subject = claims.get("sub").and_then(Value::as_str).unwrap_or_default();
    Proven {
        identity: Some((issuer.to_owned(), subject.to_owned())),
        email: said(&names.email).map(str::to_owned),
        display_name: said(&names.name).or_else(|| said(&names.username)).map(shown),
        groups: Some(claim(claims, &names.groups).map(listed).unwrap_or_default()),
        ..Proven::default()
    }
}

/// The schema of [`ClaimNames`].
pub(super) fn claim_names() -> Value {
    let claim = |of: &str| json!({ "type": "string", "minLength": 1, "maxLength": 200, "description": format!("Claim, or JSON pointer, that holds {of}.") });
    json!({
        "type": "object",
        "properties": { "email": claim("the address"), "name": claim("the name"),
            "username": claim("the login, used where there is no name"), "groups": claim("the groups") },
        "additionalProperties": false,
    })
}

/// Names come from elsewhere: no longer than ours, and nothing in them that moves a line.
pub(super) fn shown(name: &str) -> String {
    name.chars().filter(|character| !character.is_control()).take(100).collect()
}

/// A list of names, or one.
fn listed(value: &Value) -> Vec<String> {
    match value {
        Value::String(one) => vec![one.clone()],
        Value::Array(many) => many.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

impl Kind for Oidc {
    fn name(&self) -> &'static str {
        "oidc"
    }

    fn secrets(&self) -> &'static [&'static str] {
        &["client_secret"]
    }

    fn leads_to(&self) -> &'static [&'static str] {
        &["issuer"]
    }

    fn settings(&self) -> Value {
        json!({
            "type": "object",
            "properties": {
                "issuer": { "type": "string", "format": "uri", "minLength": 8, "maxLength": 500,
                    "description": "As it calls itself in its tokens, letter by letter." },
                "client_id": { "type": "string", "minLength": 1, "maxLength": 300, "description": "What the issuer calls this server." },
                "client_secret": { "type": "string", "minLength": 1, "maxLength": 2000, "description": "Left out for a public client." },
                "scopes": { "type": "array", "items": { "type": "string", "pattern": "^[!#-\\[\\]-~]+$" }, "maxItems": 50,
                    "contains": { "const": "openid" }, "default": ["openid", "email", "profile"], "description": "With openid among them." },
                "audience": { "type": "string", "minLength": 1, "maxLength": 500, "description": "Sent along to issuers that ask for one." },
                "prompt": { "enum": ["none", "login", "consent", "select_account"], "description": "Whether the issuer asks anew." },
                "claims": claim_names(),
            },
            "required": ["issuer", "client_id"],
            "additionalProperties": false,
        })
    }

    fn check(&self, settings: &Map<String, Value>) -> Vec<FieldError> {
        let mut errors = super::by_schema(&self.settings(), settings);
        let issuer = settings.get("issuer").and_then(Value::as_str).unwrap_or_default();
        if errors.is_empty() && (secure(issuer).is_err() || issuer.contains(['?', '#', '@'])) {
            let reason =
                "is no https address without query (http works on this very machine only)".to_owned();
            errors.push(FieldError { field: "/settings/issuer".to_owned(), reason });
        }
        errors
    }

    fn begin<'a>(
        &'a self,
        provider: &'a EnabledProvider,
        visit: &'a Visit<'a>,
        state: &'a Secret<String>,
        _: &'a Map<String, Value>,
    ) -> BoxFuture<'a, Result<Begun, SignInError>> {
        Box::pin(self.send_away(provider, visit, state))
    }

    fn sends_away(&self) -> bool {
        true
    }

    fn complete<'a>(
        &'a self,
        provider: &'a EnabledProvider,
        visit: &'a Visit<'a>,
        state: Option<&'a OpenState>,
        input: &'a Map<String, Value>,
    ) -> BoxFuture<'a, Result<Proven, SignInError>> {
        Box::pin(self.take_back(provider, visit, state, input))
    }

    fn test<'a>(&'a self, provider: &'a EnabledProvider) -> BoxFuture<'a, Vec<Finding>> {
        Box::pin(async move {
            let tried = self.try_out(provider).await;
            tried.unwrap_or_else(|error| vec![Finding::bad("settings", error.to_string())])
        })
    }
}
