//! Keeps zygotes warm: one per trust unit, made at first use, given up by age, number of calls and crowding.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::OnceCell;
use tokio::time::Instant;

use super::jail::{Jail, NoJail};
use super::sandbox::ZygoteSpec;
use crate::guard::Removed;
use crate::message::{Bind, RunnerLimits};
use crate::{Limits, OrgSlot, Pool};

/// What calls must have in common to share a zygote.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) slot: OrgSlot,
    pub(super) version: String,
    entrypoints: Vec<String>,
    binds: Vec<Bind>,
    limits: (u64, std::time::Duration, u64, [u64; 3]),
    removed: Removed,
}

impl Key {
    pub(super) fn of(spec: &ZygoteSpec, limits: &Limits) -> Self {
        Self {
            slot: spec.slot,
            version: spec.version.clone(),
            entrypoints: spec.entrypoints.clone(),
            binds: spec.binds(),
            limits: (
                limits.memory,
                limits.cpu,
                limits.storage,
                [limits.processes, limits.open_files, limits.file_size],
            ),
            removed: spec.removed.clone(),
        }
    }
}

/// The limits that the runner sets upon each call.
pub(super) fn runner_limits(limits: &Limits) -> RunnerLimits {
    RunnerLimits {
        // The tmpfs is memory, so it can never hold more than the call may have.
        storage: limits.storage.min(limits.memory),
        // The launcher's watch ends a call more exactly; this is for when it cannot look.
        cpu_seconds: limits.cpu.as_secs() + 1,
        processes: limits.processes,
        open_files: limits.open_files,
        file_size: limits.file_size,
    }
}

pub(super) struct Zygotes {
    pub(super) settings: Pool,
    pub(super) places: Mutex<HashMap<Key, Place>>,
}

pub(super) struct Place {
    pub(super) jail: Arc<OnceCell<Arc<Jail>>>,
    pub(super) made: Instant,
    pub(super) used: Instant,
}

impl Zygotes {
    pub(super) fn new(settings: Pool) -> Self {
        Self { settings, places: Mutex::default() }
    }

    /// The zygote of `key`, made by `open` if there is none. Of many that ask at once, one makes it.
    pub(super) async fn get<O, F>(&self, key: Key, open: O) -> Result<Arc<Jail>, NoJail>
    where
        O: Fn() -> F,
        F: Future<Output = Result<Jail, NoJail>>,
    {
        let place = self.place(key.clone());
        let found = if place.initialized() { "warm" } else { "new" };
        metrics::counter!("safeconduct_sandbox_zygotes_total", "found" => found).increment(1);
        let made = place.get_or_try_init(|| async { open().await.map(Arc::new) }).await;
        let jail = match made {
            Ok(jail) => jail.clone(),
            Err(error) => {
                self.give_up(&key, &place);
                return Err(error);
            }
        };
        if !jail.nested {
            self.give_up(&key, &place);
        }
        if jail.claim() { Ok(jail) } else { open().await.map(Arc::new) }
    }

    /// Gives up what has been idle for too long.
    pub(super) fn sweep(&self) {
        let now = Instant::now();
        let mut places = self.places.lock();
        let before = places.len();
        places.retain(|_, place| now.duration_since(place.used) < self.settings.idle);
        given_up("idle", before - places.len());
    }

    /// Those of one version, or all; how many it were.
    pub(super) fn forget(&self, version: Option<&str>) -> usize {
        let mut places = self.places.lock();
        let before = places.len();
        places.retain(|key, _| version.is_some_and(|version| key.version != version));
        given_up("by_hand", before - places.len());
        before - places.len()
    }

    fn place(&self, key: Key) -> Arc<OnceCell<Arc<Jail>>> {
        let now = Instant::now();
        let mut places = self.places.lock();
        if places.get(&key).is_some_and(|place| self.is_spent(place)) {
            places.remove(&key);
            given_up("spent", 1);
        }
        if !places.contains_key(&key) && places.len() >= self.settings.capacity {
            let oldest = places.iter().min_by_key(|(_, place)| place.used).map(|(key, _)| key.clone());
            if let Some(oldest) = oldest {
                places.remove(&oldest);
                given_up("crowded", 1);
            }
        }
        let place = places.entry(key).or_insert_with(|| Place { jail: Arc::default(), made: now, used: now });
        place.used = now;
        place.jail.clone()
    }

    fn is_spent(&self, place: &Place) -> bool {
        place.jail.get().is_some_and(|jail| jail.is_over() || jail.calls_begun() >= self.settings.calls)
    }

    /// Frees the place, unless another zygote has it by now.
    fn give_up(&self, key: &Key, jail: &Arc<OnceCell<Arc<Jail>>>) {
        let mut places = self.places.lock();
        if places.get(key).is_some_and(|place| Arc::ptr_eq(&place.jail, jail)) {
            places.remove(key);
        }
    }
}

/// Counts zygotes that are no longer kept.
fn given_up(reason: &'static str, count: usize) {
    metrics::counter!("safeconduct_sandbox_zygotes_given_up_total", "reason" => reason)
        .increment(u64::try_from(count).unwrap_or_default());
}
