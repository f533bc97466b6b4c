//! Verification against the database itself: every leaf's place, entry, chain and root, and that every fact is the one
//! that was recorded. Believes nothing but the key-encryption key, the log's signing key and the exported checkpoint.

mod check;
mod log;
mod mark;
mod org;

use db::{CommitError, DbError};
use serde::Serialize;
use types::FactId;

use crate::LedgerError;

/// Where the check starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum VerifyFrom {
    /// The organization's first record, and everything that stands in no order.
    #[default]
    Start,
    /// Behind what a former check found whole.
    LastVerified,
    /// This number of the organization's own order.
    Number(u64),
}

/// What a check found. Numbers are of the organization's own order; of the whole log for the check of the instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verification {
    pub verified: bool,
    pub checked_count: u64,
    /// The first record that does not hold, where one can be named.
    pub broken_at_event_id: Option<FactId>,
    /// What is wrong, in words.
    pub reason: Option<String>,
    pub from: u64,
    pub to: u64,
    /// The newest checkpoint (signed note), which the records were held against.
    pub checkpoint: Option<String>,
}

/// The first thing that does not hold.
#[derive(Debug)]
pub(crate) struct Broken {
    event: Option<FactId>,
    reason: String,
}

impl Broken {
    fn at(event: impl Into<Option<FactId>>, reason: impl Into<String>) -> Self {
        Self { event: event.into(), reason: reason.into() }
    }
}

/// A check ends early for one of two reasons, and they must not be mixed up.
pub(crate) enum Ended {
    Broken(Broken),
    /// The database did not answer: nothing was found out.
    Failed(LedgerError),
}

impl Ended {
    /// What does not hold; an error if nothing could be found out. A row that cannot be read does not hold.
    fn broken(self) -> Result<Broken, LedgerError> {
        match self {
            Self::Broken(broken) => Ok(broken),
            Self::Failed(LedgerError::Broken(reason)) => Ok(Broken::at(None, reason)),
            Self::Failed(LedgerError::Commit(CommitError::Db(DbError::Internal(reason)))) => {
                Ok(Broken::at(None, format!("something cannot be read: {reason}")))
            }
            Self::Failed(error) => Err(error),
        }
    }
}

impl<E: Into<LedgerError>> From<E> for Ended {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl From<Broken> for Ended {
    fn from(broken: Broken) -> Self {
        Self::Broken(broken)
    }
}
