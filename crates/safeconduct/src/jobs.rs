//! Background work: a line per job.

use std::time::Duration;

use db::{Bookkeeping, SystemScope};
use ledger::{Actor, Fact, FactKind};
use problem::Problem;
use serde_json::json;
use telemetry::Stop;

use crate::House;

const SWEEP: SystemScope = SystemScope::new("sweeps");

pub(crate) fn start(house: &House) {
    let tasks = &house.tasks;
    start_worker(house);
    let audit = house.audit.clone();
    tasks.spawn("audit index", move |stop| audit.keep_index(stop));
    let triggers = house.triggers.clone();
    tasks.spawn("schedules", move |stop| triggers.keep_time(stop));
    let blobs = house.blobs.clone();
    tasks.spawn("blobs", move |stop| async move { blobs.keep_clean(stop.requested()).await });
    let post = house.post.clone();
    tasks.spawn("post", move |stop| async move { post.carry(stop.requested()).await });
    let policies = house.policies.clone();
    tasks.spawn("policy files", |stop| {
        every(stop, Duration::from_secs(2), move || {
            let policies = policies.clone();
            async move {
                policies.reload_files(false);
            }
        })
    });
    let sweeper = house.clone();
    tasks.spawn("sweeper", |stop| {
        every(stop, Duration::from_secs(60), move || {
            let house = sweeper.clone();
            async move { sweep(&house).await }
        })
    });
}

/// What whoever works on runs needs: the news of who died, the ledger, and the runs themselves.
pub(crate) fn start_worker(house: &House) {
    let tasks = &house.tasks;
    let feed = house.feed.clone();
    tasks.spawn("revision feed", move |stop| async move { feed.follow(stop.requested()).await });
    let ledger = house.ledger.clone();
    tasks.spawn("ledger", move |stop| ledger.background(stop));
    let runs = house.functions.runs().clone();
    tasks.spawn("runs", move |stop| async move { runs.work(stop.requested()).await });
    let functions = house.functions.clone();
    tasks.spawn("environments", |stop| {
        every(stop, Duration::from_secs(600), move || {
            let functions = functions.clone();
            async move { functions.sweep_environments().await }
        })
    });
    let watched = house.clone();
    tasks.spawn("bus", move |stop| watch_bus(watched, stop));
    let nodes = house.nodes.clone();
    tasks.spawn("node heartbeat", move |stop| async move { nodes.beat(stop.requested()).await });
    let noted = house.clone();
    tasks.spawn("notes", |stop| {
        every(stop, Duration::from_secs(5), move || {
            let house = noted.clone();
            async move {
                house.agents.flush_seen().await;
                house.access.flush_seen().await;
                house.oauth.flush_counts(false).await;
                house.policies.flush().await;
                telemetry::fold_metrics();
            }
        })
    });
}

/// Asks a lost bus now and then whether it is back, and writes down both.
async fn watch_bus(house: House, stop: Stop) {
    let mut is_up = house.bus.is_up();
    loop {
        tokio::select! {
            () = stop.requested() => return,
            () = tokio::time::sleep(Duration::from_secs(2)) => house.bus.sweep().await,
            changed = is_up.changed() => {
                let kind = if *is_up.borrow_and_update() { &bus::BUS_BACK } else { &bus::BUS_LOST };
                if changed.is_err() {
                    return;
                }
                if let Err(error) = note(&house, kind).await {
                    tracing::warn!(%error, kind = kind.name, "the ledger did not take it");
                }
            }
        }
    }
}

async fn note(house: &House, kind: &'static FactKind) -> Result<(), Problem> {
    let home = house.people.home().await?.id;
    let fact =
        Fact::new(kind, home, Actor::system("bus")).data(json!({ "node": house.nodes.this().to_string() }));
    house.ledger.append(fact).await?;
    Ok(())
}

async fn sweep(house: &House) {
    house.door.sweep();
    house.oauth.sweep().await;
    house.people.erase_left().await;
    house.policies.sweep().await;
    house.sign_in.sweep().await;
    house.state.sweep().await;
    house.functions.runs().sweep().await;
    house.triggers.sweep().await;
    house.files.sweep().await;
    let books = Bookkeeping::new(SWEEP).statement(web::sweep_idempotency(house.world.now()));
    if let Err(error) = house.db.keep(books).await {
        tracing::warn!(%error, "old idempotency keys were not swept");
    }
}

/// Does `work` now and then until asked to stop.
async fn every<F: Future<Output = ()>>(stop: Stop, pause: Duration, work: impl Fn() -> F) {
    loop {
        tokio::select! {
            () = stop.requested() => return,
            () = tokio::time::sleep(pause) => work().await,
        }
    }
}
