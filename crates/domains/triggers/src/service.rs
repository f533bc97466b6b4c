//! The facade, and what hooks and schedules share.

use std::sync::Arc;

use access::Access;
use cluster::Feed;
use db::Db;
use functions::Functions;
use ledger::Ledger;
use secrets::Keyring;
use types::World;
use web::Door;

/// What triggers stand on in this process.
pub struct TriggersGround {
    pub db: Db,
    pub ledger: Ledger,
    pub keyring: Keyring,
    pub world: World,
    pub feed: Feed,
    pub access: Access,
    pub functions: Functions,
    pub door: Arc<Door>,
}

/// Hooks and schedules; clones share it.
#[derive(Clone)]
pub struct Triggers(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) db: Db,
    pub(crate) ledger: Ledger,
    pub(crate) keyring: Keyring,
    pub(crate) world: World,
    pub(crate) feed: Feed,
    pub(crate) access: Access,
    pub(crate) functions: Functions,
    pub(crate) door: Arc<Door>,
}

impl Triggers {
    pub fn new(ground: TriggersGround) -> Self {
        let TriggersGround { db, ledger, keyring, world, feed, access, functions, door } = ground;
        Self(Arc::new(Inner { db, ledger, keyring, world, feed, access, functions, door }))
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.0
    }
}
