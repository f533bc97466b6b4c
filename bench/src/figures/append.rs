//! Durable appends: facts of the size of an issued token's, until all of them are on disk, sequenced, signed and taken in
//! by every reader of the ledger.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use futures::future::try_join_all;
use ledger::{Actor, Fact, FactKind, Ledger, Origin};
use serde_json::json;
use types::{AgentId, OrgId, TokenId, World};

use super::in_process::Inside;
use crate::Settings;
use crate::cpu;
use crate::floor;
use crate::row::Row;
use crate::spread::{Spread, millis};

/// Appends that wait at once: a server with as many requests under way.
const WAITING: usize = 512;
const FACTS: u64 = 200_000;

pub(crate) fn measure(settings: &Settings) -> Result<()> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(inside(settings))
}

async fn inside(settings: &Settings) -> Result<()> {
    let inside = Inside::start(settings).await?;
    let house = &inside.server.house;
    let org = house.people.home().await?.id;
    let kind =
        oauth::KINDS.iter().find(|kind| kind.name == "token.issued").context("token.issued is gone")?;
    let facts = settings.count.unwrap_or(FACTS);
    let lanes = WAITING as u64;
    let (mut rate, mut answered, mut per_core, mut postgres) =
        (Spread::default(), Spread::default(), Spread::default(), Spread::default());
    house.ledger.drain().await?;
    for _ in 0..settings.runs {
        let sample = || -> Result<(f64, f64)> {
            let postgres = inside.postgres.as_ref().map(|postgres| cpu::used(postgres.pid())).transpose()?;
            Ok((cpu::used(std::process::id())?, postgres.unwrap_or(0.0)))
        };
        let (before, begun) = (sample()?, Instant::now());
        try_join_all((0..lanes).map(|_| lane(&house.ledger, &house.world, org, kind, facts / lanes))).await?;
        let waited = begun.elapsed().as_secs_f64();
        house.ledger.drain().await?;
        let (after, took) = (sample()?, begun.elapsed().as_secs_f64());
        let written = (facts / lanes * lanes) as f64;
        rate.add(written / took);
        answered.add(written / waited);
        per_core.add(written / (after.0 - before.0));
        postgres.add((after.1 - before.1) / took);
    }
    let mut syncs = floor::syncs(inside.directory.path(), 512 * 1024, Duration::from_secs(3))?;
    let floor = format!(
        "fdatasync of 512 KB p50 {}, p99 {}",
        millis(syncs.percentile(50.0)),
        millis(syncs.percentile(99.0))
    );
    let mut beside = format!("{WAITING} waiting, {facts} facts a run");
    if inside.postgres.is_some() {
        beside += &format!("; PostgreSQL used {} cores", postgres.text_with(|cores| format!("{cores:.2}")));
    }
    let row = Row {
        figure: format!("ledger append, {}", settings.database()),
        goal: if settings.postgres { "≥ 8,000/s" } else { "≥ 20,000/s" },
        measured: format!(
            "{} /s with sequencer and readers done; answered {} /s; {} per core",
            rate.text(),
            answered.text(),
            per_core.text()
        ),
        floor,
        beside,
    };
    inside.server.stop().await;
    row.print();
    Ok(())
}

async fn lane(ledger: &Ledger, world: &World, org: OrgId, kind: &'static FactKind, facts: u64) -> Result<()> {
    let agent: AgentId = world.id();
    for _ in 0..facts {
        ledger.append(issued(world, org, agent, kind)).await?;
    }
    Ok(())
}

/// What the token endpoint records.
fn issued(world: &World, org: OrgId, agent: AgentId, kind: &'static FactKind) -> Fact {
    let jti: TokenId = world.id();
    let origin = Origin {
        request: Some(world.id()),
        ip: Some(std::net::Ipv4Addr::LOCALHOST.into()),
        user_agent: Some("safeconduct-bench".into()),
        jti: Some(jti),
        txn: Some(world.id()),
        credential: Some(world.id()),
        ..Origin::default()
    };
    let data = json!({
        "grant": "client_credentials",
        "method": "client_secret_basic",
        "audience": "http://127.0.0.1:7717/api",
        "scope": "agents:read runs:read",
        "expires_at": world.now(),
        "authority_revision": 7,
        "narrowed": false,
    });
    Fact::new(kind, org, Actor::agent(agent, "agent-1")).origin(&origin).target("token", jti, "").data(data)
}
