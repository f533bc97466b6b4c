//! Why a bundle proves nothing.

use types::FactId;

#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    #[error("the bundle could not be read: {0}")]
    Read(std::io::Error),
    #[error("line {line} is no line of a bundle of this version; get the bundle again")]
    Malformed { line: u64 },
    /// `event` is the last one that was read.
    #[error("line {line}: {problem}")]
    Broken { line: u64, event: Option<FactId>, problem: Problem },
    #[error("the bundle ends early; get it again in full")]
    Cut,
    #[error("the checkpoint is not to be trusted: {0}")]
    Checkpoint(#[from] merkle::CheckpointError),
    #[error("the records do not lead to the root of the checkpoint: a record was changed, left out or moved")]
    Root,
    #[error("record {0} is shown as erased, but no purge in this bundle names it")]
    Unexplained(u64),
    #[error(
        "the log was rewritten since the checkpoint of size {0}, or the bundle does not show that it only grew"
    )]
    Rewritten(u64),
}

/// What is wrong with one line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    #[error("it does not belong here")]
    Order,
    #[error("the clear part is not one of ours")]
    Clear,
    #[error("the record is of another organization")]
    Organization,
    #[error("the record's number is not the next one; a record is missing or was moved")]
    Gap,
    #[error("the private part is not the one that was recorded")]
    Private,
}
