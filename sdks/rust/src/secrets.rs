//! Secrets of an organization: kept under names, never shown again.

use futures::Stream;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Client, Error, Page, Time, page};

/// A secret without its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedSecret {
    pub id: String,
    pub name: String,
    pub description: String,
    pub owner: String,
    /// Where the value may be sent. With any, no code ever sees it.
    pub hosts: Vec<String>,
    /// Where the value lies, if that is in a Vault.
    pub vault: Option<VaultPlace>,
    /// How many values it has had.
    pub version: i64,
    pub created_at: Time,
    pub updated_at: Time,
    /// When it got its present value.
    pub replaced_at: Time,
    pub revision: i64,
}

/// A secret with what uses it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretDetail {
    #[serde(flatten)]
    pub secret: NamedSecret,
    /// Functions whose live version names it; the first 20.
    pub used_by: Vec<String>,
}

/// One value in a key-value store of the server's Vault.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VaultPlace {
    pub mount: String,
    pub path: String,
    pub key: String,
    /// `kv1` or `kv2`, which it is if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub engine: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
}

/// A secret to be. Not printable: it holds the value.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct NewSecret {
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// With `vault` beside it is written there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vault: Option<VaultPlace>,
    /// `api.example.com`, or `*.example.com` for all below.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hosts: Option<Vec<String>>,
}

/// Another value.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct NewSecretValue {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vault: Option<VaultPlace>,
    /// As they are, if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hosts: Option<Vec<String>>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretFilter {
    /// Part of the name or description.
    pub q: Option<String>,
    pub limit: Option<u32>,
    pub cursor: Option<String>,
}

/// `client.secrets()`. A secret is named by its id or name.
#[derive(Clone, Copy)]
pub struct Secrets<'a>(&'a Client);

impl Client {
    pub fn secrets(&self) -> Secrets<'_> {
        Secrets(self)
    }
}

impl Secrets<'_> {
    pub async fn create(&self, new: &NewSecret) -> Result<NamedSecret, Error> {
        self.0.post(&path(&[])).json(new).once().answer().await
    }

    pub async fn list(&self, filter: &SecretFilter) -> Result<Page<NamedSecret>, Error> {
        self.0.get(&path(&[])).query(filter).answer().await
    }

    pub fn all(&self, filter: &SecretFilter) -> impl Stream<Item = Result<NamedSecret, Error>> {
        page::all(filter.cursor.clone(), move |cursor| async move {
            self.list(&SecretFilter { cursor, ..filter.clone() }).await
        })
    }

    pub async fn get(&self, secret: &str) -> Result<SecretDetail, Error> {
        self.0.get(&path(&[secret])).answer().await
    }

    /// Runs that begin from then on use the new value.
    pub async fn replace(
        &self,
        secret: &str,
        value: &NewSecretValue,
        revision: Option<i64>,
    ) -> Result<NamedSecret, Error> {
        self.0.put(&path(&[secret])).json(value).if_revision(revision).answer().await
    }

    /// A merge patch (RFC 7396).
    pub async fn update(
        &self,
        secret: &str,
        patch: &Value,
        revision: Option<i64>,
    ) -> Result<NamedSecret, Error> {
        self.0.patch(&path(&[secret])).json(patch).if_revision(revision).answer().await
    }

    /// Only one that nothing uses goes.
    pub async fn delete(&self, secret: &str) -> Result<NamedSecret, Error> {
        self.0.delete(&path(&[secret])).answer().await
    }
}

fn path<'a>(rest: &[&'a str]) -> Vec<&'a str> {
    [&["api", "v1", "secrets"], rest].concat()
}
