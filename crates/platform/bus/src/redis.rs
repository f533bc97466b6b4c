//! Redis 6 or Valkey: a string per value, replaced by a script that compares first.

use std::time::Duration;

use futures::future::BoxFuture;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{AsyncCommands, Client, Script};

use crate::{BusError, FORGOTTEN_AFTER, Found, Key, PATIENCE, Shelf};

/// ARGV: whether there was a value, that value, the new one, its lifetime in milliseconds.
const COMPARE_AND_SET: &str = "
local now = redis.call('GET', KEYS[1])
if (ARGV[1] == '0' and now == false) or (ARGV[1] == '1' and now == ARGV[2]) then
    redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[4])
    return 1
end
return 0";

pub(crate) struct Redis {
    connection: ConnectionManager,
    replace: Script,
    prefix: String,
}

impl Redis {
    pub(crate) async fn connect(url: &str, prefix: &str) -> Result<Self, BusError> {
        let client = Client::open(url).map_err(BusError::failed)?;
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(PATIENCE))
            .set_response_timeout(Some(PATIENCE))
            .set_max_delay(Duration::from_secs(1));
        let connection =
            ConnectionManager::new_with_config(client, config).await.map_err(BusError::failed)?;
        Ok(Self { connection, replace: Script::new(COMPARE_AND_SET), prefix: prefix.to_owned() })
    }

    fn name(&self, key: &Key) -> String {
        format!("{}:{}", self.prefix, hex::encode(key))
    }
}

impl Shelf for Redis {
    fn kind(&self) -> &'static str {
        "redis"
    }

    fn prepare(&self) -> BoxFuture<'_, Result<(), BusError>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn get<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Found>, BusError>> {
        Box::pin(async move {
            let value: Option<Vec<u8>> =
                self.connection.clone().get(self.name(key)).await.map_err(BusError::failed)?;
            Ok(value.map(|value| Found { value, revision: 0 }))
        })
    }

    fn put<'a>(
        &'a self,
        key: &'a Key,
        value: &'a [u8],
        seen: Option<&'a Found>,
    ) -> BoxFuture<'a, Result<bool, BusError>> {
        Box::pin(async move {
            let lifetime = u64::try_from(FORGOTTEN_AFTER.as_millis()).unwrap_or(u64::MAX);
            let mut call = self.replace.prepare_invoke();
            call.key(self.name(key))
                .arg(u8::from(seen.is_some()))
                .arg(seen.map_or(&[][..], |found| &found.value))
                .arg(value)
                .arg(lifetime);
            let done: u8 = call.invoke_async(&mut self.connection.clone()).await.map_err(BusError::failed)?;
            Ok(done == 1)
        })
    }

    fn remove<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<(), BusError>> {
        Box::pin(async move {
            let gone: u64 = self.connection.clone().del(self.name(key)).await.map_err(BusError::failed)?;
            tracing::trace!(gone, "a shared value is removed");
            Ok(())
        })
    }
}
