//! Runs other people's code where it can do no harm: launcher, jail, zygote, protocol, limits.
//!
//! The server holds a [`Launcher`], a small process without secrets that does every clone, mount and id map, and a
//! [`Sandbox`], which keeps a pool of warm interpreters (zygotes), one per trust unit, and forks one process per
//! call. `docs/sandbox-protocol.md` tells how they talk, `docs/sandbox-guarantees.md` what the jail promises.
//!
//! It knows no database, no HTTP and no domain: a call is bytes in, an [`Outcome`] out. It is the only crate in
//! which `unsafe` is allowed, and only for system calls that no safe wrapper offers.

mod call;
mod error;
mod frame;
mod guard;
mod host;
mod identity;
mod interpreter;
mod jail;
mod launcher;
mod message;
mod outside;
mod packet;
mod redact;
mod settings;
mod sys;

pub use call::{
    Asked, AskedQuestion, Call, Clock, ContextFrame, Failure, LogLevel, LogLine, LogSource, Outcome,
    Progress, Report, Told, Usage,
};
pub use error::{SandboxError, SyntaxCheckError, SyntaxError};
use frame::{Decoder, Frame, FrameError, Kind};
#[cfg(feature = "unguarded")]
pub use guard::Guard;
pub use host::{DoorHandler, Findings, JailDoor, Launcher, Sandbox, TOOL, WarmInterpreter, ZygoteSpec};
pub use identity::Identity;
pub use interpreter::{Interpreter, InterpreterError};
pub use outside::{HostCall, HostReply, Outside};
pub use redact::Redactor;
pub use settings::{Limits, OrgSlot, Pool, Settings};

/// The argument that turns this program into the launcher.
const LAUNCHER_ARGUMENT: &str = "sandbox-launcher";

/// First thing in `main`, before any thread or runtime: if the arguments say `sandbox-launcher`, becomes the launcher
/// and never returns.
pub fn become_launcher_if_asked() {
    if std::env::args_os().nth(1).is_some_and(|argument| argument == LAUNCHER_ARGUMENT) {
        launcher::run();
    }
}
