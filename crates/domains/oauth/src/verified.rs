//! Tokens whose signature was checked before, found again by the hash of their whole text.
//!
//! Only signature and claims are remembered. Whether the token is in time, for us, alive and still backed by grants is
//! asked anew each time. Failures are remembered for a second, so that repeating a bad token is cheap.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use authority::Authority;
use cluster::Kin;
use parking_lot::RwLock;

use crate::claims::Claims;

const FAILED_FOR: Duration = Duration::from_secs(1);
const SHARDS: usize = 16;

/// A token that is ours: signed by its organization's key, well formed, not yet known to be alive.
#[derive(Debug)]
pub(crate) struct Verified {
    pub(crate) claims: Claims,
    pub(crate) scope: Arc<Authority>,
    pub(crate) kin: Box<[Kin]>,
}

type Name = [u8; 32];

#[derive(Clone)]
enum Known {
    Good(Arc<Verified>),
    /// Since when, and what is wrong with it.
    Bad(Instant, &'static str),
}

/// What the cache says of a token.
#[derive(Debug)]
pub(crate) enum Looked {
    Good(Arc<Verified>),
    Bad(&'static str),
    Unknown,
}

/// Bounded in two generations per shard: when the younger is full the older goes, and what was in use moves up.
pub(crate) struct VerifiedCache {
    shards: [RwLock<Generations>; SHARDS],
    /// Tokens per generation and shard.
    most: usize,
}

#[derive(Default)]
struct Generations {
    young: HashMap<Name, Known>,
    old: HashMap<Name, Known>,
}

impl VerifiedCache {
    /// Holds at most twice `most` tokens.
    pub(crate) fn new(most: usize) -> Self {
        Self { shards: std::array::from_fn(|_| RwLock::default()), most: most.div_ceil(SHARDS).max(1) }
    }

    pub(crate) fn name(token: &str) -> Name {
        crypto::hash::sha256(token.as_bytes())
    }

    pub(crate) fn look(&self, name: &Name) -> Looked {
        let shard = self.shard(name);
        let (known, aged) = {
            let generations = shard.read();
            match (generations.young.get(name), generations.old.get(name)) {
                (Some(known), _) => (known.clone(), false),
                (None, Some(known)) => (known.clone(), true),
                (None, None) => return Looked::Unknown,
            }
        };
        match known {
            Known::Good(verified) => {
                if aged {
                    self.put(*name, Known::Good(verified.clone()));
                }
                Looked::Good(verified)
            }
            Known::Bad(since, why) if since.elapsed() < FAILED_FOR => Looked::Bad(why),
            Known::Bad(..) => Looked::Unknown,
        }
    }

    pub(crate) fn keep(&self, name: Name, verified: Arc<Verified>) {
        self.put(name, Known::Good(verified));
    }

    pub(crate) fn failed(&self, name: Name, why: &'static str) {
        self.put(name, Known::Bad(Instant::now(), why));
    }

    /// Drops the tokens that stand on `kin`; gives those that were known.
    pub(crate) fn drop_standing_on(&self, kin: Kin) -> Vec<Arc<Verified>> {
        let mut dropped = Vec::new();
        for shard in &self.shards {
            let mut generations = shard.write();
            let Generations { young, old } = &mut *generations;
            for (name, known) in young.extract_if(|_, known| known.stands_on(kin)) {
                // An aged copy of the same token is no second token.
                old.remove(&name);
                dropped.extend(known.good());
            }
            dropped.extend(
                old.extract_if(|_, known| known.stands_on(kin)).filter_map(|(_, known)| known.good()),
            );
        }
        dropped
    }

    fn put(&self, name: Name, known: Known) {
        let mut generations = self.shard(&name).write();
        if generations.young.len() >= self.most {
            generations.old = std::mem::take(&mut generations.young);
        }
        generations.young.insert(name, known);
    }

    /// A hash is spread evenly; its first byte chooses.
    fn shard(&self, name: &Name) -> &RwLock<Generations> {
        &self.shards[usize::from(name[0]) % SHARDS]
    }
}

impl Known {
    fn good(self) -> Option<Arc<Verified>> {
        match self {
            Self::Good(verified) => Some(verified),
            Self::Bad(..) => None,
        }
    }

    fn stands_on(&self, kin: Kin) -> bool {
        matches!(self, Self::Good(verified) if verified.kin.contains(&kin))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use types::{Id, World};

    use super::*;

    pub(crate) fn verified(claims: Claims) -> Arc<Verified> {
        let kin = claims.kin();
        Arc::new(Verified { scope: crate::claims::parse_scope(&claims.scope).unwrap(), kin, claims })
    }

    fn some(world: &World) -> Arc<Verified> {
        verified(crate::claims::tests::claims(world))
    }

    #[test]
    fn remembers_good_tokens_and_for_a_while_bad_ones() {
        let (cache, world) = (VerifiedCache::new(100), World::system());
        let name = VerifiedCache::name("a token");
        assert!(matches!(cache.look(&name), Looked::Unknown));
        cache.failed(name, "broken");
        assert!(matches!(cache.look(&name), Looked::Bad("broken")));
        cache.put(name, Known::Bad(Instant::now().checked_sub(FAILED_FOR).unwrap(), "broken"));
        assert!(matches!(cache.look(&name), Looked::Unknown));
        cache.keep(name, some(&world));
        assert!(matches!(cache.look(&name), Looked::Good(_)));
        assert!(matches!(cache.look(&VerifiedCache::name("a toke")), Looked::Unknown));
    }

    #[test]
    fn stays_bounded_and_keeps_what_is_in_use() {
        let (cache, world) = (VerifiedCache::new(160), World::system());
        let (verified, hot) = (some(&world), VerifiedCache::name("hot"));
        cache.keep(hot, verified.clone());
        for number in 0..5_000 {
            cache.keep(VerifiedCache::name(&number.to_string()), verified.clone());
            assert!(matches!(cache.look(&hot), Looked::Good(_)), "{number}");
        }
        let held: usize =
            cache.shards.iter().map(|shard| shard.read().young.len() + shard.read().old.len()).sum();
        assert!(held <= 2 * 160, "{held}");
    }

    #[test]
    fn what_stands_on_the_dead_is_dropped_once() {
        let (cache, world) = (VerifiedCache::new(1_000), World::system());
        let (first, second) = (some(&world), some(&world));
        for number in 0..50 {
            cache.keep(VerifiedCache::name(&format!("first {number}")), first.clone());
            cache.keep(VerifiedCache::name(&format!("second {number}")), second.clone());
        }
        let kin = Kin { kind: "credential", key: first.claims.crd.unwrap().uuid() };
        assert_eq!(cache.drop_standing_on(kin).len(), 50);
        assert!(cache.drop_standing_on(kin).is_empty());
        assert!(matches!(cache.look(&VerifiedCache::name("second 7")), Looked::Good(_)));
    }
}
