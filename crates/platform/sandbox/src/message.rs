//! What the frames between our own processes say. Each is JSON in the payload of its [`Kind`](crate::Kind).

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::guard::Removed;
use crate::identity::IdMap;
use crate::{Frame, Kind};

/// Payload of a frame between server, launcher, init and zygote.
pub(crate) trait Message: Serialize + DeserializeOwned {
    const KIND: Kind;

    fn frame(&self) -> Frame {
        // Plain structs of numbers, strings and lists: there is nothing in them that JSON cannot say.
        Frame::new(Self::KIND, serde_json::to_vec(self).unwrap_or_default())
    }

    /// `None` when the frame is of another kind or its payload is not what the kind promises.
    fn read(frame: &Frame) -> Option<Self> {
        (frame.kind == Self::KIND).then(|| serde_json::from_slice(&frame.payload).ok()).flatten()
    }
}

macro_rules! messages {
    ($($(#[$doc:meta])* $name:ident { $($field:ident: $type:ty),* $(,)? })*) => {
        $($(#[$doc])* #[derive(Clone, Debug, Serialize, Deserialize)]
        pub(crate) struct $name { $(pub(crate) $field: $type),* }
        impl Message for $name { const KIND: Kind = Kind::$name; })*
    };
}

messages! {
    /// Server → launcher, with init's end of the control socket.
    Launch { jail: u64, plan: JailPlan }
    /// Launcher → server, with init's pidfd; or why there is no jail.
    Launched { jail: u64, error: Option<String> }
    /// Launcher → init. `pid` is the process to kill; without one it means: the ids are mapped, go on.
    Limit { pid: Option<u32>, cause: Option<Excess> }
    /// Init → server, with the door's listening socket.
    Hello { }
    /// Server → zygote, with a file that holds [`Source`].
    Load { steps: Vec<Step> }
    /// Zygote → server.
    Ready { nested: bool, landlock: i64 }
    /// Server → zygote, with the call's socket and its raw output.
    Fork { call: u64 }
    /// Server → init: the fork of this number is a call from now on.
    Begin { call: u64 }
    /// Zygote → init → server, from init with the pidfd.
    Forked { call: u64, pid: u32 }
    /// Init → server. Without `call` it was the zygote.
    Exited { call: Option<u64>, ending: Ending, cause: Option<Excess>, cpu_micros: u64, peak_memory: u64 }
    /// Whoever failed → server.
    Error { kind: String, message: String, traceback: Option<String>, call: Option<u64> }
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Ending {
    Status(i32),
    Signal(i32),
}

/// Which limit the launcher saw exceeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Excess {
    Memory,
    Cpu,
}

/// Everything the launcher and init need to make one jail.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct JailPlan {
    pub(crate) ids: IdMap,
    pub(crate) python: PathBuf,
    pub(crate) allow_list: Vec<PathBuf>,
    /// What this jail sees besides.
    pub(crate) binds: Vec<Bind>,
    pub(crate) door_port: u16,
    pub(crate) memory: u64,
    pub(crate) cpu: Duration,
    pub(crate) storage: u64,
    pub(crate) removed: Removed,
}

/// A path of the host that stands somewhere else in the jail, read-only.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Bind {
    pub(crate) from: PathBuf,
    pub(crate) at: PathBuf,
}

/// What the zygote loads.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Source {
    pub(crate) code: String,
    /// Names to look for, the first that is there is the handler.
    pub(crate) entrypoints: Vec<String>,
    /// Instead of a handler: check whether the input parses.
    pub(crate) check: bool,
    /// Where packages are imported from.
    pub(crate) packages: Option<PathBuf>,
    pub(crate) limits: RunnerLimits,
}

/// The limits that the call sets upon itself before handler code runs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct RunnerLimits {
    pub(crate) storage: u64,
    pub(crate) cpu_seconds: u64,
    pub(crate) processes: u64,
    pub(crate) open_files: u64,
    pub(crate) file_size: u64,
}

/// What the forked call does to itself before handler code runs, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Step {
    Nest,
    Scratch,
    Processes,
    Resources,
    Landlock,
    Dumpable,
    Capabilities,
    Narrowing,
    Descriptors,
}
