//! What the operator decides (interpreter, identities, pool) and what a function declares (limits).

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Identity, Interpreter};

/// What the sandbox needs to know once.
#[derive(Clone, Debug)]
pub struct Settings {
    pub interpreter: Interpreter,
    /// Under which host user sandboxed code runs.
    pub identity: Identity,
    /// The port inside each jail at which the server's own API answers.
    pub door_port: u16,
    /// The program that becomes the launcher: itself, unless a test says otherwise.
    pub launcher: PathBuf,
    pub pool: Pool,
}

impl Settings {
    pub fn new(interpreter: Interpreter, identity: Identity) -> Self {
        Self {
            interpreter,
            identity,
            door_port: 7717,
            launcher: PathBuf::from("/proc/self/exe"),
            pool: Pool::default(),
        }
    }

    /// The base URL at which a call reaches the server's API.
    pub fn api_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.door_port)
    }
}

/// When zygotes are given up.
#[derive(Clone, Debug)]
pub struct Pool {
    /// Zygotes kept at once; the one unused for longest makes room.
    pub capacity: usize,
    /// Calls after which a zygote is replaced.
    pub calls: u64,
    pub idle: Duration,
    /// How long a zygote may take until its code is loaded.
    pub load_timeout: Duration,
}

impl Default for Pool {
    fn default() -> Self {
        Self {
            capacity: 64,
            calls: 10_000,
            idle: Duration::from_secs(3600),
            load_timeout: Duration::from_secs(30),
        }
    }
}

/// Which of the mapped host users an organization has. Two organizations never share one at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OrgSlot(u16);

impl OrgSlot {
    /// The platform's own: syntax checks run there.
    pub(crate) const PLATFORM: Self = Self(u16::MAX);

    /// `None` for the slot that the platform keeps for itself (65,535).
    pub fn new(number: u16) -> Option<Self> {
        (number < u16::MAX).then_some(Self(number))
    }

    pub fn number(self) -> u16 {
        self.0
    }
}

/// What one call may use. Everything but `wall`, `output` and `log_bytes` belongs to the zygote as well: calls with
/// other values get another zygote.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Limits {
    pub wall: Duration,
    /// Processor time of the call's whole process tree.
    pub cpu: Duration,
    /// Bytes of anonymous, shared and tmpfs memory of the call's whole process tree.
    pub memory: u64,
    /// Bytes that `/tmp` can hold; they count as memory too.
    pub storage: u64,
    pub processes: u64,
    pub open_files: u64,
    pub file_size: u64,
    /// Bytes of the JSON answer.
    pub output: usize,
    /// Bytes of output text kept; what follows is dropped and marked.
    pub log_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            wall: Duration::from_secs(300),
            cpu: Duration::from_secs(300),
            memory: 512 << 20,
            storage: 1 << 30,
            processes: 64,
            open_files: 256,
            file_size: 1 << 30,
            output: 1 << 20,
            log_bytes: 1 << 20,
        }
    }
}
