//! Growing delays for whoever guesses: by address, by account, and by both together. Unknown accounts are counted like known
//! ones, so that a delay tells nothing. The counts lie on the bus: nodes that share one count together.

use std::net::IpAddr;
use std::time::Duration;

use bus::{Bus, Key};
use crypto::mac::MacKey;
use types::{Timestamp, World};

use crate::SignInError;

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
    bus: Bus,
}

/// Under a tag of what is counted for, so that no memory holds a list of who was tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Count {
    failures: u32,
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
    pub(crate) fn start(world: World, key: MacKey, bus: Bus) -> Self {
        Self { world, key, bus }
    }

    /// Whether an attempt may be made now.
    pub(crate) async fn admit(&self, attempt: Attempt<'_>) -> Result<(), SignInError> {
        let mut longest = Duration::ZERO;
        for (key, _) in self.keys(attempt) {
            longest = longest.max(self.wait(&key).await);
        }
        if longest.is_zero() { Ok(()) } else { Err(too_many(longest)) }
    }

    /// Counts a failure; true when the account's owner should be told.
    pub(crate) async fn failed(&self, attempt: Attempt<'_>) -> bool {
        let mut failures_of_account = 0;
        for (key, rule) in self.keys(attempt) {
            let failures = self.bump(&key, rule).await;
            if rule.most == BY_ACCOUNT.most {
                failures_of_account = failures;
            }
        }
        failures_of_account == TOLD_AT
    }

    /// The account's own count starts anew; the address keeps its own.
    pub(crate) async fn succeeded(&self, attempt: Attempt<'_>) {
        for (key, rule) in self.keys(attempt) {
            if rule.free != BY_ADDRESS.free && self.bus.get(&key).await.is_some() {
                self.bus.remove(&key).await;
            }
        }
    }

    /// Whether a letter may go to this mailbox now; counts it.
    pub(crate) async fn letter(&self, mailbox: &str) -> Result<(), SignInError> {
        let key = self.key.tag(&[b"letter", mailbox.as_bytes()]);
        let wait = self.wait(&key).await;
        if !wait.is_zero() {
            return Err(too_many(wait));
        }
        self.bump(&key, LETTERS).await;
        Ok(())
    }

    async fn wait(&self, key: &Key) -> Duration {
        let count = self.bus.get(key).await.and_then(|bytes| Count::read(&bytes));
        count.map_or(Duration::ZERO, |count| count.until.since(self.world.now()))
    }

    /// One more; how many it are now.
    async fn bump(&self, key: &Key, rule: Rule) -> u32 {
        let now = self.world.now();
        let more = |seen: Option<&[u8]>| {
            let before = seen.and_then(Count::read).map_or(0, |count| count.failures);
            let failures = before.saturating_add(1);
            Count { failures, until: now.plus(rule.delay(failures)) }.to_bytes()
        };
        Count::read(&self.bus.change(key, more).await).map_or(0, |count| count.failures)
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

impl Count {
    fn to_bytes(self) -> Vec<u8> {
        [&self.failures.to_be_bytes()[..], &self.until.millis().to_be_bytes()].concat()
    }

    /// None for what a node of another version wrote.
    fn read(bytes: &[u8]) -> Option<Self> {
        let (failures, until) = bytes.split_first_chunk()?;
        let until = Timestamp::from_millis(i64::from_be_bytes(until.try_into().ok()?));
        Some(Self { failures: u32::from_be_bytes(*failures), until })
    }
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
        (Defence::start(world.clone(), MacKey::new([1; 32]), Bus::alone(world)), clock)
    }

    fn attempt(ip: &'static str, account: &'static str) -> Attempt<'static> {
        Attempt { ip: ip.parse().ok(), account: Some(account) }
    }

    #[tokio::test]
    async fn delays_grow_for_the_pair_and_leave_others_alone() {
        let (defence, clock) = defence();
        let ours = attempt("192.0.2.1", "ada");
        for _ in 0..5 {
            defence.failed(ours).await;
            assert!(defence.admit(ours).await.is_ok());
        }
        let mut waits = Vec::new();
        for _ in 0..6 {
            defence.failed(ours).await;
            let Err(SignInError::TooMany(wait)) = defence.admit(ours).await else { panic!("no delay") };
            waits.push(wait);
            clock.advance(Duration::from_secs(wait));
            assert!(defence.admit(ours).await.is_ok());
        }
        assert!(waits.windows(2).all(|pair| pair[0] < pair[1]), "{waits:?}");
        assert!(defence.admit(attempt("192.0.2.2", "ada")).await.is_ok(), "the owner at another address");
        assert!(
            defence.admit(attempt("192.0.2.1", "bob")).await.is_ok(),
            "a neighbour behind the same address"
        );
        defence.succeeded(ours).await;
        defence.failed(ours).await;
        assert!(defence.admit(ours).await.is_ok());
    }

    #[tokio::test]
    async fn an_account_tried_from_everywhere_is_slowed_but_never_locked_for_long() {
        let (defence, _) = defence();
        let mut told = 0;
        for number in 0..200_u32 {
            let ip = Some(IpAddr::from(number.to_be_bytes()));
            told += u32::from(defence.failed(Attempt { ip, account: Some("ada") }).await);
        }
        assert_eq!(told, 1, "one notice");
        let elsewhere = attempt("203.0.113.9", "ada");
        let Err(SignInError::TooMany(wait)) = defence.admit(elsewhere).await else { panic!("no delay") };
        assert!(wait <= BY_ACCOUNT.most.as_secs() + 1, "{wait}");
        assert!(defence.admit(attempt("203.0.113.9", "bob")).await.is_ok());
    }

    #[tokio::test]
    async fn an_address_that_tries_many_accounts_is_slowed_and_ipv6_counts_by_network() {
        let (defence, clock) = defence();
        for number in 0..102_u32 {
            let account = number.to_string();
            let ip = format!("2001:db8::{number:x}").parse().ok();
            defence.failed(Attempt { ip, account: Some(&account) }).await;
        }
        assert!(defence.admit(attempt("2001:db8::ffff", "new")).await.is_err());
        assert!(defence.admit(attempt("2001:db8:0:1::1", "new")).await.is_ok());
        clock.advance(bus::FORGOTTEN_AFTER);
        assert!(defence.admit(attempt("2001:db8::ffff", "new")).await.is_ok());
    }

    #[tokio::test]
    async fn a_mailbox_is_not_flooded() {
        let (defence, clock) = defence();
        for _ in 0..6 {
            assert!(defence.letter("ada@example.com").await.is_ok());
        }
        assert!(defence.letter("ada@example.com").await.is_err());
        assert!(defence.letter("bob@example.com").await.is_ok());
        clock.advance(Duration::from_secs(2));
        assert!(defence.letter("ada@example.com").await.is_ok());
    }
}
