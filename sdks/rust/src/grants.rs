//! Who holds which role or permission.

use futures::Stream;
use serde::{Deserialize, Serialize};

use crate::{Client, Error, Page, Time, page};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    pub id: String,
    /// `usr_…`, `agt_…` or `grp_…`.
    pub principal: String,
    pub principal_kind: String,
    pub role: Option<String>,
    pub permission: Option<String>,
    pub granted_by: String,
    pub created_at: Time,
}

/// Either a role or a single permission.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewGrant {
    pub principal: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permission: Option<String>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct GrantFilter {
    pub principal: Option<String>,
    pub role: Option<String>,
    pub limit: Option<u32>,
    pub cursor: Option<String>,
    /// Adds `total`.
    pub count: Option<bool>,
}

/// `client.grants()`.
#[derive(Clone, Copy)]
pub struct Grants<'a>(&'a Client);

impl Client {
    pub fn grants(&self) -> Grants<'_> {
        Grants(self)
    }
}

impl Grants<'_> {
    pub async fn list(&self, filter: &GrantFilter) -> Result<Page<Grant>, Error> {
        self.0.get(&["api", "v1", "grants"]).query(filter).answer().await
    }

    /// Every grant that the filter lets through.
    pub fn all(&self, filter: &GrantFilter) -> impl Stream<Item = Result<Grant, Error>> {
        page::all(filter.cursor.clone(), move |cursor| async move {
            self.list(&GrantFilter { cursor, ..filter.clone() }).await
        })
    }

    /// Gives a role or a permission; in force on the next request.
    pub async fn create(&self, new: &NewGrant) -> Result<Grant, Error> {
        self.0.post(&["api", "v1", "grants"]).json(new).answer().await
    }

    pub async fn get(&self, grant: &str) -> Result<Grant, Error> {
        self.0.get(&["api", "v1", "grants", grant]).answer().await
    }

    /// Takes it away; in force on the next request.
    pub async fn delete(&self, grant: &str) -> Result<Grant, Error> {
        self.0.delete(&["api", "v1", "grants", grant]).answer().await
    }
}
