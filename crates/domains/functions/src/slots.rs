//! Which of the sandbox's host users an organization has in this process.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use sandbox::OrgSlot;
use types::OrgId;

/// Given out in order and never taken back: jails end with this process, and with it all slots.
#[derive(Clone, Default)]
pub(crate) struct Slots(Arc<Mutex<HashMap<OrgId, OrgSlot>>>);

impl Slots {
    /// `None` once 65,535 organizations have run functions in this process.
    pub(crate) fn of(&self, org: OrgId) -> Option<OrgSlot> {
        let mut slots = self.0.lock();
        if let Some(slot) = slots.get(&org) {
            return Some(*slot);
        }
        let slot = OrgSlot::new(u16::try_from(slots.len()).ok()?)?;
        slots.insert(org, slot);
        Some(slot)
    }

    /// Whose it is.
    pub(crate) fn org_of(&self, slot: OrgSlot) -> Option<OrgId> {
        self.0.lock().iter().find(|(_, given)| **given == slot).map(|(org, _)| *org)
    }

    /// Whether this is the organization's, by its number.
    pub(crate) fn is(&self, org: OrgId, number: u16) -> bool {
        self.0.lock().get(&org).is_some_and(|slot| slot.number() == number)
    }
}

#[cfg(test)]
mod tests {
    use types::World;

    use super::*;

    #[test]
    fn every_organization_has_its_own() {
        let (slots, world) = (Slots::default(), World::system());
        let orgs: Vec<OrgId> = (0..1000).map(|_| world.id()).collect();
        let given: std::collections::HashSet<OrgSlot> =
            orgs.iter().filter_map(|org| slots.of(*org)).collect();
        assert_eq!(given.len(), 1000);
        assert_eq!(slots.of(orgs[7]), slots.of(orgs[7]));
        let seventh = slots.of(orgs[7]).unwrap().number();
        assert_eq!(slots.org_of(slots.of(orgs[7]).unwrap()), Some(orgs[7]));
        assert!(slots.is(orgs[7], seventh) && !slots.is(orgs[8], seventh) && !slots.is(world.id(), seventh));
        let rest = (1000..65_535).filter_map(|_| slots.of(world.id())).count();
        assert_eq!(rest, 64_535);
        assert!(slots.of(world.id()).is_none());
    }
}
