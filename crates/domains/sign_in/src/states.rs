//! Sign-ins between their beginning and their end. They live on the server, for minutes, and are used up once: the browser
//! has a handle of random characters, the database its HMAC and – sealed – what the kind must remember.

use std::time::Duration;

use crypto::seal::Aad;
use db::{Bookkeeping, Row, Statement};
use secrets::Purpose;
use serde_json::Value;
use types::{AuthProviderId, Id, OrgId, Secret, SignInStateId, Timestamp};

use crate::kind::NewState;
use crate::service::SIGN_IN;
use crate::{Reason, SignIn, SignInError, store};

/// What a state is for; a handle of one purpose is nothing for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum For {
    SignIn,
    SecondFactor,
    StepUp,
    Enrolment,
    Reset,
}

impl For {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::SignIn => "sign_in",
            Self::SecondFactor => "second_factor",
            Self::StepUp => "step_up",
            Self::Enrolment => "enrolment",
            Self::Reset => "reset",
        }
    }
}

/// A state that one try was just taken of.
#[derive(Clone, Debug)]
pub struct OpenState {
    pub(crate) id: SignInStateId,
    pub(crate) provider: Option<AuthProviderId>,
    pub(crate) org: Option<OrgId>,
    pub(crate) return_to: Option<String>,
    pub(crate) browser_tag: Option<[u8; 32]>,
    pub(crate) data: Value,
}

impl OpenState {
    /// What the kind kept when it began.
    pub fn data(&self) -> &Value {
        &self.data
    }
}

/// Around what a kind keeps.
#[derive(Default)]
pub(crate) struct Frame<'a> {
    pub(crate) provider: Option<AuthProviderId>,
    pub(crate) org: Option<OrgId>,
    pub(crate) return_to: Option<&'a str>,
}

/// The handles of a state that was kept.
pub(crate) struct Kept {
    pub(crate) handle: Secret<String>,
    /// For the cookie of the browser that began.
    pub(crate) browser: Secret<String>,
    pub(crate) expires_at: Timestamp,
}

impl SignIn {
    pub(crate) async fn keep_state(
        &self,
        purpose: For,
        frame: &Frame<'_>,
        new: NewState,
    ) -> Result<Kept, SignInError> {
        self.keep_state_as(self.new_handle(), purpose, frame, new).await
    }

    pub(crate) fn new_handle(&self) -> Secret<String> {
        Secret::new(crypto::base62::encode(&self.inner().world.bytes::<32>()))
    }

    /// As [`SignIn::keep_state`], under a handle that was given to somebody before.
    pub(crate) async fn keep_state_as(
        &self,
        handle: Secret<String>,
        purpose: For,
        frame: &Frame<'_>,
        new: NewState,
    ) -> Result<Kept, SignInError> {
        let inner = self.inner();
        let id: SignInStateId = inner.world.id();
        let now = inner.world.now();
        let kept = Kept {
            handle,
            browser: self.new_handle(),
            expires_at: now.plus(new.lifetime.unwrap_or(inner.settings.state_lifetime)),
        };
        let data = serde_json::to_vec(&new.data).map_err(SignInError::internal)?;
        let sealed = inner.keyring.seal(Purpose::Records, &place(id.uuid().as_bytes()), &data).await?;
        let subject = new.subject.map(|subject| self.subject_tag(purpose, frame.provider, &subject));
        let row = store::StateRow {
            id,
            secret_tag: self.handle_tag(kept.handle.reveal()),
            browser_tag: self.handle_tag(kept.browser.reveal()),
            purpose: purpose.name(),
            provider: frame.provider,
            org: frame.org,
            subject_tag: subject,
            data: sealed,
            return_to: frame.return_to,
            most_tries: new.tries,
            created_at: now,
            expires_at: kept.expires_at,
        };
        let mut books = Bookkeeping::new(SIGN_IN);
        if let Some(subject) = subject {
            books = books.statement(store::void_states(subject, now));
        }
        inner.db.keep(books.statement(store::insert_state(&row))).await?;
        Ok(kept)
    }

    /// Takes one try of a state. However many ask at once, no more tries are given than it has.
    pub(crate) async fn take_try(&self, purpose: For, handle: &str) -> Result<OpenState, SignInError> {
        let inner = self.inner();
        let tag = self.handle_tag(handle);
        let take = store::take_try(tag, purpose.name(), inner.world.now());
        let taken = inner.db.keep(Bookkeeping::new(SIGN_IN).statement(take.returning("id"))).await?;
        if taken.iter().all(Vec::is_empty) {
            return Err(SignInError::Refused(Reason::NoState));
        }
        let row = store::state_by_tag(&inner.db, tag).await?;
        self.open_state(row.ok_or(SignInError::Refused(Reason::NoState))?).await
    }

    /// Uses a state up; goes into the change that it leads to.
    pub(crate) fn use_up(&self, state: SignInStateId) -> Statement {
        store::use_state(state, self.inner().world.now())
    }

    /// Whether the browser that comes back is the one that was sent away.
    pub(crate) fn is_same_browser(&self, state: &OpenState, cookie: Option<&str>) -> bool {
        match (state.browser_tag, cookie) {
            (Some(tag), Some(cookie)) => crypto::eq(&tag, &self.handle_tag(cookie)),
            _ => false,
        }
    }

    async fn open_state(&self, mut row: Row) -> Result<OpenState, SignInError> {
        let id: SignInStateId = row.id()?;
        let (provider, org, return_to) = (row.optional_id()?, row.optional_id()?, row.next()?);
        let (browser_tag, sealed): (Option<[u8; 32]>, Vec<u8>) = (row.next()?, row.next()?);
        let row = id.uuid();
        let place = place(row.as_bytes());
        let data = self.inner().keyring.open_sealed(Purpose::Records, &place, &sealed).await?;
        let data = serde_json::from_slice(&data).map_err(SignInError::internal)?;
        Ok(OpenState { id, provider, org, return_to, browser_tag, data })
    }

    fn handle_tag(&self, handle: &str) -> [u8; 32] {
        self.inner().state_key.tag(&[b"handle", handle.as_bytes()])
    }

    fn subject_tag(&self, purpose: For, provider: Option<AuthProviderId>, subject: &str) -> [u8; 32] {
        let provider = provider.map_or([0; 16], |id| *id.uuid().as_bytes());
        self.inner().state_key.tag(&[b"subject", purpose.name().as_bytes(), &provider, subject.as_bytes()])
    }

    /// Forgets states that are long over; called by the sweeper.
    pub async fn sweep(&self) {
        let day_ago = self.inner().world.now().minus(Duration::from_secs(24 * 3600));
        let books = Bookkeeping::new(SIGN_IN).statement(store::forget_states(day_ago));
        if let Err(error) = self.inner().db.keep(books).await {
            tracing::warn!(%error, "old sign-ins were not swept");
        }
    }
}

fn place(row: &[u8]) -> Aad<'_> {
    Aad { table: "sign_in_states", column: "data", org: None, row }
}
