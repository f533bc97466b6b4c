//! The server's side: the launcher's handle, the pool of zygotes, and the conversation with one call.

mod conversation;
mod jail;
mod launcher;
mod pool;
mod sandbox;

pub use launcher::Launcher;
pub use sandbox::{DoorHandler, Sandbox, ZygoteSpec};
