//! A server inside this process, for figures that HTTP would hide.

use std::path::Path;

use anyhow::Result;
use config::{Config, Environment, Sources};
use safeconduct::Server;
use types::World;

use crate::Settings;
use crate::postgres::Postgres;

/// A server in `data` without the rest.
pub(crate) async fn server(settings: &Settings, data: &Path, postgres: Option<&Postgres>) -> Result<Server> {
    let own = ["server.listen=127.0.0.1:0", "server.operations_listen=127.0.0.1:0"].map(str::to_owned);
    let database = postgres.map(Postgres::settings).unwrap_or_default();
    let pairs = own.into_iter().chain([format!("data.dir={}", data.display())]).chain(database);
    let flags = pairs.chain(settings.set.iter().cloned()).filter_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        Some((key.to_owned(), value.to_owned()))
    });
    let sources = Sources { file: None, environment: Environment::default(), flags: flags.collect() };
    Ok(Server::start(Config::load(&sources)?, World::system(), None).await?)
}

/// What was started last ends first.
pub(crate) struct Inside {
    pub(crate) server: Server,
    pub(crate) postgres: Option<Postgres>,
    pub(crate) directory: tempfile::TempDir,
}

impl Inside {
    pub(crate) async fn start(settings: &Settings) -> Result<Self> {
        let directory = settings.directory()?;
        let postgres = settings.postgres.then(|| Postgres::start(settings, directory.path())).transpose()?;
        let server = server(settings, &directory.path().join("data"), postgres.as_ref()).await?;
        Ok(Self { server, postgres, directory })
    }
}
