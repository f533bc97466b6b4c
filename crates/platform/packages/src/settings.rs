//! What the operator decides.

use std::path::PathBuf;
use std::time::Duration;

/// Where wheels come from.
#[derive(Clone, Debug)]
pub enum Index {
    /// The base URL of a simple repository (PEP 503), such as `https://pypi.org/simple`.
    Remote(String),
    /// A directory of wheels: nothing is fetched.
    Directory(PathBuf),
}

#[derive(Clone, Debug)]
pub struct PackagesSettings {
    /// Environments stand there, in a directory for each organization.
    pub directory: PathBuf,
    pub index: Index,
    /// Bytes of an environment as it lies on the disk.
    pub environment_bytes: u64,
    /// Files of an environment.
    pub environment_files: u64,
    /// One step: resolving, or installing.
    pub build_timeout: Duration,
    /// How long an environment stays that no run uses.
    pub keep: Duration,
}
