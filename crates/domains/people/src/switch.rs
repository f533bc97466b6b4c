//! Going over to another organization. A session is bound to one; switching ends it and begins another, which lives no
//! longer and is stepped up no longer than the one before.

use db::{Change, CommitError};
use problem::{PERMISSION_DENIED, Problem};
use serde_json::json;
use types::{SessionId, UserId};
use web::{Allowance, Means, PrincipalId};

use crate::orgs::OrgRef;
use crate::service::{INSTANCE, SIGN_IN};
use crate::{How, People, PeopleError, SessionKind, Started, facts, store};

impl People {
    /// The person and the session of a caller who acts for nobody but itself. Whoever acts for a person must not come by
    /// more than it was given.
    pub(crate) fn own_session(by: &Allowance) -> Result<(UserId, SessionId), PeopleError> {
        let caller = by.caller();
        let (session, run) = match &caller.means {
            Means::Session { session, .. } => (Some(*session), None),
            Means::Token { session, run, .. } => (*session, *run),
            Means::Key { .. } | Means::Trigger => (None, None),
        };
        let alone = caller.actors.is_empty() && caller.functions.is_empty() && run.is_none();
        match (caller.principal(), session, alone) {
            (PrincipalId::User(user), Some(session), true) => Ok((user, session)),
            _ => {
                let detail = "Only a person's own session can do this: sign in, and try again.";
                Err(Problem::new(&PERMISSION_DENIED, detail).into())
            }
        }
    }

    /// Ends the caller's session and begins one in an organization that the person is a member of. Tokens of the old
    /// session are void when it returns.
    pub async fn switch(
        &self,
        by: &Allowance,
        to: &OrgRef,
        kind: SessionKind,
    ) -> Result<Started, PeopleError> {
        let inner = self.inner();
        let (user, session) = Self::own_session(by)?;
        let old = self.session(session).await?.filter(|old| old.user == user && old.kind == kind);
        let Some(old) = old else {
            let detail = "Switch a browser session with its cookie, a command line's with its token.";
            return Err(Problem::new(&PERMISSION_DENIED, detail).into());
        };
        let org = store::find_org(&inner.db, INSTANCE, to).await?.ok_or(PeopleError::UnknownOrg)?;
        let membership = store::acting_membership(&inner.db, INSTANCE, org.id, user).await?;
        let membership = membership.ok_or(PeopleError::UnknownOrg)?;
        let person = self.person(user).await?.ok_or(PeopleError::UnknownOrg)?;
        let how = How { factors: old.factors.clone(), provider: old.provider, is_step_up: true };
        let (mut started, fact) = self.start(org.id, &person, kind, &how, by.contact()).await?;
        started.session.expires_at = started.session.expires_at.min(old.expires_at);
        started.session.stepped_up_until = started.session.stepped_up_until.min(old.stepped_up_until);
        let ended = by
            .fact(&facts::SESSION_ENDED)
            .target("session", old.id, "")
            .data(json!({ "kind": old.kind.name() }));
        let change = Change::new(SIGN_IN, inner.ledger.seal(ended).await?)
            .fact(fact)
            .guard("memberships", membership.id, membership.revision)
            .statement(store::insert_session(&started.session, started.tag));
        match inner.db.commit(self.ending(change, &old)).await {
            Ok(_) => Ok(started),
            Err(CommitError::Stale) => Err(PeopleError::UnknownOrg),
            Err(error) => Err(error.into()),
        }
    }
}
