//! A delivery to a hook, one at a time: believed, kept, run in a jail, its result durable and answered.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::over_http::{self, Scene};
use crate::cpu::Cores;
use crate::http::{Connection, basic, post};
use crate::row::Row;
use crate::spread::{Spread, Times, millis};
use crate::{Settings, floor};

const DELIVERIES: u64 = 1_000;
/// Until the zygote is there and everything has been read once.
const WARM_UP: u64 = 50;
const SECRET: &str = "what-the-sender-knows";
const JSON: &str = "application/json";

pub(crate) fn measure(settings: &Settings) -> Result<()> {
    let scene = Scene::on(Cores::shared()?, settings)?;
    over_http::on_one_thread(async {
        let mut connection = Connection::open(scene.served.address).await?;
        let owner = scene.served.owner().await?;
        let mut make = async |path: &str, body: Value| {
            connection.json(&post(path, JSON, Some(&owner), &body.to_string())).await
        };
        let code = "def handler(input, context):\n    return input\n";
        make("/api/v1/functions", json!({ "namespace": "ops", "name": "echo", "code": code })).await?;
        let hook = json!({
            "path": "echo",
            "target": { "function": "ops:echo" },
            "authentication": { "kind": "basic", "username": "bench" },
            "secret": SECRET,
            "rate_per_minute": 100_000,
        });
        let hook = make("/api/v1/hooks", hook).await?;
        let url = hook["url"].as_str().context("a hook without address")?;
        let (_, path) = url.split_once("/o/").context("an address without path")?;
        let delivery = post(
            &format!("/o/{path}"),
            JSON,
            Some(&basic("bench", SECRET)),
            r#"{"action":"opened","number":1}"#,
        );
        let count = settings.count.unwrap_or(DELIVERIES);
        let (mut p50, mut p99) = (Spread::default(), Spread::default());
        let before = scene.served.counts().await?;
        for _ in 0..settings.runs {
            let mut times = Times::default();
            for number in 0..WARM_UP + count {
                let begun = Instant::now();
                let answer = connection.ask(&delivery).await?;
                let took = begun.elapsed();
                ensure!(answer.status == 200, "{}: {}", answer.status, String::from_utf8_lossy(answer.body));
                if number >= WARM_UP {
                    times.add(took);
                }
            }
            p50.add(times.percentile(50.0));
            p99.add(times.percentile(99.0));
        }
        let commits = (scene.served.counts().await?.batches - before.batches)
            / (settings.runs as f64 * (WARM_UP + count) as f64);
        let mut syncs = floor::syncs(scene.disk(), 16 * 1024, Duration::from_secs(3))?;
        Row {
            figure: format!("hook → function → durable answer, {}", settings.database()),
            goal: "≤ 2 ms + the run's fdatasync p50",
            measured: format!("p50 {}, p99 {}", p50.text_with(millis), p99.text_with(millis)),
            floor: format!(
                "fdatasync of 16 KB p50 {}, p99 {}",
                millis(syncs.percentile(50.0)),
                millis(syncs.percentile(99.0))
            ),
            beside: format!(
                "{count} deliveries a run, one at a time; a fork call and {commits:.1} commits each"
            ),
        }
        .print();
        Ok(())
    })
}
