//! What a kind of provider is: how a sign-in is begun, what completes it, and what is proved then. A kind knows neither
//! sessions nor organizations; it says who somebody is, and `linking.rs` decides what that is worth.

use std::sync::Arc;

use futures::future::BoxFuture;
use problem::FieldError;
use serde::Serialize;
use serde_json::{Map, Value, json};
use types::{OrgId, Secret, UserId};
use utoipa::ToSchema;
use web::Contact;

use crate::{EnabledProvider, OpenState, SignInError};

pub trait Kind: Send + Sync {
    /// The word in a provider's `kind`.
    fn name(&self) -> &'static str;

    /// Settings that are kept sealed and never shown.
    fn secrets(&self) -> &'static [&'static str] {
        &[]
    }

    /// Settings that say where the secret ones are sent: whoever changes one of these sends the secrets again.
    fn leads_to(&self) -> &'static [&'static str] {
        &[]
    }

    /// Its settings as JSON Schema, for whoever draws a form; open where a kind says nothing. Which of them are secret, the
    /// route adds.
    fn settings(&self) -> Value {
        json!({ "type": "object" })
    }

    /// What a page asks for before anything else, and where it sends that. A kind that only sends the browser away asks for
    /// nothing.
    fn first(&self) -> First {
        First::begin(&[])
    }

    /// What is wrong with a provider's settings, secrets among them; field names are JSON pointers from `/settings`.
    fn check(&self, settings: &Map<String, Value>) -> Vec<FieldError>;

    /// Starts a sign-in: sends a code, makes an address to go to. Must answer the same, in the same time, whether the
    /// account exists or not. Kinds whose first step is also the last have nothing to begin.
    ///
    /// `state` names the sign-in to whoever comes back with it.
    fn begin<'a>(
        &'a self,
        _provider: &'a EnabledProvider,
        _visit: &'a Visit<'a>,
        _state: &'a Secret<String>,
        _input: &'a Map<String, Value>,
    ) -> BoxFuture<'a, Result<Begun, SignInError>> {
        Box::pin(async {
            Err(SignInError::invalid("/provider", "has nothing to begin; send what it asks for to login"))
        })
    }

    /// Whether the browser is sent away and comes back: then nothing but the way back, in the same browser, completes it.
    fn sends_away(&self) -> bool {
        false
    }

    /// Whom an attempt is at, as it was entered: what guesses are counted for. None if the proof itself says who it is.
    fn account(&self, _state: Option<&OpenState>, _input: &Map<String, Value>) -> Option<String> {
        None
    }

    /// Checks the proof. `state` is what [`Kind::begin`] kept, one of its tries already taken; it is used up by the change
    /// that signs in, so that of many who complete at once one does.
    fn complete<'a>(
        &'a self,
        provider: &'a EnabledProvider,
        visit: &'a Visit<'a>,
        state: Option<&'a OpenState>,
        input: &'a Map<String, Value>,
    ) -> BoxFuture<'a, Result<Proven, SignInError>>;

    /// Tries out what can be tried without a person: connections, discovery, binds.
    fn test<'a>(&'a self, provider: &'a EnabledProvider) -> BoxFuture<'a, Vec<Finding>>;
}

/// The first step of a sign-in, as a page sees it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = FirstStep)]
pub struct First {
    pub step: Step,
    /// What to ask for: `email`, `login`, `password` …
    #[schema(value_type = Vec<String>)]
    pub fields: &'static [&'static str],
}

/// Where what was asked for goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = FirstStepName)]
pub enum Step {
    Begin,
    /// There is nothing to begin: the first step is also the last.
    Login,
}

impl First {
    pub const fn begin(fields: &'static [&'static str]) -> Self {
        Self { step: Step::Begin, fields }
    }

    pub const fn login(fields: &'static [&'static str]) -> Self {
        Self { step: Step::Login, fields }
    }
}

/// Who knocks, and where they want to go.
pub struct Visit<'a> {
    pub contact: &'a Contact,
    /// The organization that was asked for.
    pub org: Option<OrgId>,
    /// Where a provider sends the browser back to.
    pub callback: String,
}

/// A sign-in that was begun.
pub struct Begun {
    pub state: NewState,
    pub next: Next,
}

/// What is kept on the server until the sign-in completes; sealed.
pub struct NewState {
    pub data: Value,
    /// The account, if an earlier sign-in of the same one dies with this.
    pub subject: Option<String>,
    /// How often it may be tried to complete it.
    pub tries: i64,
    /// How long it may take; `sign_in.state_seconds` if the kind has no time of its own.
    pub lifetime: Option<std::time::Duration>,
}

/// What the browser does next.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Next {
    /// Ask for these fields and send them to `login`.
    Ask { fields: Vec<&'static str> },
    /// Go there; the provider sends the browser back.
    Redirect { url: String },
    /// Hand these options to `navigator.credentials.get`, and its answer to `login`.
    Webauthn {
        #[schema(value_type = Object)]
        options: Value,
    },
}

/// What a kind found proved.
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Proven {
    /// A person of ours, where the proof itself is ours (a password, a passkey).
    pub user: Option<UserId>,
    /// At the identity provider: issuer and subject.
    pub identity: Option<(String, String)>,
    pub email: Option<String>,
    /// We ourselves saw that they read this mailbox. A provider's own `email_verified` is no such proof.
    pub email_is_ours: bool,
    pub display_name: Option<String>,
    /// The groups that the provider's directory has them in, all of them; none where it knows of no groups.
    #[serde(default)]
    pub groups: Option<Vec<String>>,
    /// For the session's memory: `otp`, `password`, `oidc` …
    pub factor: String,
    /// The proof itself holds two factors (a passkey with user verification).
    pub is_multi: bool,
    /// What the proof uses up, in the change that it leads to.
    #[serde(skip)]
    pub used: Vec<db::Statement>,
}

/// One thing that a test looked at.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Finding {
    /// What was tried.
    pub what: String,
    pub works: bool,
    /// What to do about it, or what was found.
    pub detail: String,
}

impl Finding {
    pub(crate) fn good(what: &str, detail: impl Into<String>) -> Self {
        Self { what: what.to_owned(), works: true, detail: detail.into() }
    }

    pub(crate) fn bad(what: &str, detail: impl Into<String>) -> Self {
        Self { what: what.to_owned(), works: false, detail: detail.into() }
    }
}

/// The kinds that this server knows.
#[derive(Clone, Default)]
pub struct Kinds(Vec<Arc<dyn Kind>>);

impl Kinds {
    pub fn new(kinds: Vec<Arc<dyn Kind>>) -> Self {
        Self(kinds)
    }

    pub fn get(&self, name: &str) -> Option<&Arc<dyn Kind>> {
        self.0.iter().find(|kind| kind.name() == name)
    }

    pub fn iter(&self) -> impl Iterator<Item = &dyn Kind> {
        self.0.iter().map(AsRef::as_ref)
    }

    pub fn names(&self) -> Vec<&'static str> {
        self.0.iter().map(|kind| kind.name()).collect()
    }
}

/// The text of an input field; empty counts as left out.
pub(crate) fn text<'a>(input: &'a Map<String, Value>, field: &str) -> Result<&'a str, SignInError> {
    let found =
        input.get(field).and_then(Value::as_str).filter(|text| !text.is_empty() && text.len() <= 4096);
    found.ok_or_else(|| SignInError::invalid(&format!("/input/{field}"), "is needed, as text"))
}
