//! Roles that can be given: built-in ones and the organization's own.

use futures::Stream;
use serde::{Deserialize, Serialize};

use crate::{Client, Error, Page, Time, page};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Role {
    /// Of the organization's own roles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    pub name: String,
    pub description: String,
    pub permissions: Vec<String>,
    /// Built-in roles cannot be changed.
    pub built_in: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Time>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Time>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<i64>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewRole {
    pub name: String,
    pub description: String,
    pub permissions: Vec<String>,
}

/// What is left out stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RolePatch {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permissions: Option<Vec<String>>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct RoleFilter {
    /// Part of the name or description.
    pub q: Option<String>,
    pub limit: Option<u32>,
    pub cursor: Option<String>,
    /// Adds `total`.
    pub count: Option<bool>,
}

/// `client.roles()`. A role is named by its name or id.
#[derive(Clone, Copy)]
pub struct Roles<'a>(&'a Client);

impl Client {
    pub fn roles(&self) -> Roles<'_> {
        Roles(self)
    }
}

impl Roles<'_> {
    pub async fn list(&self, filter: &RoleFilter) -> Result<Page<Role>, Error> {
        self.0.get(&["api", "v1", "roles"]).query(filter).answer().await
    }

    /// Every role that the filter lets through.
    pub fn all(&self, filter: &RoleFilter) -> impl Stream<Item = Result<Role, Error>> {
        page::all(filter.cursor.clone(), move |cursor| async move {
            self.list(&RoleFilter { cursor, ..filter.clone() }).await
        })
    }

    pub async fn get(&self, role: &str) -> Result<Role, Error> {
        self.0.get(&["api", "v1", "roles", role]).answer().await
    }

    /// It can allow only what you hold.
    pub async fn create(&self, new: &NewRole) -> Result<Role, Error> {
        self.0.post(&["api", "v1", "roles"]).json(new).answer().await
    }

    /// Refused with `stale_revision` if the role has another revision by now.
    pub async fn update(&self, role: &str, patch: &RolePatch, revision: Option<i64>) -> Result<Role, Error> {
        self.0.patch(&["api", "v1", "roles", role]).json(patch).if_revision(revision).answer().await
    }

    /// Only a role that nobody holds.
    pub async fn delete(&self, role: &str) -> Result<Role, Error> {
        self.0.delete(&["api", "v1", "roles", role]).answer().await
    }
}
