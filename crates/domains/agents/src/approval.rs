//! Approving what an organization wants approved: a pending agent gets no tokens until somebody lets it in.

use serde_json::json;
use web::{Allowance, Decided};

use crate::model::{Agent, Status};
use crate::store::{self, AgentRef};
use crate::{AgentError, Agents, facts};

impl Agents {
    /// Lets a pending agent act. Whoever does must hold what the agent holds: it is a giving of rights.
    pub(crate) async fn approve(&self, by: &Allowance, of: &AgentRef) -> Result<Decided<Agent>, AgentError> {
        let mut agent = self.waiting(by, of).await?;
        let head = self.may_wield(by, &agent).await?;
        let org = self.inner().people.standing_org(by).await?;
        let grounds = self.grounds(by, &agent).await?;
        agent.status = Status::Active;
        let change = self.turn(by, &mut agent, &facts::AGENT_APPROVED, json!({})).await?;
        let change = grounds.relied_on(head.relied_on(change)).guard("orgs", org.id, org.revision);
        Ok(Decided::new(change, agent))
    }

    /// Turns a pending agent away for good: its grants and credentials go, the record stays.
    pub(crate) async fn reject(
        &self,
        by: &Allowance,
        of: &AgentRef,
        reason: Option<&str>,
    ) -> Result<Decided<Agent>, AgentError> {
        let mut agent = self.waiting(by, of).await?;
        agent.status = Status::Decommissioned;
        let data = json!({ "reason": reason });
        let change = self.turn(by, &mut agent, &facts::AGENT_REJECTED, data).await?;
        let change = change.statement(store::revoke_all(&agent, agent.updated_at));
        let principal = web::PrincipalId::Agent(agent.id);
        let change = access::depart(change, agent.org, principal, agent.updated_at);
        Ok(Decided::new(change, agent))
    }

    async fn waiting(&self, by: &Allowance, of: &AgentRef) -> Result<Agent, AgentError> {
        let agent = self.find(by, of).await?;
        by.expect_revision(agent.revision)?;
        match agent.status {
            Status::Pending => Ok(agent),
            Status::Decommissioned => Err(AgentError::Decommissioned),
            other => Err(AgentError::NotPending(other.name())),
        }
    }
}
