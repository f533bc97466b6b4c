//! The jail's guards by name, so that a test can remove one and show that its attack then succeeds.
//!
//! Only a build with the feature `unguarded` can remove anything; in the product the list is always empty.

use serde::{Deserialize, Serialize};

/// One thing that stands between tenant code and the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(not(feature = "unguarded"), expect(unreachable_pub, reason = "only tests name guards"))]
pub enum Guard {
    /// The host user that is not the server's, and no capabilities in the jail.
    Identity,
    /// `pivot_root` into the allow-list.
    Root,
    /// A pid namespace for the jail and one for each call, each with its own `/proc`.
    Processes,
    /// A network namespace with `lo` only.
    Network,
    /// The system call filter of zygote and call.
    Syscalls,
    /// The second, narrower filter of the call.
    Narrowing,
    /// Landlock in the call.
    Landlock,
    /// The call's own `/tmp`.
    Scratch,
    /// The process that runs the call cannot be read through `/proc`.
    Dumpable,
    /// Limits of processes, open files and file size.
    Resources,
    /// The launcher's watch over memory and processor time.
    Watch,
    /// Closing every descriptor but the call's own.
    Descriptors,
    /// The zygote's pid is high, so that OpenSSL notices each fork.
    HighPid,
    /// Nested namespaces. Removed, the sandbox must fall back to one call per jail.
    Nesting,
}

/// The guards that a test took away.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Removed(#[serde(default)] Vec<Guard>);

impl Removed {
    #[cfg(feature = "unguarded")]
    pub(crate) fn these(guards: &[Guard]) -> Self {
        Self(guards.to_vec())
    }

    pub(crate) fn stands(&self, guard: Guard) -> bool {
        !cfg!(feature = "unguarded") || !self.0.contains(&guard)
    }
}
