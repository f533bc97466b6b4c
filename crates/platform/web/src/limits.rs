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

use crate::Rate;

/// Requests per minute of each class.
#[derive(Clone, Copy, Debug)]
pub struct RateLimits {
    pub read: u32,
    pub write: u32,
    pub sign_in: u32,
    pub token: u32,
    pub heavy: u32,
}

impl Default for RateLimits {
    fn default() -> Self {
        Self { read: 6_000, write: 1_200, sign_in: 20, token: 6_000, heavy: 30 }
    }
}

/// Whom a request is counted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Counted {
    Principal(Uuid),
    /// An IPv4 address or an IPv6 /64.
    Address(u64),
}

impl Counted {
    pub(crate) fn address(ip: Option<IpAddr>) -> Self {
        Self::Address(match ip.map(|ip| ip.to_canonical()) {
            Some(IpAddr::V4(ip)) => ip.to_bits().into(),
            Some(IpAddr::V6(ip)) => (ip.to_bits() >> 64) as u64,
            None => u64::MAX,
        })
    }
}

type Limiter = RateLimiter<Counted, DashMapStateStore<Counted>, DefaultClock, StateInformationMiddleware>;

pub(crate) struct Limits {
    classes: [(Rate, u32, Limiter); 5],
}

/// What the caller has left, for the headers.
#[derive(Clone, Copy)]
pub(crate) struct Left {
    pub(crate) limit: u32,
    pub(crate) remaining: u32,
}

impl Limits {
    pub(crate) fn new(limits: RateLimits) -> Self {
        let class = |rate, per_minute: u32| {
            let count = NonZeroU32::new(per_minute).unwrap_or(NonZeroU32::MIN);
            let limiter = RateLimiter::dashmap(Quota::per_minute(count)).with_middleware();
            (rate, per_minute, limiter)
        };
        Self {
            classes: [
                class(Rate::Read, limits.read),
                class(Rate::Write, limits.write),
                class(Rate::SignIn, limits.sign_in),
                class(Rate::Token, limits.token),
                class(Rate::Heavy, limits.heavy),
            ],
        }
    }

    pub(crate) fn take(&self, rate: Rate, counted: Counted) -> Result<Left, Problem> {
        let (_, limit, limiter) = &self.classes[rate as usize];
        match limiter.check_key(&counted) {
            Ok(state) => Ok(Left { limit: *limit, remaining: state.remaining_burst_capacity() }),
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
        for (_, _, limiter) in &self.classes {
            limiter.retain_recent();
        }
    }
}

impl Left {
    /// `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers) and the older `X-RateLimit-*`.
    pub(crate) fn write(self, headers: &mut HeaderMap) {
        let window = Duration::from_secs(60).as_secs();
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
