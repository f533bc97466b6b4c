//! A running server: listeners bound, jobs started, stopped in order.

use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use axum::Router;
use config::Config;
use people::OwnerLink;
use tokio::net::TcpListener;
use types::World;
use web::Connections;

use crate::{House, Jails, StartError, admin, health, jobs, own_file, router};

pub struct Server {
    pub house: House,
    pub address: SocketAddr,
    pub operations: SocketAddr,
    /// For the first owner, if there is none yet; for the terminal only.
    pub link: Option<OwnerLink>,
}

impl Server {
    /// Binds first, so that nothing is opened for an address that is taken.
    pub async fn start(config: Config, world: World, jails: Option<Jails>) -> Result<Self, StartError> {
        let listener = bind(config.server.listen).await?;
        let operations = bind(config.server.operations_listen).await?;
        let address = local(&listener, config.server.listen)?;
        let operations_address = local(&operations, config.server.operations_listen)?;
        private(&config.data.dir)?;
        let (sandbox, knocks) = jails.map(Jails::open).unzip();
        // Boxed: it is by far the largest future, and whoever starts a server would carry it.
        let house = Box::pin(House::open(config, world, address, sandbox)).await?;
        own_file::follow(&house).await?;
        jobs::start(&house);
        let public = router::public(&house);
        if let Some(knocks) = knocks {
            serve_jails(&house, public.clone(), knocks);
        }
        house.tasks.spawn("http", move |stop| async move {
            let stopped = async move { stop.requested().await };
            if let Err(error) = web::serve(public, listener, stopped).await {
                tracing::error!(%error, "the listener ended");
            }
        });
        let inner = health::operations(&house);
        house.tasks.spawn("operations http", move |stop| async move {
            let stopped = async move { stop.requested().await };
            if let Err(error) = web::serve(inner, operations, stopped).await {
                tracing::error!(%error, "the operations listener ended");
            }
        });
        admin::start(&house)?;
        let link = house.people.link_for_first_owner().await?;
        Ok(Self { house, address, operations: operations_address, link })
    }

    /// Says on the terminal where the server is and how to get in.
    pub fn greet(&self, out: &mut impl Write) -> std::io::Result<()> {
        let url = &self.house.public_url;
        writeln!(out, "Safeconduct {} listens on http://{}", env!("CARGO_PKG_VERSION"), self.address)?;
        writeln!(out, "  data      {}", self.house.config.data.dir.display())?;
        writeln!(out, "  console   {url}/console/")?;
        writeln!(out, "  health    http://{}/health/detailed", self.operations)?;
        match &self.link {
            Some(link) => {
                writeln!(out, "\nNobody owns this installation yet. Open this link within 30 minutes:\n")?;
                writeln!(out, "  {}\n", link.url.reveal())?;
                writeln!(out, "or sign the command line in:\n")?;
                writeln!(out, "  safeconduct login --link '{}'\n", link.url.reveal())?;
                writeln!(out, "or see everything at work in seconds:\n")?;
                writeln!(out, "  safeconduct quickstart --link '{}'\n", link.url.reveal())
            }
            None => writeln!(out, "\nTo sign in again: safeconduct admin link\n"),
        }
    }

    pub async fn stop(self) {
        self.house.close().await;
    }
}

/// Our API at the doors of the jails of this process.
pub(crate) fn serve_jails(house: &House, public: Router, knocks: Connections) {
    house.tasks.spawn("functions' http", move |stop| async move {
        let stopped = async move { stop.requested().await };
        if let Err(error) = web::serve_functions(public, knocks, stopped).await {
            tracing::error!(%error, "the functions' door ended");
        }
    });
}

/// The data directory is nobody else's to read.
pub(crate) fn private(directory: &Path) -> Result<(), StartError> {
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory);
    made.map_err(|error| StartError::Io { path: directory.display().to_string(), error })
}

pub(crate) async fn bind(address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).await.map_err(|error| StartError::Listen { address, error })
}

pub(crate) fn local(listener: &TcpListener, address: SocketAddr) -> Result<SocketAddr, StartError> {
    listener.local_addr().map_err(|error| StartError::Listen { address, error })
}
