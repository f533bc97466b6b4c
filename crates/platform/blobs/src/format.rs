//! How a blob stands in its file: sealed chunks, then a sealed trailer of fixed length.
//!
//! Chunk n is bound to the file's random mark and to n, so that chunks cannot change place or file. The trailer is
//! bound to the blob's address and holds mark and size, so that a file cannot stand in for another and no chunk can be
//! missing at the end. It is written last, because the address is known only when all bytes have passed; readers start
//! with it.

use crypto::seal::{Aad, DataKey, OVERHEAD};
use types::{OrgId, World};

use crate::BlobError;

/// Plain bytes per chunk; only the last one may hold fewer.
pub(crate) const CHUNK: usize = 64 * 1024;
const SEALED_CHUNK: u64 = (CHUNK + OVERHEAD) as u64;
const MARK: usize = 16;
const TRAILER: usize = MARK + 8;
pub(crate) const SEALED_TRAILER: usize = TRAILER + OVERHEAD;

/// What the trailer says, and all that is needed to open the chunks.
pub(crate) struct Layout {
    org: OrgId,
    mark: [u8; MARK],
    pub(crate) size: u64,
}

impl Layout {
    /// Of a file that is being written; its size is not known yet.
    pub(crate) fn begin(org: OrgId, world: &World) -> Self {
        Self { org, mark: world.bytes(), size: 0 }
    }

    pub(crate) fn seal_chunk(&mut self, world: &World, key: &DataKey, index: u64, plain: &[u8]) -> Vec<u8> {
        self.size += plain.len() as u64;
        key.seal(world, &chunk(self.org, &self.row(index)), plain)
    }

    pub(crate) fn open_chunk(&self, key: &DataKey, index: u64, sealed: &[u8]) -> Result<Vec<u8>, BlobError> {
        let opened = key.open(&chunk(self.org, &self.row(index)), sealed);
        opened.map_err(|_| BlobError::Damaged("a chunk does not open"))
    }

    pub(crate) fn seal_trailer(&self, world: &World, key: &DataKey, sha256: &[u8; 32]) -> Vec<u8> {
        let mut plain = self.mark.to_vec();
        plain.extend_from_slice(&self.size.to_be_bytes());
        key.seal(world, &trailer(self.org, sha256), &plain)
    }

    /// `file_size` is held against the size that the trailer names.
    pub(crate) fn open_trailer(
        org: OrgId,
        key: &DataKey,
        sha256: &[u8; 32],
        sealed: &[u8],
        file_size: u64,
    ) -> Result<Self, BlobError> {
        let plain = key
            .open(&trailer(org, sha256), sealed)
            .map_err(|_| BlobError::Damaged("the trailer does not open"))?;
        let (mark, size) = plain.split_first_chunk().ok_or(BlobError::Damaged("the trailer is short"))?;
        let size = size.try_into().map_err(|_| BlobError::Damaged("the trailer is short"))?;
        let layout = Self { org, mark: *mark, size: u64::from_be_bytes(size) };
        if layout.file_size() != file_size {
            return Err(BlobError::Damaged("the file has another length than its trailer says"));
        }
        Ok(layout)
    }

    pub(crate) fn chunks(&self) -> u64 {
        self.size.div_ceil(CHUNK as u64)
    }

    /// Bytes of chunk `index` in the file.
    pub(crate) fn sealed_len(&self, index: u64) -> usize {
        let before = index * CHUNK as u64;
        let plain = (self.size - before.min(self.size)).min(CHUNK as u64);
        usize::try_from(plain).unwrap_or(CHUNK) + OVERHEAD
    }

    /// Where chunk `index` begins in the file.
    pub(crate) fn begin_of(index: u64) -> u64 {
        index * SEALED_CHUNK
    }

    fn file_size(&self) -> u64 {
        let full = self.size / CHUNK as u64;
        let rest = self.size % CHUNK as u64;
        let last = if rest == 0 { 0 } else { rest + OVERHEAD as u64 };
        full * SEALED_CHUNK + last + SEALED_TRAILER as u64
    }

    fn row(&self, index: u64) -> [u8; MARK + 8] {
        let mut row = [0; MARK + 8];
        row[..MARK].copy_from_slice(&self.mark);
        row[MARK..].copy_from_slice(&index.to_be_bytes());
        row
    }
}

fn chunk(org: OrgId, row: &[u8]) -> Aad<'_> {
    Aad { table: "blobs", column: "chunk", org: Some(org), row }
}

fn trailer(org: OrgId, sha256: &[u8; 32]) -> Aad<'_> {
    Aad { table: "blobs", column: "trailer", org: Some(org), row: sha256 }
}
