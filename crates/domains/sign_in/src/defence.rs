//! Growing delays for whoever guesses: by address, by account, and by both together. Unknown accounts are counted like known
//! ones, so that a delay tells nothing. Counts live in memory, in a bounded table; a node that restarts forgets them.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use crypto::mac::MacKey;
use parking_lot::Mutex;
use types::{Timestamp, World};

use crate::SignInError;

/// Counts that are kept; the oldest go first.
const MOST: usize = 200_000;
/// A count is forgotten when nothing failed for this long.
const MEMORY: Duration = Duration::from_secs(3600);

/// How many failures cost nothing, and how long the delay grows at most.
#[derive(Clone, Copy)]
struct Rule {
    free: u32,
    most: Duration,
}

/// Many sit behind one address; one account is guessed at from many.
const BY_ADDRESS: Rule = Rule { free: 100, most: Duration::from_secs(900) };
const BY_ACCOUNT: Rule = Rule { free: 20, most: Duration::from_secs(60) };
const BY_BOTH: Rule = Rule { free: 5, most: Duration::from_secs(900) };
/// Letters to one mailbox.
const LETTERS: Rule = Rule { free: 5, most: Duration::from_secs(900) };

/// At this many failures in a row the account's owner is told.
const TOLD_AT: u32 = 10;

pub(crate) struct Defence {
    world: World,
    key: MacKey,
    counts: Mutex<HashMap<Key, Count>>,
}

/// What is counted for; accounts only as tags, so that memory holds no list of who was tried.
type Key = [u8; 32];

#[derive(Clone, Copy)]
struct Count {
    failures: u32,
    last: Timestamp,
    until: Timestamp,
}

/// Who tries, and as whom.
#[derive(Clone, Copy)]
pub(crate) struct Attempt<'a> {
    pub(crate) ip: Option<IpAddr>,
    /// As it was entered, folded; none before it is known.
    pub(crate) account: Option<&'a str>,
}

impl Defence {
    pub(crate) fn start(world: World, key: MacKey) -> Self {
        Self { world, key, counts: Mutex::default() }
    }

    /// Whether an attempt may be made now.
    pub(crate) fn admit(&self, attempt: Attempt<'_>) -> Result<(), SignInError> {
        let now = self.world.now();
        let counts = self.counts.lock();
        let waits = self.keys(attempt).into_iter().filter_map(|(key, _)| counts.get(&key));
        match waits.map(|count| count.until.since(now)).max() {
            Some(wait) if !wait.is_zero() => Err(too_many(wait)),
            _ => Ok(()),
        }
    }

    /// Counts a failure; true when the account's owner should be told.
    pub(crate) fn failed(&self, attempt: Attempt<'_>) -> bool {
        let now = self.world.now();
        let mut counts = self.counts.lock();
        let mut failures_of_account = 0;
        for (key, rule) in self.keys(attempt) {
            let failures = bump(&mut counts, key, rule, now);
            if rule.most == BY_ACCOUNT.most {
                failures_of_account = failures;
            }
        }
        failures_of_account == TOLD_AT
    }

    /// The account's own count starts anew; the address keeps its own.
    pub(crate) fn succeeded(&self, attempt: Attempt<'_>) {
        let mut counts = self.counts.lock();
        for (key, rule) in self.keys(attempt) {
            if rule.free != BY_ADDRESS.free {
                counts.remove(&key);
            }
        }
    }

    /// Whether a letter may go to this mailbox now; counts it.
    pub(crate) fn letter(&self, mailbox: &str) -> Result<(), SignInError> {
        let now = self.world.now();
        let key = self.key.tag(&[b"letter", mailbox.as_bytes()]);
        let mut counts = self.counts.lock();
        if let Some(count) = counts.get(&key) {
            let wait = count.until.since(now);
            if !wait.is_zero() {
                return Err(too_many(wait));
            }
        }
        bump(&mut counts, key, LETTERS, now);
        Ok(())
    }

    /// Forgets who has been quiet; called by the sweeper.
    pub(crate) fn sweep(&self) {
        let now = self.world.now();
        self.counts.lock().retain(|_, count| now.since(count.last) < MEMORY);
    }

    fn keys(&self, attempt: Attempt<'_>) -> Vec<(Key, Rule)> {
        let address = attempt.ip.map(prefix);
        let mut keys = Vec::with_capacity(3);
        if let Some(address) = &address {
            keys.push((self.key.tag(&[b"address", address]), BY_ADDRESS));
        }
        if let Some(account) = attempt.account {
            keys.push((self.key.tag(&[b"account", account.as_bytes()]), BY_ACCOUNT));
            if let Some(address) = &address {
                keys.push((self.key.tag(&[b"both", address, account.as_bytes()]), BY_BOTH));
            }
        }
        keys
    }
}

fn bump(counts: &mut HashMap<Key, Count>, key: Key, rule: Rule, now: Timestamp) -> u32 {
    if counts.len() >= MOST && !counts.contains_key(&key) {
        // Whoever fills the table pushes out the oldest, not the newest.
        if let Some(oldest) = counts.iter().min_by_key(|(_, count)| count.last).map(|(key, _)| *key) {
            counts.remove(&oldest);
        }
    }
    let count = counts.entry(key).or_insert(Count { failures: 0, last: now, until: now });
    if now.since(count.last) >= MEMORY {
        count.failures = 0;
    }
    count.failures = count.failures.saturating_add(1);
    count.last = now;
    count.until = now.plus(rule.delay(count.failures));
    count.failures
}

impl Rule {
    /// Nothing at first, then one second, doubling.
    fn delay(self, failures: u32) -> Duration {
        match failures.checked_sub(self.free) {
            None | Some(0) => Duration::ZERO,
            Some(over) => Duration::from_secs(1_u64 << (over - 1).min(20)).min(self.most),
        }
    }
}

/// An IPv4 address or an IPv6 /64: what one caller has.
fn prefix(ip: IpAddr) -> [u8; 8] {
    match ip.to_canonical() {
        IpAddr::V4(ip) => u64::from(ip.to_bits()).to_be_bytes(),
        IpAddr::V6(ip) => ((ip.to_bits() >> 64) as u64).to_be_bytes(),
    }
}

fn too_many(wait: Duration) -> SignInError {
    SignInError::TooMany(wait.as_secs() + 1)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use types::{SteeredClock, SystemEntropy};

    use super::*;

    fn defence() -> (Defence, Arc<SteeredClock>) {
        let clock = Arc::new(SteeredClock::default());
        let world = World::new(clock.clone(), Arc::new(SystemEntropy));
        (Defence::start(world, MacKey::new([1; 32])), clock)
    }

    fn attempt(ip: &'static str, account: &'static str) -> Attempt<'static> {
        Attempt { ip: ip.parse().ok(), account: Some(account) }
    }

    #[test]
    fn delays_grow_for_the_pair_and_leave_others_alone() {
        let (defence, clock) = defence();
        let ours = attempt("192.0.2.1", "ada");
        for _ in 0..5 {
            defence.failed(ours);
            assert!(defence.admit(ours).is_ok());
        }
        let mut waits = Vec::new();
        for _ in 0..6 {
            defence.failed(ours);
            let Err(SignInError::TooMany(wait)) = defence.admit(ours) else { panic!("no delay") };
            waits.push(wait);
            clock.advance(Duration::from_secs(wait));
            assert!(defence.admit(ours).is_ok());
        }
        assert!(waits.windows(2).all(|pair| pair[0] < pair[1]), "{waits:?}");
        assert!(defence.admit(attempt("192.0.2.2", "ada")).is_ok(), "the owner at another address");
        assert!(defence.admit(attempt("192.0.2.1", "bob")).is_ok(), "a neighbour behind the same address");
        defence.succeeded(ours);
        defence.failed(ours);
        assert!(defence.admit(ours).is_ok());
    }

    #[test]
    fn an_account_tried_from_everywhere_is_slowed_but_never_locked_for_long() {
        let (defence, _) = defence();
        let mut told = 0;
        for number in 0..200_u32 {
            let ip = Some(IpAddr::from(number.to_be_bytes()));
            told += u32::from(defence.failed(Attempt { ip, account: Some("ada") }));
        }
        assert_eq!(told, 1, "one notice");
        let elsewhere = attempt("203.0.113.9", "ada");
        let Err(SignInError::TooMany(wait)) = defence.admit(elsewhere) else { panic!("no delay") };
        assert!(wait <= BY_ACCOUNT.most.as_secs() + 1, "{wait}");
        assert!(defence.admit(attempt("203.0.113.9", "bob")).is_ok());
    }

    #[test]
    fn an_address_that_tries_many_accounts_is_slowed_and_ipv6_counts_by_network() {
        let (defence, clock) = defence();
        for number in 0..102_u32 {
            let account = number.to_string();
            let ip = format!("2001:db8::{number:x}").parse().ok();
            defence.failed(Attempt { ip, account: Some(&account) });
        }
        assert!(defence.admit(attempt("2001:db8::ffff", "new")).is_err());
        assert!(defence.admit(attempt("2001:db8:0:1::1", "new")).is_ok());
        clock.advance(MEMORY);
        defence.sweep();
        assert!(defence.counts.lock().is_empty());
    }

    #[test]
    fn a_mailbox_is_not_flooded() {
        let (defence, clock) = defence();
        for _ in 0..6 {
            assert!(defence.letter("ada@example.com").is_ok());
        }
        assert!(defence.letter("ada@example.com").is_err());
        assert!(defence.letter("bob@example.com").is_ok());
        clock.advance(Duration::from_secs(2));
        assert!(defence.letter("ada@example.com").is_ok());
    }
}
