//! Health: public without secrets; detail and metrics on the operations address.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;

use crate::House;

#[derive(Serialize)]
struct Health {
    status: &'static str,
    version: &'static str,
    uptime_seconds: u64,
    database: &'static str,
    /// `in_process`, `redis`, `nats`, or `down`: then this node counts by itself.
    bus: &'static str,
    /// `none`, `up`, or `down`: then providers whose secrets lie there do not work.
    vault: &'static str,
}

#[derive(Serialize)]
struct Detail {
    #[serde(flatten)]
    health: Health,
    public_url: String,
    authority_revision: i64,
    revocation_feed: &'static str,
    key_encryption_key: String,
}

pub(crate) fn public(house: &House) -> Router {
    Router::new()
        .route("/health", get(health))
        .route("/health/live", get(|| async { "live" }))
        .route("/health/ready", get(ready))
        .with_state(house.clone())
}

pub(crate) fn operations(house: &House) -> Router {
    Router::new()
        .route("/metrics", get(|| async { telemetry::render_metrics() }))
        .route("/health/detailed", get(detail))
        .with_state(house.clone())
        .merge(public(house))
}

async fn look(house: &House) -> Health {
    let database = if house.db.ping().await.is_ok() { "up" } else { "down" };
    let bus = house.bus.state();
    let vault = house.vault.state();
    Health {
        status: if database == "up" && bus != "down" && vault != "down" { "ok" } else { "degraded" },
        version: env!("CARGO_PKG_VERSION"),
        uptime_seconds: house.world.now().since(house.started_at).as_secs(),
        database,
        bus,
        vault,
    }
}

async fn health(State(house): State<House>) -> impl IntoResponse {
    let health = look(&house).await;
    // Without the bus a node serves as well as ever.
    let status = if health.database == "up" { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(health))
}

async fn ready(State(house): State<House>) -> impl IntoResponse {
    let is_ready = house.feed.fresh().is_ok() && house.db.ping().await.is_ok();
    if is_ready { (StatusCode::OK, "ready") } else { (StatusCode::SERVICE_UNAVAILABLE, "not ready") }
}

async fn detail(State(house): State<House>) -> impl IntoResponse {
    Json(Detail {
        health: look(&house).await,
        public_url: house.public_url.clone(),
        authority_revision: house.feed.applied(),
        revocation_feed: if house.feed.fresh().is_ok() { "fresh" } else { "stale" },
        key_encryption_key: house.keyring.id(),
    })
}
