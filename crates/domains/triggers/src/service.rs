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

use crate::hooks::{HookSettings, HookState};

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
    pub hooks: HookSettings,
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
    pub(crate) hooks: HookState,
}

impl Triggers {
    pub fn new(ground: TriggersGround) -> Self {
        let TriggersGround { db, ledger, keyring, world, feed, access, functions, door, hooks } = ground;
        let hooks = HookState::new(hooks);
        Self(Arc::new(Inner { db, ledger, keyring, world, feed, access, functions, door, hooks }))
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.0
    }

    /// Forgets what is kept for a time only; called by the sweeper.
    pub async fn sweep(&self) {
        self.forget_ticks().await;
        self.forget_deliveries().await;
    }
}
