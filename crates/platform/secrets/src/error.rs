//! What stops a start or keeps a key from being had; each text says what to do next.

use std::path::PathBuf;

use crypto::envelope::UnwrapError;
use db::{CommitError, DbError};
use problem::Problem;

#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    #[error(
        "the key file {0} is missing, but the database already holds sealed data; restore the file from your backup \
         (a new key would not open anything)"
    )]
    MissingFile(PathBuf),
    #[error(
        "the key file {path} may be read by others (mode {mode:04o}); run `chmod 600` on it, and consider the key known"
    )]
    Readable { path: PathBuf, mode: u32 },
    #[error("{0} holds no key-encryption key: 64 hexadecimal characters are needed")]
    Malformed(String),
    #[error("{path}: {error}")]
    Io { path: PathBuf, error: std::io::Error },
    #[error(
        "the database was sealed under key-encryption key {needed}, but {loaded} is loaded; provide key {needed}"
    )]
    WrongKey { needed: String, loaded: String },
    #[error(
        "the database holds data keys but no key check; it was changed by hand: restore it from a backup"
    )]
    MissingCheck,
    #[error(
        "no version {version} of the {purpose} key is stored; it was destroyed, or a backup of the keys is missing"
    )]
    UnknownVersion { purpose: &'static str, version: u32 },
    #[error(transparent)]
    Unwrap(#[from] UnwrapError),
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<CommitError> for SecretsError {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Db(error) => Self::Db(error),
            other => Self::Db(DbError::Internal(other.to_string())),
        }
    }
}

impl From<SecretsError> for Problem {
    fn from(error: SecretsError) -> Self {
        match error {
            SecretsError::Db(error) => error.into(),
            other => Self::internal(other),
        }
    }
}
