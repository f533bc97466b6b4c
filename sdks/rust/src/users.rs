//! People of the organization.

use futures::Stream;
use serde::{Deserialize, Serialize};

use crate::{Client, Error, Page, Time, page};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    pub id: String,
    pub display_name: String,
    pub email: Option<String>,
    /// `active` or `suspended`.
    pub status: String,
    pub created_at: Time,
    pub last_login_at: Option<Time>,
    pub revision: i64,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct UserFilter {
    pub limit: Option<u32>,
    pub cursor: Option<String>,
}

/// `client.users()`.
#[derive(Clone, Copy)]
pub struct Users<'a>(&'a Client);

impl Client {
    pub fn users(&self) -> Users<'_> {
        Users(self)
    }
}

impl Users<'_> {
    pub async fn list(&self, filter: &UserFilter) -> Result<Page<User>, Error> {
        self.0.get(&["api", "v1", "users"]).query(filter).answer().await
    }

    /// Every person of the organization.
    pub fn all(&self, filter: &UserFilter) -> impl Stream<Item = Result<User, Error>> {
        page::all(filter.cursor.clone(), move |cursor| async move {
            self.list(&UserFilter { cursor, ..filter.clone() }).await
        })
    }
}
