//! The server's own sign-in at a Vault: a token as given, or one that AppRole gives for a while.

use std::time::Duration;

use hyper::Method;
use serde_json::{Value, json};
use types::{Secret, Timestamp};

use super::{Inner, VaultError, VaultLogin, refusal};

pub(super) struct Session {
    token: Secret<String>,
    /// From when on it is renewed; none for a token that does not end or that others renew.
    renew_from: Option<Timestamp>,
    ends_at: Option<Timestamp>,
}

impl Inner {
    /// The token in force; whoever comes first signs in for all.
    pub(super) async fn token(&self) -> Result<Secret<String>, VaultError> {
        let mut session = self.session.lock().await;
        let now = self.world.now();
        if let Some(kept) = session.as_ref() {
            let ended = kept.ends_at.is_some_and(|at| now >= at);
            if kept.renew_from.is_none_or(|at| now < at) {
                return Ok(kept.token.clone());
            }
            if !ended && let Ok(renewed) = self.renewed(&kept.token).await {
                return Ok(session.insert(renewed).token.clone());
            }
        }
        let fresh = self.sign_in().await?;
        Ok(session.insert(fresh).token.clone())
    }

    /// Whether there may be another token than this one, which was refused.
    pub(super) async fn forget(&self, refused: &Secret<String>) -> bool {
        let mut session = self.session.lock().await;
        let is_same = session.as_ref().is_some_and(|kept| kept.token.reveal() == refused.reveal());
        if is_same {
            *session = None;
        }
        !matches!(self.settings.login, VaultLogin::Token(_))
    }

    async fn sign_in(&self) -> Result<Session, VaultError> {
        let read = |path: &std::path::PathBuf| {
            let text = std::fs::read_to_string(path);
            let text = text.map_err(|error| VaultError::SignIn(format!("{}: {error}", path.display())))?;
            Ok(text.trim().to_owned())
        };
        match &self.settings.login {
            VaultLogin::Token(token) => self.proven(token.clone()).await,
            VaultLogin::TokenFile(path) => self.proven(Secret::new(read(path)?)).await,
            VaultLogin::AppRole { mount, role, secret } => {
                let body = json!({ "role_id": role, "secret_id": read(secret)? });
                self.issued(&format!("auth/{mount}/login"), Some(&body), None).await
            }
        }
    }

    /// A token of others' making, once Vault knows it.
    async fn proven(&self, token: Secret<String>) -> Result<Session, VaultError> {
        let answer = self.call(Method::GET, "auth/token/lookup-self", None, Some(&token)).await?;
        match answer.status {
            200 => Ok(Session { token, renew_from: None, ends_at: None }),
            403 => Err(VaultError::SignIn("the token is not valid".to_owned())),
            _ => Err(refusal(&answer)),
        }
    }

    async fn renewed(&self, token: &Secret<String>) -> Result<Session, VaultError> {
        self.issued("auth/token/renew-self", Some(&json!({})), Some(token)).await
    }

    async fn issued(
        &self,
        path: &str,
        body: Option<&Value>,
        token: Option<&Secret<String>>,
    ) -> Result<Session, VaultError> {
        let answer = self.call(Method::POST, path, body, token).await?;
        if answer.status != 200 {
            return Err(match refusal(&answer) {
                VaultError::Other { said, .. } => VaultError::SignIn(said),
                other => other,
            });
        }
        let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let token = body.pointer("/auth/client_token").and_then(Value::as_str);
        let token = token.ok_or_else(|| VaultError::SignIn("the answer holds no token".to_owned()))?;
        let lease = body.pointer("/auth/lease_duration").and_then(Value::as_u64).unwrap_or_default();
        let after = |seconds: u64| (lease > 0).then(|| self.world.now().plus(Duration::from_secs(seconds)));
        Ok(Session {
            token: Secret::new(token.to_owned()),
            renew_from: after(lease * 2 / 3),
            ends_at: after(lease),
        })
    }
}
