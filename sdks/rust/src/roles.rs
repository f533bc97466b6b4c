//! Roles that can be given.

use serde::{Deserialize, Serialize};

use crate::{Client, Error, Page};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Role {
    pub name: String,
    pub description: String,
    pub permissions: Vec<String>,
    /// Built-in roles cannot be changed.
    pub built_in: bool,
}

/// `client.roles()`.
#[derive(Clone, Copy)]
pub struct Roles<'a>(&'a Client);

impl Client {
    pub fn roles(&self) -> Roles<'_> {
        Roles(self)
    }
}

impl Roles<'_> {
    pub async fn list(&self) -> Result<Page<Role>, Error> {
        self.0.get(&["api", "v1", "roles"]).answer().await
    }
}
