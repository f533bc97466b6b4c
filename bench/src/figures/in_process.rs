//! A server inside this process, for figures that HTTP would hide.

use anyhow::Result;
use config::{Config, Environment, Sources};
use safeconduct::Server;
use types::World;

use crate::Settings;
use crate::postgres::Postgres;

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
        let data = directory.path().join("data").display().to_string();
        let own = ["server.listen=127.0.0.1:0", "server.operations_listen=127.0.0.1:0"].map(str::to_owned);
        let database = postgres.as_ref().map(Postgres::settings).unwrap_or_default();
        let pairs = own.into_iter().chain([format!("data.dir={data}")]).chain(database);
        let flags = pairs.chain(settings.set.iter().cloned()).filter_map(|pair| {
            let (key, value) = pair.split_once('=')?;
            Some((key.to_owned(), value.to_owned()))
        });
        let sources = Sources { file: None, environment: Environment::default(), flags: flags.collect() };
        let server = Server::start(Config::load(&sources)?, World::system(), None).await?;
        Ok(Self { server, postgres, directory })
    }
}
