//! The server's side: the launcher's handle, the pool of zygotes, and the conversation with one call.

mod conversation;
mod invocation;
mod jail;
mod launcher;
mod line;
mod log;
mod pool;
mod sandbox;

pub use launcher::Launcher;
pub use sandbox::{DoorHandler, Findings, JailDoor, Sandbox, TOOL, ZygoteSpec};
