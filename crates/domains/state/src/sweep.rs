//! Removing entries whose time has come. One change for each, so that a round that is cut off leaves whole ones behind and
//! a round beside it finds nothing to do twice.

use db::{Change, CommitError};
use ledger::{Actor, Fact};

use crate::entries::told_of;
use crate::store::SWEEP;
use crate::{StateError, StateStore, facts, store};

/// Entries of one look.
const PAGE: i64 = 200;
/// Looks of one round; the rest waits for the next.
const LOOKS: usize = 50;

impl StateStore {
    /// Removes what has expired; called by the sweeper.
    pub async fn sweep(&self) {
        for _ in 0..LOOKS {
            match self.sweep_page().await {
                Ok(found) if found < PAGE => return,
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(%error, "expired entries were not swept");
                    return;
                }
            }
        }
    }

    async fn sweep_page(&self) -> Result<i64, StateError> {
        let inner = self.inner();
        let found = store::expired(&inner.db, inner.world.now(), PAGE).await?;
        let count = i64::try_from(found.len()).unwrap_or(i64::MAX);
        for (namespace, entry) in found {
            let kind = &facts::ENTRY_EXPIRED;
            let fact = Fact::new(kind, namespace.org, Actor::system("state"));
            let fact = told_of(fact, kind, &namespace, &entry);
            let change = Change::new(SWEEP, inner.ledger.seal(fact).await?)
                .statement(store::fill(&namespace, (-1, -entry.size), 1))
                .statements(store::remove_entry(namespace.org, entry.id, entry.revision));
            match inner.db.commit(change).await {
                // Somebody wrote or removed it meanwhile, or another node's sweeper was first.
                Ok(_) | Err(CommitError::Stale | CommitError::Refused(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(count)
    }
}
