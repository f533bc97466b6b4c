//! Suspending people everywhere at once: operators anybody, an organization those inside the domains that it has proved.

use db::{AuthorityEntry, Change};
use ledger::FactKind;
use problem::{OWN_ACCOUNT, Problem};
use serde_json::{Value, json};
use types::{Id, OrgId, UserId};
use web::{Allowance, Decided, Object, PrincipalId};

use crate::domains::relied_on;
use crate::members::Member;
use crate::service::INSTANCE;
use crate::{People, PeopleError, Person, facts, store};

/// A person with the organizations that it belongs to.
pub struct Known {
    pub person: Person,
    pub orgs: Vec<OrgId>,
}

impl People {
    /// For operators.
    pub(crate) async fn known(&self, by: &Allowance, id: UserId) -> Result<Known, PeopleError> {
        by.check(&Object { selector: id.to_string().into(), ..Object::default() })?;
        let found = store::person_by_id(&self.inner().db, INSTANCE, id).await?;
        self.with_orgs(found.ok_or(PeopleError::UnknownMember)?).await
    }

    async fn with_orgs(&self, person: Person) -> Result<Known, PeopleError> {
        let orgs = store::orgs_of(&self.inner().db, INSTANCE, person.id).await?;
        Ok(Known { person, orgs })
    }

    /// Every session everywhere ends, every token is void. Each organization of the person hears of it.
    pub(crate) async fn suspend_user(
        &self,
        by: &Allowance,
        id: UserId,
        reason: Option<&str>,
    ) -> Result<Decided<Known>, PeopleError> {
        not_oneself(by, id)?;
        let known = self.known(by, id).await?;
        if !known.person.active {
            return Err(PeopleError::UserSuspended);
        }
        let told = (&facts::USER_SUSPENDED, json!({ "reason": reason }));
        let (change, known) = self.turned(by, known, None, told).await?;
        Ok(Decided::new(change, known))
    }

    /// The person may sign in again; what was ended stays so.
    pub(crate) async fn reactivate_user(
        &self,
        by: &Allowance,
        id: UserId,
    ) -> Result<Decided<Known>, PeopleError> {
        let known = self.known(by, id).await?;
        if known.person.active {
            return Err(PeopleError::UserActive);
        }
        let told = (&facts::USER_REACTIVATED, json!({}));
        let (change, known) = self.turned(by, known, None, told).await?;
        Ok(Decided::new(change, known))
    }

    /// The same by an organization, for a member whose address lies in a domain of its own.
    pub(crate) async fn suspend_member(
        &self,
        by: &Allowance,
        id: UserId,
        reason: Option<&str>,
    ) -> Result<Decided<Member>, PeopleError> {
        not_oneself(by, id)?;
        let mut member = self.find_member(by, id).await?;
        let proved = self.in_proved_domain(by, &member.person).await?;
        if !member.person.active {
            return Err(PeopleError::UserSuspended);
        }
        // Whoever stops somebody must hold what they hold, and an owner must stay.
        self.giving(by, &member.roles).await?;
        let kept = self.inner().access.keeps_an_owner(&by.scope(), id).await?;
        let known = self.with_orgs(member.person).await?;
        let told = (&facts::USER_SUSPENDED, json!({ "reason": reason }));
        let (change, known) = self.turned(by, known, Some(by.org()), told).await?;
        member.person = known.person;
        Ok(Decided::new(kept.relied_on(relied_on(change, &proved)), member))
    }

    /// Undoes the organization's own suspension, never an operator's.
    pub(crate) async fn reactivate_member(
        &self,
        by: &Allowance,
        id: UserId,
    ) -> Result<Decided<Member>, PeopleError> {
        let mut member = self.find_member(by, id).await?;
        let proved = self.in_proved_domain(by, &member.person).await?;
        if member.person.active {
            return Err(PeopleError::UserActive);
        }
        self.undoes_own_suspension(by, id).await?;
        let known = self.with_orgs(member.person).await?;
        let told = (&facts::USER_REACTIVATED, json!({}));
        let (change, known) = self.turned(by, known, Some(by.org()), told).await?;
        member.person = known.person;
        Ok(Decided::new(relied_on(change, &proved), member))
    }

    /// The change from active to suspended or back.
    async fn turned(
        &self,
        by: &Allowance,
        mut known: Known,
        suspender: Option<OrgId>,
        (kind, data): (&'static FactKind, Value),
    ) -> Result<(Change, Known), PeopleError> {
        let inner = self.inner();
        let person = &mut known.person;
        by.expect_revision(person.revision)?;
        person.active = !person.active;
        person.revision += 1;
        let (id, dead) = (person.id, !person.active);
        let fact = |of| by.fact_in(of, kind).target("user", id, &person.display_name).data(data.clone());
        let mut change = Change::new(INSTANCE, inner.ledger.seal(fact(by.org())).await?);
        for org in known.orgs.iter().filter(|org| **org != by.org()) {
            change = change.fact(inner.ledger.seal(fact(*org)).await?);
        }
        // Who counted on this person as an owner decides again.
        change = known.orgs.iter().fold(change, |change, org| change.advance("access_heads", *org));
        if dead {
            change = change.statement(store::end_sessions_everywhere(id, inner.world.now()));
        }
        let changed = AuthorityEntry::changed(by.org(), "user", id.uuid());
        let entry = if dead { changed.died() } else { changed };
        Ok((change.statement(store::turn_person(person, suspender)).authority(entry), known))
    }
}

pub(crate) fn not_oneself(by: &Allowance, id: UserId) -> Result<(), Problem> {
    if by.caller().principal() == PrincipalId::User(id) {
        return Err(Problem::new(&OWN_ACCOUNT, "This is your own account. Ask somebody else who may."));
    }
    Ok(())
}
