//! Which tokens live by whom, for the receipt of a kill: how many there were, and the latest by name.
//!
//! Counted are the tokens that this process issued, and older ones when they are first seen. Counts are exact in seconds
//! of expiry; names are kept for the latest hundred of each principal. Nothing here decides whether a token is alive:
//! that is the roll of the dead.

use std::collections::{HashMap, VecDeque};

use cluster::{Dead, Kin};
use parking_lot::Mutex;
use types::{Timestamp, TokenId};

use crate::claims::{Claims, principal_kin};

/// As many as a receipt names.
const NAMED: usize = 100;
/// Principals that are followed; beyond, those without living tokens go first.
const MOST: usize = 100_000;

#[derive(Default)]
pub(crate) struct Live(Mutex<HashMap<Kin, Tokens>>);

#[derive(Default)]
struct Tokens {
    /// Second of expiry and how many end with it; ascending.
    expiring: VecDeque<(i64, u64)>,
    latest: VecDeque<(TokenId, i64)>,
}

impl Live {
    pub(crate) fn note(&self, claims: &Claims, now: Timestamp) {
        let mut all = self.0.lock();
        for kin in holders(claims) {
            if all.len() >= MOST && !all.contains_key(&kin) {
                sweep(&mut all, now.seconds());
                if all.len() >= MOST {
                    return;
                }
            }
            all.entry(kin).or_default().add(claims.jti, claims.exp, now.seconds());
        }
    }

    /// One token ended before its time.
    pub(crate) fn revoked(&self, claims: &Claims) {
        let mut all = self.0.lock();
        for kin in holders(claims) {
            if let Some(tokens) = all.get_mut(&kin) {
                tokens.remove(claims.jti, claims.exp);
            }
        }
    }

    /// Everything that lived by this principal.
    pub(crate) fn end(&self, kin: Kin, now: Timestamp) -> Dead {
        let Some(mut tokens) = self.0.lock().remove(&kin) else { return Dead::default() };
        tokens.expire(now.seconds());
        tokens.latest.retain(|(_, exp)| *exp > now.seconds());
        let count = tokens.expiring.iter().map(|(_, count)| count).sum();
        Dead {
            tokens: count,
            jtis: tokens.latest.iter().rev().map(|(jti, _)| *jti).collect(),
            ..Dead::default()
        }
    }

    /// Forgets principals without living tokens.
    pub(crate) fn sweep(&self, now: Timestamp) {
        sweep(&mut self.0.lock(), now.seconds());
    }
}

fn sweep(all: &mut HashMap<Kin, Tokens>, now: i64) {
    all.retain(|_, tokens| {
        tokens.expire(now);
        !tokens.expiring.is_empty()
    });
}

/// The principals whose end is the token's.
fn holders(claims: &Claims) -> impl Iterator<Item = Kin> {
    claims.principals().into_iter().map(principal_kin)
}

impl Tokens {
    fn add(&mut self, jti: TokenId, exp: i64, now: i64) {
        self.expire(now);
        if self.latest.len() == NAMED {
            self.latest.pop_front();
        }
        self.latest.push_back((jti, exp));
        // Lifetimes rarely differ, so the place is nearly always the end.
        let after = self.expiring.iter().rposition(|(second, _)| *second <= exp);
        match after {
            Some(at) if self.expiring[at].0 == exp => self.expiring[at].1 += 1,
            Some(at) => self.expiring.insert(at + 1, (exp, 1)),
            None => self.expiring.push_front((exp, 1)),
        }
    }

    fn remove(&mut self, jti: TokenId, exp: i64) {
        self.latest.retain(|(known, _)| *known != jti);
        if let Some(at) = self.expiring.iter().position(|(second, _)| *second == exp) {
            self.expiring[at].1 -= 1;
            if self.expiring[at].1 == 0 {
                self.expiring.remove(at);
            }
        }
    }

    fn expire(&mut self, now: i64) {
        while self.expiring.front().is_some_and(|(second, _)| *second <= now) {
            self.expiring.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use types::World;
    use web::PrincipalId;

    use super::*;
    use crate::claims::{Act, tests};

    #[test]
    fn counts_the_living_and_names_the_latest_hundred() {
        let (live, world) = (Live::default(), World::system());
        let now = world.now();
        let first = tests::claims(&world);
        let mut last = first.jti;
        for second in 0..250 {
            last = world.id();
            live.note(&Claims { jti: last, exp: now.seconds() + 1 + second, ..first.clone() }, now);
        }
        live.note(&tests::claims(&world), now);
        let dead = live.end(principal_kin(first.sub), now.plus(Duration::from_secs(50)));
        assert_eq!((dead.tokens, dead.jtis.len(), dead.jtis[0]), (200, 100, last));
        assert_eq!(live.end(principal_kin(first.sub), now), Dead::default(), "the dead die once");
    }

    #[test]
    fn revoked_tokens_and_expired_names_do_not_count() {
        let (live, world) = (Live::default(), World::system());
        let now = world.now();
        let long = tests::claims(&world);
        let short = Claims { jti: world.id(), exp: now.seconds() + 5, ..long.clone() };
        let revoked = Claims { jti: world.id(), ..long.clone() };
        for claims in [&long, &short, &revoked] {
            live.note(claims, now);
        }
        live.revoked(&revoked);
        let dead = live.end(principal_kin(long.sub), now.plus(Duration::from_secs(6)));
        assert_eq!((dead.tokens, dead.jtis), (1, vec![long.jti]));
    }

    #[test]
    fn tokens_live_by_every_actor_and_are_swept_when_expired() {
        let (live, world) = (Live::default(), World::system());
        let now = world.now();
        let actor = PrincipalId::Agent(world.id());
        let author = PrincipalId::User(world.id());
        let act = Act::by_function(world.id(), Some(author), Some(Act::by(actor, None)));
        let claims = Claims { act: Some(act), ..tests::claims(&world) };
        live.note(&claims, now);
        assert_eq!(live.end(principal_kin(actor), now).tokens, 1);
        live.sweep(now);
        assert_eq!(live.0.lock().len(), 2, "the subject and the author");
        live.sweep(now.plus(Duration::from_secs(601)));
        assert!(live.0.lock().is_empty());
    }
}
