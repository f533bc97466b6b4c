//! Introspections, counted: one fact per caller, token, answer and minute instead of one per look.

use std::collections::HashMap;

use ledger::{Actor, Fact, Ledger, LedgerError, Origin, Outcome};
use parking_lot::Mutex;
use serde_json::json;
use types::{OrgId, Timestamp, TokenId, Uuid};

use crate::facts;

/// Counters kept; when they are full, all are written early.
const MOST: usize = 50_000;
const MINUTE: i64 = 60_000;

/// What an introspection came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Answer {
    Active,
    Inactive,
    /// The token lives, but the caller may not see it.
    Withheld,
}

impl Answer {
    const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Inactive => "inactive",
            Self::Withheld => "withheld",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Counted {
    org: OrgId,
    caller: Uuid,
    /// None for what is no token of ours.
    jti: Option<TokenId>,
    answer: Answer,
    minute: i64,
}

#[derive(Default)]
pub(crate) struct Tally(Mutex<HashMap<Counted, (u64, Actor)>>);

impl Tally {
    /// Whether the counters are full and must be written now.
    #[must_use]
    pub(crate) fn count(
        &self,
        org: OrgId,
        caller: (Uuid, &Actor),
        jti: Option<TokenId>,
        answer: Answer,
        now: Timestamp,
    ) -> bool {
        let minute = now.millis().div_euclid(MINUTE);
        let counted = Counted { org, caller: caller.0, jti, answer, minute };
        let mut counts = self.0.lock();
        match counts.get_mut(&counted) {
            Some((count, _)) => *count += 1,
            None => drop(counts.insert(counted, (1, caller.1.clone()))),
        }
        counts.len() >= MOST
    }

    /// Writes every count of a minute that is over; with `all`, also of the one that runs.
    pub(crate) async fn flush(&self, ledger: &Ledger, now: Timestamp, all: bool) -> Result<(), LedgerError> {
        let mut over = self.take(now, all).into_iter();
        while let Some((counted, (count, actor))) = over.next() {
            if let Err(error) = ledger.append(fact(&counted, count, actor.clone())).await {
                self.put_back(std::iter::once((counted, (count, actor))).chain(over));
                return Err(error);
            }
        }
        Ok(())
    }

    /// What could not be written is written with the next flush.
    fn put_back(&self, counts: impl Iterator<Item = (Counted, (u64, Actor))>) {
        let mut kept = self.0.lock();
        for (counted, (count, actor)) in counts {
            kept.entry(counted).or_insert((0, actor)).0 += count;
        }
    }

    fn take(&self, now: Timestamp, all: bool) -> Vec<(Counted, (u64, Actor))> {
        let running = now.millis().div_euclid(MINUTE);
        self.0.lock().extract_if(|counted, _| all || counted.minute != running).collect()
    }
}

fn fact(counted: &Counted, count: u64, actor: Actor) -> Fact {
    let outcome = if counted.answer == Answer::Withheld { Outcome::Denied } else { Outcome::Success };
    let minute = Timestamp::from_millis(counted.minute * MINUTE);
    let origin = Origin { jti: counted.jti, ..Origin::default() };
    let fact = Fact::new(&facts::TOKEN_INTROSPECTED, counted.org, actor)
        .origin(&origin)
        .outcome(outcome)
        .data(json!({ "count": count, "minute": minute, "answer": counted.answer.name() }));
    match counted.jti {
        Some(jti) => fact.target("token", jti, ""),
        None => fact,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use types::{Id, World};

    use super::*;

    #[test]
    fn counts_by_caller_token_answer_and_minute() {
        let (tally, world) = (Tally::default(), World::system());
        let (org, jti): (OrgId, TokenId) = (world.id(), world.id());
        let actors = [(); 2].map(|()| Actor::agent(world.id(), "checker"));
        let callers = [(); 2].map(|()| world.id::<types::AgentId>().uuid());
        let start = Timestamp::from_millis(MINUTE * 1_000_000);
        for _ in 0..3 {
            let _ = tally.count(org, (callers[0], &actors[0]), Some(jti), Answer::Active, start);
        }
        let _ = tally.count(org, (callers[0], &actors[0]), Some(jti), Answer::Inactive, start);
        let _ = tally.count(org, (callers[1], &actors[1]), Some(jti), Answer::Active, start);
        let later = start.plus(Duration::from_secs(60));
        let _ = tally.count(org, (callers[0], &actors[0]), Some(jti), Answer::Active, later);
        assert!(tally.take(start, false).len() == 1, "the minute that runs stays, another does not");
        let over = tally.take(later, false);
        assert_eq!(over.len(), 3);
        assert_eq!(over.iter().map(|(_, (count, _))| count).max(), Some(&3));
        let _ = tally.count(org, (callers[0], &actors[0]), None, Answer::Withheld, later);
        assert_eq!(tally.take(later, true).len(), 1);
        assert!(tally.take(later, true).is_empty());
    }
}
