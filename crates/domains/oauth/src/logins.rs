//! Signing a command line in by way of a browser: the device grant (RFC 8628) and the authorization code with PKCE on a
//! loopback address (RFC 8252, RFC 7636). Both wait for a person at a browser session who confirms, both are used once, and
//! both end in a session of their own that can be ended on its own.

use std::net::IpAddr;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use crypto::mac::MacKey;
use db::{Bookkeeping, Change, CommitError};
use people::{How, SessionKind};
use problem::{NOT_FOUND, Problem, VALIDATION_FAILED};
use serde_json::json;
use types::{AuthProviderId, LoginGrantId, OrgId, Timestamp, UserId};
use web::{Allowance, Contact, Decided, Means, PrincipalId};

use crate::claims::first_party;
use crate::error::OAuthError;
use crate::form::Form;
use crate::person::SignedIn;
use crate::{Oauth, facts, store};

pub(crate) const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
pub(crate) const CODE_GRANT: &str = "authorization_code";

const DEVICE_LIFETIME: Duration = Duration::from_secs(600);
/// RFC 6749 §4.1.2 allows ten minutes; the browser goes back at once.
const CODE_LIFETIME: Duration = Duration::from_secs(60);
/// RFC 8628 §3.5.
pub(crate) const INTERVAL: Duration = Duration::from_secs(5);
/// No vowels, so no words; nothing that is taken for another (RFC 8628 §6.1).
const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
const USER_CODE: usize = 8;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GrantKind {
    Device,
    Code,
}

impl GrantKind {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Device => "device",
            Self::Code => "code",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GrantStatus {
    Pending,
    Approved,
    Denied,
    Used,
}

impl GrantStatus {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Denied => "denied",
            Self::Used => "used",
        }
    }
}

impl std::str::FromStr for GrantStatus {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::Pending, Self::Approved, Self::Denied, Self::Used]
            .into_iter()
            .find(|status| status.name() == text)
            .ok_or(())
    }
}

/// A row of `login_grants`.
#[derive(Clone, Debug)]
pub(crate) struct LoginGrant {
    pub(crate) id: LoginGrantId,
    pub(crate) challenge: Option<String>,
    pub(crate) redirect_uri: Option<String>,
    pub(crate) user_agent: Option<String>,
    pub(crate) ip: Option<String>,
    pub(crate) status: GrantStatus,
    pub(crate) by: Option<Approver>,
    pub(crate) polled_at: Option<Timestamp>,
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Timestamp,
}

/// Whose session a grant becomes, and how they had proved who they are.
#[derive(Clone, Debug)]
pub(crate) struct Approver {
    pub(crate) org: OrgId,
    pub(crate) user: UserId,
    pub(crate) provider: Option<AuthProviderId>,
    pub(crate) factors: String,
}

/// RFC 8628 §3.2.
pub(crate) struct DeviceCodes {
    pub(crate) device_code: String,
    pub(crate) user_code: String,
    pub(crate) verification_uri: String,
    pub(crate) verification_uri_complete: String,
    pub(crate) expires_in: u64,
    pub(crate) interval: u64,
}

/// What an authorization request asks for (RFC 6749 §4.1.1).
pub(crate) struct Authorization<'a> {
    pub(crate) client_id: &'a str,
    pub(crate) redirect_uri: &'a str,
    pub(crate) challenge: &'a str,
    pub(crate) state: Option<&'a str>,
}

impl Authorization<'_> {
    /// Only our own command line, on a loopback address of the machine that the browser runs on.
    pub(crate) fn check(&self) -> Result<(), Problem> {
        let wrong = |field: &str, reason: &str| {
            Err(Problem::new(&VALIDATION_FAILED, "This is no sign-in of the command line.")
                .with_error(field, reason))
        };
        if !is_first_party(self.client_id) {
            return wrong("client_id", "is not the command line's");
        }
        if !is_loopback(self.redirect_uri) {
            return wrong(
                "redirect_uri",
                "must be http://127.0.0.1:<port>/callback or http://[::1]:<port>/callback",
            );
        }
        let base64url = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if self.challenge.len() != 43 || !self.challenge.bytes().all(base64url) {
            return wrong("code_challenge", "must be a SHA-256 in base64url (S256)");
        }
        if self
            .state
            .is_some_and(|state| state.len() > 512 || !state.bytes().all(|byte| byte.is_ascii_graphic()))
        {
            return wrong("state", "must be at most 512 printable characters");
        }
        Ok(())
    }
}

pub(crate) fn is_first_party(client_id: &str) -> bool {
    client_id == first_party().to_string()
}

/// RFC 8252 §7.3: the port is free, the rest is not.
fn is_loopback(uri: &str) -> bool {
    let rest = uri.strip_prefix("http://127.0.0.1:").or_else(|| uri.strip_prefix("http://[::1]:"));
    let port = rest.and_then(|rest| rest.strip_suffix("/callback"));
    port.is_some_and(|port| port.parse::<u16>().is_ok_and(|number| number.to_string() == port && number > 0))
}

impl Oauth {
    /// Starts a device grant.
    pub(crate) async fn begin_device(
        &self,
        form: &Form<'_>,
        contact: &Contact,
    ) -> Result<DeviceCodes, OAuthError> {
        let inner = self.inner();
        if !is_first_party(form.need("client_id")?) {
            return Err(crate::error::invalid_client("unknown client of the device grant"));
        }
        let device_code = crypto::base62::encode(&inner.world.bytes::<32>());
        let user_code = self.draw_user_code();
        let now = inner.world.now();
        let row = store::NewGrant {
            id: inner.world.id(),
            kind: GrantKind::Device,
            secret_tag: self.login_tag(&device_code),
            user_tag: Some(self.user_tag(&user_code)),
            challenge: None,
            redirect_uri: None,
            user_agent: contact.user_agent.as_deref(),
            ip: contact.ip,
            by: None,
            created_at: now,
            expires_at: now.plus(DEVICE_LIFETIME),
        };
        inner
            .db
            .keep(Bookkeeping::new(store::LOGINS).statement(store::insert_grant(&row)))
            .await
            .map_err(Problem::from)?;
        let verification_uri = format!("{}/console/device", inner.settings.public_url);
        Ok(DeviceCodes {
            device_code,
            // In the fragment, which no server log holds.
            verification_uri_complete: format!("{verification_uri}#{user_code}"),
            verification_uri,
            user_code,
            expires_in: DEVICE_LIFETIME.as_secs(),
            interval: INTERVAL.as_secs(),
        })
    }

    /// The device that a person's code stands for, while it waits.
    pub(crate) async fn waiting_device(&self, user_code: &str) -> Result<LoginGrant, Problem> {
        let inner = self.inner();
        let tag = self.user_tag(user_code);
        let found = store::grant_by_user_tag(&inner.db, tag).await?;
        let now = inner.world.now();
        let waits = |grant: &LoginGrant| grant.status == GrantStatus::Pending && now < grant.expires_at;
        found.filter(waits).ok_or_else(no_device)
    }

    /// Lets the device in as the caller, or turns it away.
    pub(crate) async fn decide_device(
        &self,
        by: &Allowance,
        user_code: &str,
        approve: bool,
    ) -> Result<Decided<LoginGrant>, Problem> {
        let inner = self.inner();
        let approver = self.approver(by).await?;
        let mut grant = self.waiting_device(user_code).await?;
        let (kind, status) = match approve {
            true => (&facts::LOGIN_APPROVED, GrantStatus::Approved),
            false => (&facts::LOGIN_DENIED, GrantStatus::Denied),
        };
        let fact = by.fact(kind).target("login", grant.id, "").data(json!({ "grant": "device" }));
        let change = Change::new(store::LOGINS, inner.ledger.seal(fact).await?)
            .statement(store::decide_grant(grant.id, status, &approver));
        grant.status = status;
        Ok(Decided::new(change, grant))
    }

    /// The caller lets a command line in that waits on a loopback address: where the browser goes with the code.
    pub(crate) async fn authorize(
        &self,
        by: &Allowance,
        asked: &Authorization<'_>,
    ) -> Result<Decided<String>, Problem> {
        asked.check()?;
        let inner = self.inner();
        let approver = self.approver(by).await?;
        let code = crypto::base62::encode(&inner.world.bytes::<32>());
        let now = inner.world.now();
        let row = store::NewGrant {
            id: inner.world.id(),
            kind: GrantKind::Code,
            secret_tag: self.login_tag(&code),
            user_tag: None,
            challenge: Some(asked.challenge),
            redirect_uri: Some(asked.redirect_uri),
            user_agent: by.contact().user_agent.as_deref(),
            ip: by.contact().ip,
            by: Some(&approver),
            created_at: now,
            expires_at: now.plus(CODE_LIFETIME),
        };
        let fact =
            by.fact(&facts::LOGIN_APPROVED).target("login", row.id, "").data(json!({ "grant": "code" }));
        let change =
            Change::new(store::LOGINS, inner.ledger.seal(fact).await?).statement(store::insert_grant(&row));
        let issuer = inner.issuers.of_org(approver.org).await.map_err(Problem::from)?;
        let issuer = issuer.ok_or_else(|| Problem::internal("a session without organization"))?;
        let base = format!("{}?", asked.redirect_uri);
        let start = base.len();
        let mut answer = form_urlencoded::Serializer::for_suffix(base, start);
        answer.append_pair("code", &code);
        if let Some(state) = asked.state {
            answer.append_pair("state", state);
        }
        // RFC 9207.
        answer.append_pair("iss", &issuer.url);
        Ok(Decided::new(change, answer.finish()))
    }

    /// Exchanges what the command line holds for tokens. Of many who try at once, one gets them.
    pub(crate) async fn redeem_login(
        &self,
        grant_type: &str,
        form: &Form<'_>,
        contact: &Contact,
    ) -> Result<SignedIn, OAuthError> {
        let inner = self.inner();
        let rev = self.begin()?;
        if !is_first_party(form.need("client_id")?) {
            return Err(crate::error::invalid_client("unknown client of a login"));
        }
        let secret = form.need(if grant_type == DEVICE_GRANT { "device_code" } else { "code" })?;
        let found = store::grant_by_secret(&inner.db, self.login_tag(secret)).await.map_err(Problem::from)?;
        let grant = found.ok_or(OAuthError::InvalidGrant)?;
        match grant_type {
            DEVICE_GRANT => self.may_poll(&grant).await?,
            _ => may_exchange(&grant, form, inner.world.now())?,
        }
        let by = grant.by.as_ref().ok_or(OAuthError::InvalidGrant)?;
        let person = inner.people.person(by.user).await.map_err(Problem::from)?;
        let person = person.filter(|person| person.active).ok_or(OAuthError::InvalidGrant)?;
        if !inner.people.orgs_of(by.user).await.map_err(Problem::from)?.contains(&by.org) {
            return Err(OAuthError::InvalidGrant);
        }
        let how = How { factors: by.factors.clone(), provider: by.provider, is_step_up: false };
        let entering = inner.people.enter(None, by.org, &person, SessionKind::Cli, &how, contact);
        let (started, change) = entering.await.map_err(Problem::from)?;
        match inner.db.commit(change.statement(store::use_grant(grant.id))).await {
            Ok(_) => {}
            Err(CommitError::Refused(_)) => return Err(OAuthError::InvalidGrant),
            Err(error) => return Err(Problem::from(error).into()),
        }
        let name = if grant_type == DEVICE_GRANT { "device_code" } else { CODE_GRANT };
        let access = self.mint_for_person(&started.session, rev, name, contact).await?;
        Ok(SignedIn { session: started.session, access, refresh: started.secret })
    }

    /// What a device is told before it may come in (RFC 8628 §3.5).
    async fn may_poll(&self, grant: &LoginGrant) -> Result<(), OAuthError> {
        let inner = self.inner();
        let now = inner.world.now();
        let is_device = grant.challenge.is_none();
        match grant.status {
            GrantStatus::Approved if is_device && now < grant.expires_at => Ok(()),
            GrantStatus::Denied if is_device => Err(OAuthError::AccessDenied),
            GrantStatus::Pending | GrantStatus::Approved if is_device && now >= grant.expires_at => {
                Err(OAuthError::ExpiredToken)
            }
            GrantStatus::Pending if is_device => {
                let polling = Bookkeeping::new(store::LOGINS).statement(store::note_poll(grant.id, now));
                inner.db.keep(polling).await.map_err(Problem::from)?;
                match grant.polled_at {
                    Some(last) if now.since(last) < INTERVAL => Err(OAuthError::SlowDown),
                    _ => Err(OAuthError::AuthorizationPending),
                }
            }
            _ => Err(OAuthError::InvalidGrant),
        }
    }

    /// The person at a browser session.
    async fn approver(&self, by: &Allowance) -> Result<Approver, Problem> {
        let (PrincipalId::User(user), Means::Session { .. }) = (by.caller().principal(), &by.caller().means)
        else {
            let detail = "Only a person at a browser session can let a command line in.";
            return Err(Problem::new(&problem::PERMISSION_DENIED, detail));
        };
        let session = self.inner().people.session_at_browser(by).await?;
        Ok(Approver { org: session.org, user, provider: session.provider, factors: session.factors })
    }

    fn draw_user_code(&self) -> String {
        let mut code = String::with_capacity(USER_CODE + 1);
        while code.len() <= USER_CODE {
            let byte: [u8; 1] = self.inner().world.bytes();
            // 240 is the largest multiple of 20 below 256: what would favour some letters is drawn again.
            if byte[0] < 240 {
                if code.len() == USER_CODE / 2 {
                    code.push('-');
                }
                code.push(char::from(LETTERS[usize::from(byte[0]) % LETTERS.len()]));
            }
        }
        code
    }

    fn login_tag(&self, secret: &str) -> [u8; 32] {
        self.login_key().tag(&[b"secret", secret.as_bytes()])
    }

    /// People type it as they like.
    fn user_tag(&self, code: &str) -> [u8; 32] {
        let folded: String =
            code.chars().filter(char::is_ascii_alphabetic).map(|c| c.to_ascii_uppercase()).collect();
        self.login_key().tag(&[b"user", folded.as_bytes()])
    }

    fn login_key(&self) -> &MacKey {
        &self.inner().login_key
    }

    pub(crate) async fn sweep_logins(&self) {
        let day_ago = self.inner().world.now().minus(Duration::from_secs(24 * 3600));
        let books = Bookkeeping::new(store::LOGINS).statement(store::forget_grants(day_ago));
        if let Err(error) = self.inner().db.keep(books).await {
            tracing::warn!(%error, "old logins were not swept");
        }
    }
}

fn may_exchange(grant: &LoginGrant, form: &Form<'_>, now: Timestamp) -> Result<(), OAuthError> {
    let verifier = form.need("code_verifier")?;
    let hashed = URL_SAFE_NO_PAD.encode(crypto::hash::sha256(verifier.as_bytes()));
    let challenge = grant.challenge.as_deref().unwrap_or_default();
    let same = crypto::eq(hashed.as_bytes(), challenge.as_bytes())
        && form.get("redirect_uri") == grant.redirect_uri.as_deref();
    if same && grant.status == GrantStatus::Approved && now < grant.expires_at {
        return Ok(());
    }
    Err(OAuthError::InvalidGrant)
}

fn no_device() -> Problem {
    Problem::new(
        &NOT_FOUND,
        "No device waits under this code. Compare it with what the device shows; codes live ten minutes.",
    )
}

/// For the row: an address as text.
pub(crate) fn shown(ip: Option<IpAddr>) -> Option<String> {
    ip.map(|ip| ip.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_addresses_get_a_code() {
        for allowed in ["http://127.0.0.1:40000/callback", "http://[::1]:1/callback"] {
            assert!(is_loopback(allowed), "{allowed}");
        }
        for refused in [
            "",
            "http://127.0.0.1/callback",
            "http://127.0.0.1:0/callback",
            "http://127.0.0.1:080/callback",
            "http://127.0.0.1:99999/callback",
            "http://127.0.0.1:40000/other",
            "http://127.0.0.1:40000/callback?x=1",
            "http://127.0.0.1:40000@evil.example/callback",
            "http://localhost:40000/callback",
            "http://127.0.0.1.evil.example:40000/callback",
            "https://127.0.0.1:40000/callback",
            "http://evil.example:40000/callback",
            "HTTP://127.0.0.1:40000/callback",
        ] {
            assert!(!is_loopback(refused), "{refused}");
        }
    }
}
