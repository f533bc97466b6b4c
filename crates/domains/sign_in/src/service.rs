//! The facade of this domain and what its parts share.

use std::sync::Arc;
use std::time::Duration;

use access::Access;
use bus::Bus;
use crypto::mac::MacKey;
use crypto::seal::Aad;
use db::{Db, SystemScope};
use egress::Egress;
use ledger::Ledger;
use mail::Post;
use people::People;
use secrets::{Keyring, Purpose, Vault};
use serde_json::{Map, Value};
use types::{Id, World};

use crate::defence::Defence;
use crate::kind::Kinds;
use crate::passwords::Hasher;
use crate::redirects::Redirects;
use crate::{Provider, SignInError, kinds, store};

pub(crate) const SIGN_IN: SystemScope = SystemScope::new("sign-in flows");

#[derive(Clone, Debug)]
pub struct SignInSettings {
    /// Without trailing slash.
    pub public_url: String,
    /// Addresses besides our own that a sign-in may return to.
    pub return_to: Vec<String>,
    pub state_lifetime: Duration,
    pub code_lifetime: Duration,
    /// Where the API of WorkOS stands.
    pub workos_url: String,
    /// By how much the clocks of others may differ.
    pub clock_skew: Duration,
}

/// The rooms that this one stands on.
pub struct SignInParts {
    pub db: Db,
    pub ledger: Ledger,
    pub world: World,
    pub keyring: Keyring,
    pub vault: Vault,
    pub access: Access,
    pub people: People,
    pub post: Post,
    pub bus: Bus,
    pub egress: Egress,
}

/// Sign-in; clones share it.
#[derive(Clone)]
pub struct SignIn(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) db: Db,
    pub(crate) ledger: Ledger,
    pub(crate) world: World,
    pub(crate) keyring: Keyring,
    pub(crate) vault: Vault,
    pub(crate) access: Access,
    pub(crate) people: People,
    pub(crate) settings: SignInSettings,
    pub(crate) state_key: MacKey,
    pub(crate) redirects: Redirects,
    pub(crate) post: Post,
    hasher: Hasher,
    defence: Defence,
    kinds: Kinds,
}

impl SignIn {
    /// Starts the threads that passwords are hashed on.
    pub fn open(parts: SignInParts, settings: SignInSettings) -> std::io::Result<Self> {
        let hasher = Hasher::start(parts.world.clone())?;
        let kinds = kinds::all(&parts, &settings, &hasher);
        let SignInParts { db, ledger, world, keyring, vault, access, people, post, bus, egress: _ } = parts;
        Ok(Self(Arc::new(Inner {
            defence: Defence::start(world.clone(), keyring.derive("sign-in attempts"), bus),
            state_key: keyring.derive("sign-in states"),
            redirects: Redirects::new(&settings.public_url, &settings.return_to),
            db,
            ledger,
            world,
            keyring,
            vault,
            access,
            people,
            settings,
            kinds,
            post,
            hasher,
        })))
    }

    pub(crate) fn hasher(&self) -> &Hasher {
        &self.0.hasher
    }

    pub(crate) fn defence(&self) -> &Defence {
        &self.0.defence
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.0
    }

    pub(crate) fn db(&self) -> &Db {
        &self.0.db
    }

    pub(crate) fn kinds(&self) -> &Kinds {
        &self.0.kinds
    }

    /// The secret settings of a provider, opened.
    pub(crate) async fn secrets_of(&self, provider: &Provider) -> Result<Map<String, Value>, SignInError> {
        let Some(sealed) = store::secrets(self.db(), provider.id).await? else { return Ok(Map::new()) };
        let id = provider.id.uuid();
        let place = place(provider, id.as_bytes());
        let opened = self.0.keyring.open_sealed(Purpose::Records, &place, &sealed).await?;
        serde_json::from_slice(&opened).map_err(SignInError::internal)
    }

    /// The secret settings, sealed to the provider's row; none if there are none.
    pub(crate) async fn sealed(
        &self,
        provider: &Provider,
        secrets: &Map<String, Value>,
    ) -> Result<Option<Vec<u8>>, SignInError> {
        if secrets.is_empty() {
            return Ok(None);
        }
        let plain = serde_json::to_vec(secrets).map_err(SignInError::internal)?;
        let id = provider.id.uuid();
        let place = place(provider, id.as_bytes());
        Ok(Some(self.0.keyring.seal(Purpose::Records, &place, &plain).await?))
    }
}

fn place<'a>(provider: &Provider, row: &'a [u8]) -> Aad<'a> {
    Aad { table: "auth_providers", column: "secrets", org: provider.owner.org(), row }
}
