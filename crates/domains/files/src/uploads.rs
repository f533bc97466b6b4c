//! Uploads in parts: room is set aside first, then parts arrive, in order, and stay whatever happens to the connection or
//! the server; when the last is there the hash is held against what was said, and the version is made in one change.

use std::time::Duration;

use db::{Bookkeeping, Change, CommitError, OrgScope};
use ledger::Fact;
use problem::UPLOAD_OFFSET;
use serde_json::json;
use types::UploadId;
use web::{Allowance, Decided};

use crate::contents::{Arriving, CHUNK, SMALLEST, signed};
use crate::model::{Chunk, Collection, Content, LARGEST_FILE, Upload, Wish};
use crate::service::{DELETE, HOLDER};
use crate::words::{CollectionRef, ContentType, FileName};
use crate::writes::{NewContent, Outcome, Plan, Source};
use crate::{Files, FilesError, facts, store};

/// How long an upload may take, whatever parts come: the room that it sets aside is the others', too.
pub(crate) const LASTS: Duration = Duration::from_secs(24 * 3600);

/// An upload to be.
#[derive(Clone, Debug)]
pub(crate) struct Declared {
    pub(crate) name: FileName,
    pub(crate) content_type: ContentType,
    pub(crate) size: i64,
    pub(crate) sha256: Option<[u8; 32]>,
    pub(crate) wish: Wish,
}

/// An upload as it stands, and the file that it became.
#[derive(Clone, Debug)]
pub(crate) struct Standing {
    pub(crate) collection: Collection,
    pub(crate) upload: Upload,
    pub(crate) file: Option<Outcome>,
}

impl Files {
    pub(crate) async fn begin_upload(
        &self,
        by: &Allowance,
        of: &CollectionRef,
        declared: &Declared,
    ) -> Result<Decided<Standing>, FilesError> {
        let (inner, now) = (self.inner(), self.inner().world.now());
        if declared.size > LARGEST_FILE {
            return Err(FilesError::TooLarge(LARGEST_FILE));
        }
        let content = Content {
            version: inner.world.id(),
            number: 0,
            content_type: declared.content_type.clone(),
            size: declared.size,
            sha256: declared.sha256.unwrap_or_default(),
        };
        let expected = by.precondition();
        let plan = self.plan(by, of, &declared.name, expected, &declared.wish, &content).await?;
        let Plan { collection, .. } = plan;
        let upload = Upload {
            id: inner.world.id(),
            collection: collection.id,
            version: content.version,
            name: declared.name.clone(),
            content_type: declared.content_type.clone(),
            size: declared.size,
            sha256: declared.sha256,
            received: 0,
            wish: declared.wish.clone(),
            expected: expected.into(),
            owner: by.caller().principal(),
            created_at: now,
            expires_at: now.plus(LASTS),
        };
        let data = json!({ "collection": collection.name, "name": upload.name, "size": upload.size });
        let fact = target(by.fact(&facts::UPLOAD_STARTED), &collection, &upload).data(data);
        let change = Change::new(by.scope(), inner.ledger.seal(fact).await?)
            .guard("file_collections", collection.id, collection.revision)
            .statement(store::fill(&collection, (0, upload.size, 1)))
            .statement(store::insert_upload(collection.org, &upload)?);
        Ok(Decided::new(change, Standing { collection, upload, file: None }))
    }

    /// The caller's own upload; nobody else goes on with it.
    pub(crate) async fn find_upload(&self, by: &Allowance, id: UploadId) -> Result<Standing, FilesError> {
        let standing = self.under_way(by, id).await?;
        match standing.upload.owner == by.caller().principal() {
            true => Ok(standing),
            false => Err(FilesError::UnknownUpload),
        }
    }

    /// An upload that the caller may end: their own, or one of a file that they might delete.
    pub(crate) async fn find_endable(&self, by: &Allowance, id: UploadId) -> Result<Standing, FilesError> {
        let standing = self.under_way(by, id).await?;
        if standing.upload.owner != by.caller().principal() {
            let object = standing.upload.object(&standing.collection);
            by.check_for(&DELETE, &object).map_err(|_| FilesError::UnknownUpload)?;
        }
        Ok(standing)
    }

    async fn under_way(&self, by: &Allowance, id: UploadId) -> Result<Standing, FilesError> {
        let inner = self.inner();
        let now = inner.world.now();
        let found = store::upload(&inner.db, &by.scope(), id).await?;
        let upload = found.filter(|upload| now < upload.expires_at).ok_or(FilesError::UnknownUpload)?;
        let of = CollectionRef::Id(upload.collection);
        Ok(Standing { collection: self.collection(by, &of).await?, upload, file: None })
    }

    /// Takes in a part that begins at `offset`. What arrived of one that broke off is kept, too.
    pub(crate) async fn append(
        &self,
        by: &Allowance,
        id: UploadId,
        offset: i64,
        length: Option<u64>,
        arriving: &mut Arriving,
    ) -> Result<Standing, FilesError> {
        let standing = self.find_upload(by, id).await?;
        let Upload { size, version, received, .. } = standing.upload;
        if offset != received {
            return Err(FilesError::Offset(received));
        }
        let left = (size - received).unsigned_abs();
        if length.is_some_and(|length| length > left) {
            return Err(too_long(left));
        }
        let known = self.inner().hashes.take(id, received);
        let mut hash = match known {
            Some(hash) => hash,
            None => self.hash_of(by.scope(), version, received).await?,
        };
        let received = self.take_in(by, &standing.upload, arriving, &mut hash).await?;
        if received == size && !arriving.is_at_end().await {
            return Err(too_long(left));
        }
        if arriving.broke_off() {
            return Err(FilesError::BrokeOff);
        }
        self.inner().hashes.give(id, received, hash);
        Ok(Standing { upload: Upload { received, ..standing.upload }, ..standing })
    }

    /// How far the upload is after all that the body gave.
    async fn take_in(
        &self,
        by: &Allowance,
        upload: &Upload,
        arriving: &mut Arriving,
        hash: &mut crypto::hash::Sha256,
    ) -> Result<i64, FilesError> {
        let (inner, scope) = (self.inner(), by.scope());
        let mut received = upload.received;
        while received < upload.size && !arriving.is_at_end().await {
            let left = (upload.size - received).unsigned_abs();
            let before = hash.clone();
            let blob = self.keep_chunk(&scope, arriving, CHUNK.min(left), hash).await?;
            let chunk = Chunk { start: received, size: signed(blob.size), sha256: blob.sha256 };
            if blob.size < SMALLEST.min(left) {
                *hash = before;
                self.discard(&scope, &[chunk]).await;
                match received == upload.received && !arriving.broke_off() {
                    true => {
                        let reason = format!("a part has at least {SMALLEST} bytes, unless it is the last");
                        return Err(FilesError::invalid("body", reason));
                    }
                    false => return Ok(received),
                }
            }
            let books = Bookkeeping::new(scope)
                .statement(store::advance(scope.org(), upload, received, &chunk))
                .statement(inner.blobs.refer(&scope, &blob, HOLDER, upload.version))
                .statement(store::insert_chunk(scope.org(), upload.version, &chunk));
            if let Err(error) = inner.db.keep(books).await {
                self.discard(&scope, &[chunk]).await;
                return Err(match error {
                    // Somebody else went on with it, or ended it.
                    CommitError::Refused(code) if *code == UPLOAD_OFFSET => {
                        FilesError::Offset(self.find_upload(by, upload.id).await?.upload.received)
                    }
                    error => error.into(),
                });
            }
            metrics::counter!("safeconduct_files_received_bytes_total").increment(blob.size);
            received += chunk.size;
        }
        Ok(received)
    }

    /// The whole hash of a complete upload; one that is not what was said ends it.
    pub(crate) async fn proven(
        &self,
        by: &Allowance,
        upload: &Upload,
    ) -> Result<Result<[u8; 32], (FilesError, Vec<Chunk>)>, FilesError> {
        let inner = self.inner();
        let hash = match inner.hashes.take(upload.id, upload.size) {
            Some(hash) => hash,
            None => self.hash_of(by.scope(), upload.version, upload.size).await?,
        };
        let found = hash.clone().finish();
        match upload.sha256 {
            Some(said) if said != found => {
                let chunks = store::all_chunks(&inner.db, &by.scope(), upload.version).await?;
                Ok(Err((FilesError::Hash { said, found }, chunks)))
            }
            _ => {
                // The change may be refused and tried again.
                inner.hashes.give(upload.id, upload.size, hash);
                Ok(Ok(found))
            }
        }
    }

    pub(crate) async fn finish_upload(
        &self,
        by: &Allowance,
        id: UploadId,
        sha256: [u8; 32],
    ) -> Result<Decided<Standing>, FilesError> {
        let Standing { collection, upload, .. } = self.find_upload(by, id).await?;
        let new = NewContent {
            version: upload.version,
            content_type: upload.content_type.clone(),
            size: upload.size,
            sha256,
            source: Source::Uploaded(Box::new(upload.clone())),
        };
        let (of, expected) = (CollectionRef::Id(collection.id), upload.expected.into());
        let decided = self.write(by, &of, &upload.name, expected, &upload.wish, &new).await?;
        let file = Some(decided.answer);
        Ok(Decided::new(decided.change, Standing { collection, upload, file }))
    }

    /// Ends an upload without a file.
    pub(crate) async fn cancel_upload(
        &self,
        by: &Allowance,
        id: UploadId,
        reason: &'static str,
    ) -> Result<Decided<Standing>, FilesError> {
        let standing = self.find_endable(by, id).await?;
        let fact = by.fact(&facts::UPLOAD_ENDED);
        let change = self.ended(by.scope(), fact, &standing.collection, &standing.upload, reason).await?;
        Ok(Decided::new(change, standing))
    }

    pub(crate) async fn ended(
        &self,
        scope: OrgScope,
        fact: Fact,
        collection: &Collection,
        upload: &Upload,
        reason: &'static str,
    ) -> Result<Change, FilesError> {
        let inner = self.inner();
        let data = json!({
            "collection": collection.name,
            "name": upload.name,
            "size": upload.size,
            "received": upload.received,
            "reason": reason,
        });
        let fact = inner.ledger.seal(target(fact, collection, upload).data(data)).await?;
        inner.hashes.forget(upload.id);
        Ok(Change::new(scope, fact)
            .statement(store::fill(collection, (0, -upload.size, -1)))
            .statement(store::end_upload(collection.org, upload))
            .statement(store::remove_chunks(collection.org, upload.version))
            .statements(inner.blobs.release_all(collection.org, HOLDER, upload.version)))
    }
}

fn target(fact: Fact, collection: &Collection, upload: &Upload) -> Fact {
    fact.target("file_upload", upload.id, format!("{}/{}", collection.name, upload.name))
}

fn too_long(left: u64) -> FilesError {
    let reason = format!("is longer than the {left} bytes that the upload still waits for");
    FilesError::invalid("body", reason)
}
