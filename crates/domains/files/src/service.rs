//! The facade, and what its parts share. What is decided about collections, files, uploads and links has a file each.

use std::sync::Arc;

use access::Access;
use blobs::Blobs;
use crypto::mac::MacKey;
use db::Db;
use ledger::Ledger;
use secrets::Keyring;
use types::{FileVersionId, World};
use web::{Allowance, Details, Turns};

use crate::contents::Hashes;
use crate::model::{Collection, Content, File, Version};
use crate::schemas::Schemas;
use crate::words::{CollectionRef, FileName};
use crate::{FilesError, store};

/// What refers to blobs: a version, also while it is still being uploaded.
pub(crate) const HOLDER: &str = "file_version";

/// What files stand on in this process.
pub struct FilesGround {
    pub db: Db,
    pub ledger: Ledger,
    pub keyring: Keyring,
    pub world: World,
    pub blobs: Blobs,
    /// Whether whoever made a link may still read what it opens.
    pub access: Access,
    /// Where links begin, without trailing slash.
    pub public_url: String,
    /// Bytes of a content that is sent in one piece.
    pub largest_body: u64,
}

/// Collections and files; clones share them.
#[derive(Clone)]
pub struct Files(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) db: Db,
    pub(crate) ledger: Ledger,
    pub(crate) world: World,
    pub(crate) blobs: Blobs,
    pub(crate) access: Access,
    pub(crate) links: MacKey,
    pub(crate) public_url: String,
    pub(crate) largest_body: u64,
    pub(crate) schemas: Schemas,
    pub(crate) hashes: Hashes,
    pub(crate) turns: Turns,
}

impl Files {
    pub fn open(ground: FilesGround) -> Self {
        let FilesGround { db, ledger, keyring, world, blobs, access, public_url, largest_body } = ground;
        Self(Arc::new(Inner {
            db,
            ledger,
            world,
            blobs,
            access,
            links: keyring.derive("file links"),
            public_url,
            largest_body,
            schemas: Schemas::default(),
            hashes: Hashes::default(),
            turns: Turns::default(),
        }))
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.0
    }

    /// The collection, whatever the caller may do to it: its files are looked at one by one.
    pub(crate) async fn collection(
        &self,
        by: &Allowance,
        of: &CollectionRef,
    ) -> Result<Collection, FilesError> {
        store::collection(&self.0.db, &by.scope(), of).await?.ok_or(FilesError::UnknownCollection)
    }

    /// The collection, if the caller may do its operation to it.
    pub(crate) async fn find_collection(
        &self,
        by: &Allowance,
        of: &CollectionRef,
    ) -> Result<Collection, FilesError> {
        let found = self.collection(by, of).await?;
        by.check(&found.object())?;
        Ok(found)
    }

    /// The file, if the caller may do its operation to it.
    pub(crate) async fn find(
        &self,
        by: &Allowance,
        of: &CollectionRef,
        name: &FileName,
    ) -> Result<(Collection, File), FilesError> {
        let collection = self.collection(by, of).await?;
        let found = store::file(&self.0.db, &by.scope(), collection.id, name).await?;
        let file = found.ok_or(FilesError::UnknownFile)?;
        may(by, &collection, &file)?;
        Ok((collection, file))
    }

    /// A version of a file that the caller may do its operation to: the present one, or one that it might read then.
    pub(crate) async fn content(
        &self,
        by: &Allowance,
        collection: &Collection,
        file: &File,
        version: Option<FileVersionId>,
    ) -> Result<Content, FilesError> {
        match version {
            None => Ok(file.content.clone()),
            Some(version) if version == file.content.version => Ok(file.content.clone()),
            Some(version) => {
                let found = store::version(&self.0.db, &by.scope(), file.id, version).await?;
                let older: Version = found.ok_or(FilesError::UnknownVersion)?;
                by.check_for(&READ, &older.object(file.path(collection)))
                    .map_err(|_| FilesError::UnknownVersion)?;
                Ok(older.content)
            }
        }
    }
}

pub(crate) const READ: authority::Required = authority::Required::parse("files:read");
pub(crate) const DELETE: authority::Required = authority::Required::parse("files:delete");

/// May the caller do its operation to this file?
pub(crate) fn may(by: &Allowance, collection: &Collection, file: &File) -> Result<(), FilesError> {
    let attributes = || file.attributes(collection);
    let details = Details { attributes: Some(&attributes), arguments: None };
    Ok(by.check_with(&file.object(collection), details)?)
}
