//! HashiCorp Vault, or OpenBao: secrets that stay there and are read when they are used.
//!
//! Owns what a reference to a secret is and how far an organization's own ones reach, the server's sign-in there and its
//! renewal. Knows nothing of what a secret is for. Key-value engines of both versions, by the HTTP API of Vault
//! (<https://developer.hashicorp.com/vault/api-docs/secret/kv>).

mod error;
mod reference;
mod session;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use egress::{Answer, Destination, Egress, Request};
use hyper::Method;
use parking_lot::Mutex;
use serde_json::{Map, Value, json};
use types::{OrgId, Secret, Timestamp, World};

pub use error::VaultError;
pub use reference::{Engine, Reach, Reference};
use session::Session;

/// How long a value that was read is used: a secret turned in the Vault is in force after it.
const FRESH: Duration = Duration::from_secs(60);
/// Values kept at the same time.
const KEPT: usize = 1024;

pub struct VaultSettings {
    /// `https://vault.example.com:8200`
    pub address: String,
    pub namespace: Option<String>,
    pub login: VaultLogin,
    /// Certificates (PEM) that are trusted for it alone.
    pub authorities: Option<String>,
    pub reach: Reach,
}

/// How the server proves itself.
pub enum VaultLogin {
    Token(Secret<String>),
    /// Read again when the token is refused: an agent beside the server may turn it.
    TokenFile(PathBuf),
    AppRole {
        mount: String,
        role: String,
        secret: PathBuf,
    },
}

/// The Vault, or none. Clones share it.
#[derive(Clone)]
pub struct Vault(Option<Arc<Inner>>);

struct Inner {
    egress: Egress,
    world: World,
    settings: VaultSettings,
    session: tokio::sync::Mutex<Option<Session>>,
    read: Mutex<HashMap<Reference, (Timestamp, Secret<String>)>>,
    is_up: AtomicBool,
}

impl Vault {
    pub fn none() -> Self {
        Self(None)
    }

    /// Waits for it and signs in.
    ///
    /// # Errors
    /// Why it could not be reached or does not know the server, after `patience`.
    pub async fn open(
        egress: Egress,
        world: World,
        settings: VaultSettings,
        patience: Duration,
    ) -> Result<Self, VaultError> {
        let inner = Inner {
            egress,
            world,
            settings,
            session: tokio::sync::Mutex::default(),
            read: Mutex::default(),
            is_up: AtomicBool::new(false),
        };
        let until = tokio::time::Instant::now() + patience;
        let mut pause = Duration::from_millis(100);
        loop {
            match inner.token().await {
                Ok(_) => return Ok(Self(Some(Arc::new(inner)))),
                // Waiting makes no wrong token right.
                Err(error @ VaultError::SignIn(_)) => return Err(error),
                Err(error) if tokio::time::Instant::now() + pause > until => return Err(error),
                Err(error) => tracing::warn!(%error, "waiting for Vault"),
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(5));
        }
    }

    /// `none`, `up`, or `down` since it last did not answer.
    pub fn state(&self) -> &'static str {
        match &self.0 {
            None => "none",
            Some(inner) if inner.is_up.load(Ordering::Relaxed) => "up",
            Some(_) => "down",
        }
    }

    /// Whether somebody may refer to this place; `None` is the operator, who may to any.
    pub fn admit(&self, owner: Option<OrgId>, reference: &Reference) -> Result<(), VaultError> {
        let inner = self.0.as_ref().ok_or(VaultError::None)?;
        reference.check()?;
        owner.map_or(Ok(()), |org| inner.settings.reach.admit(org, reference))
    }

    /// The secret, at most a minute old.
    pub async fn read(&self, reference: &Reference) -> Result<Secret<String>, VaultError> {
        let inner = self.0.as_ref().ok_or(VaultError::None)?;
        reference.check()?;
        let now = inner.world.now();
        if let Some((at, secret)) = inner.read.lock().get(reference)
            && now.since(*at) < FRESH
        {
            return Ok(secret.clone());
        }
        let secret = counted("read", Box::pin(inner.read(reference)).await)?;
        let mut read = inner.read.lock();
        read.retain(|_, (at, _)| now.since(*at) < FRESH);
        if read.len() < KEPT {
            read.insert(reference.clone(), (now, secret.clone()));
        }
        Ok(secret)
    }

    /// Puts a secret there beside what else lies at the path; others' changes at the same moment are refused, not lost.
    pub async fn write(&self, reference: &Reference, secret: &Secret<String>) -> Result<(), VaultError> {
        let inner = self.0.as_ref().ok_or(VaultError::None)?;
        reference.check()?;
        counted("write", Box::pin(inner.write(reference, secret)).await)?;
        inner.read.lock().clear();
        Ok(())
    }
}

fn counted<T>(what: &'static str, outcome: Result<T, VaultError>) -> Result<T, VaultError> {
    let label = outcome.as_ref().map_or_else(VaultError::label, |_| "answered");
    metrics::counter!("safeconduct_vault_calls_total", "what" => what, "outcome" => label).increment(1);
    outcome
}

/// What lies at a path, and its version where the engine counts them.
struct Lying {
    values: Map<String, Value>,
    version: u64,
}

impl Inner {
    async fn read(&self, reference: &Reference) -> Result<Secret<String>, VaultError> {
        let not_there = || VaultError::NotThere { place: place(reference), key: reference.key.clone() };
        let lying = self.lying(reference).await?.ok_or_else(not_there)?;
        match lying.values.get(&reference.key) {
            Some(Value::String(text)) => Ok(Secret::new(text.clone())),
            _ => Err(not_there()),
        }
    }

    async fn lying(&self, reference: &Reference) -> Result<Option<Lying>, VaultError> {
        let path = match (reference.engine, reference.version) {
            (Engine::Kv1, _) => format!("{}/{}", reference.mount, reference.path),
            (Engine::Kv2, None) => format!("{}/data/{}", reference.mount, reference.path),
            (Engine::Kv2, Some(version)) => {
                format!("{}/data/{}?version={version}", reference.mount, reference.path)
            }
        };
        let answer = self.ask(Method::GET, &path, None, &place(reference)).await?;
        let Some(mut answer) = answer else { return Ok(None) };
        let values = match reference.engine {
            Engine::Kv1 => answer.pointer_mut("/data").map(Value::take),
            Engine::Kv2 => answer.pointer_mut("/data/data").map(Value::take),
        };
        let version = answer.pointer("/data/metadata/version").and_then(Value::as_u64).unwrap_or_default();
        // A version that was deleted is there, without values.
        Ok(match values {
            Some(Value::Object(values)) => Some(Lying { values, version }),
            _ => Some(Lying { values: Map::new(), version }),
        })
    }

    async fn write(&self, reference: &Reference, secret: &Secret<String>) -> Result<(), VaultError> {
        let newest = Reference { version: None, ..reference.clone() };
        let mut lying = self.lying(&newest).await?.unwrap_or(Lying { values: Map::new(), version: 0 });
        lying.values.insert(reference.key.clone(), Value::String(secret.reveal().clone()));
        let (path, body) = match reference.engine {
            Engine::Kv1 => (format!("{}/{}", reference.mount, reference.path), Value::Object(lying.values)),
            Engine::Kv2 => (
                format!("{}/data/{}", reference.mount, reference.path),
                json!({ "data": lying.values, "options": { "cas": lying.version } }),
            ),
        };
        match self.ask(Method::POST, &path, Some(&body), &place(reference)).await {
            Err(VaultError::Other { status: 400, said }) if said.contains("check-and-set") => {
                Err(VaultError::Changed(place(reference)))
            }
            other => other.map(|_| ()),
        }
    }

    /// One call under the server's token; none where nothing lies. A token that is refused is had anew, once.
    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        place: &str,
    ) -> Result<Option<Value>, VaultError> {
        let token = self.token().await?;
        let mut answer = self.call(method.clone(), path, body, Some(&token)).await?;
        if answer.status == 403 && self.forget(&token).await {
            let token = self.token().await?;
            answer = self.call(method, path, body, Some(&token)).await?;
        }
        match answer.status {
            200 => serde_json::from_slice(&answer.body)
                .map(Some)
                .map_err(|error| other(&answer, &error.to_string())),
            204 => Ok(Some(Value::Null)),
            // A deleted version comes with its metadata.
            404 => Ok(serde_json::from_slice(&answer.body)
                .ok()
                .filter(|body: &Value| body.get("data").is_some())),
            403 => Err(VaultError::Denied(place.to_owned())),
            _ => Err(refusal(&answer)),
        }
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        token: Option<&Secret<String>>,
    ) -> Result<Answer, VaultError> {
        let silent = |error: egress::EgressError| VaultError::Silent(error.to_string());
        let url = format!("{}/v1/{path}", self.settings.address.trim_end_matches('/'));
        let mut request = Request::json(method, &url, body).map_err(silent)?;
        if let Some(token) = token {
            request = request.with(TOKEN, token.reveal()).map_err(silent)?;
        }
        if let Some(namespace) = &self.settings.namespace {
            request = request.with(NAMESPACE, namespace).map_err(silent)?;
        }
        if let Some(authorities) = &self.settings.authorities {
            request = request.trusting(authorities);
        }
        let answer = self.egress.call(Destination::Operator, request).await;
        let is_up = answer.as_ref().is_ok_and(|answer| answer.status < 500);
        self.is_up.store(is_up, Ordering::Relaxed);
        metrics::gauge!("safeconduct_vault_up").set(f64::from(u8::from(is_up)));
        answer.map_err(silent)
    }
}

const TOKEN: hyper::header::HeaderName = hyper::header::HeaderName::from_static("x-vault-token");
const NAMESPACE: hyper::header::HeaderName = hyper::header::HeaderName::from_static("x-vault-namespace");

fn place(reference: &Reference) -> String {
    format!("{}/{}", reference.mount, reference.path)
}

fn refusal(answer: &Answer) -> VaultError {
    if answer.status == 503 || answer.status == 501 {
        return VaultError::Sealed;
    }
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let errors = body.get("errors").and_then(Value::as_array).into_iter().flatten();
    let said: Vec<&str> = errors.filter_map(Value::as_str).collect();
    other(answer, &said.join("; "))
}

fn other(answer: &Answer, said: &str) -> VaultError {
    VaultError::Other { status: answer.status, said: said.chars().take(300).collect() }
}
