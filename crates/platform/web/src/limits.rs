//! Rate limits: one budget per class and caller (principal, or address while nobody is known), by GCRA.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use problem::{Problem, RATE_LIMITED};
use types::Uuid;

use crate::{Contact, Peer, Rate};

/// Requests per window of each class; 0 lifts the limit.
#[derive(Clone, Copy, Debug)]
pub struct RateLimits {
    pub window: Duration,
    pub read: u32,
    pub write: u32,
    pub sign_in: u32,
    pub token: u32,
    pub heavy: u32,
}

/// Whom a request is counted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Counted {
    Principal(Uuid),
    /// An IPv4 address or an IPv6 /64; `None` where nobody knows it.
    Address(Option<u64>),
    /// An organization's functions, by its slot in the sandbox.
    Jail(u16),
}

impl Counted {
    /// Somebody whom nobody knows yet.
    pub(crate) fn stranger(contact: &Contact) -> Self {
        if let Some(Peer::Jail(slot)) = contact.peer {
            return Self::Jail(slot);
        }
        Self::Address(contact.ip.map(|ip| match ip.to_canonical() {
            IpAddr::V4(ip) => ip.to_bits().into(),
            IpAddr::V6(ip) => (ip.to_bits() >> 64) as u64,
        }))
    }
}

type Limiter = RateLimiter<Counted, DashMapStateStore<Counted>, DefaultClock, StateInformationMiddleware>;

struct Class {
    limit: u32,
    window: Duration,
    limiter: Limiter,
}

pub(crate) struct Limits {
    /// In the order of [`Rate`]; `None` where the limit is lifted, nothing for [`Rate::Own`].
    classes: [Option<Class>; 5],
}

/// What the caller has left, for the headers.
#[derive(Clone, Copy)]
pub(crate) struct Left {
    limit: u32,
    remaining: u32,
    window: Duration,
}

impl Limits {
    pub(crate) fn new(limits: RateLimits) -> Self {
        let class = |limit: u32| {
            let count = NonZeroU32::new(limit)?;
            // A whole window's budget may be spent at once and comes back evenly.
            let quota = Quota::with_period(limits.window / limit)?.allow_burst(count);
            Some(Class {
                limit,
                window: limits.window,
                limiter: RateLimiter::dashmap(quota).with_middleware(),
            })
        };
        let by_rate = [limits.read, limits.write, limits.sign_in, limits.token, limits.heavy];
        Self { classes: by_rate.map(class) }
    }

    pub(crate) fn take(&self, rate: Rate, counted: Counted) -> Result<Option<Left>, Problem> {
        let class = self.classes.get(rate as usize).and_then(Option::as_ref);
        let Some(Class { limit, window, limiter }) = class else { return Ok(None) };
        match limiter.check_key(&counted) {
            Ok(state) => {
                Ok(Some(Left { limit: *limit, remaining: state.remaining_burst_capacity(), window: *window }))
            }
            Err(wait) => {
                let wait = wait.wait_time_from(DefaultClock::default().now());
                let seconds = wait.as_secs() + 1;
                let detail = format!("Too many requests of this kind. Try again in {seconds} s.");
                Err(Problem::new(&RATE_LIMITED, detail)
                    .with_retry_after(seconds)
                    .with_member("limit", *limit))
            }
        }
    }

    /// Forgets callers that have been quiet.
    pub(crate) fn sweep(&self) {
        for class in self.classes.iter().flatten() {
            class.limiter.retain_recent();
        }
    }
}

impl Left {
    /// `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers) and the older `X-RateLimit-*`.
    pub(crate) fn write(self, headers: &mut HeaderMap) {
        let window = self.window.as_secs();
        let mut put = |name: &'static str, value: String| {
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        };
        put("ratelimit", format!("\"default\";r={}", self.remaining));
        put("ratelimit-policy", format!("\"default\";q={};w={window}", self.limit));
        put("x-ratelimit-limit", self.limit.to_string());
        put("x-ratelimit-remaining", self.remaining.to_string());
    }
}
