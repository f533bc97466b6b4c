//! Organizations: founding, finding, changing. What ends one stands in `leaving` and `erasure`, whose it is in `personal`.

mod erasure;
mod leaving;
mod personal;

use std::str::FromStr;

use access::{Gift, NewGrants, found_org, give};
use authority::Required;
use db::{AuthorityEntry, Change, CommitError, Scope};
use ledger::{Actor, Fact};
use problem::Problem;
use serde_json::{Map, Value, json};
use types::{Id, OrgId, Slug, UserId};
use web::{Allowance, Decided, Object, PrincipalId};

use crate::service::INSTANCE;
use crate::store::OrgFilter;
use crate::{Org, OrgStanding, People, PeopleError, Person, facts, store};

/// What operators hold and nobody else.
const OPERATOR: Required = Required::parse("system:orgs");

/// How a path or body names an organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OrgRef {
    Id(OrgId),
    Slug(Slug),
}

impl FromStr for OrgRef {
    type Err = types::InvalidName;
    fn from_str(text: &str) -> Result<Self, types::InvalidName> {
        match text.parse() {
            Ok(id) => Ok(Self::Id(id)),
            Err(_) => text.parse().map(Self::Slug),
        }
    }
}

/// What an operator wants founded.
pub(crate) struct WantedOrg {
    pub(crate) slug: Slug,
    pub(crate) name: String,
    pub(crate) billing_email: Option<String>,
    pub(crate) owner: Option<UserId>,
}

/// A merge patch; the outer `None` leaves the field alone.
#[derive(Default)]
pub(crate) struct OrgPatch {
    pub(crate) name: Option<String>,
    pub(crate) billing_email: Option<Option<String>>,
    pub(crate) settings: Option<Map<String, Value>>,
}

impl People {
    /// The home organization; made at the very first start.
    pub async fn home(&self) -> Result<Org, PeopleError> {
        if let Some(org) = store::home(&self.inner().db, INSTANCE).await? {
            return Ok(org);
        }
        match self.found("home", "Home", true).await {
            Err(PeopleError::Commit(CommitError::Refused(_))) | Ok(_) => {}
            Err(error) => return Err(error),
        }
        store::home(&self.inner().db, INSTANCE).await?.ok_or(PeopleError::NoOrganization)
    }

    /// Founds a further organization that nobody belongs to yet.
    pub async fn found_org(&self, slug: &Slug, name: &str) -> Result<Org, PeopleError> {
        self.found(slug.as_str(), name, false).await
    }

    async fn found(&self, slug: &str, name: &str, home: bool) -> Result<Org, PeopleError> {
        let inner = self.inner();
        let org = Org { home, ..self.new_org(slug, name) };
        let fact = Fact::new(&facts::ORG_CREATED, org.id, Actor::system("people"))
            .target("org", org.id, &org.name)
            .data(json!({ "slug": org.slug, "owner": null }));
        let change = founding(Change::new(INSTANCE, inner.ledger.seal(fact).await?), &org);
        inner.db.commit(change).await?;
        Ok(org)
    }

    fn new_org(&self, slug: &str, name: &str) -> Org {
        let world = &self.inner().world;
        Org {
            id: world.id(),
            slug: slug.to_owned(),
            name: name.to_owned(),
            home: false,
            personal_of: None,
            billing_email: None,
            settings: crate::OrgSettings::default(),
            standing: OrgStanding::Active,
            created_at: world.now(),
            revision: 1,
        }
    }

    /// An operator founds an organization and says who owns it; told in both ledgers.
    pub(crate) async fn create_org(
        &self,
        by: &Allowance,
        wanted: &WantedOrg,
    ) -> Result<Decided<Org>, PeopleError> {
        let inner = self.inner();
        let org = Org {
            billing_email: wanted.billing_email.clone(),
            ..self.new_org(wanted.slug.as_str(), &wanted.name)
        };
        by.check(&Object { selector: org.id.to_string().into(), ..Object::default() })?;
        let owner = match (wanted.owner, by.caller().principal()) {
            (Some(owner), _) | (None, PrincipalId::User(owner)) => owner,
            (None, PrincipalId::Agent(_)) => {
                return Err(PeopleError::Invalid {
                    field: "/owner",
                    reason: "name a person who owns it".into(),
                });
            }
        };
        let owner = store::person_by_id(&inner.db, INSTANCE, owner).await?.filter(|person| person.active);
        let Some(owner) = owner else {
            let reason = "must be an active person of this instance".into();
            return Err(PeopleError::Invalid { field: "/owner", reason });
        };
        let told = |of: OrgId| {
            by.fact_in(of, &facts::ORG_CREATED)
                .target("org", org.id, &org.name)
                .data(json!({ "slug": org.slug, "owner": owner.id }))
        };
        let change = Change::new(INSTANCE, inner.ledger.seal(told(org.id)).await?)
            .fact(inner.ledger.seal(told(by.org())).await?);
        let change = founding(change, &org).guard("users", owner.id, owner.revision);
        let by = by.caller().principal().to_string();
        Ok(Decided::new(self.owned(change, &org, owner.id, &by), org))
    }

    /// Makes a person the owner of an organization that is being founded.
    fn owned(&self, change: Change, org: &Org, owner: UserId, by: &str) -> Change {
        let world = &self.inner().world;
        let to = PrincipalId::User(owner);
        change
            .statement(store::insert_membership(world.id(), org.id, owner, org.created_at))
            .statement(give(world, org.id, to, &Gift::Role("owner".to_owned()), by, org.created_at))
            .authority(AuthorityEntry::changed(org.id, "user", owner.uuid()))
    }

    /// Operators see all organizations unless they ask for theirs, people those that they belong to, agents their own.
    pub(crate) async fn orgs(
        &self,
        by: &Allowance,
        filter: OrgFilter,
        mine: bool,
        after: Option<OrgId>,
        limit: i64,
    ) -> Result<Vec<Org>, PeopleError> {
        let everywhere = access::effective(by.caller()).grants_for(&OPERATOR).next().is_some();
        let filter = match by.caller().principal() {
            _ if everywhere && !mine => filter,
            PrincipalId::User(user) => OrgFilter { member: Some(user), ..filter },
            PrincipalId::Agent(_) => OrgFilter { only: Some(by.org()), ..filter },
        };
        Ok(store::orgs(&self.inner().db, INSTANCE, &filter, after, limit).await?)
    }

    /// The organization that a path names, if the caller may do its operation to it: its own, or any as an operator.
    pub(crate) async fn find_org(&self, by: &Allowance, of: &OrgRef) -> Result<Org, PeopleError> {
        let found = store::find_org(&self.inner().db, INSTANCE, of).await?;
        let org = found.ok_or(PeopleError::UnknownOrg)?;
        let object = Object { selector: org.id.to_string().into(), ..Object::default() };
        if org.id == by.org() {
            by.check(&object)?
        } else {
            by.check_for(&OPERATOR, &object)?
        }
        Ok(org)
    }

    pub(crate) async fn update_org(
        &self,
        by: &Allowance,
        of: &OrgRef,
        patch: &OrgPatch,
    ) -> Result<Decided<Org>, PeopleError> {
        let mut org = self.find_org(by, of).await?;
        by.expect_revision(org.revision)?;
        let mut fields = Vec::new();
        if let Some(name) = &patch.name {
            org.name.clone_from(name);
            fields.push("name");
        }
        if let Some(email) = &patch.billing_email {
            org.billing_email.clone_from(email);
            fields.push("billing_email");
        }
        if let Some(settings) = &patch.settings {
            org.settings = org.settings.merged(settings)?;
            fields.push("settings");
        }
        org.revision += 1;
        let fact = by
            .fact_in(org.id, &facts::ORG_UPDATED)
            .target("org", org.id, &org.name)
            .data(json!({ "fields": fields }));
        let change = Change::new(scope_of(by, &org), self.inner().ledger.seal(fact).await?)
            .statement(store::update_org(&org))
            .authority(entry(&org));
        Ok(Decided::new(change, org))
    }

    /// For changes that begin something in the caller's organization: its row, to be guarded, if it is not on its way out.
    pub async fn standing_org(&self, by: &Allowance) -> Result<Org, Problem> {
        let org = store::own_org(&self.inner().db, &by.scope()).await?;
        match org {
            Some(org) if org.standing == OrgStanding::Active => Ok(org),
            Some(_) => Err(PeopleError::OrgLeaving.into()),
            None => Err(PeopleError::UnknownOrg.into()),
        }
    }

    /// Makes a person a member of an organization with these roles.
    pub async fn enrol(
        &self,
        org: OrgId,
        display_name: &str,
        email: Option<&str>,
        roles: &[&str],
    ) -> Result<Person, PeopleError> {
        let person = self.new_person(display_name, email);
        let change = self.joining(org, &person, roles, Actor::system("people")).await?;
        self.inner().db.commit(change).await?;
        Ok(person)
    }

    pub(crate) fn new_person(&self, display_name: &str, email: Option<&str>) -> Person {
        let world = &self.inner().world;
        Person {
            id: world.id::<UserId>(),
            username: None,
            email: email.map(str::to_lowercase),
            email_verified: false,
            display_name: display_name.to_owned(),
            locale: None,
            active: true,
            created_at: world.now(),
            last_login_at: None,
            revision: 1,
        }
    }

    /// The change that creates `person` and makes it a member.
    pub(crate) async fn joining(
        &self,
        org: OrgId,
        person: &Person,
        roles: &[&str],
        by: Actor,
    ) -> Result<Change, PeopleError> {
        let inner = self.inner();
        let grants = NewGrants::built_in(roles);
        let fact = Fact::new(&facts::USER_CREATED, org, by)
            .target("user", person.id, &person.display_name)
            .data(json!({ "roles": roles }));
        let to = PrincipalId::User(person.id);
        let given_by = person.id.to_string();
        let give = |gift: &Gift| give(&inner.world, org, to, gift, &given_by, person.created_at);
        Ok(Change::new(INSTANCE, inner.ledger.seal(fact).await?)
            .statement(store::insert_person(person))
            .statement(store::insert_membership(inner.world.id(), org, person.id, person.created_at))
            .statements(grants.gifts.iter().map(give))
            .authority(AuthorityEntry::changed(org, "user", person.id.uuid())))
    }
}

/// What every founding writes.
fn founding(change: Change, org: &Org) -> Change {
    let change = change.statement(store::insert_org(org)).statement(store::take_slug(org));
    found_org(change, org.id).authority(entry(org))
}

fn entry(org: &Org) -> AuthorityEntry {
    AuthorityEntry::changed(org.id, "org", org.id.uuid())
}

/// Acts on one's own organization stay behind the wall; those of operators on others step over it.
fn scope_of(by: &Allowance, org: &Org) -> Scope {
    if org.id == by.org() { by.scope().into() } else { INSTANCE.into() }
}
