//! Bringing in people whose addresses lie in the organization's own domains: one, or many with an outcome each.
//!
//! Somebody is found again by provider and subject as this very organization was told, never by what another was told;
//! else by an address inside a proved domain. Everybody else is invited.

use db::{AuthorityEntry, Change, CommitError};
use problem::{ALREADY_EXISTS, CONFLICT, Problem};
use serde_json::json;
use types::{Email, Id, UserId};
use web::{Allowance, Decided, Object};

use crate::domains::{Proved, outside, relied_on};
use crate::rights::Giving;
use crate::service::INSTANCE;
use crate::{People, PeopleError, Person, facts, store};

/// How often an entry is decided again when others changed its grounds.
const TRIES: usize = 8;

/// A person who is to be brought in.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) external_id: Option<String>,
    pub(crate) username: Option<String>,
    pub(crate) email: Option<Email>,
    pub(crate) display_name: String,
    pub(crate) roles: Vec<String>,
}

/// What became of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// A new person, who is a member now.
    Created,
    /// Somebody whom the instance knew, who is a member now.
    Joined,
    /// A member who can be found by this provider from now on.
    Linked,
    /// A member who was known by this provider.
    Unchanged,
}

/// An entry with its end.
pub(crate) struct Imported {
    pub(crate) external_id: String,
    pub(crate) result: Result<(Outcome, UserId), Problem>,
}

impl People {
    /// Creates a person with an address inside a proved domain.
    pub(crate) async fn create_user(
        &self,
        by: &Allowance,
        entry: &Entry,
    ) -> Result<Decided<Person>, PeopleError> {
        let email = entry.email.as_ref().ok_or_else(outside)?;
        // Only inside its own domains does an organization learn whether somebody is known.
        self.proved_domain(by, email.as_str()).await?.ok_or_else(outside)?;
        let taken =
            || Problem::new(&ALREADY_EXISTS, "Somebody has this address already. Invite the address.");
        if store::person_by_email(&self.inner().db, INSTANCE, email.as_str()).await?.is_some() {
            return Err(taken().into());
        }
        match self.decide(by, None, entry).await? {
            Step::Change(change, Outcome::Created, person) => Ok(Decided::new(*change, person)),
            Step::Change(..) | Step::Nothing(_) => Err(taken().into()),
        }
    }

    /// Each entry is a change of its own: one that is refused leaves the others alone.
    pub(crate) async fn import(&self, by: &Allowance, provider: &str, entries: &[Entry]) -> Vec<Imported> {
        let mut outcomes = Vec::with_capacity(entries.len());
        for entry in entries {
            let result = self.import_one(by, provider, entry).await.map_err(Problem::from);
            let external_id = entry.external_id.clone().unwrap_or_default();
            outcomes.push(Imported { external_id, result });
        }
        outcomes
    }

    /// The fact that sums an import up.
    pub(crate) async fn told_of_import(
        &self,
        by: &Allowance,
        provider: &str,
        imported: &[Imported],
    ) -> Result<Change, PeopleError> {
        let count = |outcome| {
            imported.iter().filter(|one| matches!(&one.result, Ok((is, _)) if *is == outcome)).count()
        };
        let fact = by.fact(&facts::USERS_IMPORTED).target("provider", provider, provider).data(json!({
            "created": count(Outcome::Created),
            "joined": count(Outcome::Joined),
            "linked": count(Outcome::Linked),
            "unchanged": count(Outcome::Unchanged),
            "refused": imported.iter().filter(|one| one.result.is_err()).count(),
        }));
        Ok(Change::new(by.scope(), self.inner().ledger.seal(fact).await?))
    }

    async fn import_one(
        &self,
        by: &Allowance,
        provider: &str,
        entry: &Entry,
    ) -> Result<(Outcome, UserId), PeopleError> {
        for _ in 0..TRIES {
            match self.decide(by, Some(provider), entry).await? {
                Step::Nothing(user) => return Ok((Outcome::Unchanged, user)),
                Step::Change(change, outcome, person) => match self.inner().db.commit(*change).await {
                    Ok(_) => return Ok((outcome, person.id)),
                    Err(CommitError::Stale) => {}
                    Err(error) => return Err(error.into()),
                },
            }
        }
        Err(Problem::new(&CONFLICT, "Others keep changing the same person. Import the entry again.").into())
    }

    pub(crate) async fn decide(
        &self,
        by: &Allowance,
        provider: Option<&str>,
        entry: &Entry,
    ) -> Result<Step, PeopleError> {
        let inner = self.inner();
        let somebody: UserId = inner.world.id();
        by.check(&Object { selector: somebody.to_string().into(), ..Object::default() })?;
        let giving = self.giving(by, &entry.roles).await?;
        let known = match (provider, &entry.external_id) {
            (Some(provider), Some(subject)) => {
                store::person_by_identity(&inner.db, INSTANCE, by.org(), provider, subject).await?
            }
            _ => None,
        };
        if let Some(person) = known {
            let joined = store::membership(&inner.db, by.scope(), by.org(), person.id).await?;
            if joined.is_some() {
                return Ok(Step::Nothing(person.id));
            }
            return self
                .bring_in(by, provider, entry, Found { person, is_new: false, known: true }, None, &giving)
                .await;
        }
        let email = entry.email.as_ref().ok_or_else(outside)?;
        let proved = self.proved_domain(by, email.as_str()).await?.ok_or_else(outside)?;
        let found = match store::person_by_email(&inner.db, INSTANCE, email.as_str()).await? {
            Some(person) => Found { person, is_new: false, known: false },
            None => {
                // The organization speaks for its domain.
                let new = self.new_person(&entry.display_name, Some(email.as_str()));
                let username = entry.username.as_ref().map(|name| name.to_lowercase());
                let person = Person { email_verified: true, username, ..new };
                Found { person, is_new: true, known: false }
            }
        };
        self.bring_in(by, provider, entry, found, Some(proved), &giving).await
    }

    async fn bring_in(
        &self,
        by: &Allowance,
        provider: Option<&str>,
        entry: &Entry,
        found: Found,
        proved: Option<Proved>,
        giving: &Giving,
    ) -> Result<Step, PeopleError> {
        let inner = self.inner();
        let (org, now) = (self.standing_org(by).await?, inner.world.now());
        let Found { person, is_new, known } = found;
        let is_member =
            !is_new && store::membership(&inner.db, by.scope(), org.id, person.id).await?.is_some();
        let (kind, outcome) = match (is_new, is_member) {
            (true, _) => (&facts::USER_CREATED, Outcome::Created),
            (false, false) => (&facts::MEMBER_JOINED, Outcome::Joined),
            (false, true) => (&facts::MEMBER_LINKED, Outcome::Linked),
        };
        let data = match outcome {
            Outcome::Linked | Outcome::Unchanged => json!({ "provider": provider }),
            Outcome::Created => json!({ "roles": entry.roles }),
            Outcome::Joined => json!({ "roles": entry.roles, "provider": provider }),
        };
        let fact = by.fact(kind).target("user", person.id, &person.display_name).data(data);
        // People of the instance are not rows of the organization before they are members.
        let mut change =
            Change::new(INSTANCE, inner.ledger.seal(fact).await?).guard("orgs", org.id, org.revision);
        if let Some(proved) = &proved {
            change = relied_on(change, proved);
        }
        if is_new {
            change = change.statement(store::insert_person(&person));
        } else {
            change = change.guard("users", person.id, person.revision);
        }
        if let (Some(provider), Some(subject), false) = (provider, &entry.external_id, known) {
            change = change.statement(store::insert_identity(org.id, provider, subject, person.id, now));
        }
        if !is_member {
            let by = by.caller().principal().to_string();
            let id = inner.world.id();
            change = change
                .statement(store::insert_membership_by(id, org.id, person.id, now, Some(&by), provider))
                .statements(giving.statements(self, org.id, person.id, now));
            change = self.by_rule(change, org.id, &person).await?;
        }
        let entry = AuthorityEntry::changed(org.id, "user", person.id.uuid());
        Ok(Step::Change(Box::new(giving.guarded(change).authority(entry)), outcome, person))
    }
}

/// Whom an entry is about.
struct Found {
    person: Person,
    is_new: bool,
    /// By provider and subject.
    known: bool,
}

/// What an entry comes to.
pub(crate) enum Step {
    Nothing(UserId),
    Change(Box<Change>, Outcome, Person),
}
