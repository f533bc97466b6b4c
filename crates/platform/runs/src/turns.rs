//! Whose run comes next: start-time fair queueing between organizations (Goyal, Vin, Cheng 1996).
//!
//! Each organization has a turn: one more than the later of its own last one and the one being served. Free slots go to the
//! organizations with the earliest turns, so one that has queued a thousand runs gets every second slot as soon as another
//! one comes. Which of its runs an organization's slot takes is another question (priority, then age). Each node counts for
//! itself: nodes that are fair are fair together.

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
    /// How `slots` are shared among those who wait, the earliest turn first; each is there once.
    pub(crate) fn share(&self, waiting: &[OrgId], slots: usize) -> Vec<(OrgId, usize)> {
        let inner = self.0.lock();
        let turn = |org: &OrgId| inner.last.get(org).copied().unwrap_or_default().max(inner.served) + 1;
        let mut shares: Vec<(i64, OrgId, usize)> = waiting.iter().map(|org| (turn(org), *org, 0)).collect();
        shares.sort_by_key(|(turn, org, _)| (*turn, *org));
        for _ in 0..slots {
            let next = shares.iter_mut().min_by_key(|(turn, org, taken)| (*turn, *taken, *org));
            let Some((turn, _, taken)) = next else { break };
            (*turn, *taken) = (*turn + 1, *taken + 1);
        }
        shares.into_iter().filter(|(_, _, taken)| *taken > 0).map(|(_, org, taken)| (org, taken)).collect()
    }

    /// This many runs of the organization were begun.
    pub(crate) fn served(&self, org: OrgId, runs: usize) {
        let mut inner = self.0.lock();
        let start = inner.last.get(&org).copied().unwrap_or_default().max(inner.served);
        let last = start + i64::try_from(runs).unwrap_or(i64::MAX);
        inner.served = inner.served.max(start);
        inner.last.insert(org, last);
        // An organization that is behind starts at the served turn anyway.
        let served = inner.served;
        inner.last.retain(|_, last| *last > served);
    }
}

#[cfg(test)]
mod tests {
    use types::{Id, Uuid};

    use super::*;

    fn org(number: u128) -> OrgId {
        OrgId::from_uuid(Uuid::from_u128(number))
    }

    #[test]
    fn slots_are_shared_evenly() {
        let turns = Turns::default();
        let (one, other, third) = (org(1), org(2), org(3));
        assert_eq!(turns.share(&[one, other], 5), [(one, 3), (other, 2)]);
        assert_eq!(turns.share(&[one, other, third], 2), [(one, 1), (other, 1)]);
        assert_eq!(turns.share(&[], 3), []);
    }

    #[test]
    fn a_late_comer_waits_for_nothing_that_a_crowd_has_queued() {
        let turns = Turns::default();
        let (crowd, late) = (org(1), org(2));
        for _ in 0..1000 {
            turns.served(crowd, 1);
        }
        assert_eq!(turns.share(&[crowd, late], 1), [(late, 1)]);
        turns.served(late, 1);
        assert_eq!(turns.share(&[crowd, late], 2), [(crowd, 1), (late, 1)]);
    }

    #[test]
    fn nobody_saves_turns_up_while_idle() {
        let turns = Turns::default();
        let (busy, idle) = (org(1), org(2));
        for _ in 0..100 {
            turns.served(busy, 1);
        }
        turns.served(idle, 1);
        for _ in 0..5 {
            for (org, runs) in turns.share(&[busy, idle], 2) {
                assert_eq!(runs, 1, "{org}");
                turns.served(org, runs);
            }
        }
    }
}
