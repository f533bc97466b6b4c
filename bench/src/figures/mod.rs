//! The figures, one file each.

pub(crate) mod append;
pub(crate) mod authzen;
pub(crate) mod bearer;
pub(crate) mod enumeration;
pub(crate) mod fork;
mod in_process;
pub(crate) mod introspect;
mod over_http;
pub(crate) mod policy;
pub(crate) mod proof;
pub(crate) mod start;
pub(crate) mod storm;
pub(crate) mod token;
pub(crate) mod verify;
