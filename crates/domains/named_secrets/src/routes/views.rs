//! Secrets as the outside sees them: everything but the value.

use secrets::{Engine, Reference};
use serde::{Deserialize, Serialize};
use types::{SecretId, Timestamp};
use utoipa::ToSchema;

use crate::model::NamedSecret;

#[derive(Serialize, ToSchema)]
pub struct SecretView {
    pub id: SecretId,
    pub name: String,
    pub description: String,
    /// `usr_…` or `agt_…`.
    pub owner: String,
    /// Where the value may be sent. With any, no code ever sees it.
    pub hosts: Vec<String>,
    /// Where the value lies, if that is in a Vault.
    pub vault: Option<VaultPlace>,
    /// How many values it has had.
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// When it got its present value.
    pub replaced_at: Timestamp,
    pub revision: i64,
}

/// A secret with what uses it.
#[derive(Serialize, ToSchema)]
pub struct SecretDetail {
    #[serde(flatten)]
    pub secret: SecretView,
    /// Functions whose live version names it; the first 20.
    pub used_by: Vec<String>,
}

/// One value in a key-value store of the server's Vault.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VaultPlace {
    #[schema(max_length = 512)]
    pub mount: String,
    #[schema(max_length = 512)]
    pub path: String,
    #[schema(max_length = 512)]
    pub key: String,
    /// `kv1` or `kv2`, which it is if left out.
    #[schema(pattern = "^kv[12]$")]
    pub engine: Option<String>,
    /// The newest if left out.
    #[schema(minimum = 1)]
    pub version: Option<u64>,
}

impl From<NamedSecret> for SecretView {
    fn from(secret: NamedSecret) -> Self {
        Self {
            id: secret.id,
            name: secret.name.to_string(),
            description: secret.description,
            owner: secret.owner.to_string(),
            hosts: secret.hosts.iter().map(ToString::to_string).collect(),
            vault: secret.vault.map(Into::into),
            version: secret.version,
            created_at: secret.created_at,
            updated_at: secret.updated_at,
            replaced_at: secret.replaced_at,
            revision: secret.revision,
        }
    }
}

impl From<Reference> for VaultPlace {
    fn from(reference: Reference) -> Self {
        let engine = match reference.engine {
            Engine::Kv1 => "kv1",
            Engine::Kv2 => "kv2",
        };
        Self {
            mount: reference.mount,
            path: reference.path,
            key: reference.key,
            engine: Some(engine.to_owned()),
            version: reference.version,
        }
    }
}

impl From<VaultPlace> for Reference {
    fn from(place: VaultPlace) -> Self {
        let engine = if place.engine.as_deref() == Some("kv1") { Engine::Kv1 } else { Engine::Kv2 };
        Self { mount: place.mount, path: place.path, key: place.key, engine, version: place.version }
    }
}
