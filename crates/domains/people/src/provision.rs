//! Members as a directory outside wants them (SCIM is its voice): brought in, changed, suspended and let in again.
//!
//! The person itself – name, address, language, whether it may sign in anywhere – an organization touches only inside a
//! domain that it has proved. Everything else it says of its own membership.

use access::Head;
use authority::Required;
use db::{AuthorityEntry, Change};
use ledger::FactKind;
use problem::{ALREADY_EXISTS, PERMISSION_DENIED, Problem};
use serde_json::{Value, json};
use types::{Email, GroupId, Id, OrgId, UserId, Uuid};
use web::{Allowance, Decided, PrincipalId, Search};

use crate::domains::{Proved, outside, relied_on};
use crate::import::{Entry, Outcome, Step};
use crate::members::{DirectoryEntry, Member};
use crate::service::INSTANCE;
use crate::users::not_oneself;
use crate::{People, PeopleError, Person, facts, store};

/// Changing a person is more than changing a membership.
const UPDATE_USERS: Required = Required::parse("users:update");
const READ_GROUPS: Required = Required::parse("groups:read");

/// A member as the directory wants it.
#[derive(Clone, Debug)]
pub struct Profile {
    pub directory: DirectoryEntry,
    pub display_name: String,
    pub email: Option<Email>,
    pub locale: Option<String>,
    pub roles: Vec<String>,
    /// May it act here?
    pub active: bool,
}

impl People {
    /// Brings somebody in whose address lies in a proved domain; `409` for those who are members already.
    pub async fn provision(&self, by: &Allowance, wanted: &Profile) -> Result<Decided<UserId>, PeopleError> {
        let inner = self.inner();
        let email = wanted.email.as_ref().ok_or_else(outside)?;
        // Only inside its own domains does an organization learn whether somebody is known.
        self.proved_domain(by, email.as_str()).await?.ok_or_else(outside)?;
        let known = store::person_by_email(&inner.db, INSTANCE, email.as_str()).await?;
        if let Some(person) = known
            && store::membership(&inner.db, by.scope(), by.org(), person.id).await?.is_some()
        {
            return Err(already().into());
        }
        let entry = Entry {
            external_id: None,
            username: None,
            email: Some(email.clone()),
            display_name: wanted.display_name.clone(),
            roles: wanted.roles.clone(),
        };
        let Step::Change(change, outcome, person) = self.decide(by, None, &entry).await? else {
            return Err(already().into());
        };
        let mut change = *change;
        let mut after = Person {
            display_name: wanted.display_name.clone(),
            locale: wanted.locale.clone(),
            active: person.active || wanted.active,
            ..person.clone()
        };
        match outcome {
            Outcome::Created => {
                change = change.statement(store::set_locale(person.id, wanted.locale.as_deref()))
            }
            Outcome::Joined => {
                let altered = Altered { change, fields: differences(&person, &after) };
                change = self.altering(by, altered, &person, &mut after).await?;
            }
            Outcome::Linked | Outcome::Unchanged => return Err(already().into()),
        }
        let suspended_at = (!wanted.active).then(|| inner.world.now());
        let entered = store::enter_directory(by.org(), person.id, &wanted.directory, suspended_at);
        Ok(Decided::new(change.statement(entered), person.id))
    }

    /// Makes of a member what the directory wants, in one change; none if it is that already.
    pub async fn reprovision(
        &self,
        by: &Allowance,
        mut member: Member,
        wanted: &Profile,
    ) -> Result<(Option<Change>, Member), PeopleError> {
        let inner = self.inner();
        let (org, now, id) = (by.org(), inner.world.now(), member.person.id);
        by.check(&member.object())?;
        let mut after = Person {
            display_name: wanted.display_name.clone(),
            locale: wanted.locale.clone(),
            email: wanted.email.as_ref().map(ToString::to_string),
            ..member.person.clone()
        };
        if after.email != member.person.email {
            // The organization speaks for its domain.
            after.email_verified = true;
        }
        let of_person = differences(&member.person, &after);
        let mut roles = wanted.roles.clone();
        roles.sort();
        roles.dedup();
        let turns = wanted.active != member.acts();
        let mut fields: Vec<&str> = of_person.clone();
        fields.extend((wanted.directory != member.directory).then_some("directory"));
        fields.extend((roles != member.roles).then_some("roles"));
        fields.extend(turns.then_some("active"));
        if fields.is_empty() {
            return Ok((None, member));
        }
        let fact = |kind| by.fact(kind).target("user", id, &after.display_name);
        let told = fact(&facts::MEMBER_UPDATED).data(json!({ "fields": fields }));
        let mut change = Change::new(INSTANCE, inner.ledger.seal(told).await?);
        if after.email != member.person.email {
            change = self.may_readdress(by, &member).await?.relied_on(change);
        }
        let mut suspended_at = member.suspended_at;
        if turns {
            // Whoever stops somebody, or lets somebody act again, must hold what they hold; and an owner must stay.
            let giving = self.giving(by, &member.roles).await?;
            change = giving.guarded(change);
            if wanted.active {
                suspended_at = None;
                if !member.person.active {
                    after.active = true;
                }
                if member.suspended_at.is_some() {
                    change = change.fact(inner.ledger.seal(fact(&facts::MEMBER_RESTORED)).await?);
                }
            } else {
                not_oneself(by, id)?;
                change = inner.access.keeps_an_owner(&by.scope(), id).await?.advanced(change);
                if self.own_domain(by, &member.person).await?.is_some() {
                    after.active = false;
                } else {
                    suspended_at = Some(now);
                    let sessions = store::living_sessions(&inner.db, &by.scope(), id, now).await?;
                    let told = fact(&facts::MEMBER_SUSPENDED).data(json!({ "sessions": sessions.len() }));
                    change = change.fact(inner.ledger.seal(told).await?);
                    change = change.statement(store::end_sessions_of(org, id, now));
                    let dead = |session: &types::SessionId| session.uuid();
                    for key in sessions.iter().map(dead) {
                        change = change.authority(AuthorityEntry::changed(org, "session", key).died());
                    }
                }
            }
            change = change.authority(AuthorityEntry::changed(org, "user", id.uuid()));
        }
        if roles != member.roles {
            let roles_change = self.roles_change(by, &member, &roles).await?;
            let told = fact(&facts::MEMBER_ROLES_CHANGED).data(roles_change.data());
            change = roles_change.made(self, change.fact(inner.ledger.seal(told).await?), org, id, now);
        }
        change = change.statement(store::update_membership(member.row, &wanted.directory, suspended_at));
        if of_person.is_empty() && after.active == member.person.active {
            change = change.guard("users", id, member.person.revision);
        } else {
            by.check_for(&UPDATE_USERS, &member.object())?;
            change =
                self.altering(by, Altered { change, fields: of_person }, &member.person, &mut after).await?;
        }
        member.row = member.row.advanced();
        member.directory.clone_from(&wanted.directory);
        (member.suspended_at, member.roles, member.person) = (suspended_at, roles, after);
        Ok((Some(change), member))
    }

    /// Writes the person anew, if it lies in a proved domain before and after; each organization of the person hears of it.
    async fn altering(
        &self,
        by: &Allowance,
        Altered { mut change, fields }: Altered,
        before: &Person,
        after: &mut Person,
    ) -> Result<Change, PeopleError> {
        let inner = self.inner();
        if fields.is_empty() && before.active == after.active {
            return Ok(change);
        }
        for person in [before, &*after] {
            let proved = self.own_domain(by, person).await?.ok_or_else(outside)?;
            change = relied_on(change, &proved);
        }
        if before.active != after.active && after.active {
            self.undoes_own_suspension(by, before.id).await?;
        }
        after.revision = before.revision + 1;
        let mut told: Vec<(&'static FactKind, Value)> = Vec::new();
        if !fields.is_empty() {
            told.push((&facts::USER_UPDATED, json!({ "fields": fields })));
        }
        match (before.active, after.active) {
            (true, false) => told.push((&facts::USER_SUSPENDED, json!({ "reason": "by the directory" }))),
            (false, true) => told.push((&facts::USER_REACTIVATED, json!({}))),
            _ => {}
        }
        let mut orgs = store::orgs_of(&inner.db, INSTANCE, before.id).await?;
        if !orgs.contains(&by.org()) {
            orgs.push(by.org());
        }
        for (kind, data) in &told {
            for org in &orgs {
                let fact = by.fact_in(*org, kind).target("user", before.id, &after.display_name);
                change = change.fact(inner.ledger.seal(fact.data(data.clone())).await?);
            }
        }
        if before.active != after.active {
            // Who counted on this person as an owner decides again.
            change = orgs.iter().fold(change, |change, org| change.advance("access_heads", *org));
        }
        if before.active && !after.active {
            change = change.statement(store::end_sessions_everywhere(before.id, inner.world.now()));
        }
        let suspender: Option<OrgId> = (before.active && !after.active).then(|| by.org());
        let changed = AuthorityEntry::changed(by.org(), "user", before.id.uuid());
        let entry = if suspender.is_some() { changed.died() } else { changed };
        Ok(change.statement(store::update_person(after, suspender)).authority(entry))
    }

    /// Whoever reads somebody's mail can sign in as them: another address gives away all that they hold – here, which the
    /// caller must hold, and elsewhere, which nobody here has to give.
    async fn may_readdress(&self, by: &Allowance, member: &Member) -> Result<Head, PeopleError> {
        let (access, id) = (&self.inner().access, member.person.id);
        let giver = access.giver(by).await?;
        giver.holds(&access.authority_now(&by.scope(), PrincipalId::User(id)).await?)?;
        let orgs = store::orgs_of(&self.inner().db, INSTANCE, id).await?;
        if orgs.iter().all(|org| *org == by.org()) {
            return Ok(giver.head);
        }
        let detail = "The person belongs to other organizations, too. Ask an operator of the instance.";
        Err(Problem::new(&PERMISSION_DENIED, detail).with_member("permission", "system:users").into())
    }

    async fn own_domain(&self, by: &Allowance, person: &Person) -> Result<Option<Proved>, PeopleError> {
        match &person.email {
            Some(email) => self.proved_domain(by, email).await,
            None => Ok(None),
        }
    }

    /// What an operator or another organization suspended stays so.
    pub(crate) async fn undoes_own_suspension(&self, by: &Allowance, id: UserId) -> Result<(), PeopleError> {
        if store::suspended_by(&self.inner().db, INSTANCE, id).await? == Some(by.org()) {
            return Ok(());
        }
        let detail = "Somebody else suspended this person. Ask an operator of the instance.";
        Err(Problem::new(&PERMISSION_DENIED, detail).with_member("permission", "system:users").into())
    }

    /// A page of members and how many there are. The condition may name columns of `m`, the memberships, and `users`.
    pub async fn search_members(
        &self,
        by: &Allowance,
        required: &Required,
        search: &Search,
    ) -> Result<(Vec<Member>, i64), PeopleError> {
        Ok(store::search_members(&self.inner().db, by, required, search).await?)
    }

    /// The member whom the directory – or we – call this.
    pub async fn member_named(&self, by: &Allowance, name: &str) -> Result<Option<UserId>, PeopleError> {
        Ok(store::member_named(&self.inner().db, &by.scope(), name).await?)
    }

    /// The groups of these principals that the caller may see: principal, group, the group's name.
    pub async fn groups_of(
        &self,
        by: &Allowance,
        principals: &[Uuid],
    ) -> Result<Vec<(Uuid, GroupId, String)>, PeopleError> {
        Ok(store::groups_of(&self.inner().db, by, &READ_GROUPS, principals).await?)
    }
}

/// A change that grows, and what of a person it alters.
struct Altered {
    change: Change,
    fields: Vec<&'static str>,
}

fn differences(before: &Person, after: &Person) -> Vec<&'static str> {
    let mut fields = Vec::new();
    fields.extend((before.display_name != after.display_name).then_some("display_name"));
    fields.extend((before.email != after.email).then_some("email"));
    fields.extend((before.locale != after.locale).then_some("locale"));
    fields
}

fn already() -> Problem {
    Problem::new(
        &ALREADY_EXISTS,
        "Somebody with this address is a member already. Look for them with a filter.",
    )
}
