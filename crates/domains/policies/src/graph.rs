//! Which agents reach a permission, and by what.

use authority::{Permission, Reach};
use types::AgentId;
use web::{Allowance, PrincipalId};

use crate::PolicyError;
use crate::hypothesis::required;
use crate::service::Policies;
use crate::store;

/// An agent that reaches it.
pub(crate) struct Reaching {
    pub(crate) agent: AgentId,
    /// `namespace/name`
    pub(crate) path: String,
    pub(crate) owner: Option<String>,
    /// As far as its grants go.
    pub(crate) reach: Reach,
    pub(crate) grants: Vec<Permission>,
    pub(crate) roles: Vec<String>,
    pub(crate) active: bool,
}

impl Policies {
    /// Agents whose own grants hold `wanted`, in the order of their paths.
    pub(crate) async fn who_reaches(
        &self,
        by: &Allowance,
        wanted: &Permission,
    ) -> Result<Vec<Reaching>, PolicyError> {
        let (inner, org) = (self.inner(), by.org());
        let asked = required(wanted);
        let mut found = Vec::new();
        for thing in inner.things.all(&by.scope(), "agents").await?.unwrap_or_default() {
            let Some(agent) = thing.id.as_deref().and_then(|id| id.parse::<AgentId>().ok()) else { continue };
            let who = PrincipalId::Agent(agent);
            let authority = inner.access.grants(org, who).await?;
            let Some(reach) = authority.widest_reach(&asked.resource, &asked.action, &wanted.selector) else {
                continue;
            };
            let grants = authority.grants_for(&asked).filter(|grant| grant.selector.covers(&wanted.selector));
            let (roles, _) = access::names_of(&inner.db, store::INDEX, org, who).await?;
            let standing = inner.agents.standing(agent).await?;
            found.push(Reaching {
                agent,
                path: thing.selector,
                owner: thing.owner,
                reach,
                grants: grants.cloned().collect(),
                roles,
                active: standing.is_some_and(|standing| standing.status == agents::Status::Active),
            });
        }
        found.sort_by(|left, right| left.path.cmp(&right.path));
        Ok(found)
    }
}
