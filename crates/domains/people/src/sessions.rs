//! Sessions of people. A browser's lives behind a cookie, a command line's behind a refresh token; both are random values
//! of which only the HMAC is stored. Refresh tokens are used once; using an old one again ends the session.

use std::sync::Arc;
use std::time::Duration;

use db::{AuthorityEntry, Bookkeeping, Change, CommitError, FactRow};
use ledger::{Actor, Fact, Outcome};
use serde_json::{Value, json};
use types::{Id, OrgId, Secret, SessionId};
use web::{Allowance, Contact, Decided, PrincipalId};

use crate::service::SIGN_IN;
use crate::{How, Org, OrgStanding, People, PeopleError, Person, Session, SessionKind, facts, store};

/// How long acts that need step-up stay open after a proof that counts as one.
pub(crate) const STEPPED_UP: Duration = Duration::from_secs(5 * 60);
/// `last_seen_at` is written at most this often.
const SEEN_STEP: Duration = Duration::from_secs(60);
/// Bytes of a secret that are random, and as many that are our mark.
const HALF: usize = 16;

/// A session that begins; its secret is shown once.
pub struct Started {
    pub session: Session,
    pub person: Person,
    pub secret: Secret<String>,
    pub(crate) tag: [u8; 32],
}

/// A refresh token that was exchanged.
pub struct Refreshed {
    pub session: Session,
    pub secret: Secret<String>,
}

impl People {
    /// Starts a session for a person who has proved who they are; what every way of signing in ends with.
    pub async fn sign_in(
        &self,
        org: OrgId,
        person: &Person,
        kind: SessionKind,
        by: &str,
        contact: &Contact,
    ) -> Result<Started, PeopleError> {
        let (started, change) = self.enter(None, org, person, kind, &How::by(by), contact).await?;
        self.inner().db.commit(change).await?;
        Ok(started)
    }

    pub(crate) async fn start(
        &self,
        org: OrgId,
        person: &Person,
        kind: SessionKind,
        how: &How,
        contact: &Contact,
    ) -> Result<(Started, FactRow), PeopleError> {
        let inner = self.inner();
        let now = inner.world.now();
        let lifetime = self.open_org(org).await?.settings.session_lifetime_seconds;
        let most = inner.settings.session_lifetime;
        let lifetime = lifetime.map_or(most, |seconds| most.min(Duration::from_secs(seconds.into())));
        let session = Session {
            id: inner.world.id(),
            org,
            user: person.id,
            kind,
            generation: 1,
            created_at: now,
            last_seen_at: now,
            expires_at: now.plus(lifetime),
            stepped_up_until: if how.is_step_up { now.plus(STEPPED_UP) } else { now },
            user_agent: contact.user_agent.clone(),
            factors: how.factors.clone(),
            provider: how.provider,
            revoked: false,
            revision: 1,
        };
        let (secret, tag) = self.new_secret(session.id);
        let fact = Fact::new(&facts::SESSION_STARTED, org, Actor::user(person.id, &person.display_name))
            .origin(&contact.origin())
            .target("session", session.id, "")
            .data(session_data(kind, how));
        let fact = inner.ledger.seal(fact).await?;
        Ok((Started { session, person: person.clone(), secret, tag }, fact))
    }

    /// The organization, unless it is being erased: nobody gets in there any more.
    async fn open_org(&self, id: OrgId) -> Result<Arc<Org>, PeopleError> {
        let org = self.org(id).await?.filter(|org| org.standing != OrgStanding::Erasing);
        org.ok_or(PeopleError::UnknownOrg)
    }

    /// `<id>.<43 base62>` of 16 random bytes and our mark on them and the id: an old secret of a living session can be told
    /// from one that somebody made up who has only seen the id.
    pub(crate) fn new_secret(&self, session: SessionId) -> (Secret<String>, [u8; 32]) {
        let random: [u8; HALF] = self.inner().world.bytes();
        let bytes = [random, self.mark(session, &random)].concat();
        let secret = format!("{session}.{}", crypto::base62::encode(&bytes));
        let tag = self.tag_of(&secret);
        (Secret::new(secret), tag)
    }

    fn mark(&self, session: SessionId, random: &[u8]) -> [u8; HALF] {
        let tag = self.inner().session_key.tag(&[b"mark", session.uuid().as_bytes(), random]);
        let mut mark = [0; HALF];
        mark.copy_from_slice(&tag[..HALF]);
        mark
    }

    /// The session of a secret that we once gave out.
    fn session_of(&self, secret: &str) -> Option<SessionId> {
        let (id, text) = secret.split_once('.')?;
        let id: SessionId = id.parse().ok()?;
        let bytes = crypto::base62::decode(text, 2 * HALF)?;
        let (random, mark) = bytes.split_at_checked(HALF)?;
        crypto::eq(mark, &self.mark(id, random)).then_some(id)
    }

    fn tag_of(&self, secret: &str) -> [u8; 32] {
        self.inner().session_key.tag(&[secret.as_bytes()])
    }

    /// The living session of a cookie's value.
    pub(crate) async fn session_of_cookie(&self, secret: &str) -> Result<Option<Session>, PeopleError> {
        let inner = self.inner();
        let found = store::session_by_tag(&inner.db, SIGN_IN, self.tag_of(secret)).await?;
        let now = inner.world.now();
        let Some(session) = found.filter(|one| one.kind == SessionKind::Browser && self.lives(one)) else {
            return Ok(None);
        };
        if now.since(session.last_seen_at) > SEEN_STEP {
            let books = Bookkeeping::new(SIGN_IN).statement(store::touch_session(session.id, now));
            inner.db.keep(books).await?;
        }
        Ok(Some(session))
    }

    /// Whether the session that a person's token names still lives.
    pub async fn session(&self, id: SessionId) -> Result<Option<Session>, PeopleError> {
        let found = store::session_by_id(&self.inner().db, SIGN_IN, id).await?;
        Ok(found.filter(|session| self.lives(session)))
    }

    /// Neither ended, nor past its end, nor left alone for too long.
    pub(crate) fn lives(&self, session: &Session) -> bool {
        let now = self.inner().world.now();
        session.is_alive(now) && now.since(session.last_seen_at) <= self.inner().settings.session_idle
    }

    /// Exchanges a refresh token for the next one. An old one that comes back ends the session: somebody copied it.
    pub async fn refresh(&self, secret: &str, contact: &Contact) -> Result<Refreshed, PeopleError> {
        let inner = self.inner();
        let now = inner.world.now();
        let session = match self.session_of(secret) {
            Some(id) => self.session(id).await?.filter(|session| session.kind == SessionKind::Cli),
            None => None,
        };
        let Some(mut session) = session else {
            self.refused("refresh token", "unknown or ended", contact).await?;
            return Err(PeopleError::InvalidRefresh);
        };
        let (next, next_tag) = self.new_secret(session.id);
        // RETURNING tells whether this very call was the one that rotated.
        let rotate = store::rotate_session(&session, self.tag_of(secret), next_tag, now);
        let rotated = inner.db.keep(Bookkeeping::new(SIGN_IN).statement(rotate.returning("id"))).await?;
        if rotated.iter().all(Vec::is_empty) {
            self.end_reused(&session, contact).await?;
            return Err(PeopleError::InvalidRefresh);
        }
        session.generation += 1;
        Ok(Refreshed { session, secret: next })
    }

    /// Whether a text has the form of a refresh token.
    pub fn is_refresh_token(text: &str) -> bool {
        text.split_once('.').is_some_and(|(id, _)| id.parse::<SessionId>().is_ok())
    }

    /// Signs a command line out: whoever holds the refresh token may end its session. What is unknown or over is left alone.
    pub async fn end_by_refresh(&self, secret: &str, contact: &Contact) -> Result<(), PeopleError> {
        let inner = self.inner();
        let found = store::session_by_tag(&inner.db, SIGN_IN, self.tag_of(secret)).await?;
        let alive = |session: &Session| session.kind == SessionKind::Cli && self.lives(session);
        let Some(session) = found.filter(alive) else { return Ok(()) };
        let person = self.person(session.user).await?;
        let display = person.map(|person| person.display_name.clone()).unwrap_or_default();
        let fact = Fact::new(&facts::SESSION_ENDED, session.org, Actor::user(session.user, display))
            .origin(&contact.origin())
            .target("session", session.id, "")
            .data(json!({ "kind": session.kind.name() }));
        self.end_once(fact, &session).await
    }

    async fn end_reused(&self, session: &Session, contact: &Contact) -> Result<(), PeopleError> {
        let fact = Fact::new(&facts::SESSION_REUSED, session.org, Actor::anonymous(""))
            .origin(&contact.origin())
            .outcome(Outcome::Denied)
            .target("session", session.id, "")
            .data(json!({ "generation": session.generation }));
        self.end_once(fact, session).await
    }

    /// Ends a session for a caller without an allowance; that it is over already, since a moment ago, is as good.
    async fn end_once(&self, fact: Fact, session: &Session) -> Result<(), PeopleError> {
        let inner = self.inner();
        let change = self.ending(Change::new(SIGN_IN, inner.ledger.seal(fact).await?), session);
        match inner.db.commit(change).await {
            Ok(_) => Ok(()),
            Err(CommitError::Refused(code)) if *code == problem::NOT_FOUND => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    pub(crate) fn ending(&self, change: Change, session: &Session) -> Change {
        change
            .statement(store::end_session(session, self.inner().world.now()))
            .authority(AuthorityEntry::changed(session.org, "session", session.id.uuid()).died())
    }

    /// The caller's own sessions.
    pub(crate) async fn sessions(&self, by: &Allowance) -> Result<Vec<Session>, PeopleError> {
        let PrincipalId::User(user) = by.caller().principal() else { return Ok(Vec::new()) };
        let all = store::sessions_of(&self.inner().db, &by.scope(), user).await?;
        Ok(all.into_iter().filter(|session| self.lives(session)).collect())
    }

    /// Ends one of the caller's own sessions.
    pub(crate) async fn end(&self, by: &Allowance, id: SessionId) -> Result<Decided<Session>, PeopleError> {
        let own = self.sessions(by).await?.into_iter().find(|session| session.id == id);
        let Some(session) = own else { return Err(PeopleError::UnknownSession) };
        let fact = by
            .fact(&facts::SESSION_ENDED)
            .target("session", session.id, "")
            .data(json!({ "kind": session.kind.name() }));
        let change = self.ending(Change::new(by.scope(), self.inner().ledger.seal(fact).await?), &session);
        Ok(Decided::new(change, session))
    }
}

fn session_data(kind: SessionKind, how: &How) -> Value {
    let mut data = json!({ "kind": kind.name(), "by": how.factors });
    if let Some(provider) = how.provider {
        data["provider"] = json!(provider);
    }
    data
}
