//! Tokens by client_credentials with HTTP Basic: each leaves a durable fact before it is answered.

use anyhow::Result;

use super::over_http::{self, Figure, Scene};
use crate::Settings;
use crate::http::form;

const AGENTS: usize = 16;

pub(crate) fn measure(settings: &Settings) -> Result<()> {
    let goal = if settings.postgres {
        "≥ 3,000/s per core; p99 ≤ 2 × fdatasync p99 + 3 ms"
    } else {
        "≥ 8,000/s per core; p99 ≤ 2 × fdatasync p99 + 3 ms"
    };
    let figure = Figure { name: "client_credentials", goal, durable: true };
    let scene = Scene::set(settings)?;
    over_http::on_one_thread(async {
        let agents = scene.served.agents(AGENTS, &["agents:read", "tokens:read"]).await?;
        let request = |papers: &crate::serve::Papers| {
            form("/oauth2/token", &papers.basic, "grant_type=client_credentials")
        };
        let requests: Vec<_> = agents.iter().map(request).collect();
        over_http::measure(settings, &figure, &scene, &requests).await
    })
}
