//! What the operator decides.

use std::path::PathBuf;
use std::time::Duration;

/// Where wheels come from.
#[derive(Clone, Debug)]
pub enum Index {
    /// A repository on the network.
    Remote(Remote),
    /// A directory of wheels: nothing is fetched.
    Directory(PathBuf),
}

/// A simple repository (PEP 503).
#[derive(Clone, Debug)]
pub struct Remote {
    /// Its base URL, such as `https://pypi.org/simple`.
    pub url: String,
    /// Hosts besides its own that it may lead to, wherever they are; others have to be public.
    pub file_hosts: Vec<String>,
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
