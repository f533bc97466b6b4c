//! What becomes of agents whose owner leaves the organization: they pass to an heir, or they are suspended. An agent without
//! an owner never acts.

use db::Change;
use futures::future::BoxFuture;
use people::{AGENT_OWNER_LEFT, Dependents, Heir, LeftBehind};
use problem::Problem;
use serde_json::json;
use types::UserId;
use web::Allowance;

use crate::model::{Owner, Status};
use crate::service::entry;
use crate::{AgentError, Agents, store};

impl Dependents for Agents {
    fn owner_leaves<'a>(
        &'a self,
        by: &'a Allowance,
        leaving: UserId,
        heir: Option<Heir>,
        change: Change,
    ) -> BoxFuture<'a, Result<LeftBehind, Problem>> {
        Box::pin(async move { Ok(self.pass_or_suspend(by, leaving, heir, change).await?) })
    }
}

impl Agents {
    async fn pass_or_suspend(
        &self,
        by: &Allowance,
        leaving: UserId,
        heir: Option<Heir>,
        mut change: Change,
    ) -> Result<LeftBehind, AgentError> {
        let inner = self.inner();
        let heir = match heir {
            None => None,
            Some(Heir::User(user)) => Some(Owner::User(user)),
            Some(Heir::Group(group)) => Some(Owner::Group(group)),
        };
        if let Some(heir) = heir {
            change = match self.owner(by, heir, "/agents_to").await? {
                (Owner::User(user), revision) => change.guard("users", user, revision),
                (Owner::Group(group), revision) => change.guard("groups", group, revision),
            };
        }
        let cause = change.first_fact();
        let agents = store::owned_by(&inner.db, &by.scope(), leaving).await?;
        let count = agents.len();
        for mut agent in agents {
            if let Some(heir) = heir {
                // Giving an agent away is giving its rights away.
                by.check_for(&UPDATE, &agent.object())?;
                change = self.may_wield(by, &agent).await?.relied_on(change);
                agent.owner = heir;
            } else if agent.status == Status::Active {
                agent.status = Status::Suspended;
            }
            self.touch(&mut agent);
            let fact = by
                .fact(&AGENT_OWNER_LEFT)
                .target("agent", agent.id, &agent.display_name)
                .data(json!({ "owner": leaving, "passed_to": heir.map(|heir| heir.to_string()) }))
                .cause(cause);
            let news = if heir.is_none() { entry(&agent).died() } else { entry(&agent) };
            change =
                change.fact(inner.ledger.seal(fact).await?).statement(store::update(&agent)).authority(news);
        }
        Ok(LeftBehind { change, agents: count })
    }
}

const UPDATE: authority::Required = authority::Required::parse("agents:update");
