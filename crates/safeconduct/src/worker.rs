//! A process that works on runs beside servers on the same PostgreSQL: no listener but that of operations.

use std::io::Write;
use std::net::SocketAddr;

use config::Config;
use types::World;

use crate::server::{bind, local, private, serve_jails};
use crate::{House, Jails, StartError, health, jobs, router};

pub struct Worker {
    pub house: House,
    pub operations: SocketAddr,
}

impl Worker {
    pub async fn start(mut config: Config, world: World, jails: Option<Jails>) -> Result<Self, StartError> {
        const NAME: &str = "safeconduct worker";
        if config.database.url.is_none() {
            return Err(StartError::NeedsPostgres(NAME));
        }
        // What names the issuer of a run's token must be the same for all.
        if config.server.public_url.is_none() {
            return Err(StartError::Missing { key: "server.public_url", beside: NAME });
        }
        // A key of its own making would seal what no server can open.
        if config.keys.encryption_key.is_none() && !config.encryption_key_file().exists() {
            return Err(StartError::Missing { key: "the server's keys.encryption_key", beside: NAME });
        }
        let Some(jails) = jails else { return Err(StartError::NoSandbox) };
        config.functions.workers_only = false;
        let operations = bind(config.server.operations_listen).await?;
        let address = local(&operations, config.server.operations_listen)?;
        private(&config.data.dir)?;
        let (sandbox, knocks) = jails.open();
        let house = Box::pin(House::open(config, world, address, Some(sandbox))).await?;
        jobs::start_worker(&house);
        serve_jails(&house, router::public(&house), knocks);
        let inner = health::operations(&house);
        house.tasks.spawn("operations http", move |stop| async move {
            let stopped = async move { stop.requested().await };
            if let Err(error) = web::serve(inner, operations, stopped).await {
                tracing::error!(%error, "the operations listener ended");
            }
        });
        Ok(Self { house, operations: address })
    }

    pub fn greet(&self, out: &mut impl Write) -> std::io::Result<()> {
        let (version, address) = (env!("CARGO_PKG_VERSION"), self.operations);
        writeln!(out, "Safeconduct {version} works on runs; health on http://{address}/health/detailed")
    }

    /// Ends what runs here, as long as it is given time and nobody is in a hurry; then stops, and what is left goes back to
    /// the queue.
    pub async fn stop(self, hurry: impl Future<Output = ()>) {
        let patience = self.house.config.functions.drain;
        tokio::select! {
            () = self.house.functions.runs().drain(patience) => {}
            () = hurry => {}
        }
        self.house.close().await;
    }
}
