//! AuthZEN evaluations over HTTP, by an enforcement point with a token, about many subjects.

use anyhow::Result;
use serde_json::json;

use super::over_http::{self, Figure, Scene};
use crate::Settings;
use crate::http::{Connection, post};
use crate::serve::token;

const AGENTS: usize = 64;

pub(crate) fn measure(settings: &Settings) -> Result<()> {
    let figure = Figure { name: "AuthZEN evaluation", goal: "≥ 15,000/s per core", durable: false };
    let scene = Scene::set(settings)?;
    over_http::on_one_thread(async {
        let agents = scene.served.agents(AGENTS, &["agents:read:all", "permissions:read:all"]).await?;
        let mut connection = Connection::open(scene.served.address).await?;
        let bearer = format!("Bearer {}", token(&mut connection, &agents[0]).await?);
        let mut requests = Vec::with_capacity(AGENTS);
        for agent in &agents {
            let body = json!({
                "subject": { "type": "agent", "id": agent.id }, "action": { "name": "read" },
                "resource": { "type": "agents", "id": "default/agent-0" }, "context": { "from": "gateway" },
            });
            requests.push(post(
                "/access/v1/evaluation",
                "application/json",
                Some(&bearer),
                &body.to_string(),
            ));
        }
        over_http::measure(settings, &figure, &scene, &requests).await
    })
}
