//! What can be permitted, what the caller may do, and whether that would be enough.

use serde::{Deserialize, Serialize};

use crate::{Client, Error};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PermissionCatalogue {
    pub items: Vec<Resource>,
    /// Every operation that needs a permission.
    pub operations: Vec<PermissionOperation>,
}

/// What an operation needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PermissionOperation {
    pub id: String,
    pub method: String,
    pub path: String,
    pub permission: String,
    /// People confirm that it is them; tokens and keys must hold the permission by name, without wildcards.
    pub step_up: bool,
}

/// An operation that a set of permissions opens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenedOperation {
    #[serde(flatten)]
    pub operation: PermissionOperation,
    /// How far for every object: `own`, `group` or `all`; `None` if only objects that the permissions name are reached.
    pub reach: Option<String>,
    /// Whether tokens and keys could do it too, where it asks for the permission by name.
    pub by_name: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenedOperations {
    pub items: Vec<OpenedOperation>,
}

/// What somebody holds, and where each comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldPermissions {
    pub principal: String,
    pub principal_kind: String,
    pub display_name: String,
    pub permissions: Vec<String>,
    pub groups: Vec<String>,
    pub sources: Vec<PermissionSource>,
}

/// One grant that somebody holds, itself or through a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PermissionSource {
    pub grant: String,
    pub role: Option<String>,
    pub group: Option<String>,
    pub permissions: Vec<String>,
}

/// Something that permissions are about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resource {
    pub resource: String,
    pub meaning: String,
    pub actions: Vec<String>,
    /// Of an outside application.
    #[serde(default)]
    pub outside: bool,
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

    /// Of a person, an agent or a group.
    pub async fn of(&self, principal: &str) -> Result<HeldPermissions, Error> {
        self.0.get(&["api", "v1", "permissions", "of", principal]).answer().await
    }

    /// Which operations these would open to whoever held them.
    pub async fn opens(&self, permissions: &[String]) -> Result<OpenedOperations, Error> {
        self.0.post(&["api", "v1", "permissions", "opens"]).json(&Set { permissions }).answer().await
    }

    /// `logic` is `all` or `any`. Nothing is done.
    pub async fn check(&self, permissions: &[String], logic: &str) -> Result<PermissionAnswer, Error> {
        let question = Question { permissions, logic };
        self.0.post(&["api", "v1", "permissions", "check"]).json(&question).answer().await
    }
}

#[derive(Serialize)]
struct Set<'a> {
    permissions: &'a [String],
}

#[derive(Serialize)]
struct Question<'a> {
    permissions: &'a [String],
    logic: &'a str,
}
