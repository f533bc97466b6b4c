//! The facade, and what its parts share. What is decided about namespaces and entries has a file each.

use std::sync::Arc;

use cluster::Feed;
use db::Db;
use ledger::Ledger;
use secrets::Keyring;
use types::World;
use web::{Allowance, Details, Turns};

use crate::model::{Entry, Kept, Namespace};
use crate::values::Schemas;
use crate::words::{Key, NamespaceRef};
use crate::{StateError, store};

/// What state stands on in this process.
pub struct StateGround {
    pub db: Db,
    pub ledger: Ledger,
    pub keyring: Keyring,
    pub world: World,
    pub feed: Feed,
}

/// The state store; clones share it.
#[derive(Clone)]
pub struct StateStore(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) db: Db,
    pub(crate) ledger: Ledger,
    pub(crate) keyring: Keyring,
    pub(crate) world: World,
    pub(crate) feed: Feed,
    pub(crate) schemas: Schemas,
    pub(crate) turns: Turns,
}

impl StateStore {
    pub fn new(ground: StateGround) -> Self {
        let StateGround { db, ledger, keyring, world, feed } = ground;
        let (schemas, turns) = (Schemas::default(), Turns::default());
        Self(Arc::new(Inner { db, ledger, keyring, world, feed, schemas, turns }))
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.0
    }

    /// The namespace, whatever the caller may do to it: its entries are looked at one by one.
    pub(crate) async fn namespace(&self, by: &Allowance, of: &NamespaceRef) -> Result<Namespace, StateError> {
        store::namespace(&self.0.db, &by.scope(), of).await?.ok_or(StateError::UnknownNamespace)
    }

    /// The namespace, if the caller may do its operation to it.
    pub(crate) async fn find_namespace(
        &self,
        by: &Allowance,
        of: &NamespaceRef,
    ) -> Result<Namespace, StateError> {
        let found = self.namespace(by, of).await?;
        by.check(&found.object())?;
        Ok(found)
    }

    /// The entry, if it has not expired and the caller may do its operation to it.
    pub(crate) async fn find(
        &self,
        by: &Allowance,
        of: &NamespaceRef,
        key: &Key,
    ) -> Result<(Namespace, Entry, Kept), StateError> {
        let namespace = self.namespace(by, of).await?;
        let keys = std::slice::from_ref(key);
        let found = store::by_keys(&self.0.db, &by.scope(), namespace.id, keys).await?.pop();
        let live = found.filter(|(entry, _)| entry.is_live(self.0.world.now()));
        let (entry, kept) = live.ok_or(StateError::UnknownEntry)?;
        let attributes = || entry.attributes(&namespace);
        by.check_with(&entry.object(&namespace), Details { attributes: Some(&attributes), arguments: None })?;
        Ok((namespace, entry, kept))
    }
}
