//! Resources of outside applications, made known by their prefix.

use serde::{Deserialize, Serialize};

use crate::{Client, Error, Page, Time};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourcePrefix {
    pub id: String,
    pub prefix: String,
    pub description: String,
    pub resources: Vec<OutsideResource>,
    pub created_by: String,
    pub created_at: Time,
    pub updated_at: Time,
    pub revision: i64,
}

/// `courses` of `titan.courses`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutsideResource {
    pub name: String,
    pub meaning: String,
    #[serde(default)]
    pub actions: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewResourcePrefix {
    pub prefix: String,
    pub description: String,
    pub resources: Vec<OutsideResource>,
}

/// What is left out stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourcePrefixPatch {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<Vec<OutsideResource>>,
}

/// `client.resource_prefixes()`.
#[derive(Clone, Copy)]
pub struct ResourcePrefixes<'a>(&'a Client);

impl Client {
    pub fn resource_prefixes(&self) -> ResourcePrefixes<'_> {
        ResourcePrefixes(self)
    }
}

impl ResourcePrefixes<'_> {
    pub async fn list(&self) -> Result<Page<ResourcePrefix>, Error> {
        self.0.get(&["api", "v1", "resource-prefixes"]).answer().await
    }

    pub async fn create(&self, new: &NewResourcePrefix) -> Result<ResourcePrefix, Error> {
        self.0.post(&["api", "v1", "resource-prefixes"]).json(new).answer().await
    }

    pub async fn get(&self, prefix: &str) -> Result<ResourcePrefix, Error> {
        self.0.get(&["api", "v1", "resource-prefixes", prefix]).answer().await
    }

    pub async fn update(&self, prefix: &str, patch: &ResourcePrefixPatch) -> Result<ResourcePrefix, Error> {
        self.0.patch(&["api", "v1", "resource-prefixes", prefix]).json(patch).answer().await
    }

    /// Only while no grant, role or API key names a resource below it.
    pub async fn delete(&self, prefix: &str) -> Result<ResourcePrefix, Error> {
        self.0.delete(&["api", "v1", "resource-prefixes", prefix]).answer().await
    }
}
