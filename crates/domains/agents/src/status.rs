//! Suspending an agent, bringing it back, retiring it.

use access::depart;
use db::{Change, FactRow};
use ledger::FactKind;
use serde_json::{Value, json};
use web::{Allowance, Decided, PrincipalId};

use crate::model::{Agent, Status};
use crate::service::entry;
use crate::store::{self, AgentRef};
use crate::{AgentError, Agents, facts};

impl Agents {
    pub(crate) async fn suspend(
        &self,
        by: &Allowance,
        of: &AgentRef,
        reason: Option<&str>,
    ) -> Result<Decided<Agent>, AgentError> {
        let mut agent = self.find(by, of).await?;
        by.expect_revision(agent.revision)?;
        match agent.status {
            Status::Active => agent.status = Status::Suspended,
            Status::Decommissioned => return Err(AgentError::Decommissioned),
            other => return Err(AgentError::NotActive(other.name())),
        }
        let change = self.turn(by, &mut agent, &facts::AGENT_SUSPENDED, json!({ "reason": reason })).await?;
        Ok(Decided::new(change, agent))
    }

    pub(crate) async fn reactivate(
        &self,
        by: &Allowance,
        of: &AgentRef,
    ) -> Result<Decided<Agent>, AgentError> {
        let mut agent = self.find(by, of).await?;
        by.expect_revision(agent.revision)?;
        let head = self.may_wield(by, &agent).await?;
        match agent.status {
            Status::Suspended => agent.status = Status::Active,
            Status::Decommissioned => return Err(AgentError::Decommissioned),
            other => return Err(AgentError::NotSuspended(other.name())),
        }
        let org = self.inner().people.standing_org(by).await?;
        let grounds = self.grounds(by, &agent).await?;
        let change = self.turn(by, &mut agent, &facts::AGENT_REACTIVATED, json!({})).await?;
        let change = grounds.relied_on(head.relied_on(change)).guard("orgs", org.id, org.revision);
        Ok(Decided::new(change, agent))
    }

    /// Final: credentials are revoked, tokens die, the record stays.
    pub async fn decommission(&self, by: &Allowance, of: &AgentRef) -> Result<Decided<Agent>, AgentError> {
        let inner = self.inner();
        let mut agent = self.find(by, of).await?;
        by.expect_revision(agent.revision)?;
        if agent.status == Status::Decommissioned {
            return Err(AgentError::Decommissioned);
        }
        agent.status = Status::Decommissioned;
        let credentials = store::active_credentials(&inner.db, by.scope(), agent.id).await?;
        let data = json!({ "credentials": credentials.len() });
        let mut change = self.turn(by, &mut agent, &facts::AGENT_DECOMMISSIONED, data).await?;
        let cause = change.first_fact();
        for credential in &credentials {
            let fact = by
                .fact(&facts::CREDENTIAL_REVOKED)
                .target("credential", credential.id, &credential.label)
                .data(json!({ "agent": agent.id }))
                .cause(cause);
            change = change.fact(inner.ledger.seal(fact).await?);
        }
        let change = change.statement(store::revoke_all(&agent, agent.updated_at));
        let change = depart(change, agent.org, PrincipalId::Agent(agent.id), agent.updated_at);
        Ok(Decided::new(change, agent))
    }

    /// The change that gives `agent` the status that it has now; with any but `active` its tokens die.
    pub(crate) async fn turn(
        &self,
        by: &Allowance,
        agent: &mut Agent,
        kind: &'static FactKind,
        data: Value,
    ) -> Result<Change, AgentError> {
        self.touch(agent);
        let fact = by.fact(kind).target("agent", agent.id, &agent.display_name).data(data);
        let fact: FactRow = self.inner().ledger.seal(fact).await?;
        let entry = if agent.status == Status::Active { entry(agent) } else { entry(agent).died() };
        Ok(Change::new(by.scope(), fact).statement(store::update(agent)).authority(entry))
    }

    pub(crate) fn touch(&self, agent: &mut Agent) {
        agent.updated_at = self.inner().world.now();
        agent.revision += 1;
    }
}
