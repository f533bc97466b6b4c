//! The life of signing keys: made, loaded, turned, retired – the same on every node.
//!
//! Each change of a ring is an authority entry, so every node reads it anew within the feed's promise; a key is published
//! (staged) long before it signs, so that turning the ring refuses no token anywhere.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cluster::{Cache, Dead, Feed, Heard, OnDead};
use crypto::jwk::Jwk;
use crypto::jws::{Algorithm, SigningKey, VerifyingKey};
use crypto::seal::Aad;
use db::{AuthorityEntry, Change, CommitError, Db};
use ledger::{Actor, Fact, Ledger};
use parking_lot::Mutex;
use secrets::{Keyring, Purpose};
use serde_json::json;
use types::{Id, OrgId, Secret, SigningKeyId, Timestamp, World};

use crate::error::KeysError;
use crate::facts;
use crate::ring::{KeyStatus, Ring, RingKey};
use crate::store::{self, KEYS, KeyRow};

/// A key signs for this long.
pub(crate) const ROTATE_AFTER: Duration = Duration::from_secs(30 * 24 * 3600);
/// Nodes that have not heard of a turn issue nothing after two seconds; this leaves them ample time.
const RETIRE_AFTER: Duration = Duration::from_secs(60);
const READ_AGAIN_AFTER: Duration = Duration::from_secs(1);
/// Rings that are kept open.
const MOST: usize = 10_000;

#[derive(Clone)]
pub struct Keys(Arc<Inner>);

/// A change that turns a ring.
pub(crate) struct Turning {
    pub(crate) change: Change,
    /// Signs from then on.
    pub(crate) active_kid: String,
}

struct Inner {
    db: Db,
    ledger: Ledger,
    keyring: Keyring,
    world: World,
    rings: Cache<OrgId, Ring>,
    /// When a ring was last read again for an unknown key id.
    read_again: Mutex<HashMap<OrgId, Instant>>,
}

impl Keys {
    pub fn new(db: Db, ledger: Ledger, keyring: Keyring, world: World, feed: &Feed) -> Self {
        let rings = Cache::new(feed.clone(), MOST);
        let inner = Arc::new(Inner { db, ledger, keyring, world, rings, read_again: Mutex::default() });
        feed.listen(inner.clone());
        Self(inner)
    }

    /// The organization's ring with a key that signs with `algorithm`, made if this is the first use.
    pub(crate) async fn ring(&self, org: OrgId, algorithm: Algorithm) -> Result<Arc<Ring>, KeysError> {
        let ring = self.published(org).await?;
        if ring.signer(algorithm).is_some() {
            return Ok(ring);
        }
        self.make_first(org, algorithm).await?;
        self.0.rings.forget(&org);
        self.published(org).await
    }

    /// The ring as it is; perhaps without any key.
    pub(crate) async fn published(&self, org: OrgId) -> Result<Arc<Ring>, KeysError> {
        let load = || async { self.load(org).await.map(Some) };
        Ok(self.0.rings.get(org, load).await?.unwrap_or_else(|| Arc::new(Ring::new(Vec::new()))))
    }

    /// Whether somebody who shows an unknown key id may cause a read: at most once a second for each organization.
    pub(crate) fn may_read_again(&self, org: OrgId) -> bool {
        let mut last = self.0.read_again.lock();
        let due = last.get(&org).is_none_or(|at| at.elapsed() >= READ_AGAIN_AFTER);
        if due {
            last.insert(org, Instant::now());
        }
        due
    }

    /// Reads the ring again; for a key id that nobody here has heard of.
    pub(crate) async fn read_again(&self, org: OrgId) -> Result<Arc<Ring>, KeysError> {
        self.0.rings.forget(&org);
        self.published(org).await
    }

    async fn load(&self, org: OrgId) -> Result<Ring, KeysError> {
        let mut keys = Vec::new();
        for row in store::keys_of(&self.0.db, org).await? {
            keys.push(self.open(&row).await?);
        }
        Ok(Ring::new(keys))
    }

    async fn open(&self, row: &KeyRow) -> Result<RingKey, KeysError> {
        let stored = |error: &dyn std::fmt::Display| KeysError::Stored(format!("{}: {error}", row.id));
        let algorithm: Algorithm = row.algorithm.parse().map_err(|error| stored(&error))?;
        let public: Jwk = serde_json::from_str(&row.public).map_err(|error| stored(&error))?;
        let signing = match &row.private {
            None => None,
            Some(sealed) => {
                let id = row.id.uuid();
                let place = place(row.org, id.as_bytes());
                let plain = self.0.keyring.open_sealed(Purpose::Records, &place, sealed).await;
                let plain = Secret::new(plain.map_err(|error| stored(&error))?);
                Some(SigningKey::from_pkcs8(algorithm, plain.reveal())?)
            }
        };
        Ok(RingKey {
            kid: row.kid.as_str().into(),
            algorithm,
            status: row.status,
            verifying: VerifyingKey::from_jwk(&public, algorithm)?,
            public,
            signing,
            retired_at: (row.status == KeyStatus::Retired).then_some(row.changed_at),
        })
    }

    /// An active and a staged key. Of several nodes that try at once the unique index lets one in; all use that one's.
    async fn make_first(&self, org: OrgId, algorithm: Algorithm) -> Result<(), KeysError> {
        let active = self.generate(org, algorithm, KeyStatus::Active).await?;
        let staged = self.generate(org, algorithm, KeyStatus::Staged).await?;
        let change = Change::new(KEYS, self.created(&active).await?)
            .fact(self.created(&staged).await?)
            .statements([store::insert_key(&active), store::insert_key(&staged)])
            .authority(entry(org));
        match self.0.db.commit(change).await {
            Err(CommitError::Refused(code)) if *code == problem::ALREADY_EXISTS => Ok(()),
            other => Ok(other.map(drop)?),
        }
    }

    /// The change that turns the ring: active → retiring, staged → active, a new one staged.
    pub(crate) async fn turning(
        &self,
        org: OrgId,
        algorithm: Algorithm,
        fact: Fact,
        reason: &str,
    ) -> Result<Option<Turning>, KeysError> {
        let rows = store::keys_of(&self.0.db, org).await?;
        let of = |status| rows.iter().find(|row| row.status == status && row.algorithm == algorithm.name());
        let (Some(active), Some(staged)) = (of(KeyStatus::Active), of(KeyStatus::Staged)) else {
            return Ok(None);
        };
        let next = self.generate(org, algorithm, KeyStatus::Staged).await?;
        let now = self.0.world.now();
        let fact = fact.target("signing_key", staged.id, &staged.kid).data(json!({
            "algorithm": algorithm.name(), "old_kid": active.kid, "new_kid": staged.kid, "reason": reason,
        }));
        let change = Change::new(KEYS, self.0.ledger.seal(fact).await?)
            .fact(self.created(&next).await?)
            .statement(store::turn_key(active, KeyStatus::Retiring, now))
            .statement(store::turn_key(staged, KeyStatus::Active, now))
            .statement(store::insert_key(&next));
        Ok(Some(Turning { change: change.authority(entry(org)), active_kid: staged.kid.clone() }))
    }

    /// Turns what has signed for 30 days and destroys what signs no more. Keys of the operator's own are left to him.
    pub async fn keep(&self) -> Result<(), KeysError> {
        let now = self.0.world.now();
        let due = store::keys_since(&self.0.db, KeyStatus::Active, now.minus(ROTATE_AFTER)).await?;
        for row in due.iter().filter(|row| row.source == GENERATED) {
            let Ok(algorithm) = row.algorithm.parse() else { continue };
            let fact = Fact::new(&facts::KEY_ROTATED, row.org, system());
            let turning = self.turning(row.org, algorithm, fact, "after 30 days").await?;
            self.try_commit(turning.map(|turning| turning.change)).await?;
        }
        for row in store::keys_since(&self.0.db, KeyStatus::Retiring, now.minus(RETIRE_AFTER)).await? {
            let fact = Fact::new(&facts::KEY_RETIRED, row.org, system())
                .target("signing_key", row.id, &row.kid)
                .data(json!({ "kid": row.kid, "algorithm": row.algorithm }));
            let change =
                Change::new(KEYS, self.0.ledger.seal(fact).await?).statement(store::retire_key(&row, now));
            self.try_commit(Some(change.authority(entry(row.org)))).await?;
        }
        Ok(())
    }

    /// Makes an operator's own key the active one, once: a key that was here before is left as it is. Answers its status and
    /// whether it is new.
    pub(crate) async fn import(&self, org: OrgId, key: &SigningKey) -> Result<(KeyStatus, bool), KeysError> {
        let algorithm = key.algorithm();
        self.ring(org, algorithm).await?;
        loop {
            let rows = store::keys_of(&self.0.db, org).await?;
            if let Some(known) = rows.iter().find(|row| row.kid == key.kid()) {
                // Another node may have been first; what it said may not have been heard here yet.
                self.0.rings.forget(&org);
                return Ok((known.status, false));
            }
            let row = self.row(org, key, KeyStatus::Active, IMPORTED).await?;
            let active =
                rows.iter().find(|row| row.status == KeyStatus::Active && row.algorithm == algorithm.name());
            let turn = active.map(|active| store::turn_key(active, KeyStatus::Retiring, row.created_at));
            let change = Change::new(KEYS, self.created(&row).await?)
                .statements(turn)
                .statement(store::insert_key(&row))
                .authority(entry(org));
            match self.0.db.commit(change).await {
                Err(CommitError::Stale | CommitError::Refused(_)) => {}
                other => return Ok(other.map(|_| (KeyStatus::Active, true))?),
            }
        }
    }

    pub(crate) async fn rows(&self, org: OrgId) -> Result<Vec<KeyRow>, KeysError> {
        Ok(store::keys_of(&self.0.db, org).await?)
    }

    /// A job of another node may have been first; then there is nothing left to do.
    async fn try_commit(&self, change: Option<Change>) -> Result<(), KeysError> {
        let Some(change) = change else { return Ok(()) };
        match self.0.db.commit(change).await {
            Err(CommitError::Stale) => Ok(()),
            other => Ok(other.map(drop)?),
        }
    }

    async fn generate(
        &self,
        org: OrgId,
        algorithm: Algorithm,
        status: KeyStatus,
    ) -> Result<KeyRow, KeysError> {
        // An RSA key takes a tenth of a second.
        let made = tokio::task::spawn_blocking(move || SigningKey::generate(algorithm)).await;
        let key = made.map_err(|error| KeysError::Stored(error.to_string()))??;
        self.row(org, &key, status, GENERATED).await
    }

    async fn row(
        &self,
        org: OrgId,
        key: &SigningKey,
        status: KeyStatus,
        source: &str,
    ) -> Result<KeyRow, KeysError> {
        let (id, now): (SigningKeyId, Timestamp) = (self.0.world.id(), self.0.world.now());
        let plain = key.to_pkcs8();
        let private =
            self.0.keyring.seal(Purpose::Records, &place(org, id.uuid().as_bytes()), plain.reveal()).await?;
        let public =
            serde_json::to_string(key.public()).map_err(|error| KeysError::Stored(error.to_string()))?;
        Ok(KeyRow {
            org,
            id,
            kid: key.kid().to_owned(),
            algorithm: key.algorithm().name().to_owned(),
            status,
            source: source.to_owned(),
            private: Some(private),
            public,
            created_at: now,
            changed_at: now,
            revision: 1,
        })
    }

    async fn created(&self, row: &KeyRow) -> Result<db::FactRow, KeysError> {
        let fact = Fact::new(&facts::KEY_CREATED, row.org, system())
            .target("signing_key", row.id, &row.kid)
            .data(json!({
                "kid": row.kid, "algorithm": row.algorithm, "source": row.source, "status": row.status.name(),
            }));
        Ok(self.0.ledger.seal(fact).await?)
    }
}

impl OnDead for Inner {
    fn heard(&self, entry: &Heard) -> Dead {
        if entry.kind == "keys" {
            self.rings.forget(&entry.org);
        }
        Dead::default()
    }
}

const GENERATED: &str = "generated";
const IMPORTED: &str = "imported";

fn system() -> Actor {
    Actor::system("signing keys")
}

fn entry(org: OrgId) -> AuthorityEntry {
    AuthorityEntry::changed(org, "keys", org.uuid())
}

fn place(org: OrgId, row: &[u8; 16]) -> Aad<'_> {
    Aad { table: "signing_keys", column: "private", org: Some(org), row }
}

#[cfg(test)]
mod tests;
