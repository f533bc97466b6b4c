//! Bytes of bodies that are being read before anybody is believed. Each sender could hold as much as a hook reads for as long
//! as a body may take, so all of them together have a measure, and so has each address.

use std::collections::HashMap;

use parking_lot::Mutex;

use super::settings::Source;

/// Bytes that may be held: from one address, and from all together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measure {
    pub(crate) source: u64,
    pub(crate) server: u64,
}

pub(crate) struct Unproven {
    measure: Measure,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    all: u64,
    by: HashMap<Source, u64>,
}

/// Whose measure is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Full {
    Source,
    Server,
}

/// What one delivery holds; given back when dropped.
pub(crate) struct Share<'a> {
    of: &'a Unproven,
    source: Source,
    bytes: u64,
}

impl Unproven {
    pub(crate) fn new(measure: Measure) -> Self {
        Self { measure, held: Mutex::default() }
    }

    pub(crate) fn share(&self, source: Source) -> Share<'_> {
        Share { of: self, source, bytes: 0 }
    }
}

impl Share<'_> {
    /// Takes more, or nothing. Only what has arrived counts: to announce much costs a sender nothing.
    pub(crate) fn take(&mut self, bytes: usize) -> Result<(), Full> {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let mut held = self.of.held.lock();
        let all = held.all.saturating_add(bytes);
        let by = held.by.get(&self.source).copied().unwrap_or_default().saturating_add(bytes);
        // Whoever has too much itself is told so, however full the server is.
        if by > self.of.measure.source {
            return Err(Full::Source);
        }
        if all > self.of.measure.server {
            return Err(Full::Server);
        }
        held.all = all;
        held.by.insert(self.source, by);
        self.bytes += bytes;
        metrics::gauge!("safeconduct_hook_unproven_bytes").set(as_gauge(all));
        Ok(())
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        if self.bytes == 0 {
            return;
        }
        let mut held = self.of.held.lock();
        held.all = held.all.saturating_sub(self.bytes);
        if let Some(by) = held.by.get_mut(&self.source) {
            *by = by.saturating_sub(self.bytes);
            if *by == 0 {
                held.by.remove(&self.source);
            }
        }
        metrics::gauge!("safeconduct_hook_unproven_bytes").set(as_gauge(held.all));
    }
}

#[expect(clippy::cast_precision_loss, reason = "a gauge is a double; no server holds 2^53 bytes")]
fn as_gauge(bytes: u64) -> f64 {
    bytes as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_and_the_server_hold_so_much_and_no_more() {
        let unproven = Unproven::new(Measure { source: 10, server: 15 });
        let (mut one, mut same, mut other) = (unproven.share(1), unproven.share(1), unproven.share(2));
        assert_eq!(one.take(6), Ok(()));
        assert_eq!(same.take(5), Err(Full::Source));
        assert_eq!(same.take(4), Ok(()));
        assert_eq!(other.take(6), Err(Full::Server));
        assert_eq!(other.take(5), Ok(()));
        assert_eq!(one.take(1), Err(Full::Source), "who has too much is told so");
        drop(one);
        assert_eq!(other.take(5), Ok(()));
        assert_eq!(other.take(1), Err(Full::Source));
        drop((same, other));
        let held = unproven.held.lock();
        assert_eq!((held.all, held.by.len()), (0, 0));
    }

    #[test]
    fn what_was_refused_is_not_held() {
        let unproven = Unproven::new(Measure { source: 10, server: 10 });
        let mut share = unproven.share(1);
        assert_eq!(share.take(usize::MAX), Err(Full::Source));
        assert_eq!(share.take(10), Ok(()));
    }
}
