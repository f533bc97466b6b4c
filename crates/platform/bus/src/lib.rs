//! What the nodes of one installation share and may forget: small values, changed by compare and set – in this process, in
//! Redis or in NATS. When the bus is lost every node goes on with what it knows itself, says so, and comes back by itself.
//!
//! Must not know what a value means. Nothing lies here whose loss would matter; for that there is the database.

mod facts;
mod local;
mod nats;
mod redis;

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use parking_lot::Mutex;
use tokio::sync::watch;
use types::{Secret, World};

pub use facts::{BUS_BACK, BUS_LOST, KINDS};

use local::Local;

/// What a value lies under: a tag, so that the bus holds no names.
pub type Key = [u8; 32];

/// A value that nobody changed for so long is gone.
pub const FORGOTTEN_AFTER: Duration = Duration::from_secs(3600);
/// How long one question may take. Whoever waits for it is a person who signs in.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long a lost bus is left alone before it is asked again.
const PAUSE: Duration = Duration::from_secs(1);
/// How often a change is tried while others change the same value.
const TRIES: usize = 200;

/// Where the shared values lie.
#[derive(Clone)]
pub struct BusSettings {
    /// `redis://`, `rediss://` (TLS), `nats://` or `tls://` (NATS); in this process if none.
    pub url: Option<Secret<String>>,
    /// Before each name, so that installations can share a server.
    pub prefix: String,
    /// How long the start waits for the server.
    pub patience: Duration,
}

#[derive(Debug, thiserror::Error)]
pub enum BusError {
    #[error("bus.url begins with neither redis://, rediss://, nats:// nor tls://")]
    Scheme,
    /// Told by the server or by the network.
    #[error("{0}")]
    Failed(String),
    #[error("the bus does not answer")]
    Silent,
}

impl BusError {
    fn failed(error: impl std::fmt::Display) -> Self {
        Self::Failed(error.to_string())
    }
}

/// A value as it was seen, for the one who wants to replace it.
struct Found {
    value: Vec<u8>,
    /// Of the place where it lies, which may have none.
    revision: u64,
}

/// A place that all nodes see.
trait Shelf: Send + Sync {
    fn kind(&self) -> &'static str;
    /// Makes what values lie in; asked of a server that was away and may have forgotten everything.
    fn prepare(&self) -> BoxFuture<'_, Result<(), BusError>>;
    fn get<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Found>, BusError>>;
    /// False if it is not `seen` that lies there any more.
    fn put<'a>(
        &'a self,
        key: &'a Key,
        value: &'a [u8],
        seen: Option<&'a Found>,
    ) -> BoxFuture<'a, Result<bool, BusError>>;
    fn remove<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<(), BusError>>;
}

/// The shared values; clones share them.
#[derive(Clone)]
pub struct Bus(Arc<Inner>);

struct Inner {
    local: Local,
    shelf: Option<Box<dyn Shelf>>,
    /// Not asked again before.
    left_alone_until: Mutex<Option<Instant>>,
    is_up: watch::Sender<bool>,
}

impl Bus {
    /// In this process alone.
    pub fn alone(world: World) -> Self {
        Self::of(world, None)
    }

    /// Waits for the server as long as the settings say.
    ///
    /// # Errors
    /// A URL of no known scheme, or the server's last answer.
    pub async fn open(settings: &BusSettings, world: World) -> Result<Self, BusError> {
        let Some(url) = &settings.url else { return Ok(Self::alone(world)) };
        let until = Instant::now() + settings.patience;
        let mut pause = Duration::from_millis(100);
        loop {
            let connecting = connect(url.reveal(), &settings.prefix);
            match tokio::time::timeout(PATIENCE * 5, connecting).await.unwrap_or(Err(BusError::Silent)) {
                Ok(shelf) => return Ok(Self::of(world, Some(shelf))),
                Err(BusError::Scheme) => return Err(BusError::Scheme),
                Err(error) if Instant::now() + pause > until => return Err(error),
                Err(error) => tracing::warn!(%error, "waiting for the bus"),
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(5));
        }
    }

    fn of(world: World, shelf: Option<Box<dyn Shelf>>) -> Self {
        let (local, left_alone_until) = (Local::new(world), Mutex::default());
        metrics::gauge!("safeconduct_bus_up").set(1.0);
        Self(Arc::new(Inner { local, shelf, left_alone_until, is_up: watch::Sender::new(true) }))
    }

    /// `in_process`, `redis`, `nats`, or `down` while it is lost.
    pub fn state(&self) -> &'static str {
        match &self.0.shelf {
            None => "in_process",
            Some(_) if !*self.0.is_up.borrow() => "down",
            Some(shelf) => shelf.kind(),
        }
    }

    /// Whether the nodes hear each other here, as it changes.
    pub fn is_up(&self) -> watch::Receiver<bool> {
        self.0.is_up.subscribe()
    }

    pub async fn get(&self, key: &Key) -> Option<Vec<u8>> {
        match self.ask(|shelf| shelf.get(key)).await {
            Some(found) => found.map(|found| found.value),
            None => self.0.local.get(key),
        }
    }

    /// Replaces the value by what `next` makes of it, whoever else does at the same time; gives the new one.
    pub async fn change(&self, key: &Key, next: impl Fn(Option<&[u8]>) -> Vec<u8> + Send + Sync) -> Vec<u8> {
        match self.ask(|shelf| Box::pin(replace(shelf, key, &next))).await {
            Some(value) => value,
            None => self.0.local.change(key, next),
        }
    }

    pub async fn remove(&self, key: &Key) {
        self.0.local.remove(key);
        self.ask(|shelf| shelf.remove(key)).await;
    }

    /// Forgets what nobody changed for long, and asks a lost bus whether it is back; called now and then.
    pub async fn sweep(&self) {
        self.0.local.sweep();
        self.ask(|shelf| shelf.get(&[0; 32])).await;
    }

    /// What the shelf answers; none where there is no shelf or it is lost.
    async fn ask<'a, T>(
        &'a self,
        question: impl FnOnce(&'a dyn Shelf) -> BoxFuture<'a, Result<T, BusError>>,
    ) -> Option<T> {
        let shelf = self.0.shelf.as_deref()?;
        if self.0.left_alone_until.lock().is_some_and(|until| Instant::now() < until) {
            return None;
        }
        let was_lost = !*self.0.is_up.borrow();
        let asking = async {
            if was_lost {
                shelf.prepare().await?;
            }
            question(shelf).await
        };
        let answer = tokio::time::timeout(PATIENCE, asking).await.unwrap_or(Err(BusError::Silent));
        match answer {
            Ok(answer) => {
                self.turn(true, None);
                Some(answer)
            }
            Err(error) => {
                *self.0.left_alone_until.lock() = Some(Instant::now() + PAUSE);
                self.turn(false, Some(&error));
                None
            }
        }
    }

    fn turn(&self, up: bool, why: Option<&BusError>) {
        let turned = self.0.is_up.send_if_modified(|was| std::mem::replace(was, up) != up);
        if !turned {
            return;
        }
        metrics::gauge!("safeconduct_bus_up").set(f64::from(u8::from(up)));
        match why {
            Some(error) => tracing::warn!(%error, "the bus is lost; this node counts by itself"),
            None => tracing::info!("the bus is back"),
        }
    }
}

async fn replace(
    shelf: &dyn Shelf,
    key: &Key,
    next: &(dyn Fn(Option<&[u8]>) -> Vec<u8> + Send + Sync),
) -> Result<Vec<u8>, BusError> {
    for _ in 0..TRIES {
        let seen = shelf.get(key).await?;
        let value = next(seen.as_ref().map(|found| found.value.as_slice()));
        if shelf.put(key, &value, seen.as_ref()).await? {
            return Ok(value);
        }
    }
    Err(BusError::Silent)
}

async fn connect(url: &str, prefix: &str) -> Result<Box<dyn Shelf>, BusError> {
    match url.split_once("://").map(|(scheme, _)| scheme) {
        Some("redis" | "rediss") => Ok(Box::new(redis::Redis::connect(url, prefix).await?)),
        Some("nats" | "tls") => Ok(Box::new(nats::Nats::connect(url, prefix).await?)),
        _ => Err(BusError::Scheme),
    }
}
