//! What this domain must ask about people and agents without knowing them; handed in at boot.

use std::time::Duration;

use futures::future::BoxFuture;
use problem::{LAST_OWNER, Problem};
use types::{OrgId, UserId, Uuid};
use web::{Link, PrincipalId};

use crate::{Access, Head, store};

/// A principal that belongs to an organization.
#[derive(Clone, Debug)]
pub struct Known {
    pub display: String,
    /// Whether it may act now; suspended ones may not.
    pub active: bool,
    /// The mark of its environment in API keys: `dev`, `stg` or `prd`.
    pub mark: &'static str,
    /// Who answers for it: an agent's owner.
    pub responsible: Option<Uuid>,
    /// The longest life of an API key made for it, where the organization set one.
    pub longest_key: Option<Duration>,
}

pub trait Principals: Send + Sync {
    /// The principal, if it belongs to the organization and has not left it for good. Read from the database, so that
    /// what another node has just changed counts.
    fn known(&self, org: OrgId, principal: PrincipalId) -> BoxFuture<'_, Result<Option<Known>, Problem>>;
}

impl Access {
    pub(crate) async fn known(&self, org: OrgId, principal: PrincipalId) -> Result<Option<Known>, Problem> {
        match self.inner().principals.get() {
            Some(principals) => principals.known(org, principal).await,
            None => Err(Problem::internal("nobody told access who principals are")),
        }
    }

    /// The principal with what it holds right now, if it may act; for what was left behind in its name.
    pub async fn acting(&self, org: OrgId, principal: PrincipalId) -> Result<Option<Link>, Problem> {
        // What outlives a request is not believed without news of revocations.
        self.inner().feed.fresh()?;
        let standing = self.standing(org, principal).await?;
        let Some(standing) = standing.filter(|known| known.active) else { return Ok(None) };
        let held = self.holding(org, principal).await?;
        Ok(Some(Link {
            principal,
            display: standing.display.as_str().into(),
            grants: held.authority.clone(),
            groups: held.groups.clone(),
        }))
    }

    /// Somebody stops being an owner, a member, or active. Refused with `409 last_owner` if no other person would be left
    /// who holds `owner` themselves and may act; a group's `owner` does not count, for groups come and go. Let the head
    /// advance in the change that does it: `head.advanced(change)`.
    pub async fn keeps_an_owner(&self, org: &db::OrgScope, without: UserId) -> Result<Head, Problem> {
        let head = self.head(org).await?;
        let owners = store::owners(&self.inner().db, org).await?;
        if !owners.contains(&without) {
            return Ok(head);
        }
        for owner in owners.into_iter().filter(|owner| *owner != without) {
            let known = self.known(org.org(), PrincipalId::User(owner)).await?;
            if known.is_some_and(|known| known.active) {
                return Ok(head);
            }
        }
        let detail = "This is the last owner. Make somebody else an owner first.";
        Err(Problem::new(&LAST_OWNER, detail).with_member("owner", without.to_string()))
    }
}
