//! Data keys by organization, purpose and version: made on first use, wrapped in the database, open in memory.

use std::collections::HashMap;
use std::sync::Arc;

use crypto::envelope::{KeyEncryptionKey, KeyLabel};
use crypto::mac::MacKey;
use crypto::seal::{Aad, DataKey, SealError, header_version};
use db::{Bookkeeping, Db, SystemScope, sql};
use parking_lot::RwLock;
use types::{Id, OrgId, Uuid, World};

use crate::{KeySource, SecretsError, check};

const SCOPE: SystemScope = SystemScope::new("data keys");

/// What a data key seals; separate keys let one kind be destroyed or rotated without the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Private parts of facts.
    Ledger,
    /// Columns of domain tables.
    Records,
    Blobs,
    /// Stored answers to requests with an Idempotency-Key.
    Idempotency,
}

impl Purpose {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ledger => "ledger",
            Self::Records => "records",
            Self::Blobs => "blobs",
            Self::Idempotency => "idempotency",
        }
    }
}

/// The open keys; clones share them.
#[derive(Clone)]
pub struct Keyring(Arc<Inner>);

struct Inner {
    db: Db,
    world: World,
    kek: KeyEncryptionKey,
    /// `None` as organization: keys of the instance.
    keys: RwLock<HashMap<(Option<OrgId>, Purpose), Versions>>,
}

/// Oldest first; the last one seals.
type Versions = Arc<[Arc<DataKey>]>;

impl Keyring {
    /// Loads the key-encryption key, or makes its file when nothing was ever sealed, and refuses a wrong one.
    pub async fn open(db: Db, world: World, source: &KeySource) -> Result<Self, SecretsError> {
        let kek = source.load(&world, check::sealed_before(&db).await?)?;
        check::hold(&db, &world, &kek).await?;
        Ok(Self(Arc::new(Inner { db, world, kek, keys: RwLock::default() })))
    }

    /// The current key, made if this is its first use. Without organization: the instance's own.
    pub async fn key(
        &self,
        org: impl Into<Option<OrgId>>,
        purpose: Purpose,
    ) -> Result<Arc<DataKey>, SecretsError> {
        let org = org.into();
        if let Some(key) = self.cached(org, purpose, None) {
            return Ok(key);
        }
        if self.load(org, purpose).await?.is_empty() {
            self.create(org, purpose).await?;
            self.load(org, purpose).await?;
        }
        self.cached(org, purpose, None)
            .ok_or(SecretsError::UnknownVersion { purpose: purpose.name(), version: 1 })
    }

    /// The version that a sealed value's header names.
    pub async fn key_version(
        &self,
        org: impl Into<Option<OrgId>>,
        purpose: Purpose,
        version: u32,
    ) -> Result<Arc<DataKey>, SecretsError> {
        let org = org.into();
        if let Some(key) = self.cached(org, purpose, Some(version)) {
            return Ok(key);
        }
        self.load(org, purpose).await?;
        let unknown = SecretsError::UnknownVersion { purpose: purpose.name(), version };
        self.cached(org, purpose, Some(version)).ok_or(unknown)
    }

    /// Seals under the current key of `aad.org`.
    pub async fn seal(
        &self,
        purpose: Purpose,
        aad: &Aad<'_>,
        plaintext: &[u8],
    ) -> Result<Vec<u8>, SecretsError> {
        Ok(self.key(aad.org, purpose).await?.seal(&self.0.world, aad, plaintext))
    }

    /// Opens with the version that the value names.
    pub async fn open_sealed(
        &self,
        purpose: Purpose,
        aad: &Aad<'_>,
        sealed: &[u8],
    ) -> Result<Vec<u8>, OpenError> {
        let key = self.key_version(aad.org, purpose, header_version(sealed)?).await?;
        Ok(key.open(aad, sealed)?)
    }

    /// Lets go of an organization's open keys. Once their rows are gone, too, nobody can ever open what they sealed.
    pub fn forget(&self, org: OrgId) {
        self.0.keys.write().retain(|(of, _), _| *of != Some(org));
    }

    /// The key that machine secrets are tagged under.
    pub fn pepper(&self, version: u32) -> MacKey {
        self.0.kek.pepper(version)
    }

    /// A tag key of its own for each label: cursors, index hashes.
    pub fn derive(&self, label: &str) -> MacKey {
        self.0.kek.derive(label)
    }

    /// Names the key-encryption key; tells nothing of it.
    pub fn id(&self) -> String {
        self.0.kek.id()
    }

    fn cached(&self, org: Option<OrgId>, purpose: Purpose, version: Option<u32>) -> Option<Arc<DataKey>> {
        let keys = self.0.keys.read();
        let versions = keys.get(&(org, purpose))?;
        match version {
            None => versions.last().cloned(),
            Some(version) => versions.iter().find(|key| key.version() == version).cloned(),
        }
    }

    async fn load(&self, org: Option<OrgId>, purpose: Purpose) -> Result<Versions, SecretsError> {
        let text = "SELECT version, wrapped FROM data_keys WHERE org = $1 AND purpose = $2 ORDER BY version";
        let rows = self.0.db.read(SCOPE, sql(text, vec![column(org).into(), purpose.name().into()])).await?;
        let label = KeyLabel { org, purpose: purpose.name() };
        let mut versions = Vec::with_capacity(rows.len());
        for mut row in rows {
            let version = u32::try_from(row.next::<i64>()?).unwrap_or(u32::MAX);
            let wrapped: Vec<u8> = row.next()?;
            versions.push(Arc::new(self.0.kek.unwrap(&label, version, &wrapped)?));
        }
        let versions: Versions = versions.into();
        if !versions.is_empty() {
            self.0.keys.write().insert((org, purpose), versions.clone());
        }
        Ok(versions)
    }

    /// Several nodes may try at once: the primary key lets one in, and all read that one.
    async fn create(&self, org: Option<OrgId>, purpose: Purpose) -> Result<(), SecretsError> {
        let Inner { db, world, kek, .. } = &*self.0;
        let key = DataKey::generate(world, 1);
        let wrapped = kek.wrap(world, &KeyLabel { org, purpose: purpose.name() }, &key);
        let text = "INSERT INTO data_keys (org, purpose, version, wrapped, created_at) VALUES ($1, $2, 1, $3, $4) \
                    ON CONFLICT (org, purpose, version) DO NOTHING";
        let params = vec![column(org).into(), purpose.name().into(), wrapped.into(), world.now().into()];
        db.keep(Bookkeeping::new(SCOPE).statement(sql(text, params))).await?;
        Ok(())
    }
}

/// Keys of the instance stand under the nil UUID, which no organization has.
fn column(org: Option<OrgId>) -> Uuid {
    org.map_or(Uuid::nil(), Id::uuid)
}

/// Why a sealed value was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(transparent)]
    Key(#[from] SecretsError),
    #[error(transparent)]
    Sealed(#[from] SealError),
}
