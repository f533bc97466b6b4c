//! What can be permitted, what the caller may do, and whether that would be enough.

use serde::{Deserialize, Serialize};

use crate::{Client, Error};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PermissionCatalogue {
    pub items: Vec<Resource>,
}

/// Something that permissions are about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resource {
    pub resource: String,
    pub meaning: String,
    pub actions: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EffectivePermissions {
    pub permissions: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PermissionAnswer {
    pub allowed: bool,
    pub results: Vec<PermissionResult>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PermissionResult {
    pub permission: String,
    pub allowed: bool,
}

/// `client.permissions()`.
#[derive(Clone, Copy)]
pub struct Permissions<'a>(&'a Client);

impl Client {
    pub fn permissions(&self) -> Permissions<'_> {
        Permissions(self)
    }
}

impl Permissions<'_> {
    pub async fn catalogue(&self) -> Result<PermissionCatalogue, Error> {
        self.0.get(&["api", "v1", "permissions"]).answer().await
    }

    pub async fn me(&self) -> Result<EffectivePermissions, Error> {
        self.0.get(&["api", "v1", "permissions", "me"]).answer().await
    }

    /// `logic` is `all` or `any`. Nothing is done.
    pub async fn check(&self, permissions: &[String], logic: &str) -> Result<PermissionAnswer, Error> {
        let question = Question { permissions, logic };
        self.0.post(&["api", "v1", "permissions", "check"]).json(&question).answer().await
    }
}

#[derive(Serialize)]
struct Question<'a> {
    permissions: &'a [String],
    logic: &'a str,
}
