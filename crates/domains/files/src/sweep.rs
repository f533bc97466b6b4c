//! Ending uploads that nobody goes on with, and forgetting links that have expired. One change for each upload, so that a
//! round that is cut off leaves whole ones behind and a round beside it finds nothing to do twice.

use db::{Bookkeeping, CommitError, OrgScope};
use ledger::{Actor, Fact};

use crate::store::SWEEP;
use crate::words::CollectionRef;
use crate::{Files, FilesError, facts, store};

/// Uploads of one look.
const PAGE: i64 = 100;
/// Looks of one round; the rest waits for the next.
const LOOKS: usize = 50;

impl Files {
    /// Ends what has expired; called by the sweeper.
    pub async fn sweep(&self) {
        for _ in 0..LOOKS {
            match self.sweep_page().await {
                Ok(found) if found < PAGE => break,
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(%error, "expired uploads were not swept");
                    break;
                }
            }
        }
        let books = Bookkeeping::new(SWEEP).statement(store::forget_links(self.inner().world.now()));
        if let Err(error) = self.inner().db.keep(books).await {
            tracing::warn!(%error, "expired links were not swept");
        }
    }

    async fn sweep_page(&self) -> Result<i64, FilesError> {
        let inner = self.inner();
        let found = store::expired(&inner.db, inner.world.now(), PAGE).await?;
        let count = i64::try_from(found.len()).unwrap_or(i64::MAX);
        for (org, upload) in found {
            let scope = OrgScope::proven(org);
            let of = CollectionRef::Id(upload.collection);
            let Some(collection) = store::collection(&inner.db, &scope, &of).await? else { continue };
            let chunks = store::all_chunks(&inner.db, &scope, upload.version).await?;
            let fact = Fact::new(&facts::UPLOAD_ENDED, org, Actor::system("files"));
            let change = self.ended(scope, fact, &collection, &upload, "expired").await?;
            match inner.db.commit(change).await {
                Ok(_) => self.discard(&scope, &chunks).await,
                // Somebody went on with it or ended it meanwhile, or another node's sweeper was first.
                Err(CommitError::Stale | CommitError::Refused(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(count)
    }
}
