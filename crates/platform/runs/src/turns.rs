//! Whose run comes next: start-time fair queueing between organizations (Goyal, Vin, Cheng 1996).
//!
//! A run's turn is one more than the later of its organization's last turn and the turn being served. An organization
//! that queues a thousand runs gets a thousand turns in a row; one that comes later starts at the turn being served and
//! so waits for one of them, not for all. Turns are numbers in a row, so the queue stays one index that is read in
//! order.

use std::collections::HashMap;

use parking_lot::Mutex;
use types::OrgId;

#[derive(Default)]
pub(crate) struct Turns(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    served: i64,
    last: HashMap<OrgId, i64>,
}

impl Turns {
    pub(crate) fn next(&self, org: OrgId) -> i64 {
        let mut inner = self.0.lock();
        let turn = inner.last.get(&org).copied().unwrap_or_default().max(inner.served) + 1;
        inner.last.insert(org, turn);
        turn
    }

    /// Runs up to this turn are being served, here or on another node.
    pub(crate) fn served(&self, turn: i64) {
        let mut inner = self.0.lock();
        inner.served = inner.served.max(turn);
        // An organization that is behind starts at the served turn anyway.
        let served = inner.served;
        inner.last.retain(|_, last| *last > served);
    }

    /// What the stored queue says of an organization, at the start.
    pub(crate) fn resume(&self, org: OrgId, last: i64) {
        let mut inner = self.0.lock();
        let known = inner.last.entry(org).or_insert(last);
        *known = last.max(*known);
    }
}

#[cfg(test)]
mod tests {
    use types::{Id, Uuid};

    use super::*;

    #[test]
    fn a_late_comer_waits_for_one_run_of_a_crowd() {
        let turns = Turns::default();
        let (crowd, late) = (OrgId::from_uuid(Uuid::from_u128(1)), OrgId::from_uuid(Uuid::from_u128(2)));
        let first: Vec<i64> = (0..1000).map(|_| turns.next(crowd)).collect();
        turns.served(first[4]);
        assert_eq!(turns.next(late), first[5]);
        assert_eq!(turns.next(late), first[6]);
    }

    #[test]
    fn nobody_pays_for_a_queue_that_was_empty() {
        let turns = Turns::default();
        let (one, other) = (OrgId::from_uuid(Uuid::from_u128(1)), OrgId::from_uuid(Uuid::from_u128(2)));
        let last = (0..50).map(|_| turns.next(one)).last();
        turns.served(last.unwrap());
        assert_eq!(turns.next(one), turns.next(other));
    }
}
