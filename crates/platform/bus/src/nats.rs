//! NATS with JetStream: a key-value bucket in memory, whose revisions are compared.

use async_nats::ConnectOptions;
use async_nats::jetstream::kv::{CreateErrorKind, Operation, Store, UpdateErrorKind};
use async_nats::jetstream::stream::{Config, DiscardPolicy, StorageType};
use async_nats::jetstream::{self, Context};
use bytes::Bytes;
use futures::future::BoxFuture;

use crate::{BusError, FORGOTTEN_AFTER, Found, Key, PATIENCE, Shelf};

pub(crate) struct Nats {
    jetstream: Context,
    bucket: String,
    store: Store,
}

impl Nats {
    pub(crate) async fn connect(url: &str, prefix: &str) -> Result<Self, BusError> {
        let options = ConnectOptions::new()
            .name("safeconduct")
            .connection_timeout(PATIENCE)
            .request_timeout(Some(PATIENCE));
        let jetstream = jetstream::new(options.connect(url).await.map_err(BusError::failed)?);
        let bucket = format!("{prefix}_shared");
        make(&jetstream, &bucket).await?;
        let store = jetstream.get_key_value(&bucket).await.map_err(BusError::failed)?;
        Ok(Self { jetstream, bucket, store })
    }
}

/// The stream behind a key-value bucket, as NATS lays it out (ADR-8). Made by hand: the crate's own way asks for the
/// account first, in a form that servers before 2.10 do not know.
async fn make(jetstream: &Context, bucket: &str) -> Result<(), BusError> {
    let stream = Config {
        name: format!("KV_{bucket}"),
        subjects: vec![format!("$KV.{bucket}.>")],
        storage: StorageType::Memory,
        max_messages_per_subject: 1,
        max_message_size: 1024,
        max_age: FORGOTTEN_AFTER,
        discard: DiscardPolicy::New,
        allow_rollup: true,
        deny_delete: true,
        allow_direct: true,
        num_replicas: 1,
        ..Config::default()
    };
    jetstream.get_or_create_stream(stream).await.map(drop).map_err(BusError::failed)
}

impl Shelf for Nats {
    fn kind(&self) -> &'static str {
        "nats"
    }

    fn prepare(&self) -> BoxFuture<'_, Result<(), BusError>> {
        Box::pin(make(&self.jetstream, &self.bucket))
    }

    fn get<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Found>, BusError>> {
        Box::pin(async move {
            let entry = self.store.entry(hex::encode(key)).await.map_err(BusError::failed)?;
            let entry = entry.filter(|entry| entry.operation == Operation::Put);
            Ok(entry.map(|entry| Found { value: entry.value.to_vec(), revision: entry.revision }))
        })
    }

    fn put<'a>(
        &'a self,
        key: &'a Key,
        value: &'a [u8],
        seen: Option<&'a Found>,
    ) -> BoxFuture<'a, Result<bool, BusError>> {
        Box::pin(async move {
            let (name, value) = (hex::encode(key), Bytes::copy_from_slice(value));
            match seen {
                None => match self.store.create(name, value).await {
                    Ok(_) => Ok(true),
                    Err(error) if error.kind() == CreateErrorKind::AlreadyExists => Ok(false),
                    Err(error) => Err(BusError::failed(error)),
                },
                Some(found) => match self.store.update(name, value, found.revision).await {
                    Ok(_) => Ok(true),
                    Err(error) if error.kind() == UpdateErrorKind::WrongLastRevision => Ok(false),
                    Err(error) => Err(BusError::failed(error)),
                },
            }
        })
    }

    fn remove<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<(), BusError>> {
        Box::pin(async move { self.store.purge(hex::encode(key)).await.map_err(BusError::failed) })
    }
}
