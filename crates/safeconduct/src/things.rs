//! What the house holds, by kind: hands the domains' rosters to policies, which do not know them.

use agents::Agents;
use db::OrgScope;
use functions::Functions;
use futures::future::BoxFuture;
use people::People;
use policies::{Thing, Things};
use problem::Problem;

pub(crate) struct Rosters {
    pub(crate) agents: Agents,
    pub(crate) functions: Functions,
    pub(crate) people: People,
}

impl Things for Rosters {
    fn all<'a>(
        &'a self,
        scope: &'a OrgScope,
        resource: &'a str,
    ) -> BoxFuture<'a, Result<Option<Vec<Thing>>, Problem>> {
        Box::pin(async move {
            let things: Vec<Thing> = match resource {
                "agents" => self.agents.roster(scope).await?.into_iter().map(of_agent).collect(),
                "functions" => self.functions.roster(scope).await?.into_iter().map(of_function).collect(),
                "users" => {
                    let ids = self.people.roster(scope).await?.into_iter().map(|id| id.to_string());
                    ids.map(|id| Thing { selector: id.clone(), id: Some(id), owner: None }).collect()
                }
                _ => return Ok(None),
            };
            Ok(Some(things))
        })
    }
}

fn of_agent(agent: agents::Listed) -> Thing {
    Thing { selector: agent.path, id: Some(agent.id.to_string()), owner: Some(agent.owner.to_string()) }
}

fn of_function(function: functions::Listed) -> Thing {
    Thing { selector: function.path, id: None, owner: Some(function.owner.to_string()) }
}
