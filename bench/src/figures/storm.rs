//! Tokens during a login storm: the latency of client_credentials at one pace, without and with many connections that sign in
//! by password without a pause. Argon2 has a bounded pool of threads; this figure tells what the others feel of it.

use std::cell::Cell;
use std::pin::pin;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use futures::future::{Either, select, try_join_all};
use serde_json::json;

use super::over_http::{self, Scene};
use crate::Settings;
use crate::http::{Connection, Request, form, post, post_with};
use crate::load::Plan;
use crate::row::{Row, whole};
use crate::spread::{Spread, Times, millis};

const AGENTS: usize = 16;
/// Connections of the storm, if `--count` names no other number: as many as may wait for Argon2, so that its threads never
/// rest. With more this is a flood of 503s instead.
const STORM: u64 = 64;
/// Of what the server takes: latency is meant, not the queue.
const PACE: f64 = 0.3;

#[derive(Default)]
struct Results {
    pace: Spread,
    quiet: [Spread; 2],
    stormy: [Spread; 2],
    ratio: [Spread; 2],
    sign_ins: Spread,
    turned_away: Spread,
}

/// What the storm was answered.
#[derive(Default)]
struct Storm {
    begun: Cell<u64>,
    refused: Cell<u64>,
    overloaded: Cell<u64>,
}

pub(crate) fn measure(settings: &Settings) -> Result<()> {
    let mut settings = settings.clone();
    // Each attempt comes from an address of its own, or the delays by address would end the storm.
    settings.set.push("server.trusted_proxies=127.0.0.1".to_owned());
    let scene = Scene::set(&settings)?;
    over_http::on_one_thread(async {
        let owner = scene.served.owner().await?;
        let provider = json!({ "name": "password", "kind": "password", "instance": true });
        let provider =
            post("/api/v1/auth-providers", "application/json", Some(&owner), &provider.to_string());
        Connection::open(scene.served.address).await?.json(&provider).await?;
        let agents = scene.served.agents(AGENTS, &["agents:read", "tokens:read"]).await?;
        let request = |papers: &crate::serve::Papers| {
            form("/oauth2/token", &papers.basic, "grant_type=client_credentials")
        };
        let requests: Vec<_> = agents.iter().map(request).collect();
        let (mut results, storm) = (Results::default(), Storm::default());
        for _ in 0..settings.runs {
            run(&settings, &scene, &requests, &storm, &mut results).await?;
        }
        row(&settings, &results).print();
        Ok(())
    })
}

async fn run(
    settings: &Settings,
    scene: &Scene,
    requests: &[Request],
    storm: &Storm,
    results: &mut Results,
) -> Result<()> {
    let time = Duration::from_secs(settings.seconds);
    let warm_up = (time / 10).max(Duration::from_secs(2));
    let (address, connections) = (scene.served.address, settings.connections);
    let plan = Plan { address, requests, connections, warm_up, time: time / 4, pace: None };
    let pace = PACE * plan.run(async || Ok(())).await?.rate();
    let plan = Plan { time, pace: Some(pace), ..plan };
    results.pace.add(pace);
    let quiet = percentiles(plan.run(async || Ok(())).await?.times);

    let (refused, overloaded, begun) = (storm.refused.get(), storm.overloaded.get(), Instant::now());
    let lanes = (0..settings.count.unwrap_or(STORM)).map(|_| storm.lane(scene));
    let taken = match select(pin!(plan.run(async || Ok(()))), pin!(try_join_all(lanes))).await {
        Either::Left((taken, _)) => taken?,
        Either::Right((failed, _)) => anyhow::bail!("the storm ended: {failed:?}"),
    };
    let seconds = begun.elapsed().as_secs_f64();
    let (refused, overloaded) = (storm.refused.get() - refused, storm.overloaded.get() - overloaded);
    ensure!(refused > 0, "nobody tried to sign in");
    results.sign_ins.add(refused as f64 / seconds);
    results.turned_away.add(100.0 * overloaded as f64 / (refused + overloaded) as f64);
    let stormy = percentiles(taken.times);
    for index in 0..2 {
        results.quiet[index].add(quiet[index]);
        results.stormy[index].add(stormy[index]);
        results.ratio[index].add(stormy[index] / quiet[index]);
    }
    Ok(())
}

/// Median and p99.
fn percentiles(mut times: Times) -> [f64; 2] {
    [times.percentile(50.0), times.percentile(99.0)]
}

impl Storm {
    /// Signs in again and again, each time as somebody else from somewhere else; unknown accounts cost what known ones do.
    async fn lane(&self, scene: &Scene) -> Result<()> {
        let mut connection = Connection::open(scene.served.address).await?;
        let origin = format!("http://{}", scene.served.address);
        loop {
            let number = self.begun.replace(self.begun.get() + 1);
            let from = format!("10.{}.{}.{}", number >> 16 & 255, number >> 8 & 255, number & 255);
            let headers = [("origin", origin.as_str()), ("x-forwarded-for", from.as_str())];
            let login = format!("somebody-{number}@example.com");
            let body = json!({ "input": { "login": login, "password": "wrong-wrong-wrong" } });
            let request = post_with("/api/v1/auth/password/login", &headers, &body.to_string());
            let answer = connection.ask(&request).await?;
            match answer.status {
                401 => self.refused.set(self.refused.get() + 1),
                503 => self.overloaded.set(self.overloaded.get() + 1),
                other => anyhow::bail!("{other}: {}", String::from_utf8_lossy(answer.body)),
            }
        }
    }
}

fn row(settings: &Settings, results: &Results) -> Row {
    let times = |ratio: &Spread| ratio.text_with(|ratio| format!("{ratio:.2}"));
    let told = |spreads: &[Spread; 2]| {
        format!("p50 {}, p99 {}", spreads[0].text_with(millis), spreads[1].text_with(millis))
    };
    Row {
        figure: format!("token latency in a login storm, {}", settings.database()),
        goal: "unharmed: × 1",
        measured: format!(
            "p50 × {}, p99 × {}; {}",
            times(&results.ratio[0]),
            times(&results.ratio[1]),
            told(&results.stormy)
        ),
        floor: format!("without the storm {}", told(&results.quiet)),
        beside: format!(
            "{} tokens/s; {} connections sign in, {} refused a second, {} % turned away",
            whole(results.pace.median()),
            settings.count.unwrap_or(STORM),
            results.sign_ins.text(),
            results.turned_away.text()
        ),
    }
}
