//! What an agent is given, by whom, and whom it hangs on.

use access::{Gift, Head, NewGrants, give};
use db::Change;
use types::Id;
use web::{Allowance, PrincipalId};

use crate::model::{Agent, Owner};
use crate::{AgentError, Agents, store};

impl Agents {
    /// Fills in which roles and permissions each agent was given; `access` keeps them.
    pub(crate) async fn name_rights(&self, by: &Allowance, agents: &mut [Agent]) -> Result<(), AgentError> {
        let ids: Vec<_> = agents.iter().map(|agent| agent.id.uuid()).collect();
        let mut names = self.inner().access.names_of_all(&by.scope(), &ids).await?;
        for agent in agents {
            (agent.roles, agent.permissions) = names.remove(&agent.id.uuid()).unwrap_or_default();
        }
        Ok(())
    }

    pub(crate) fn gifts(&self, agent: &Agent, grants: &NewGrants, by: &Allowance) -> Vec<db::Statement> {
        let giver = by.caller().principal().to_string();
        let to = PrincipalId::Agent(agent.id);
        let world = &self.inner().world;
        let give = |gift: &Gift| give(world, agent.org, to, gift, &giver, agent.updated_at);
        grants.gifts.iter().map(give).collect()
    }

    /// Nobody grants what they do not hold; the head stands for everything that this relied on.
    pub(crate) async fn giving(&self, by: &Allowance, grants: &NewGrants) -> Result<Head, AgentError> {
        let giver = self.inner().access.giver(by).await?;
        giver.holds(grants.authority())?;
        Ok(giver.head)
    }

    /// Whoever can act as an agent has its rights: a secret for it, its ownership, its return to work are given only by
    /// those who hold as much here and now. The agent itself does, but not with a token that was narrowed: its credential
    /// would give everything back. Guard the head that comes back.
    pub(crate) async fn may_wield(&self, by: &Allowance, agent: &Agent) -> Result<Head, AgentError> {
        let access = &self.inner().access;
        if by.caller().principal() == PrincipalId::Agent(agent.id) && by.caller().is_whole() {
            return Ok(access.head(&by.scope()).await?);
        }
        let giver = access.giver(by).await?;
        giver.holds(&access.authority_now(&by.scope(), PrincipalId::Agent(agent.id)).await?)?;
        Ok(giver.head)
    }

    /// The owner and the group of an agent, as they stand now: whoever writes the agent relies on them.
    pub(crate) async fn grounds(&self, by: &Allowance, agent: &Agent) -> Result<Grounds, AgentError> {
        let owner = self.owner(by, agent.owner, "/owner").await?;
        let group = match agent.group.filter(|group| agent.owner != Owner::Group(*group)) {
            None => None,
            Some(group) => Some(self.owner(by, Owner::Group(group), "/group").await?),
        };
        Ok(Grounds { owner, group })
    }

    pub(crate) async fn owner(
        &self,
        by: &Allowance,
        owner: Owner,
        field: &'static str,
    ) -> Result<(Owner, i64), AgentError> {
        let db = &self.inner().db;
        let (found, reason) = match owner {
            Owner::User(user) => (
                store::member(db, &by.scope(), user.uuid()).await?,
                "must be an active person of the organization",
            ),
            Owner::Group(group) => {
                (store::group(db, &by.scope(), group).await?, "must be a group of the organization")
            }
        };
        let revision = found.ok_or_else(|| AgentError::Invalid { field, reason: reason.to_owned() })?;
        Ok((owner, revision))
    }
}

/// Rows that an agent hangs on, with the revisions that a decision saw.
pub(crate) struct Grounds {
    owner: (Owner, i64),
    group: Option<(Owner, i64)>,
}

impl Grounds {
    pub(crate) fn relied_on(self, change: Change) -> Change {
        let guard = |change: Change, (owner, revision): (Owner, i64)| match owner {
            Owner::User(user) => change.guard("users", user, revision),
            Owner::Group(group) => change.guard("groups", group, revision),
        };
        self.group.into_iter().fold(guard(change, self.owner), guard)
    }
}
