//! A blob that is read from the bucket, a few megabytes at a time.

use std::sync::Arc;

use crypto::seal::{DataKey, header_version};
use types::OrgId;

use crate::BlobError;
use crate::bucket::Bucket;
use crate::format::{Layout, SEALED_TRAILER};

/// Chunks that are fetched together.
const TOGETHER: u64 = 32;

/// The trailer as it stands in the bucket.
pub(crate) struct Unopened {
    bucket: Arc<Bucket>,
    object: String,
    trailer: Vec<u8>,
    total: u64,
}

impl Unopened {
    pub(crate) async fn read(bucket: Arc<Bucket>, object: String) -> Result<Self, BlobError> {
        let (trailer, total) = bucket.tail(&object, SEALED_TRAILER).await?;
        Ok(Self { bucket, object, trailer, total })
    }

    pub(crate) fn key_version(&self) -> Result<u32, BlobError> {
        header_version(&self.trailer).map_err(|_| BlobError::Damaged("the trailer has no known form"))
    }

    pub(crate) fn open(self, org: OrgId, key: &DataKey, sha256: &[u8; 32]) -> Result<Remote, BlobError> {
        let layout = Layout::open_trailer(org, key, sha256, &self.trailer, self.total)?;
        Ok(Remote { bucket: self.bucket, object: self.object, layout, index: 0 })
    }
}

pub(crate) struct Remote {
    bucket: Arc<Bucket>,
    object: String,
    layout: Layout,
    index: u64,
}

impl Remote {
    pub(crate) fn size(&self) -> u64 {
        self.layout.size
    }

    /// The next plain bytes; none after the last.
    pub(crate) async fn next(&mut self, key: &DataKey) -> Result<Option<Vec<u8>>, BlobError> {
        let until = (self.index + TOGETHER).min(self.layout.chunks());
        if self.index == until {
            return Ok(None);
        }
        let lengths: Vec<usize> = (self.index..until).map(|index| self.layout.sealed_len(index)).collect();
        let all = lengths.iter().map(|length| *length as u64).sum();
        let sealed = self.bucket.range(&self.object, Layout::begin_of(self.index), all).await?;
        let mut plain = Vec::with_capacity(sealed.len());
        let mut rest = sealed.as_slice();
        for length in lengths {
            let (chunk, behind) = rest.split_at(length);
            plain.extend(self.layout.open_chunk(key, self.index, chunk)?);
            rest = behind;
            self.index += 1;
        }
        Ok(Some(plain))
    }
}
