//! The keys that an organization's tokens are signed with.

use serde::{Deserialize, Serialize};

use crate::{Client, Error, Page, Time};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenKey {
    pub id: String,
    /// RFC 7638 thumbprint.
    pub kid: String,
    /// `ES256`, `EdDSA` or `RS256`.
    pub algorithm: String,
    /// `staged`, `active`, `retiring` or `retired`.
    pub status: String,
    /// `generated` or `imported`.
    pub source: String,
    pub created_at: Time,
    /// When it got its status.
    pub changed_at: Time,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RotatedKeys {
    pub algorithm: String,
    /// Signs now.
    pub active_kid: String,
}

/// `client.signing_keys()`.
#[derive(Clone, Copy)]
pub struct SigningKeys<'a>(&'a Client);

impl Client {
    pub fn signing_keys(&self) -> SigningKeys<'_> {
        SigningKeys(self)
    }
}

impl SigningKeys<'_> {
    pub async fn list(&self) -> Result<Page<TokenKey>, Error> {
        self.0.get(&["api", "v1", "signing-keys"]).answer().await
    }

    /// Lets the staged key sign from now on; tokens under the old one stay valid until they expire.
    pub async fn rotate(&self, reason: Option<&str>) -> Result<RotatedKeys, Error> {
        self.0.post(&["api", "v1", "signing-keys", "rotate"]).json(&Rotation { reason }).once().answer().await
    }
}

#[derive(Serialize)]
struct Rotation<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}
