//! What sign-in asks of people: finding a person, bringing one in, starting and confirming a session.

use db::{AuthorityEntry, Change};
use ledger::{Actor, Fact, Origin};
use problem::Problem;
use serde_json::json;
use types::{Id, OrgId, Secret, SessionId, UserId};
use web::{Allowance, Contact, PrincipalId};

use crate::service::SIGN_IN;
use crate::sessions::STEPPED_UP;
use crate::{How, People, PeopleError, Person, Session, SessionKind, Started, facts, store};

/// A session that was confirmed; its old cookie is dead.
pub struct SteppedUp {
    pub session: Session,
    pub secret: Secret<String>,
}

impl People {
    /// Who has this address, whatever their state.
    pub async fn person_by_email(&self, email: &str) -> Result<Option<Person>, PeopleError> {
        Ok(store::person_by_email(&self.inner().db, SIGN_IN, &email.to_lowercase()).await?)
    }

    /// Whether an organization proved this domain.
    pub async fn has_proved(&self, org: OrgId, domain: &str) -> Result<bool, PeopleError> {
        Ok(store::is_proved(&self.inner().db, SIGN_IN, org, domain).await?)
    }

    /// Adds to a sign-in that the person showed to read their mailbox.
    #[must_use]
    pub fn verifying_email(change: Change, org: OrgId, person: &Person) -> Change {
        match &person.email {
            Some(email) if !person.email_verified => change
                .statement(store::verify_email(person.id, email))
                .authority(AuthorityEntry::changed(org, "user", person.id.uuid())),
            _ => change,
        }
    }

    /// Where a person may act, the oldest membership first.
    pub async fn orgs_of(&self, user: UserId) -> Result<Vec<OrgId>, PeopleError> {
        Ok(store::acting_orgs_of(&self.inner().db, SIGN_IN, user).await?)
    }

    /// A person who comes in by a sign-in provider, and the change that makes them a member. `email` was proved.
    pub async fn newcomer(
        &self,
        org: OrgId,
        display_name: &str,
        email: Option<&str>,
        roles: &[&str],
    ) -> Result<(Person, Change), PeopleError> {
        let mut person = self.new_person(display_name, email);
        person.email_verified = email.is_some();
        let by = Actor::user(person.id, &person.display_name);
        let change = self.joining(org, &person, roles, by).await?;
        Ok((person, change))
    }

    /// A session to be, and the change that starts it – on top of `joining` if the person is new. What must happen along
    /// (a used code, a linked identity) is added by the caller, so that of many racers one gets in.
    pub async fn enter(
        &self,
        joining: Option<Change>,
        org: OrgId,
        person: &Person,
        kind: SessionKind,
        how: &How,
        contact: &Contact,
    ) -> Result<(Started, Change), PeopleError> {
        let (started, fact) = self.start(org, person, kind, how, contact).await?;
        let change = match joining {
            Some(change) => change.fact(fact),
            None => {
                let membership = store::acting_membership(&self.inner().db, SIGN_IN, org, person.id).await?;
                let membership = membership.ok_or(PeopleError::UnknownOrg)?;
                Change::new(SIGN_IN, fact).guard("memberships", membership.id, membership.revision)
            }
        };
        let change = change
            .statement(store::touch_login(person.id, started.session.created_at))
            .statement(store::insert_session(&started.session, started.tag));
        Ok((started, change))
    }

    /// Adds to a sign-in that the person's roles follow what a directory said: those that `source` gave become exactly
    /// `wanted`. `held` are roles that the same change gives anyway.
    pub async fn following(
        &self,
        change: Change,
        org: OrgId,
        person: &Person,
        source: &str,
        wanted: &[String],
        held: &[String],
    ) -> Result<Change, PeopleError> {
        let inner = self.inner();
        let mut following = inner
            .access
            .following(SIGN_IN, org, person.id, source, wanted)
            .await
            .map_err(PeopleError::from)?;
        following.added.retain(|role| !held.contains(role));
        if following.added.is_empty() && following.taken.is_empty() {
            return Ok(change);
        }
        let by = Actor::user(person.id, &person.display_name);
        let fact = Fact::new(&facts::MEMBER_ROLES_CHANGED, org, by)
            .target("user", person.id, &person.display_name)
            .data(json!({ "added": following.added, "taken": following.taken, "by": source }));
        let change = change.fact(inner.ledger.seal(fact).await?);
        Ok(inner.access.followed(&following, change, inner.world.now()))
    }

    /// The caller's browser session confirmed, and the change that does it: for five minutes acts that need a step-up are
    /// open, and the cookie has another value.
    pub async fn stepping_up(
        &self,
        by: &Allowance,
        session: SessionId,
        factor: &str,
    ) -> Result<(SteppedUp, Change), PeopleError> {
        let inner = self.inner();
        let found = store::session_by_id(&inner.db, &by.scope(), session).await?;
        let own = |one: &Session| self.lives(one) && PrincipalId::User(one.user) == by.caller().principal();
        let mut session = found.filter(own).ok_or(PeopleError::UnknownSession)?;
        let now = inner.world.now();
        let (secret, tag) = self.new_secret(session.id);
        let until = now.plus(STEPPED_UP);
        let fact = by
            .fact(&facts::SESSION_STEPPED_UP)
            .target("session", session.id, "")
            .data(json!({ "by": factor }));
        let change = Change::new(SIGN_IN, inner.ledger.seal(fact).await?)
            .statement(store::step_up(&session, tag, until, now));
        session.stepped_up_until = until;
        session.generation += 1;
        session.revision += 1;
        Ok((SteppedUp { session, secret }, change))
    }

    /// The browser session that a request came with.
    pub async fn session_at_browser(&self, by: &Allowance) -> Result<Session, Problem> {
        let web::Means::Session { session, .. } = by.caller().means else {
            let detail = "Only a browser session can do this. Sign in to the console.";
            return Err(Problem::new(&problem::PERMISSION_DENIED, detail));
        };
        self.session(session).await?.ok_or_else(|| PeopleError::UnknownSession.into())
    }

    /// A change that ends a person's sessions as well, in every organization – but for one, if that is named; how many.
    pub async fn ending_sessions(
        &self,
        mut change: Change,
        user: UserId,
        keep: Option<SessionId>,
        actor: &Actor,
        origin: &Origin,
    ) -> Result<(Change, i64), PeopleError> {
        let inner = self.inner();
        let all = store::all_sessions_of(&inner.db, SIGN_IN, user).await?;
        let mut count = 0;
        for session in all.iter().filter(|session| self.lives(session) && Some(session.id) != keep) {
            let fact = self.ended(session, actor, origin);
            change = self.ending(change.fact(inner.ledger.seal(fact).await?), session);
            count += 1;
        }
        Ok((change, count))
    }

    fn ended(&self, session: &Session, actor: &Actor, origin: &Origin) -> Fact {
        Fact::new(&facts::SESSION_ENDED, session.org, actor.clone())
            .origin(origin)
            .target("session", session.id, "")
            .data(json!({ "kind": session.kind.name() }))
    }

    /// The change that ends all sessions of the caller, in every organization; how many there were.
    pub(crate) async fn ending_all(&self, by: &Allowance) -> Result<(Change, i64), PeopleError> {
        let inner = self.inner();
        let PrincipalId::User(user) = by.caller().principal() else {
            return Err(PeopleError::UnknownSession);
        };
        let (actor, origin) = (by.caller().actor(), by.origin());
        let all = store::all_sessions_of(&inner.db, SIGN_IN, user).await?;
        let first = all.into_iter().find(|session| self.lives(session)).ok_or(PeopleError::UnknownSession)?;
        let fact = inner.ledger.seal(self.ended(&first, &actor, &origin)).await?;
        let change = self.ending(Change::new(SIGN_IN, fact), &first);
        let (change, others) = self.ending_sessions(change, user, Some(first.id), &actor, &origin).await?;
        Ok((change, others + 1))
    }
}
