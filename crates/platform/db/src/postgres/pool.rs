//! A bounded pool of connections with cached prepared statements.

use std::str::FromStr;
use std::time::Duration;

use deadpool_postgres::{ClientWrapper, Manager, ManagerConfig, Object, RecyclingMethod, Runtime};
use tokio_postgres::{Config, NoTls};

use crate::{DbError, OpenError};

#[derive(Clone)]
pub(super) struct Pool(deadpool_postgres::Pool);

pub(super) type Connection = Object;

pub(super) fn parse(url: &str) -> Result<Config, OpenError> {
    Config::from_str(url).map_err(|error| OpenError::Refused(format!("database URL: {error}")))
}

impl Pool {
    pub(super) fn new(url: &str, size: usize, timeout: Duration) -> Result<Self, OpenError> {
        let mut config = parse(url)?;
        config.connect_timeout(timeout);
        config.application_name("safeconduct");
        if config.get_options().is_none() {
            // Our statements are short; plans that prepare for long ones cost more than they save.
            config.options("-c jit=off -c max_parallel_workers_per_gather=0");
        }
        let manager =
            Manager::from_config(config, NoTls, ManagerConfig { recycling_method: RecyclingMethod::Fast });
        let pool = deadpool_postgres::Pool::builder(manager)
            .max_size(size)
            .wait_timeout(Some(timeout))
            .create_timeout(Some(timeout))
            .runtime(Runtime::Tokio1)
            .build();
        pool.map(Self).map_err(|error| OpenError::Refused(format!("database pool: {error}")))
    }

    pub(super) async fn connection(&self) -> Result<Connection, DbError> {
        self.0.get().await.map_err(|error| DbError::Unavailable(error.to_string()))
    }
}

/// Out of the pool for good: closed, and with it whatever was begun, when it is dropped.
pub(super) fn taken(connection: Connection) -> ClientWrapper {
    Object::take(connection)
}

/// Prepared once per connection.
pub(super) async fn prepare(
    connection: &ClientWrapper,
    text: &str,
) -> Result<tokio_postgres::Statement, tokio_postgres::Error> {
    connection.prepare_cached(text).await
}
