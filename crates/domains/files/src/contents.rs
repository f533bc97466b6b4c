//! Contents on their way in and out. A content is a row of chunks, each a sealed blob of its own: what has arrived stays
//! where it is, however the connection ends, and nobody ever holds a whole content in memory.

use std::collections::HashMap;
use std::time::Duration;

use async_stream::try_stream;
use axum::body::{Body, BodyDataStream};
use blobs::BlobReference;
use bytes::Bytes;
use crypto::hash::Sha256;
use db::OrgScope;
use futures::{Stream, StreamExt, pin_mut, stream};
use parking_lot::Mutex;
use types::{FileVersionId, UploadId};

use crate::model::Chunk;
use crate::{Files, FilesError, store};

/// Bytes of one chunk.
pub(crate) const CHUNK: u64 = 4 * 1024 * 1024;
/// A chunk that is smaller, and not the last, is not kept: a content of a million chunks would be no use to anybody.
pub(crate) const SMALLEST: u64 = 64 * 1024;
/// How long a sender may say nothing.
const PATIENCE: Duration = Duration::from_secs(60);
/// How much is read after a refusal, and how long.
const DRAINED: u64 = 16 * 1024 * 1024;
const DRAINING: Duration = Duration::from_secs(10);
/// Chunks that are looked up at once.
const PAGE: i64 = 500;

/// A body, taken chunk by chunk.
pub(crate) struct Arriving {
    body: BodyDataStream,
    rest: Bytes,
    broke_off: bool,
    ended: bool,
}

impl Arriving {
    pub(crate) fn new(body: Body) -> Self {
        Self { body: body.into_data_stream(), rest: Bytes::new(), broke_off: false, ended: false }
    }

    pub(crate) fn broke_off(&self) -> bool {
        self.broke_off
    }

    /// Is there nothing more to come? Waits until that is known.
    pub(crate) async fn is_at_end(&mut self) -> bool {
        while self.rest.is_empty() && !self.ended {
            match tokio::time::timeout(PATIENCE, self.body.next()).await {
                Ok(Some(Ok(piece))) => self.rest = piece,
                Ok(None) => self.ended = true,
                Ok(Some(Err(_))) | Err(_) => (self.broke_off, self.ended) = (true, true),
            }
        }
        self.rest.is_empty()
    }

    /// Reads on for a while after a refusal: a connection that is closed over unread bytes takes the answer with it.
    pub(crate) async fn drain(&mut self) {
        let reading = async {
            let mut left = DRAINED;
            while let Some(piece) = self.next(left).await {
                left -= piece.len() as u64;
            }
        };
        // Whoever goes on sending loses the connection, not we the patience.
        let _ = tokio::time::timeout(DRAINING, reading).await;
    }

    /// At most `most` bytes.
    async fn next(&mut self, most: u64) -> Option<Bytes> {
        if most == 0 || self.is_at_end().await {
            return None;
        }
        let length = usize::try_from(most).unwrap_or(usize::MAX).min(self.rest.len());
        Some(self.rest.split_to(length))
    }
}

impl Files {
    /// Puts the next chunk of the body into a blob; what arrived of one that broke off as well.
    pub(crate) async fn keep_chunk(
        &self,
        scope: &OrgScope,
        arriving: &mut Arriving,
        most: u64,
        hash: &mut Sha256,
    ) -> Result<BlobReference, FilesError> {
        let pieces = stream::unfold((arriving, hash, most), |(arriving, hash, left)| async move {
            let piece = arriving.next(left).await?;
            hash.update(&piece);
            let left = left - piece.len() as u64;
            Some((Ok(piece), (arriving, hash, left)))
        });
        pin_mut!(pieces);
        Ok(self.inner().blobs.put_stream(scope, pieces, most).await?)
    }

    /// All of a body of at most `most` bytes, in chunks, with its hash. What was kept in vain is thrown away.
    pub(crate) async fn keep_all(
        &self,
        scope: &OrgScope,
        arriving: &mut Arriving,
        most: u64,
    ) -> Result<(Vec<Chunk>, [u8; 32]), FilesError> {
        let (mut hash, mut chunks) = (Sha256::new(), Vec::new());
        let outcome = self.keep_chunks(scope, arriving, most, &mut hash, &mut chunks).await;
        match outcome {
            Ok(()) if arriving.broke_off() => {
                self.discard(scope, &chunks).await;
                Err(FilesError::BrokeOff)
            }
            Ok(()) => Ok((chunks, hash.finish())),
            Err(error) => {
                self.discard(scope, &chunks).await;
                Err(error)
            }
        }
    }

    async fn keep_chunks(
        &self,
        scope: &OrgScope,
        arriving: &mut Arriving,
        most: u64,
        hash: &mut Sha256,
        chunks: &mut Vec<Chunk>,
    ) -> Result<(), FilesError> {
        let mut start = 0;
        while !arriving.is_at_end().await {
            if start == most {
                return Err(FilesError::TooLarge(i64::try_from(most).unwrap_or(i64::MAX)));
            }
            let blob = self.keep_chunk(scope, arriving, CHUNK.min(most - start), hash).await?;
            chunks.push(Chunk { start: signed(start), size: signed(blob.size), sha256: blob.sha256 });
            start += blob.size;
        }
        Ok(())
    }

    /// What was kept for nothing takes no room. If that fails, the sweeper finds it.
    pub(crate) async fn discard(&self, scope: &OrgScope, chunks: &[Chunk]) {
        let addresses: Vec<[u8; 32]> = chunks.iter().map(|chunk| chunk.sha256).collect();
        if let Err(error) = self.inner().blobs.discard(scope, addresses).await {
            tracing::warn!(%error, "contents that were kept in vain stay until they are swept");
        }
    }

    /// The bytes of a version from `start` to before `end`.
    pub(crate) fn read(
        &self,
        scope: OrgScope,
        version: FileVersionId,
        start: u64,
        end: u64,
    ) -> impl Stream<Item = Result<Bytes, FilesError>> + Send + 'static {
        let files = self.clone();
        try_stream! {
            let inner = files.inner();
            let mut at = start;
            while at < end {
                let chunks = store::chunks(&inner.db, &scope, version, signed(at), PAGE).await?;
                let before = at;
                for chunk in chunks {
                    if at >= end {
                        break;
                    }
                    let (_, pieces) = inner.blobs.stream(&scope, chunk.sha256).await?;
                    pin_mut!(pieces);
                    let mut place = chunk.start.unsigned_abs();
                    while let Some(piece) = pieces.next().await {
                        let piece = piece?;
                        let length = piece.len() as u64;
                        let (from, to) = (at.saturating_sub(place).min(length), (end - place).min(length));
                        place += length;
                        if from < to {
                            at = place.min(end);
                            yield piece.slice(position(from)..position(to));
                        }
                        if at >= end {
                            break;
                        }
                    }
                }
                if at == before {
                    Err(FilesError::UnknownVersion)?;
                }
            }
        }
    }

    /// The hash of everything that has arrived of a version, read again: after a restart nobody remembers it.
    pub(crate) async fn hash_of(
        &self,
        scope: OrgScope,
        version: FileVersionId,
        size: i64,
    ) -> Result<Sha256, FilesError> {
        let mut hash = Sha256::new();
        let pieces = self.read(scope, version, 0, size.unsigned_abs());
        pin_mut!(pieces);
        while let Some(piece) = pieces.next().await {
            hash.update(&piece?);
        }
        Ok(hash)
    }
}

fn position(at: u64) -> usize {
    // Within a piece, which is in memory.
    usize::try_from(at).unwrap_or(usize::MAX)
}

/// No content has more than 2^40 bytes.
pub(crate) fn signed(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// Hashes of uploads under way and how far they are, so that the end of a large one need not read it all again. Only a
/// memory: what is missing is read.
#[derive(Default)]
pub(crate) struct Hashes(Mutex<HashMap<UploadId, (i64, Sha256)>>);

const MOST: usize = 10_000;

impl Hashes {
    /// The hash of the first `received` bytes, if it is known; whoever takes it brings it back.
    pub(crate) fn take(&self, upload: UploadId, received: i64) -> Option<Sha256> {
        let (known, hash) = self.0.lock().remove(&upload)?;
        (known == received).then_some(hash)
    }

    pub(crate) fn give(&self, upload: UploadId, received: i64, hash: Sha256) {
        let mut known = self.0.lock();
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(upload, (received, hash));
    }

    pub(crate) fn forget(&self, upload: UploadId) {
        self.0.lock().remove(&upload);
    }
}
