//! API keys, which act as their owner.

use futures::Stream;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{Client, Error, Page, Time, page};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKey {
    pub id: String,
    pub name: String,
    /// `usr_…` or `agt_…`.
    pub owner: String,
    pub owner_kind: String,
    /// `active`, `expired` or `revoked`.
    pub status: String,
    pub permissions: Vec<String>,
    pub allowed_ips: Vec<String>,
    pub created_by: String,
    pub created_at: Time,
    pub expires_at: Option<Time>,
    pub revoked_at: Option<Time>,
    pub last_used_at: Option<Time>,
    pub last_used_ip: Option<String>,
    pub revision: i64,
}

/// A new key; its text is here and nowhere else.
#[derive(Serialize, Deserialize)]
pub struct IssuedApiKey {
    #[serde(flatten)]
    pub key: ApiKey,
    #[serde(with = "crate::credentials::shown")]
    pub api_key: Zeroizing<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewApiKey {
    pub name: String,
    /// The caller if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    pub permissions: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// Addresses and networks that it may be used from; everywhere if empty.
    pub allowed_ips: Vec<String>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct ApiKeyFilter {
    pub owner: Option<String>,
    pub status: Option<String>,
    pub limit: Option<u32>,
    pub cursor: Option<String>,
}

/// `client.api_keys()`.
#[derive(Clone, Copy)]
pub struct ApiKeys<'a>(&'a Client);

impl Client {
    pub fn api_keys(&self) -> ApiKeys<'_> {
        ApiKeys(self)
    }
}

impl ApiKeys<'_> {
    /// A repeat after a broken connection is refused with `already_created`: a key is shown once.
    pub async fn create(&self, new: &NewApiKey) -> Result<IssuedApiKey, Error> {
        self.0.post(&["api", "v1", "api-keys"]).json(new).once().answer().await
    }

    pub async fn list(&self, filter: &ApiKeyFilter) -> Result<Page<ApiKey>, Error> {
        self.0.get(&["api", "v1", "api-keys"]).query(filter).answer().await
    }

    /// Every key that the filter lets through.
    pub fn all(&self, filter: &ApiKeyFilter) -> impl Stream<Item = Result<ApiKey, Error>> {
        page::all(filter.cursor.clone(), move |cursor| async move {
            self.list(&ApiKeyFilter { cursor, ..filter.clone() }).await
        })
    }

    pub async fn get(&self, key: &str) -> Result<ApiKey, Error> {
        self.0.get(&["api", "v1", "api-keys", key]).answer().await
    }

    /// What stands on it ends.
    pub async fn revoke(&self, key: &str) -> Result<ApiKey, Error> {
        self.0.delete(&["api", "v1", "api-keys", key]).answer().await
    }
}
