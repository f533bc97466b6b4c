//! Why something was not kept or given. Each becomes one problem here.

use blobs::BlobError;
use db::{CommitError, DbError};
use ledger::LedgerError;
use problem::{FieldError, Problem};

#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    #[error("no such collection")]
    UnknownCollection,
    #[error("no such file")]
    UnknownFile,
    #[error("no such version")]
    UnknownVersion,
    #[error("no such upload")]
    UnknownUpload,
    #[error("no such link")]
    UnknownLink,
    #[error("the collection still has {files} files and {uploads} uploads")]
    NotEmpty { files: i64, uploads: i64 },
    #[error("the collection is full")]
    Full,
    #[error("the upload stands at {0}")]
    Offset(i64),
    #[error("the content has another hash than was said")]
    Hash { said: [u8; 32], found: [u8; 32] },
    #[error("files of the type {0} are not kept here")]
    Type(String),
    #[error("the content has more than {0} bytes")]
    TooLarge(i64),
    #[error("the body broke off")]
    BrokeOff,
    #[error("the schema is not valid")]
    Schema(Vec<FieldError>),
    #[error("the metadata does not match the schema")]
    Metadata(Vec<FieldError>),
    #[error("{field}: {reason}")]
    Invalid { field: String, reason: String },
    /// Refused by the admission or by what was expected of the file.
    #[error("{0}")]
    Refused(Problem),
    #[error(transparent)]
    Db(#[from] DbError),
    #[error(transparent)]
    Commit(#[from] CommitError),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Blobs(#[from] BlobError),
}

impl FilesError {
    pub(crate) fn invalid(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Invalid { field: field.into(), reason: reason.into() }
    }
}

impl From<Problem> for FilesError {
    fn from(problem: Problem) -> Self {
        Self::Refused(problem)
    }
}

const UNKNOWN_FILE: &str = "There is no such file here, or it is not yours to see.";

impl From<FilesError> for Problem {
    fn from(error: FilesError) -> Self {
        match error {
            FilesError::UnknownCollection => {
                Self::new(&problem::NOT_FOUND, "There is no such collection here. Make it first.")
            }
            FilesError::UnknownFile => Self::new(&problem::NOT_FOUND, UNKNOWN_FILE),
            FilesError::UnknownVersion => {
                Self::new(&problem::NOT_FOUND, "The file has no such version, or it is not yours to see.")
            }
            FilesError::UnknownUpload => {
                let detail = "There is no such upload of yours, or it has ended or expired. Begin a new one.";
                Self::new(&problem::NOT_FOUND, detail)
            }
            FilesError::UnknownLink => {
                Self::new(&problem::NOT_FOUND, "This link does not work, or no longer. Ask whoever sent it.")
            }
            FilesError::NotEmpty { files, uploads } => {
                let detail = format!(
                    "It holds {files} files and {uploads} uploads under way, some perhaps not yours to see. End them \
                     first."
                );
                Self::new(&problem::COLLECTION_NOT_EMPTY, detail)
                    .with_member("files", files)
                    .with_member("uploads", uploads)
            }
            FilesError::Full => Self::new(
                &problem::COLLECTION_FULL,
                "The collection has no room for this. Remove files or old versions, or raise its quota.",
            ),
            FilesError::Offset(expected) => {
                let detail = format!("The upload stands at {expected}. Go on from there.");
                Self::new(&problem::UPLOAD_OFFSET, detail).with_member("expected_offset", expected)
            }
            FilesError::Hash { said, found } => {
                let detail =
                    "What arrived has another SHA-256 than you said. Nothing was kept; send it again.";
                Self::new(&problem::HASH_MISMATCH, detail)
                    .with_member("expected_sha256", hex::encode(said))
                    .with_member("found_sha256", hex::encode(found))
            }
            FilesError::Type(kind) => {
                let detail = format!("The collection does not keep files of the type {kind}.");
                Self::new(&problem::UNSUPPORTED_MEDIA_TYPE, detail)
            }
            FilesError::TooLarge(most) => Self::new(
                &problem::BODY_TOO_LARGE,
                format!(
                    "Send at most {most} bytes here; what is larger goes by an upload in parts, where the collection \
                         keeps it."
                ),
            ),
            FilesError::BrokeOff => {
                Self::new(&problem::MALFORMED_REQUEST, "The body broke off. Send it again.")
            }
            FilesError::Schema(errors) => {
                Self::new(&problem::INVALID_SCHEMA, "Mend the schema where errors point to.")
                    .with_errors(errors)
            }
            FilesError::Metadata(errors) => {
                let detail =
                    "The metadata does not match the collection's schema. Mend it where errors point to.";
                Self::new(&problem::INPUT_INVALID, detail).with_errors(errors)
            }
            FilesError::Invalid { field, reason } => {
                Self::new(&problem::VALIDATION_FAILED, "Mend the fields named in errors.")
                    .with_error(field, reason)
            }
            FilesError::Refused(problem) => problem,
            FilesError::Db(error) => error.into(),
            FilesError::Commit(error) => error.into(),
            FilesError::Ledger(error) => error.into(),
            FilesError::Blobs(error) => error.into(),
        }
    }
}
