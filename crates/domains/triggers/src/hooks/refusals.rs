//! Refused deliveries, summed up: the first of a minute for one reason is a row, further ones are counted here until the
//! sweeper adds them. However much is sent, a hook gets as many rows a minute as there are reasons.

use std::collections::HashMap;

use parking_lot::Mutex;
use types::{DeliveryId, HookId, OrgId, Timestamp};

const MINUTE: i64 = 60_000;

#[derive(Default)]
pub(crate) struct Refusals(Mutex<HashMap<(HookId, &'static str), Row>>);

struct Row {
    org: OrgId,
    id: DeliveryId,
    minute: i64,
    /// Not in the row yet.
    more: i64,
}

/// So many more of the kind that a row stands for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct More {
    pub(crate) org: OrgId,
    pub(crate) id: DeliveryId,
    pub(crate) count: i64,
}

impl Refusals {
    /// Whether a row of this id is to be written; otherwise it was counted. What an older row still lacks comes along.
    pub(crate) fn note(
        &self,
        (org, hook): (OrgId, HookId),
        reason: &'static str,
        id: DeliveryId,
        now: Timestamp,
    ) -> (bool, Option<More>) {
        let minute = now.millis().div_euclid(MINUTE);
        let mut rows = self.0.lock();
        let row = rows.entry((hook, reason)).or_insert(Row { org, id, minute, more: 0 });
        if row.id == id {
            return (true, None);
        }
        if row.minute == minute {
            row.more += 1;
            return (false, None);
        }
        let lacking = (row.more > 0).then_some(More { org, id: row.id, count: row.more });
        *row = Row { org, id, minute, more: 0 };
        (true, lacking)
    }

    /// What the rows lack; those of minutes that are over are forgotten.
    pub(crate) fn drain(&self, now: Timestamp) -> Vec<More> {
        let minute = now.millis().div_euclid(MINUTE);
        let mut lacking = Vec::new();
        self.0.lock().retain(|_, row| {
            if row.more > 0 {
                lacking.push(More { org: row.org, id: row.id, count: row.more });
                row.more = 0;
            }
            row.minute == minute
        });
        lacking
    }
}

#[cfg(test)]
mod tests {
    use types::World;

    use super::*;

    #[test]
    fn a_flood_is_a_row_a_minute_and_a_number() {
        let (refusals, world) = (Refusals::default(), World::system());
        let of: (OrgId, HookId) = (world.id(), world.id());
        let at = |seconds: i64| Timestamp::from_millis(600_000 + seconds * 1000);
        let first: DeliveryId = world.id();
        assert_eq!(refusals.note(of, "wrong", first, at(0)), (true, None));
        for _ in 0..1000 {
            assert_eq!(refusals.note(of, "wrong", world.id(), at(1)), (false, None));
        }
        assert!(refusals.note(of, "late", world.id(), at(1)).0, "another reason is another row");
        assert_eq!(refusals.drain(at(2)), [More { org: of.0, id: first, count: 1000 }]);
        assert_eq!(refusals.drain(at(2)), []);
        refusals.note(of, "wrong", world.id(), at(3));
        let lacking = Some(More { org: of.0, id: first, count: 1 });
        assert_eq!(refusals.note(of, "wrong", world.id(), at(60)), (true, lacking));
        refusals.drain(at(120));
        assert!(refusals.0.lock().is_empty());
    }
}
