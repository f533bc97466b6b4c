//! When API keys were last used: noted in memory on the hot path, written behind as bookkeeping.

use std::collections::HashMap;
use std::net::IpAddr;

use db::{Bookkeeping, Db, SystemScope};
use parking_lot::Mutex;
use types::{ApiKeyId, Timestamp};

use crate::store;

const PURPOSE: SystemScope = SystemScope::new("last use of keys");

#[derive(Default)]
pub(crate) struct Seen(Mutex<HashMap<ApiKeyId, (Timestamp, Option<IpAddr>)>>);

impl Seen {
    pub(crate) fn note(&self, key: ApiKeyId, at: Timestamp, ip: Option<IpAddr>) {
        self.0.lock().insert(key, (at, ip));
    }

    pub(crate) async fn flush(&self, db: &Db) {
        let noted = std::mem::take(&mut *self.0.lock());
        if noted.is_empty() {
            return;
        }
        let mut books = Bookkeeping::new(PURPOSE);
        for (key, (at, ip)) in noted {
            books = books.statement(store::touch_key(key, at, ip.map(|ip| ip.to_string())));
        }
        if let Err(error) = db.keep(books).await {
            tracing::warn!(%error, "last use of API keys was not written; it will be with the next use");
        }
    }
}
