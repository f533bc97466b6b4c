//! The signing keys of one organization, open in memory: which one signs, and which ones are believed.
//!
//! staged (published, signs next) → active (signs) → retiring (another node may still sign with it) → retired (believed
//! and published until the last token that it can have signed has expired). Pure; [`crate::keys`] loads and turns it.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use crypto::jwk::Jwk;
use crypto::jws::{Algorithm, SigningKey, VerifyingKey};
use serde::Serialize;
use types::Timestamp;

/// No access token lives longer, whatever is configured.
pub(crate) const LONGEST_LIFETIME: Duration = Duration::from_secs(3600);
/// Between nodes' clocks.
const SLACK: Duration = Duration::from_secs(300);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyStatus {
    Staged,
    Active,
    Retiring,
    Retired,
}

impl KeyStatus {
    const ALL: [Self; 4] = [Self::Staged, Self::Active, Self::Retiring, Self::Retired];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Staged => "staged",
            Self::Active => "active",
            Self::Retiring => "retiring",
            Self::Retired => "retired",
        }
    }
}

impl fmt::Display for KeyStatus {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

impl FromStr for KeyStatus {
    type Err = ledger::UnknownWord;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|status| status.name() == text).ok_or(ledger::UnknownWord)
    }
}

/// One key of the ring. The algorithm is the record's; a token's header only has to agree with it.
pub(crate) struct RingKey {
    pub(crate) kid: Arc<str>,
    pub(crate) algorithm: Algorithm,
    pub(crate) status: KeyStatus,
    pub(crate) public: Jwk,
    pub(crate) verifying: VerifyingKey,
    /// Gone once retired.
    pub(crate) signing: Option<SigningKey>,
    pub(crate) retired_at: Option<Timestamp>,
}

pub(crate) struct Ring(Vec<RingKey>);

impl RingKey {
    /// Whether tokens under this key can still be alive.
    fn is_believed(&self, now: Timestamp) -> bool {
        self.retired_at.is_none_or(|at| now < at.plus(LONGEST_LIFETIME + SLACK))
    }
}

impl Ring {
    pub(crate) fn new(keys: Vec<RingKey>) -> Self {
        Self(keys)
    }

    /// The key that signs with this algorithm now.
    pub(crate) fn signer(&self, algorithm: Algorithm) -> Option<&SigningKey> {
        let active = |key: &&RingKey| key.status == KeyStatus::Active && key.algorithm == algorithm;
        self.0.iter().find(active)?.signing.as_ref()
    }

    /// The key of that name, if a token may still be signed with it.
    pub(crate) fn believed(&self, kid: &str, now: Timestamp) -> Option<&RingKey> {
        self.0.iter().find(|key| *key.kid == *kid && key.is_believed(now))
    }

    /// RFC 7517 §5; the active keys first.
    pub(crate) fn jwks(&self, now: Timestamp) -> Vec<&Jwk> {
        let mut keys: Vec<&RingKey> = self.0.iter().filter(|key| key.is_believed(now)).collect();
        keys.sort_by_key(|key| key.status != KeyStatus::Active);
        keys.into_iter().map(|key| &key.public).collect()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use types::World;

    use super::*;

    pub(crate) fn key(status: KeyStatus, retired_at: Option<Timestamp>) -> RingKey {
        let signing = SigningKey::generate(Algorithm::ES256).unwrap();
        RingKey {
            kid: signing.kid().into(),
            algorithm: Algorithm::ES256,
            status,
            public: signing.public().clone(),
            verifying: VerifyingKey::from_jwk(signing.public(), Algorithm::ES256).unwrap(),
            signing: Some(signing),
            retired_at,
        }
    }

    #[test]
    fn only_the_active_key_of_the_algorithm_signs() {
        let now = World::system().now();
        let ring = Ring::new(vec![
            key(KeyStatus::Staged, None),
            key(KeyStatus::Retiring, None),
            key(KeyStatus::Active, None),
            key(KeyStatus::Retired, Some(now)),
        ]);
        assert_eq!(ring.signer(Algorithm::ES256).unwrap().kid(), &*ring.0[2].kid);
        assert!(ring.signer(Algorithm::EdDSA).is_none());
        assert_eq!(ring.jwks(now)[0], &ring.0[2].public);
    }

    #[test]
    fn retired_keys_are_believed_for_the_longest_lifetime() {
        let now = World::system().now();
        let ring = Ring::new(vec![key(KeyStatus::Retired, Some(now)), key(KeyStatus::Staged, None)]);
        let (retired, staged) = (&ring.0[0].kid, &ring.0[1].kid);
        let still = now.plus(LONGEST_LIFETIME);
        assert!(ring.believed(retired, still).is_some());
        assert_eq!(ring.jwks(still).len(), 2);
        let gone = now.plus(LONGEST_LIFETIME + SLACK);
        assert!(ring.believed(retired, gone).is_none());
        assert_eq!(ring.jwks(gone).len(), 1);
        assert!(ring.believed(staged, gone).is_some(), "what is staged here may be active elsewhere already");
        assert!(ring.believed("", now).is_none());
    }
}
