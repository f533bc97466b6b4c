//! Python packages of functions: requirements, the lock that they lead to, and the environment that is built from it.
//!
//! `uv` resolves and installs in a jail of the sandbox. Its only way out is the jail's door, behind which [`index`] speaks
//! the simple repository API (PEP 503, PEP 691) and takes in the finished environment, file by file. An environment
//! belongs to one organization, stands under the hash of its lock and never changes. Must not know functions, nor who
//! may use which package: it is told whom to refuse.

mod build;
mod environments;
mod error;
mod files;
mod index;
mod keep;
mod lock;
mod requirement;
mod settings;
mod unpack;
mod uv;

pub use build::{Build, Line, Ready};
pub use environments::{Environments, Ground};
pub use error::BuildError;
pub use lock::{Lock, Locked, Unlocked};
pub use requirement::{Name, Refusal, Requirement};
pub use settings::{Index, PackagesSettings, Remote};
pub use uv::{FoundUv, find_uv};
