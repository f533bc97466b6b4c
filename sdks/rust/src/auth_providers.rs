//! Sign-in providers of the organization and of the instance.

use std::collections::BTreeMap;

use futures::Stream;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Client, Error, Page, Time, page};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuthProvider {
    pub id: String,
    pub name: String,
    pub display_name: String,
    /// Such as `otp`, `password`, `passkey`.
    pub kind: String,
    /// Whether it is the instance's; else it is the organization's.
    pub instance: bool,
    pub enabled: bool,
    pub settings: Map<String, Value>,
    pub has_secrets: bool,
    pub default_roles: Vec<String>,
    pub create_users: bool,
    pub allowed_domains: Vec<String>,
    /// Groups of its directory, and the roles that their members have.
    pub group_roles: BTreeMap<String, Vec<String>>,
    pub trust_email: bool,
    /// `api` or `file`.
    pub source: String,
    pub created_at: Time,
    pub updated_at: Time,
    pub revision: i64,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NewAuthProvider {
    pub name: String,
    pub kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    #[serde(default)]
    pub instance: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    #[serde(default)]
    pub settings: Map<String, Value>,
    #[serde(default)]
    pub default_roles: Vec<String>,
    #[serde(default)]
    pub create_users: bool,
    #[serde(default)]
    pub allowed_domains: Vec<String>,
    #[serde(default)]
    pub group_roles: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    pub trust_email: bool,
}

/// What is `None` stays; settings are merged.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AuthProviderPatch {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settings: Option<Map<String, Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_roles: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub create_users: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_domains: Option<Vec<String>>,
    /// Replaces the whole map.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_roles: Option<BTreeMap<String, Vec<String>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trust_email: Option<bool>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct AuthProviderFilter {
    /// The instance's instead of the organization's.
    pub instance: Option<bool>,
    pub limit: Option<u32>,
    pub cursor: Option<String>,
}

/// What a try of a provider found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderTest {
    pub works: bool,
    pub findings: Vec<ProviderFinding>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderFinding {
    pub what: String,
    pub works: bool,
    pub detail: String,
}

/// Every kind that the server knows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProviderKinds {
    pub items: Vec<ProviderKind>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProviderKind {
    pub name: String,
    /// JSON Schema; what is secret is `writeOnly`.
    pub settings: Value,
    pub first: FirstStep,
}

/// What a page asks for first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstStep {
    /// `begin` or `login`.
    pub step: String,
    pub fields: Vec<String>,
}

/// `client.auth_providers()`.
#[derive(Clone, Copy)]
pub struct AuthProviders<'a>(&'a Client);

impl Client {
    pub fn auth_providers(&self) -> AuthProviders<'_> {
        AuthProviders(self)
    }
}

impl AuthProviders<'_> {
    pub async fn create(&self, new: &NewAuthProvider) -> Result<AuthProvider, Error> {
        self.0.post(&path(&[])).json(new).once().answer().await
    }

    pub async fn list(&self, filter: &AuthProviderFilter) -> Result<Page<AuthProvider>, Error> {
        self.0.get(&path(&[])).query(filter).answer().await
    }

    pub fn all(&self, filter: &AuthProviderFilter) -> impl Stream<Item = Result<AuthProvider, Error>> {
        page::all(filter.cursor.clone(), move |cursor| async move {
            self.list(&AuthProviderFilter { cursor, ..filter.clone() }).await
        })
    }

    /// The kinds that there are, and what each wants to know.
    pub async fn kinds(&self) -> Result<ProviderKinds, Error> {
        self.0.get(&path(&["kinds"])).answer().await
    }

    pub async fn get(&self, provider: &str) -> Result<AuthProvider, Error> {
        self.0.get(&path(&[provider])).answer().await
    }

    /// With a revision, only if it is still at that one.
    pub async fn update(
        &self,
        provider: &str,
        patch: &AuthProviderPatch,
        revision: Option<i64>,
    ) -> Result<AuthProvider, Error> {
        self.0.patch(&path(&[provider])).json(patch).if_revision(revision).answer().await
    }

    /// Sessions that began with it live on.
    pub async fn delete(&self, provider: &str) -> Result<AuthProvider, Error> {
        self.0.delete(&path(&[provider])).answer().await
    }

    /// Tries out what can be tried without a person.
    pub async fn test(&self, provider: &str) -> Result<ProviderTest, Error> {
        self.0.post(&path(&[provider, "test"])).once().answer().await
    }
}

fn path<'a>(rest: &[&'a str]) -> Vec<&'a str> {
    [&["api", "v1", "auth-providers"], rest].concat()
}
