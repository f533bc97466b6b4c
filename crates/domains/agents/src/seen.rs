//! When credentials and agents were last used: noted in memory on the hot path, written behind as bookkeeping.

use std::collections::HashMap;
use std::net::IpAddr;

use db::{Bookkeeping, Db, SystemScope};
use parking_lot::Mutex;
use types::{Id, OrgId, Timestamp, Uuid};

use crate::model::Credential;
use crate::store;

const PURPOSE: SystemScope = SystemScope::new("last use");

type Use = (Timestamp, Option<IpAddr>);

pub(crate) struct Seen {
    db: Db,
    noted: Mutex<HashMap<(OrgId, Uuid), Use>>,
}

impl Seen {
    pub(crate) fn new(db: Db) -> Self {
        Self { db, noted: Mutex::default() }
    }

    pub(crate) fn note(&self, credential: &Credential, at: Timestamp, ip: Option<IpAddr>) {
        let mut noted = self.noted.lock();
        noted.insert((credential.org, credential.id.uuid()), (at, ip));
        noted.insert((credential.org, credential.agent.uuid()), (at, ip));
    }

    pub(crate) async fn flush(&self) {
        let noted = std::mem::take(&mut *self.noted.lock());
        if noted.is_empty() {
            return;
        }
        let mut books = Bookkeeping::new(PURPOSE);
        for ((org, id), (at, ip)) in &noted {
            books = books.statement(store::touch(*org, *id, *at, ip.map(|ip| ip.to_string())));
        }
        if let Err(error) = self.db.keep(books).await {
            tracing::warn!(%error, "last use was not written; it will be with the next use");
        }
    }
}
