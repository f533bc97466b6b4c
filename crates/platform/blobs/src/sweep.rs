//! Takes away what nobody refers to: first the row, then the file. A crash between the two leaves a file without a row,
//! which the look through the directory finds.

use std::time::Duration;

use types::{OrgId, Timestamp};

use crate::blobs::blocking;
use crate::{BlobError, Blobs, files, store};

const BATCH: i64 = 500;
const EVERY: Duration = Duration::from_secs(600);

impl Blobs {
    /// Sweeps now and then until `stop`; looks through the directory once, at the start.
    pub async fn keep_clean(self, stop: impl Future<Output = ()>) {
        let mut rounds = tokio::time::interval(EVERY);
        tokio::pin!(stop);
        report("files without a row", self.sweep_strays().await);
        loop {
            tokio::select! {
                () = &mut stop => return,
                _ = rounds.tick() => report("unreferenced", self.sweep().await),
            }
        }
    }

    /// Removes blobs that nobody has referred to for the time that the settings say; how many there were.
    pub async fn sweep(&self) -> Result<u64, BlobError> {
        let mut gone = 0;
        loop {
            let before = self.unreferenced_before();
            let rows = self.0.db.read(store::SCOPE, store::abandoned(before, BATCH)).await?;
            let found = rows.len();
            for row in rows {
                let (org, sha256) = store::address(row)?;
                gone += u64::from(self.forget(org, &sha256, before).await?);
            }
            if i64::try_from(found).unwrap_or(BATCH) < BATCH {
                return Ok(gone);
            }
        }
    }

    /// The row first, if nobody has referred to the blob since `before`, then the file; whether they were there.
    pub(crate) async fn forget(
        &self,
        org: OrgId,
        sha256: &[u8; 32],
        before: Timestamp,
    ) -> Result<bool, BlobError> {
        let _alone = self.lock(sha256).await;
        let forgotten = self.0.db.keep(store::forget(org, sha256, before)).await?;
        let was_there = forgotten.first().is_some_and(|rows| !rows.is_empty());
        if was_there {
            let path = self.0.files.path(org, sha256);
            blocking(move || files::remove(&path)).await?;
        }
        Ok(was_there)
    }

    /// Removes files that no row knows.
    pub async fn sweep_strays(&self) -> Result<u64, BlobError> {
        let inner = self.0.clone();
        let mut gone = 0;
        for (path, org, sha256) in blocking(move || inner.files.all()).await? {
            let _alone = self.lock(&sha256).await;
            if self.0.db.read_one(store::SCOPE, store::known(org, &sha256)).await?.is_none() {
                blocking(move || files::remove(&path)).await?;
                gone += 1;
            }
        }
        Ok(gone)
    }
}

fn report(what: &'static str, swept: Result<u64, BlobError>) {
    match swept {
        Ok(0) => {}
        Ok(count) => tracing::info!(count, what, "blobs swept"),
        Err(error) => tracing::warn!(%error, what, "blobs could not be swept; trying again later"),
    }
}
