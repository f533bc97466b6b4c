//! The organization that the caller stands in.

use serde::{Deserialize, Serialize};

use crate::{Client, Error, Time};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Org {
    pub id: String,
    pub slug: String,
    pub name: String,
    /// The first organization of the instance.
    pub home: bool,
    pub created_at: Time,
    pub revision: i64,
}

/// `client.orgs()`.
#[derive(Clone, Copy)]
pub struct Orgs<'a>(&'a Client);

impl Client {
    pub fn orgs(&self) -> Orgs<'_> {
        Orgs(self)
    }
}

impl Orgs<'_> {
    pub async fn current(&self) -> Result<Org, Error> {
        self.0.get(&["api", "v1", "org"]).answer().await
    }
}
