//! The inside of a jail, seen from its first process: namespaces are made, this furnishes them and then serves.
//!
//! [`init`] is pid 1 of the jail and our own code. It builds the root, the loopback door and the zygote, forwards
//! packets between server and zygote, is the parent of every call and the only one whose word on a call's end counts.

mod init;
mod root;
mod syscall_lists;
mod syscalls;
mod zygote;

pub(crate) use init::{Init, run};
pub(crate) use zygote::PID as ZYGOTE_PID;
