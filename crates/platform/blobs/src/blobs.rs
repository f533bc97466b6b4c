//! Putting, reading and referring to blobs.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use crypto::seal::DataKey;
use db::{Db, OrgScope, Statement};
use futures::{Stream, StreamExt};
use secrets::{Keyring, Purpose};
use tokio::sync::{Mutex, mpsc};
use tokio::task::spawn_blocking;
use types::{Id, OrgId, Timestamp, World};

use crate::bucket::Bucket;
use crate::files::{Draft, Files, Finished, Reading, Unopened};
use crate::remote::{Remote, Unopened as Unplaced};
use crate::{BlobError, store};

/// Pieces under way between the disk and the reader or writer.
const AHEAD: usize = 4;
const LOCKS: usize = 64;

/// A blob's address within its organization, and its size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlobReference {
    pub sha256: [u8; 32],
    pub size: u64,
}

pub struct BlobSettings {
    /// `<data>/blobs`.
    pub directory: PathBuf,
    /// How long a blob that nobody refers to is kept.
    pub keep_unreferenced: Duration,
    /// Where new blobs go instead of the directory.
    pub bucket: Option<Bucket>,
}

/// The open store; clones share it.
#[derive(Clone)]
pub struct Blobs(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) db: Db,
    pub(crate) files: Files,
    pub(crate) bucket: Option<Arc<Bucket>>,
    pub(crate) world: World,
    pub(crate) keep_unreferenced: Duration,
    keyring: Keyring,
    /// Putting and sweeping the same file exclude each other, or a sweep could take one just put. Objects need no lock: no
    /// two have a name.
    locks: [Mutex<()>; LOCKS],
}

impl Blobs {
    /// # Errors
    /// The directory cannot be written, or there are blobs in a bucket and none is named.
    pub async fn open(
        db: Db,
        keyring: Keyring,
        world: World,
        settings: BlobSettings,
    ) -> Result<Self, BlobError> {
        let BlobSettings { directory, keep_unreferenced, bucket } = settings;
        let files = Files::open(directory)?;
        let bucket = bucket.map(Arc::new);
        if bucket.is_none() && db.read_one(store::SCOPE, store::any_object()).await?.is_some() {
            return Err(BlobError::NoBucket);
        }
        let locks = std::array::from_fn(|_| Mutex::new(()));
        Ok(Self(Arc::new(Inner { db, files, bucket, world, keep_unreferenced, keyring, locks })))
    }

    /// Durable when it returns; swept after a while unless a change comes to refer to it.
    pub async fn put(&self, scope: &OrgScope, bytes: Vec<u8>) -> Result<BlobReference, BlobError> {
        let key = self.0.keyring.key(scope.org(), Purpose::Blobs).await?;
        let (inner, org) = (self.0.clone(), scope.org());
        let finished = blocking(move || {
            let mut draft = inner.files.draft(org, &inner.world)?;
            draft.write(&inner.world, &key, &bytes)?;
            draft.finish(&inner.world, &key)
        });
        self.place(scope, finished.await?).await
    }

    /// The same for what arrives in pieces; refused beyond `most` bytes.
    pub async fn put_stream(
        &self,
        scope: &OrgScope,
        mut pieces: impl Stream<Item = std::io::Result<Bytes>> + Unpin + Send,
        most: u64,
    ) -> Result<BlobReference, BlobError> {
        let key = self.0.keyring.key(scope.org(), Purpose::Blobs).await?;
        let (send, arriving) = mpsc::channel(AHEAD);
        let (inner, org) = (self.0.clone(), scope.org());
        let writing = spawn_blocking(move || write_all(&inner, org, &key, arriving, most));
        while let Some(piece) = pieces.next().await {
            // The writer has given up when it no longer takes pieces; its result says why.
            if send.send(piece).await.is_err() {
                break;
            }
        }
        drop(send);
        let finished = writing.await.map_err(|error| BlobError::Io(std::io::Error::other(error)))??;
        self.place(scope, finished).await
    }

    /// All of a blob, if it has at most `most` bytes.
    pub async fn read(&self, scope: &OrgScope, sha256: [u8; 32], most: u64) -> Result<Vec<u8>, BlobError> {
        let (opened, key) = self.start(scope, sha256).await?;
        if opened.size() > most {
            return Err(BlobError::TooLarge(most));
        }
        let mut reading = match opened {
            Opened::File(reading) => reading,
            Opened::Object(mut remote) => {
                let mut all = Vec::with_capacity(usize::try_from(remote.size()).unwrap_or_default());
                while let Some(piece) = remote.next(&key).await? {
                    all.extend_from_slice(&piece);
                }
                return Ok(all);
            }
        };
        blocking(move || {
            let mut all = Vec::with_capacity(usize::try_from(reading.size()).unwrap_or_default());
            while let Some(piece) = reading.next(&key)? {
                all.extend_from_slice(&piece);
            }
            Ok(all)
        })
        .await
    }

    /// A blob piece by piece, with its size.
    pub async fn stream(
        &self,
        scope: &OrgScope,
        sha256: [u8; 32],
    ) -> Result<(u64, impl Stream<Item = Result<Bytes, BlobError>> + Send + 'static), BlobError> {
        let (opened, key) = self.start(scope, sha256).await?;
        let size = opened.size();
        let (send, mut pieces) = mpsc::channel(AHEAD);
        match opened {
            Opened::File(mut reading) => drop(spawn_blocking(move || {
                while let Some(piece) = reading.next(&key).transpose() {
                    let broken = piece.is_err();
                    if send.blocking_send(piece.map(Bytes::from)).is_err() || broken {
                        return;
                    }
                }
            })),
            Opened::Object(mut remote) => drop(telemetry::spawn("blob reader", async move {
                while let Some(piece) = remote.next(&key).await.transpose() {
                    let broken = piece.is_err();
                    if send.send(piece.map(Bytes::from)).await.is_err() || broken {
                        return;
                    }
                }
            })),
        }
        Ok((size, futures::stream::poll_fn(move |context| pieces.poll_recv(context))))
    }

    /// For the change that makes `holder` need the blob; that change conflicts if the blob was swept meanwhile.
    pub fn refer(
        &self,
        scope: &OrgScope,
        blob: &BlobReference,
        holder_kind: &'static str,
        holder: impl Id,
    ) -> Statement {
        store::refer(scope, &blob.sha256, holder_kind, holder.uuid())
    }

    /// For the change after which `holder` no longer needs it.
    pub fn release(
        &self,
        scope: &OrgScope,
        sha256: &[u8; 32],
        holder_kind: &'static str,
        holder: impl Id,
    ) -> [Statement; 2] {
        store::release(scope, sha256, holder_kind, holder.uuid(), self.0.world.now())
    }

    /// For the change that makes `to` need everything that `from` needs, both of one kind.
    pub fn share(
        &self,
        scope: &OrgScope,
        holder_kind: &'static str,
        from: impl Id,
        to: impl Id,
    ) -> Statement {
        store::share(scope, holder_kind, from.uuid(), to.uuid())
    }

    /// For the change after which `holder` needs nothing any more.
    pub fn release_all(&self, org: OrgId, holder_kind: &'static str, holder: impl Id) -> [Statement; 2] {
        store::release_all(org, holder_kind, holder.uuid(), self.0.world.now())
    }

    /// Takes away at once what was put in vain, unless somebody refers to it or has put it again meanwhile.
    pub async fn discard(&self, scope: &OrgScope, addresses: Vec<[u8; 32]>) -> Result<(), BlobError> {
        // Up to this very moment: `touched_at` is older than what comes behind it.
        let before = self.0.world.now().plus(Duration::from_millis(1));
        for sha256 in addresses {
            self.forget(scope.org(), &sha256, before).await?;
        }
        Ok(())
    }

    async fn start(&self, scope: &OrgScope, sha256: [u8; 32]) -> Result<(Opened, Arc<DataKey>), BlobError> {
        let org = scope.org();
        if let Some(bucket) = &self.0.bucket {
            let row = self.0.db.read_one(*scope, store::object(org, &sha256)).await?;
            let mut row = row.ok_or(BlobError::Missing)?;
            if let Some(object) = row.next::<Option<String>>()? {
                let unopened = Unplaced::read(bucket.clone(), object).await?;
                let version = unopened.key_version()?;
                let key = self.0.keyring.key_version(org, Purpose::Blobs, version).await?;
                return Ok((Opened::Object(unopened.open(org, &key, &sha256)?), key));
            }
        }
        let path = self.0.files.path(org, &sha256);
        let unopened = blocking(move || Unopened::read(&path)).await?;
        let key = self.0.keyring.key_version(org, Purpose::Blobs, unopened.key_version()?).await?;
        Ok((Opened::File(unopened.open(org, &key, &sha256)?), key))
    }

    async fn place(&self, scope: &OrgScope, finished: Finished) -> Result<BlobReference, BlobError> {
        let blob = BlobReference { sha256: finished.sha256, size: finished.size };
        if let Some(bucket) = &self.0.bucket {
            self.place_in(bucket, scope, &finished).await?;
            return Ok(blob);
        }
        let _alone = self.lock(&blob.sha256).await;
        let (inner, org) = (self.0.clone(), scope.org());
        blocking(move || finished.place(&inner.files, org)).await?;
        let row = store::put(scope, &blob.sha256, blob.size, self.0.world.now());
        self.0.db.keep(row).await?;
        Ok(blob)
    }

    /// The object first, then the row that names it. What a crash or a faster one leaves in between is nobody's, and is
    /// swept.
    async fn place_in(
        &self,
        bucket: &Bucket,
        scope: &OrgScope,
        finished: &Finished,
    ) -> Result<(), BlobError> {
        let Inner { db, world, .. } = &*self.0;
        let held = db.keep(store::touch(scope, &finished.sha256, world.now())).await?;
        if held.iter().any(|rows| !rows.is_empty()) {
            return Ok(());
        }
        let object = bucket.name(scope.org(), &finished.sha256, world);
        let (file, size) = finished.sealed()?;
        bucket.put(&object, file, size).await?;
        let row = store::put_object(scope, &finished.sha256, finished.size, &object, world.now());
        let row = db.keep(row).await?.into_iter().flatten().next();
        let counts: Option<String> = row.map_or(Ok(None), |mut row| row.next())?;
        if counts.as_ref() != Some(&object) {
            bucket.remove(&object).await?;
        }
        Ok(())
    }

    pub(crate) async fn lock(&self, sha256: &[u8; 32]) -> tokio::sync::MutexGuard<'_, ()> {
        self.0.locks[usize::from(sha256[0]) % LOCKS].lock().await
    }

    pub(crate) fn unreferenced_before(&self) -> Timestamp {
        self.0.world.now().minus(self.0.keep_unreferenced)
    }
}

/// A blob whose trailer has been read.
enum Opened {
    File(Reading),
    Object(Remote),
}

impl Opened {
    fn size(&self) -> u64 {
        match self {
            Self::File(reading) => reading.size(),
            Self::Object(remote) => remote.size(),
        }
    }
}

fn write_all(
    inner: &Inner,
    org: OrgId,
    key: &DataKey,
    mut arriving: mpsc::Receiver<std::io::Result<Bytes>>,
    most: u64,
) -> Result<Finished, BlobError> {
    let mut draft: Draft = inner.files.draft(org, &inner.world)?;
    while let Some(piece) = arriving.blocking_recv() {
        draft.write(&inner.world, key, &piece?)?;
        if draft.size() > most {
            return Err(BlobError::TooLarge(most));
        }
    }
    draft.finish(&inner.world, key)
}

pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BlobError> + Send + 'static,
) -> Result<T, BlobError> {
    match spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(BlobError::Io(std::io::Error::other(error))),
    }
}
