//! The figures, one file each.

pub(crate) mod append;
pub(crate) mod authzen;
pub(crate) mod bearer;
pub(crate) mod enumeration;
pub(crate) mod fork;
pub(crate) mod hook;
mod in_process;
pub(crate) mod introspect;
pub(crate) mod jobs;
mod over_http;
pub(crate) mod policy;
pub(crate) mod proof;
pub(crate) mod requeue;
pub(crate) mod start;
pub(crate) mod storm;
pub(crate) mod token;
pub(crate) mod verify;
