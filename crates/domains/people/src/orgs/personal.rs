//! Where a person goes who has just signed in: an organization that it belongs to, else one of its own.

use db::{Change, CommitError};
use ledger::{Actor, Fact};
use serde_json::json;
use types::{OrgId, Slug};

use super::founding;
use crate::service::INSTANCE;
use crate::{Org, People, PeopleError, Person, facts, store};

/// How many slugs are tried before the random part alone must do.
const TRIES: usize = 8;

impl People {
    /// The organization to sign a person in to: the one that it joined first, or a personal one, made at the first
    /// sign-in. Two sign-ins at the same time make one.
    pub async fn organization_for(&self, person: &Person) -> Result<OrgId, PeopleError> {
        match store::first_org_of(&self.inner().db, INSTANCE, person.id).await? {
            Some(org) => Ok(org),
            None => Ok(self.personal_org(person).await?.id),
        }
    }

    /// A person's personal organization, founded if there is none. The person owns it.
    pub async fn personal_org(&self, person: &Person) -> Result<Org, PeopleError> {
        for attempt in 0..TRIES {
            if let Some(org) = store::personal_org(&self.inner().db, INSTANCE, person.id).await? {
                return Ok(org);
            }
            match self.found_personal(person, attempt).await {
                // Somebody took the slug, or the same person signed in twice at once.
                Err(PeopleError::Commit(CommitError::Refused(_))) => {}
                other => return other,
            }
        }
        Err(PeopleError::NoOrganization)
    }

    async fn found_personal(&self, person: &Person, attempt: usize) -> Result<Org, PeopleError> {
        let inner = self.inner();
        let slug = self.free_slug(person, attempt).await?;
        let org = Org { personal_of: Some(person.id), ..self.new_org(slug.as_str(), &person.display_name) };
        let actor = Actor::user(person.id, &person.display_name);
        let fact = Fact::new(&facts::ORG_CREATED, org.id, actor)
            .target("org", org.id, &org.name)
            .data(json!({ "slug": org.slug, "owner": person.id }));
        let change = founding(Change::new(INSTANCE, inner.ledger.seal(fact).await?), &org);
        let change = self.owned(change, &org, person.id, &person.id.to_string());
        inner.db.commit(change).await?;
        Ok(org)
    }

    /// The person's name as a slug; with random characters behind it if that was ever given out.
    async fn free_slug(&self, person: &Person, attempt: usize) -> Result<Slug, PeopleError> {
        let names = [person.username.as_deref(), person.email.as_deref(), Some(&person.display_name)];
        let name = names.into_iter().flatten().map(readable).find(|name| name.len() >= 3);
        let name = name.unwrap_or_else(|| "personal".to_owned());
        if attempt == 0
            && let Ok(slug) = name.parse::<Slug>()
            && !store::slug_is_taken(&self.inner().db, INSTANCE, &slug).await?
        {
            return Ok(slug);
        }
        let random = hex_of(&self.inner().world.bytes::<4>());
        format!("{name}-{random}").parse().map_err(|_| PeopleError::NoOrganization)
    }
}

/// What of a name or of the local part of an address a slug may hold; at most 28 characters.
fn readable(name: &str) -> String {
    let local = name.split('@').next().unwrap_or_default().to_lowercase();
    let mut slug = String::new();
    for character in local.chars() {
        match character {
            'a'..='z' => slug.push(character),
            '0'..='9' if !slug.is_empty() => slug.push(character),
            _ if !slug.is_empty() && !slug.ends_with('-') => slug.push('-'),
            _ => {}
        }
        if slug.len() == 28 {
            break;
        }
    }
    slug.trim_end_matches('-').to_owned()
}

fn hex_of(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_slugs() {
        for (name, slug) in [
            ("Ada.Lovelace@example.com", "ada-lovelace"),
            ("  9 Ångström ", "ngstr-m"),
            ("a very long name that goes on and on and on", "a-very-long-name-that-goes-o"),
            ("日本", ""),
        ] {
            assert_eq!(readable(name), slug);
        }
        assert!(format!("{}-{}", readable(&"x".repeat(60)), hex_of(&[0; 4])).parse::<Slug>().is_ok());
    }
}
