//! What this domain asks of `access`: what a caller may give, and that an organization keeps an owner.

use access::{Gift, Head, NewGrants, give};
use db::{Change, Statement};
use types::{OrgId, Timestamp, UserId, World};
use web::{Allowance, PrincipalId};

use crate::{People, PeopleError};

/// Roles that a caller holds and therefore may give; the head guards the change.
pub(crate) struct Giving {
    grants: NewGrants,
    head: Head,
    by: String,
}

impl Giving {
    /// The change holds only as long as nobody lost a right since the decision.
    pub(crate) fn guarded(&self, change: Change) -> Change {
        self.head.relied_on(change)
    }

    pub(crate) fn statements(
        &self,
        people: &People,
        org: OrgId,
        to: UserId,
        at: Timestamp,
    ) -> Vec<Statement> {
        statements_of(&people.inner().world, &self.grants, org, to, &self.by, at)
    }
}

/// What writes the grants of a person who gets them.
pub(crate) fn statements_of(
    world: &World,
    grants: &NewGrants,
    org: OrgId,
    to: UserId,
    by: &str,
    at: Timestamp,
) -> Vec<Statement> {
    let give = |gift: &Gift| give(world, org, PrincipalId::User(to), gift, by, at);
    grants.gifts.iter().map(give).collect()
}

impl People {
    /// Refused with `403 authority_exceeded` unless the caller holds all that these roles allow.
    pub(crate) async fn giving(&self, by: &Allowance, roles: &[String]) -> Result<Giving, PeopleError> {
        let access = &self.inner().access;
        let giver = access.giver(by).await?;
        let grants = access.gifts(&by.scope(), roles, &[]).await?;
        giver.holds(grants.authority())?;
        Ok(Giving { grants, head: giver.head, by: by.caller().principal().to_string() })
    }
}
