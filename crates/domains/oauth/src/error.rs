//! What the authorization server refuses, in the form of RFC 6749 §5.2 – and what goes wrong with its keys.

use std::borrow::Cow;

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use db::CommitError;
use ledger::LedgerError;
use problem::Problem;
use secrets::SecretsError;
use serde_json::json;

pub(crate) type Text = Cow<'static, str>;

/// A refusal of a protocol endpoint. The texts say what to do next and never quote a secret.
#[derive(Debug, thiserror::Error)]
pub enum OAuthError {
    #[error("invalid_request: {0}")]
    InvalidRequest(Text),
    /// Who asks was not proven; the same text for every reason, so that nothing can be learnt by trying.
    #[error("invalid_client: {reason}")]
    InvalidClient { reason: &'static str, description: Text },
    #[error("unauthorized_client: {0}")]
    UnauthorizedClient(Text),
    #[error("unsupported_grant_type: {0}")]
    UnsupportedGrantType(Text),
    #[error("unsupported_token_type: {0}")]
    UnsupportedTokenType(Text),
    #[error("invalid_scope: {0}")]
    InvalidScope(Text),
    /// RFC 8707 §2.
    #[error("invalid_target: {0}")]
    InvalidTarget(Text),
    /// RFC 6749 §5.2: unknown, used, too old, or another's.
    #[error("invalid_grant")]
    InvalidGrant,
    /// RFC 8628 §3.5, these four.
    #[error("authorization_pending")]
    AuthorizationPending,
    #[error("slow_down")]
    SlowDown,
    #[error("access_denied")]
    AccessDenied,
    #[error("expired_token")]
    ExpiredToken,
    /// The issuer does not exist.
    #[error("no such issuer")]
    UnknownIssuer,
    #[error(transparent)]
    House(#[from] Problem),
}

pub(crate) fn invalid_request(text: &'static str) -> OAuthError {
    OAuthError::InvalidRequest(text.into())
}

/// `reason` is for the ledger; the caller reads one and the same sentence.
pub(crate) fn invalid_client(reason: &'static str) -> OAuthError {
    OAuthError::InvalidClient {
        reason,
        description: "the client or its proof is not valid; check both".into(),
    }
}

impl OAuthError {
    /// The value of `error`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::InvalidRequest(_) | Self::UnknownIssuer => "invalid_request",
            Self::InvalidClient { .. } => "invalid_client",
            Self::UnauthorizedClient(_) => "unauthorized_client",
            Self::UnsupportedGrantType(_) => "unsupported_grant_type",
            Self::UnsupportedTokenType(_) => "unsupported_token_type",
            Self::InvalidScope(_) => "invalid_scope",
            Self::InvalidTarget(_) => "invalid_target",
            Self::InvalidGrant => "invalid_grant",
            Self::AuthorizationPending => "authorization_pending",
            Self::SlowDown => "slow_down",
            Self::AccessDenied => "access_denied",
            Self::ExpiredToken => "expired_token",
            Self::House(problem) if problem.status() >= 500 && problem.status() != 500 => {
                "temporarily_unavailable"
            }
            Self::House(problem) if problem.status() == 500 => "server_error",
            Self::House(_) => "invalid_request",
        }
    }

    /// Whether it says something about the caller; our own trouble does not.
    pub(crate) fn is_refusal(&self) -> bool {
        !matches!(self, Self::House(_))
    }

    /// Why, for the ledger.
    pub(crate) fn reason(&self) -> String {
        match self {
            Self::InvalidClient { reason, .. } => (*reason).to_owned(),
            other => other.description(),
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::InvalidClient { .. } => StatusCode::UNAUTHORIZED,
            Self::UnknownIssuer => StatusCode::NOT_FOUND,
            Self::House(problem) => {
                StatusCode::from_u16(problem.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
            }
            _ => StatusCode::BAD_REQUEST,
        }
    }

    /// Only the characters that RFC 6749 §5.2 allows.
    fn description(&self) -> String {
        let text: &str = match self {
            Self::InvalidRequest(text)
            | Self::UnauthorizedClient(text)
            | Self::UnsupportedGrantType(text)
            | Self::UnsupportedTokenType(text)
            | Self::InvalidScope(text)
            | Self::InvalidTarget(text)
            | Self::InvalidClient { description: text, .. } => text,
            Self::InvalidGrant => "the code is not valid any more; sign in again",
            Self::AuthorizationPending => "nobody has let this device in yet; ask again after the interval",
            Self::SlowDown => "ask five seconds less often",
            Self::AccessDenied => "the person turned this device away",
            Self::ExpiredToken => "the code is too old; begin again",
            Self::UnknownIssuer => "no organization publishes this issuer",
            Self::House(problem) => problem.detail(),
        };
        let allowed = |c: char| matches!(c, ' ' | '!' | '#'..='[' | ']'..='~');
        text.chars().map(|c| if allowed(c) { c } else { '\'' }).collect()
    }
}

impl IntoResponse for OAuthError {
    fn into_response(self) -> Response {
        if let Self::House(problem) = &self
            && problem.status() >= 500
        {
            let context = problem.context().unwrap_or_default();
            tracing::error!(code = problem.code().name, context, "{}", problem.detail());
        }
        let body = json!({ "error": self.code(), "error_description": self.description() });
        let mut response = (self.status(), axum::Json(body)).into_response();
        let headers = response.headers_mut();
        private(headers);
        if matches!(self, Self::InvalidClient { .. }) {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"safeconduct\""));
        }
        if let Self::House(problem) = &self
            && let Some(seconds) = problem.retry_after()
        {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// What every answer of a protocol endpoint carries: never stored, readable by pages of any origin (no cookie counts here).
pub(crate) fn private(headers: &mut HeaderMap) {
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
}

macro_rules! through_problem {
    ($($from:ty),+) => {$(
        impl From<$from> for OAuthError {
            fn from(error: $from) -> Self {
                Self::House(error.into())
            }
        }
    )+};
}

through_problem!(db::DbError, CommitError, LedgerError, KeysError);

/// What can go wrong with signing keys.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    #[error("{path}: {reason}")]
    File { path: String, reason: String },
    #[error("a stored signing key does not open or parse: {0}")]
    Stored(String),
    #[error(transparent)]
    Key(#[from] crypto::jws::KeyError),
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Commit(#[from] CommitError),
}

impl From<db::DbError> for KeysError {
    fn from(error: db::DbError) -> Self {
        Self::Commit(error.into())
    }
}

impl From<KeysError> for Problem {
    fn from(error: KeysError) -> Self {
        match error {
            KeysError::Secrets(error) => error.into(),
            KeysError::Ledger(error) => error.into(),
            KeysError::Commit(error) => error.into(),
            other => Self::internal(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn house_troubles_become_protocol_errors_without_their_inside() {
        let full: OAuthError = Problem::internal("row 7 of secrets").into();
        assert_eq!((full.code(), full.status()), ("server_error", StatusCode::INTERNAL_SERVER_ERROR));
        assert!(!full.description().contains("row 7"));
        let stale: OAuthError = Problem::new(&problem::STALE_REVOCATION_FEED, "Try another node.").into();
        assert_eq!(
            (stale.code(), stale.status()),
            ("temporarily_unavailable", StatusCode::SERVICE_UNAVAILABLE)
        );
    }

    #[test]
    fn descriptions_keep_to_the_characters_of_the_rfc() {
        let odd = OAuthError::InvalidScope("`a\"b\\c\u{e9}\n` is no scope".into());
        assert_eq!(odd.description(), "`a'b'c''` is no scope");
    }

    #[test]
    fn every_unproven_client_reads_the_same() {
        let texts = ["no such agent", "wrong secret"].map(|reason| invalid_client(reason).description());
        assert_eq!(texts[0], texts[1]);
    }
}
