//! What hooks need to know of this server, and what this node remembers of their senders.

use std::time::Duration;

use types::HookId;

use super::budget::{Meter, Places};
use super::refusals::Refusals;
use super::unproven::{Measure, Unproven};

#[derive(Clone, Debug)]
pub struct HookSettings {
    /// Without trailing slash.
    pub public_url: String,
    /// Largest body that the server reads.
    pub body_bytes: u64,
    /// Bytes of bodies that are held at once before their senders are believed: on this server, and from one address. Each is
    /// at least one body.
    pub unproven_bytes: u64,
    pub unproven_bytes_per_address: u64,
    /// How long a sender waits for a result before it is told that there will be one.
    pub patience: Duration,
}

/// Who sends from where, without the host part of its address.
pub(crate) type Source = u64;

pub(crate) struct HookState {
    pub(crate) settings: HookSettings,
    /// Deliveries that were believed.
    pub(crate) rates: Meter<HookId>,
    /// Those that were not, by where they came from.
    pub(crate) failures: Meter<(HookId, Source)>,
    /// Paths that no hook answers; then all of them together.
    pub(crate) misses: Meter<([u8; 32], Source)>,
    pub(crate) strangers: Meter<Source>,
    pub(crate) places: Places,
    pub(crate) refusals: Refusals,
    pub(crate) unproven: Unproven,
}

impl HookState {
    pub(crate) fn new(settings: HookSettings) -> Self {
        let measure = Measure {
            source: settings.unproven_bytes_per_address.max(settings.body_bytes),
            server: settings.unproven_bytes.max(settings.body_bytes),
        };
        Self {
            unproven: Unproven::new(measure),
            settings,
            rates: Meter::default(),
            failures: Meter::default(),
            misses: Meter::default(),
            strangers: Meter::default(),
            places: Places::default(),
            refusals: Refusals::default(),
        }
    }
}
