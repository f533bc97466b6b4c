//! What the operator decides.

use std::time::Duration;

/// A function may ask for less than these, never for more.
#[derive(Clone, Debug)]
pub struct FunctionsSettings {
    /// Wall-clock time of one call.
    pub timeout: Duration,
    pub memory_mb: u64,
    /// Processor time per second of wall-clock time, in thousandths of a core.
    pub cpu_milli: u64,
    pub storage_mb: u64,
    /// Runs are left to others: this process needs no sandbox to accept them.
    pub workers_only: bool,
    /// Functions may name any package that is not refused, not only approved ones.
    pub all_packages: bool,
    /// How long a call that asks something keeps its process, and its token with it.
    pub question_wait: Duration,
    /// How long `execute` waits before it answers 202.
    pub sync: Duration,
}

impl FunctionsSettings {
    /// Bytes of one answer; more than a megabyte stands in a blob.
    const OUTPUT: usize = 16 << 20;

    pub(crate) fn limits(&self, wall: Duration, memory_mb: u64) -> sandbox::Limits {
        let millis = u64::try_from(wall.as_millis()).unwrap_or(u64::MAX);
        let cpu = Duration::from_millis(millis.saturating_mul(self.cpu_milli) / 1000);
        sandbox::Limits {
            wall,
            cpu: cpu.max(Duration::from_secs(1)),
            memory: memory_mb << 20,
            storage: self.storage_mb << 20,
            output: Self::OUTPUT,
            ..sandbox::Limits::default()
        }
    }
}
