//! Introspection by an agent that may read tokens, of tokens of other agents.

use anyhow::Result;

use super::over_http::{self, Figure, Scene};
use crate::Settings;
use crate::http::{Connection, form};
use crate::serve::token;

const AGENTS: usize = 16;
const TOKENS: usize = 256;

pub(crate) fn measure(settings: &Settings) -> Result<()> {
    let figure = Figure { name: "introspection", goal: "≥ 15,000/s per core", durable: false };
    let scene = Scene::set(settings)?;
    over_http::on_one_thread(async {
        let agents = scene.served.agents(AGENTS, &["tokens:read:all"]).await?;
        let mut connection = Connection::open(scene.served.address).await?;
        let mut requests = Vec::with_capacity(TOKENS);
        for number in 0..TOKENS {
            let token = token(&mut connection, &agents[number % (AGENTS - 1) + 1]).await?;
            requests.push(form("/oauth2/introspect", &agents[0].basic, &format!("token={token}")));
        }
        over_http::measure(settings, &figure, &scene, &requests).await
    })
}
