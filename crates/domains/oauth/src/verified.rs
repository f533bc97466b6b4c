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

/// What the cache says of a token.
#[derive(Debug)]
pub(crate) enum Looked {
    Good(Arc<Verified>),
    Bad(&'static str),
    Unknown,
}

/// Good and bad tokens apart: nobody drives good ones out by inventing bad ones.
pub(crate) struct VerifiedCache {
    good: Shards<Arc<Verified>>,
    /// Since when, and what is wrong.
    bad: Shards<(Instant, &'static str)>,
}

impl VerifiedCache {
    /// Holds at most twice `most` tokens of each sort.
    pub(crate) fn new(most: usize) -> Self {
        Self { good: Shards::new(most), bad: Shards::new(most) }
    }

    pub(crate) fn name(token: &str) -> Name {
        crypto::hash::sha256(token.as_bytes())
    }

    pub(crate) fn look(&self, name: &Name) -> Looked {
        if let Some(verified) = self.good.get(name) {
            return Looked::Good(verified);
        }
        match self.bad.get(name) {
            Some((since, why)) if since.elapsed() < FAILED_FOR => Looked::Bad(why),
            _ => Looked::Unknown,
        }
    }

    pub(crate) fn keep(&self, name: Name, verified: Arc<Verified>) {
        self.good.put(name, verified);
    }

    pub(crate) fn failed(&self, name: Name, why: &'static str) {
        self.bad.put(name, (Instant::now(), why));
    }

    /// Drops the tokens that stand on `kin`; gives those that were known.
    pub(crate) fn drop_standing_on(&self, kin: Kin) -> Vec<Arc<Verified>> {
        self.good.extract(|verified| verified.kin.contains(&kin))
    }
}

/// Bounded in two generations per shard: when the younger is full the older goes, and what is in use moves up.
struct Shards<V> {
    shards: [RwLock<Generations<V>>; SHARDS],
    /// Values per generation and shard.
    most: usize,
}

struct Generations<V> {
    young: HashMap<Name, V>,
    old: HashMap<Name, V>,
}

impl<V: Clone> Shards<V> {
    fn new(most: usize) -> Self {
        let empty = || RwLock::new(Generations { young: HashMap::new(), old: HashMap::new() });
        Self { shards: std::array::from_fn(|_| empty()), most: most.div_ceil(SHARDS).max(1) }
    }

    fn get(&self, name: &Name) -> Option<V> {
        let aged = {
            let generations = self.shard(name).read();
            if let Some(value) = generations.young.get(name) {
                return Some(value.clone());
            }
            generations.old.get(name)?.clone()
        };
        self.put(*name, aged.clone());
        Some(aged)
    }

    fn put(&self, name: Name, value: V) {
        let mut generations = self.shard(&name).write();
        if generations.young.len() >= self.most {
            generations.old = std::mem::take(&mut generations.young);
        }
        generations.young.insert(name, value);
    }

    fn extract(&self, which: impl Fn(&V) -> bool) -> Vec<V> {
        let mut extracted = Vec::new();
        for shard in &self.shards {
            let Generations { young, old } = &mut *shard.write();
            for (name, value) in young.extract_if(|_, value| which(value)) {
                // An aged copy of the same is no second one.
                old.remove(&name);
                extracted.push(value);
            }
            extracted.extend(old.extract_if(|_, value| which(value)).map(|(_, value)| value));
        }
        extracted
    }

    /// A hash is spread evenly; its first byte chooses.
    fn shard(&self, name: &Name) -> &RwLock<Generations<V>> {
        &self.shards[usize::from(name[0]) % SHARDS]
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

    fn held<V>(shards: &Shards<V>) -> usize {
        shards.shards.iter().map(|shard| shard.read()).map(|one| one.young.len() + one.old.len()).sum()
    }

    #[test]
    fn remembers_good_tokens_and_for_a_while_bad_ones() {
        let (cache, world) = (VerifiedCache::new(100), World::system());
        let name = VerifiedCache::name("a token");
        assert!(matches!(cache.look(&name), Looked::Unknown));
        cache.failed(name, "broken");
        assert!(matches!(cache.look(&name), Looked::Bad("broken")));
        cache.bad.put(name, (Instant::now().checked_sub(FAILED_FOR).unwrap(), "broken"));
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
            cache.failed(VerifiedCache::name(&format!("bad {number}")), "broken");
            assert!(matches!(cache.look(&hot), Looked::Good(_)), "{number}");
        }
        assert!(held(&cache.good) <= 2 * 160 && held(&cache.bad) <= 2 * 160);
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
