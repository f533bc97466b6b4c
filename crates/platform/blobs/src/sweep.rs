//! Takes away what nobody refers to: first the row, then the file. A crash between the two leaves a file without a row,
//! which the look through the directory finds.

use std::time::Duration;

use types::{OrgId, Timestamp};

use crate::blobs::blocking;
use crate::bucket::Listed;
use crate::{BlobError, Blobs, files, store};

const BATCH: i64 = 500;
/// Objects of one listing.
const PAGE: usize = 1000;
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
        let Some(mut row) = forgotten.into_iter().flatten().next() else { return Ok(false) };
        match (row.next::<Option<String>>()?, &self.0.bucket) {
            (Some(object), Some(bucket)) => bucket.remove(&object).await?,
            (Some(_), None) => return Err(BlobError::NoBucket),
            (None, _) => {
                let path = self.0.files.path(org, sha256);
                blocking(move || files::remove(&path)).await?;
            }
        }
        Ok(true)
    }

    /// Removes files and objects that no row knows.
    pub async fn sweep_strays(&self) -> Result<u64, BlobError> {
        let inner = self.0.clone();
        let mut gone = self.sweep_objects().await?;
        for (path, org, sha256) in blocking(move || inner.files.all()).await? {
            let _alone = self.lock(&sha256).await;
            if self.0.db.read_one(store::SCOPE, store::known(org, &sha256)).await?.is_none() {
                blocking(move || files::remove(&path)).await?;
                gone += 1;
            }
        }
        Ok(gone)
    }

    /// An object that is younger than unreferenced blobs are kept may be about to get its row.
    async fn sweep_objects(&self) -> Result<u64, BlobError> {
        let Some(bucket) = &self.0.bucket else { return Ok(0) };
        let (mut gone, mut after) = (0, None);
        loop {
            let (page, next) = bucket.list(after, PAGE).await?;
            let before = self.unreferenced_before();
            let old = |listed: &Listed| listed.modified.is_some_and(|at| at < before);
            for listed in page.into_iter().filter(|listed| old(listed) && bucket.is_ours(&listed.object)) {
                let known = self.0.db.read_one(store::SCOPE, store::knows_object(&listed.object)).await?;
                if known.is_none() {
                    bucket.remove(&listed.object).await?;
                    gone += 1;
                }
            }
            match next {
                Some(next) => after = Some(next),
                None => return Ok(gone),
            }
        }
    }
}

fn report(what: &'static str, swept: Result<u64, BlobError>) {
    match swept {
        Ok(0) => {}
        Ok(count) => tracing::info!(count, what, "blobs swept"),
        Err(error) => tracing::warn!(%error, what, "blobs could not be swept; trying again later"),
    }
}
