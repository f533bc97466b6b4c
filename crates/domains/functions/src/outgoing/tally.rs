//! How much a run asked for, for its bounds and for what its fact tells.

use std::collections::BTreeSet;

use parking_lot::Mutex;
use runs::Outgoing;

/// Hosts that a fact names; a run that calls more is told to have called these.
const HOSTS: usize = 20;

#[derive(Default)]
pub(crate) struct Tally(Mutex<Counted>);

#[derive(Default)]
struct Counted {
    requests: u32,
    blocked: u32,
    bytes: u64,
    hosts: BTreeSet<String>,
}

impl Tally {
    /// One more question; answers how many there were, this one included.
    pub(crate) fn ask(&self) -> u32 {
        let mut counted = self.0.lock();
        counted.requests = counted.requests.saturating_add(1);
        counted.requests
    }

    pub(crate) fn block(&self) -> u32 {
        let mut counted = self.0.lock();
        counted.blocked = counted.blocked.saturating_add(1);
        counted.blocked
    }

    pub(crate) fn call(&self, host: &str) {
        let mut counted = self.0.lock();
        if counted.hosts.len() < HOSTS {
            counted.hosts.insert(host.to_owned());
        }
    }

    /// Bytes that went or came; answers how many there were.
    pub(crate) fn carry(&self, bytes: usize) -> u64 {
        let mut counted = self.0.lock();
        counted.bytes = counted.bytes.saturating_add(bytes as u64);
        counted.bytes
    }

    /// What the run's fact tells; nothing of a run that asked for nothing.
    pub(crate) fn told(&self) -> Option<Outgoing> {
        let counted = self.0.lock();
        (counted.requests > 0).then(|| Outgoing {
            requests: counted.requests.into(),
            blocked: counted.blocked.into(),
            hosts: counted.hosts.iter().cloned().collect(),
        })
    }
}
