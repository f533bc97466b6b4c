//! The file backend: write beside, fsync, rename, fsync the directory – a blob is there whole or not at all.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crypto::hash::Sha256;
use crypto::seal::{DataKey, header_version};
use types::{Id, OrgId, World};

use crate::BlobError;
use crate::format::{CHUNK, Layout, SEALED_TRAILER};

/// `<root>/<organization>/<two digits>/<SHA-256>`; drafts in `<root>/drafts`.
pub(crate) struct Files {
    root: PathBuf,
}

impl Files {
    /// Makes the directory and throws away drafts that a crash left behind.
    pub(crate) fn open(root: PathBuf) -> Result<Self, BlobError> {
        let drafts = root.join("drafts");
        if drafts.exists() {
            std::fs::remove_dir_all(&drafts)?;
        }
        std::fs::create_dir_all(&drafts)?;
        Ok(Self { root })
    }

    pub(crate) fn path(&self, org: OrgId, sha256: &[u8; 32]) -> PathBuf {
        let name = hex::encode(sha256);
        self.root.join(org.uuid().simple().to_string()).join(&name[..2]).join(name)
    }

    pub(crate) fn draft(&self, org: OrgId, world: &World) -> Result<Draft, BlobError> {
        let path = self.root.join("drafts").join(hex::encode(world.bytes::<16>()));
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        let layout = Layout::begin(org, world);
        Ok(Draft { path, file, layout, hash: Sha256::new(), index: 0, rest: Vec::new() })
    }

    /// Every stored file with what its name says.
    pub(crate) fn all(&self) -> Result<Vec<(PathBuf, OrgId, [u8; 32])>, BlobError> {
        let mut found = Vec::new();
        for org in std::fs::read_dir(&self.root)? {
            let org = org?;
            let Some(id) = org.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
            for shard in std::fs::read_dir(org.path())? {
                for file in std::fs::read_dir(shard?.path())? {
                    let file = file?;
                    let mut sha256 = [0; 32];
                    if hex::decode_to_slice(file.file_name().as_encoded_bytes(), &mut sha256).is_ok() {
                        found.push((file.path(), OrgId::from_uuid(id), sha256));
                    }
                }
            }
        }
        Ok(found)
    }
}

/// A file that is gone already is as good as removed.
pub(crate) fn remove(path: &Path) -> Result<(), BlobError> {
    match std::fs::remove_file(path).map_err(BlobError::from) {
        Ok(()) | Err(BlobError::Missing) => Ok(()),
        Err(error) => Err(error),
    }
}

/// A blob on its way to the disk. Dropped before it is placed, it leaves nothing behind.
pub(crate) struct Draft {
    path: PathBuf,
    file: File,
    layout: Layout,
    hash: Sha256,
    index: u64,
    rest: Vec<u8>,
}

impl Draft {
    pub(crate) fn write(&mut self, world: &World, key: &DataKey, mut bytes: &[u8]) -> Result<(), BlobError> {
        self.hash.update(bytes);
        while !bytes.is_empty() {
            let room = CHUNK - self.rest.len();
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.rest.extend_from_slice(now);
            bytes = later;
            if self.rest.len() == CHUNK {
                self.flush(world, key)?;
            }
        }
        Ok(())
    }

    /// Bytes written so far.
    pub(crate) fn size(&self) -> u64 {
        self.layout.size + self.rest.len() as u64
    }

    /// Makes everything durable under its draft name; answers address and size.
    pub(crate) fn finish(mut self, world: &World, key: &DataKey) -> Result<Finished, BlobError> {
        if !self.rest.is_empty() {
            self.flush(world, key)?;
        }
        let sha256 = std::mem::replace(&mut self.hash, Sha256::new()).finish();
        let trailer = self.layout.seal_trailer(world, key, &sha256);
        self.file.write_all(&trailer)?;
        self.file.sync_all()?;
        Ok(Finished { sha256, size: self.layout.size, draft: self })
    }

    fn flush(&mut self, world: &World, key: &DataKey) -> Result<(), BlobError> {
        let sealed = self.layout.seal_chunk(world, key, self.index, &self.rest);
        self.file.write_all(&sealed)?;
        self.index += 1;
        self.rest.clear();
        Ok(())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // Gone already when it was placed.
        let _ = std::fs::remove_file(&self.path);
    }
}

pub(crate) struct Finished {
    pub(crate) sha256: [u8; 32],
    pub(crate) size: u64,
    draft: Draft,
}

impl Finished {
    /// The sealed bytes, to be read, and how many they are.
    pub(crate) fn sealed(&self) -> Result<(File, u64), BlobError> {
        let file = File::open(&self.draft.path)?;
        let size = file.metadata()?.len();
        Ok((file, size))
    }

    /// Puts the file in its place. An equal one that is there already is replaced: both open to the same bytes.
    pub(crate) fn place(self, files: &Files, org: OrgId) -> Result<(), BlobError> {
        let path = files.path(org, &self.sha256);
        let directory = path.parent().unwrap_or(&files.root);
        make_directories(&files.root, directory)?;
        std::fs::rename(&self.draft.path, &path)?;
        sync_directory(directory)
    }
}

/// Each new directory is made durable in its parent.
fn make_directories(root: &Path, directory: &Path) -> Result<(), BlobError> {
    if directory.is_dir() || directory == root {
        return Ok(());
    }
    let parent = directory.parent().unwrap_or(root);
    make_directories(root, parent)?;
    match std::fs::create_dir(directory) {
        Ok(()) => sync_directory(parent),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn sync_directory(directory: &Path) -> Result<(), BlobError> {
    Ok(File::open(directory)?.sync_all()?)
}

/// An open blob, read chunk by chunk.
pub(crate) struct Reading {
    file: File,
    layout: Layout,
    index: u64,
}

/// The trailer as it stands in the file: which key version opens it is said there.
pub(crate) struct Unopened {
    file: File,
    trailer: Vec<u8>,
    file_size: u64,
}

impl Unopened {
    pub(crate) fn read(path: &Path) -> Result<Self, BlobError> {
        let mut file = File::open(path)?;
        let file_size = file.metadata()?.len();
        let at = file_size
            .checked_sub(SEALED_TRAILER as u64)
            .ok_or(BlobError::Damaged("the file is shorter than its trailer"))?;
        file.seek(SeekFrom::Start(at))?;
        let mut trailer = vec![0; SEALED_TRAILER];
        file.read_exact(&mut trailer)?;
        file.seek(SeekFrom::Start(0))?;
        Ok(Self { file, trailer, file_size })
    }

    pub(crate) fn key_version(&self) -> Result<u32, BlobError> {
        header_version(&self.trailer).map_err(|_| BlobError::Damaged("the trailer has no known form"))
    }

    pub(crate) fn open(self, org: OrgId, key: &DataKey, sha256: &[u8; 32]) -> Result<Reading, BlobError> {
        let layout = Layout::open_trailer(org, key, sha256, &self.trailer, self.file_size)?;
        Ok(Reading { file: self.file, layout, index: 0 })
    }
}

impl Reading {
    pub(crate) fn size(&self) -> u64 {
        self.layout.size
    }

    /// The next plain bytes; `None` after the last.
    pub(crate) fn next(&mut self, key: &DataKey) -> Result<Option<Vec<u8>>, BlobError> {
        if self.index == self.layout.chunks() {
            return Ok(None);
        }
        let mut sealed = vec![0; self.layout.sealed_len(self.index)];
        self.file.read_exact(&mut sealed)?;
        let plain = self.layout.open_chunk(key, self.index, &sealed)?;
        self.index += 1;
        Ok(Some(plain))
    }
}
