//! `workos`: AuthKit and single sign-on by WorkOS User Management: the browser goes to its authorization page, the code is
//! exchanged with the API key. Where the API stands is the operator's to say (`sign_in.workos_url`), never a provider's.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use crypto::hash::sha256;
use egress::{Answer, Destination, Egress, EgressError, Request};
use futures::future::BoxFuture;
use problem::FieldError;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use types::{Secret, World};

use super::oidc::shown;
use crate::kind::{Begun, Finding, Kind, NewState, Next, Proven, Visit, text};
use crate::openid::Trouble;
use crate::service::{SignInParts, SignInSettings};
use crate::{EnabledProvider, OpenState, Reason, SignInError};

pub(crate) struct WorkOs {
    egress: Egress,
    world: World,
    /// Without trailing slash.
    base: String,
}

#[derive(Deserialize)]
struct Settings {
    client_id: String,
    api_key: String,
    /// Only members of this organization of WorkOS come in.
    organization_id: Option<String>,
    connection_id: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Sent {
    client_id: String,
    verifier: String,
}

#[derive(Deserialize)]
struct Authenticated {
    user: User,
    organization_id: Option<String>,
}

#[derive(Deserialize)]
struct User {
    id: String,
    email: String,
    first_name: Option<String>,
    last_name: Option<String>,
}

#[derive(Deserialize, Default)]
struct Refusal {
    #[serde(default, alias = "code")]
    error: String,
}

impl WorkOs {
    pub(crate) fn over(parts: &SignInParts, settings: &SignInSettings) -> Self {
        let base = settings.workos_url.trim_end_matches('/').to_owned();
        Self { egress: parts.egress.clone(), world: parts.world.clone(), base }
    }

    fn send_away(
        &self,
        provider: &EnabledProvider,
        visit: &Visit<'_>,
        state: &Secret<String>,
    ) -> Result<Begun, SignInError> {
        let settings: Settings = provider.read()?;
        let sent = Sent {
            client_id: settings.client_id,
            verifier: crypto::base62::encode(&self.world.bytes::<32>()),
        };
        let challenge = URL_SAFE_NO_PAD.encode(sha256(sent.verifier.as_bytes()));
        let (connection, organization) = (settings.connection_id, settings.organization_id);
        // One of the three says which page comes.
        let where_to = match (&connection, &organization) {
            (Some(connection), _) => ("connection_id", connection.as_str()),
            (None, Some(organization)) => ("organization_id", organization.as_str()),
            (None, None) => ("provider", "authkit"),
        };
        let query = serde_urlencoded::to_string([
            ("response_type", "code"),
            ("client_id", &sent.client_id),
            ("redirect_uri", &visit.callback),
            ("state", state.reveal()),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
            where_to,
        ])
        .map_err(SignInError::internal)?;
        let url = format!("{}/user_management/authorize?{query}", self.base);
        let data = serde_json::to_value(sent).map_err(SignInError::internal)?;
        Ok(Begun {
            state: NewState { data, subject: None, tries: 1, lifetime: None },
            next: Next::Redirect { url },
        })
    }

    async fn take_back(
        &self,
        provider: &EnabledProvider,
        state: Option<&OpenState>,
        input: &Map<String, Value>,
    ) -> Result<Proven, SignInError> {
        let state = state.ok_or(SignInError::Refused(Reason::NoState))?;
        let sent: Sent = serde_json::from_value(state.data().clone()).map_err(SignInError::internal)?;
        let settings: Settings = provider.read()?;
        if sent.client_id != settings.client_id {
            return Err(SignInError::Refused(Reason::NoState));
        }
        if let Some(error) = input.get("error").and_then(Value::as_str) {
            tracing::info!(provider = %provider.id(), error, "WorkOS signed nobody in");
            return Err(SignInError::Refused(Reason::WrongProof));
        }
        let answer = self.redeem(&settings, text(input, "code")?, &sent.verifier).await?;
        let found: Authenticated = serde_json::from_slice(&answer.body)
            .map_err(|error| Trouble::Json { url: self.url(), reason: error.to_string() })?;
        if settings.organization_id.is_some() && settings.organization_id != found.organization_id {
            return Err(Trouble::Token("it is of another organization of WorkOS").into());
        }
        let User { id, email, first_name, last_name } = found.user;
        let name = [first_name, last_name].into_iter().flatten().collect::<Vec<_>>().join(" ");
        Ok(Proven {
            // The same user under another client is another application's.
            identity: Some((format!("{}/{}", self.base, settings.client_id), id)),
            email: Some(email),
            display_name: Some(shown(&name)).filter(|name| !name.is_empty()),
            factor: self.name().to_owned(),
            ..Proven::default()
        })
    }

    fn url(&self) -> String {
        format!("{}/user_management/authenticate", self.base)
    }

    async fn redeem(&self, settings: &Settings, code: &str, verifier: &str) -> Result<Answer, Trouble> {
        let url = self.url();
        let form = serde_urlencoded::to_string([
            ("grant_type", "authorization_code"),
            ("client_id", &settings.client_id),
            ("client_secret", &settings.api_key),
            ("code", code),
            ("code_verifier", verifier),
        ])
        .map_err(|error| Trouble::Json { url: url.clone(), reason: error.to_string() })?;
        let answer = self.egress.call(Destination::Operator, Request::post_form(&url, form)?).await?;
        match answer.status {
            200 => Ok(answer),
            400..=403 | 422 => {
                let refusal: Refusal = serde_json::from_slice(&answer.body).unwrap_or_default();
                Err(Trouble::Refused(refusal.error.chars().take(100).collect()))
            }
            status => Err(Trouble::Status { url, status }),
        }
    }

    async fn try_out(&self, provider: &EnabledProvider) -> Finding {
        let settings: Settings = match provider.read() {
            Ok(settings) => settings,
            Err(error) => return Finding::bad("settings", error.to_string()),
        };
        // A code that nobody was given: who knows the client and the key refuses the code.
        match self.redeem(&settings, "none", "none").await {
            Err(Trouble::Refused(error)) if error == "invalid_grant" => {
                Finding::good("client", "WorkOS knows the client and the key.")
            }
            Err(Trouble::Refused(error)) => {
                Finding::bad("client", format!("WorkOS refuses client_id or api_key: {error}."))
            }
            Err(Trouble::Egress(error @ EgressError::Denied(_))) => {
                Finding::bad("connection", error.to_string())
            }
            Err(trouble) => Finding::bad("connection", trouble.to_string()),
            Ok(_) => Finding::bad("client", "WorkOS let a code pass that it never made."),
        }
    }
}

impl Kind for WorkOs {
    fn name(&self) -> &'static str {
        "workos"
    }

    fn secrets(&self) -> &'static [&'static str] {
        &["api_key"]
    }

    fn settings(&self) -> Value {
        let text = |about: &str| json!({ "type": "string", "pattern": "^[!-~]+$", "maxLength": 500, "description": about });
        json!({
            "type": "object",
            "properties": {
                "client_id": text("Of the WorkOS environment: client_…"),
                "api_key": text("Of the same: sk_…"),
                "organization_id": text("Only members of this organization of WorkOS come in: org_…"),
                "connection_id": text("Straight to this connection's own page: conn_…"),
            },
            "required": ["client_id", "api_key"],
            "additionalProperties": false,
        })
    }

    fn check(&self, settings: &Map<String, Value>) -> Vec<FieldError> {
        super::by_schema(&self.settings(), settings)
    }

    fn begin<'a>(
        &'a self,
        provider: &'a EnabledProvider,
        visit: &'a Visit<'a>,
        state: &'a Secret<String>,
        _: &'a Map<String, Value>,
    ) -> BoxFuture<'a, Result<Begun, SignInError>> {
        Box::pin(async move { self.send_away(provider, visit, state) })
    }

    fn sends_away(&self) -> bool {
        true
    }

    fn complete<'a>(
        &'a self,
        provider: &'a EnabledProvider,
        _: &'a Visit<'a>,
        state: Option<&'a OpenState>,
        input: &'a Map<String, Value>,
    ) -> BoxFuture<'a, Result<Proven, SignInError>> {
        Box::pin(self.take_back(provider, state, input))
    }

    fn test<'a>(&'a self, provider: &'a EnabledProvider) -> BoxFuture<'a, Vec<Finding>> {
        Box::pin(async move { vec![self.try_out(provider).await] })
    }
}
