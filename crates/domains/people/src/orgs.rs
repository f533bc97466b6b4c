//! Founding organizations and bringing people in. Called at boot and by operators' and invitations' operations.

use access::{Gift, NewGrants, found_org, give};
use db::{AuthorityEntry, Change, CommitError};
use ledger::{Actor, Fact};
use serde_json::json;
use types::{Id, OrgId, Slug, UserId};
use web::PrincipalId;

use crate::service::SIGN_IN;
use crate::{Org, People, PeopleError, Person, facts, store};

impl People {
    /// The home organization; made at the very first start.
    pub async fn home(&self) -> Result<Org, PeopleError> {
        if let Some(org) = store::home(&self.inner().db, SIGN_IN).await? {
            return Ok(org);
        }
        match self.found("home", "Home", true).await {
            Err(PeopleError::Commit(CommitError::Refused(_))) | Ok(_) => {}
            Err(error) => return Err(error),
        }
        store::home(&self.inner().db, SIGN_IN).await?.ok_or(PeopleError::NoOrganization)
    }

    /// Founds a further organization.
    pub async fn found_org(&self, slug: &Slug, name: &str) -> Result<Org, PeopleError> {
        self.found(slug.as_str(), name, false).await
    }

    async fn found(&self, slug: &str, name: &str, home: bool) -> Result<Org, PeopleError> {
        let inner = self.inner();
        let now = inner.world.now();
        let (slug, name) = (slug.to_owned(), name.to_owned());
        let org = Org { id: inner.world.id(), slug, name, home, created_at: now, revision: 1 };
        let fact = Fact::new(&facts::ORG_CREATED, org.id, Actor::system("people"))
            .target("org", org.id, &org.name)
            .data(json!({ "slug": org.slug }));
        let change = Change::new(SIGN_IN, inner.ledger.seal(fact).await?)
            .statement(store::insert_org(&org))
            .authority(AuthorityEntry { org: org.id, kind: "org", key: org.id.uuid(), dead: false });
        inner.db.commit(found_org(change, org.id)).await?;
        Ok(org)
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
            email: email.map(str::to_lowercase),
            display_name: display_name.to_owned(),
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
        Ok(Change::new(SIGN_IN, inner.ledger.seal(fact).await?)
            .statement(store::insert_person(person))
            .statement(store::insert_membership(org, person.id, person.created_at))
            .statements(grants.gifts.iter().map(give))
            .authority(AuthorityEntry { org, kind: "user", key: person.id.uuid(), dead: false }))
    }
}
