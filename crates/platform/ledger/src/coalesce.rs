//! Sums up what repeats: what anonymous callers cause (the first in full, then one fact a minute with a count), and what is
//! only counted (allowed decisions, introspections). Memory and the number of facts are bounded, whoever calls.

use std::collections::HashMap;
use std::net::IpAddr;

use parking_lot::Mutex;
use types::{OrgId, Timestamp};

use crate::fact::{Fact, Origin, Repeated};

/// What is remembered at most; beyond it everything of a kind counts as one.
const MOST: usize = 20_000;
const MINUTE: i64 = 60_000;

pub(crate) struct Coalescer {
    /// Facts in full per source and minute.
    budget: u32,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    counts: HashMap<Key, Count>,
    spent: HashMap<(OrgId, String), Spent>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    org: OrgId,
    kind: &'static str,
    /// Prefix of addresses, or the subject that is counted.
    source: String,
    target: Option<(&'static str, String)>,
}

struct Count {
    /// The first of them, without what belongs to it alone.
    sample: Fact,
    count: u64,
    minute: i64,
}

#[derive(Clone, Copy)]
struct Spent {
    minute: i64,
    facts: u32,
}

impl Coalescer {
    pub(crate) fn new(budget: u32) -> Self {
        Self { budget, state: Mutex::default() }
    }

    /// The fact itself if it is to be written in full; otherwise it was counted.
    pub(crate) fn admit(&self, fact: Fact, source: IpAddr, now: Timestamp) -> Option<Fact> {
        let minute = now.millis().div_euclid(MINUTE);
        let mut key = Key::new(&fact, prefix(source));
        let state = &mut *self.state.lock();
        if let Some(count) = state.counts.get_mut(&key) {
            count.count += 1;
            return None;
        }
        let full = state.counts.len() < MOST && state.spend(&key, minute, self.budget);
        if full {
            state.counts.insert(key, Count { sample: sample(&fact), count: 0, minute });
            return Some(fact);
        }
        // Past its budget a source cannot make more facts by naming more targets.
        key.target = None;
        state.count(key, Fact { target: None, ..sample(&fact) }, minute);
        None
    }

    /// Counts without ever writing in full.
    pub(crate) fn tally(&self, fact: &Fact, subject: &str, now: Timestamp) {
        let minute = now.millis().div_euclid(MINUTE);
        self.state.lock().count(Key::new(fact, subject.to_owned()), sample(fact), minute);
    }

    /// One fact for each count of a minute that is over; with `all` also of the current one. Who was quiet is forgotten.
    pub(crate) fn due(&self, now: Timestamp, all: bool) -> Vec<Fact> {
        let minute = now.millis().div_euclid(MINUTE);
        // Also when the clock has jumped back.
        let over = |then: i64| all || then != minute;
        let mut facts = Vec::new();
        let state = &mut *self.state.lock();
        state.counts.retain(|key, count| {
            if !over(count.minute) {
                return true;
            }
            if count.count == 0 {
                return false;
            }
            let repeated = Repeated { count: count.count, source: key.source.clone() };
            facts.push(Fact { repeated: Some(repeated), ..count.sample.clone() });
            (count.count, count.minute) = (0, minute);
            true
        });
        state.spent.retain(|_, spent| !over(spent.minute));
        facts
    }
}

impl State {
    fn spend(&mut self, key: &Key, minute: i64, budget: u32) -> bool {
        let spent = self.spent.entry((key.org, key.source.clone())).or_insert(Spent { minute, facts: 0 });
        if spent.minute != minute {
            *spent = Spent { minute, facts: 0 };
        }
        spent.facts += 1;
        spent.facts <= budget
    }

    fn count(&mut self, mut key: Key, sample: Fact, minute: i64) {
        if self.counts.len() >= MOST && !self.counts.contains_key(&key) {
            key = Key { source: "many".to_owned(), target: None, ..key };
        }
        self.counts.entry(key).or_insert(Count { sample, count: 0, minute }).count += 1;
    }
}

impl Key {
    fn new(fact: &Fact, source: String) -> Self {
        let target = fact.target.as_ref().map(|target| (target.kind, target.id.clone()));
        Self { org: fact.org, kind: fact.kind.name, source, target }
    }
}

fn sample(fact: &Fact) -> Fact {
    let Origin { jti, txn, credential, api_key, run, act, on_behalf_of, .. } = fact.origin.clone();
    let origin = Origin {
        request: None,
        ip: None,
        user_agent: None,
        jti,
        txn,
        credential,
        api_key,
        run,
        act,
        on_behalf_of,
    };
    Fact { origin, ..fact.clone() }
}

/// The /24 of an IPv4 address, the /64 of an IPv6 address: what one caller commonly has.
fn prefix(source: IpAddr) -> String {
    match source.to_canonical() {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            format!("{a}.{b}.{c}.0/24")
        }
        IpAddr::V6(address) => {
            let bits = address.to_bits() & !u128::from(u64::MAX);
            format!("{}/64", std::net::Ipv6Addr::from_bits(bits))
        }
    }
}
