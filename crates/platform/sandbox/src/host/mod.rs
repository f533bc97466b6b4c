//! The server's side: the launcher's handle, the pool of zygotes, and the conversation with one call.

mod clock;
mod conversation;
mod invocation;
mod jail;
mod launcher;
mod line;
mod log;
mod pool;
mod question;
mod sandbox;
mod warm;

pub use launcher::Launcher;
pub use sandbox::{DoorHandler, Findings, JailDoor, Sandbox, TOOL, ZygoteSpec};
pub use warm::WarmInterpreter;
