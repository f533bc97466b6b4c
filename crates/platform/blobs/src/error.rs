//! Why a blob could not be kept or given back.

use std::io::ErrorKind;

use db::{CommitError, DbError};
use problem::Problem;
use secrets::SecretsError;

#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    #[error("the disk is full")]
    Full,
    #[error("there is no such blob")]
    Missing,
    #[error("the blob is larger than {0} bytes")]
    TooLarge(u64),
    /// Changed bytes, a file in another's place, or cut short.
    #[error("the stored blob is not what was put: {0}")]
    Damaged(&'static str),
    /// The bucket does not do what it should; for the log.
    #[error("the bucket of blobs: {0}")]
    Bucket(String),
    /// Blobs stand in a bucket that this server was not told of.
    #[error("blobs stand in a bucket, and blobs.bucket does not name it")]
    NoBucket,
    #[error("blob file: {0}")]
    Io(std::io::Error),
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    #[error(transparent)]
    Db(#[from] CommitError),
}

impl From<std::io::Error> for BlobError {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => Self::Full,
            ErrorKind::NotFound => Self::Missing,
            _ => Self::Io(error),
        }
    }
}

impl From<DbError> for BlobError {
    fn from(error: DbError) -> Self {
        Self::Db(error.into())
    }
}

impl From<BlobError> for Problem {
    fn from(error: BlobError) -> Self {
        match error {
            BlobError::Full => DbError::Full.into(),
            BlobError::Db(error) => error.into(),
            BlobError::Secrets(error) => error.into(),
            BlobError::TooLarge(bytes) => {
                Self::new(&problem::BODY_TOO_LARGE, format!("Send at most {bytes} bytes."))
            }
            error @ BlobError::Bucket(_) => {
                tracing::warn!(%error, "blobs cannot be reached");
                Self::new(
                    &problem::BLOBS_UNAVAILABLE,
                    "The store of large contents does not answer. Try again.",
                )
            }
            other => Self::internal(other),
        }
    }
}
