//! People of the organization.

use futures::Stream;
use serde::{Deserialize, Serialize};

use crate::{Client, Error, Member, Page, Time, page};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    pub id: String,
    pub display_name: String,
    pub username: Option<String>,
    pub email: Option<String>,
    /// An address that was not proved signs nobody in.
    pub email_verified: bool,
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

/// A person as operators see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownUser {
    #[serde(flatten)]
    pub user: User,
    /// Ids of the organizations that the person is a member of.
    pub orgs: Vec<String>,
}

/// For operators: the people of the instance.
#[derive(Clone, Debug, Default, Serialize)]
pub struct UserSearch {
    /// `active` or `suspended`.
    pub status: Option<String>,
    /// Part of the display name, e-mail address or user name.
    pub q: Option<String>,
    /// Items per page, 1 to 200.
    pub limit: Option<u32>,
    pub cursor: Option<String>,
}

/// A person to be created inside a proved domain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NewUser {
    pub email: String,
    pub display_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
}

/// Many people of one provider.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserImport {
    pub provider: String,
    pub entries: Vec<ImportEntry>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ImportEntry {
    /// Who it is at the provider.
    pub external_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    pub display_name: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportReport {
    /// In the order of the request.
    pub outcomes: Vec<ImportOutcome>,
    pub created: u64,
    pub joined: u64,
    pub linked: u64,
    pub unchanged: u64,
    pub refused: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportOutcome {
    pub external_id: String,
    /// `created`, `joined`, `linked`, `unchanged` or `refused`.
    pub outcome: String,
    pub user: Option<String>,
    /// Why it was refused.
    pub code: Option<String>,
    pub detail: Option<String>,
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

    pub async fn get(&self, user: &str) -> Result<User, Error> {
        self.0.get(&["api", "v1", "users", user]).answer().await
    }

    /// Inside a domain that the organization has proved.
    pub async fn create(&self, new: &NewUser) -> Result<User, Error> {
        self.0.post(&["api", "v1", "users"]).json(new).once().answer().await
    }

    /// Each entry has an outcome of its own.
    pub async fn import(&self, import: &UserImport) -> Result<ImportReport, Error> {
        self.0.post(&["api", "v1", "users", "import"]).json(import).once().answer().await
    }

    /// A member inside a proved domain: every session ends everywhere.
    pub async fn suspend_inside(&self, user: &str, reason: Option<&str>) -> Result<Member, Error> {
        self.0.post(&["api", "v1", "users", user, "suspend"]).json(&Because { reason }).once().answer().await
    }

    /// Undoes the organization's own suspension.
    pub async fn reactivate_inside(&self, user: &str) -> Result<Member, Error> {
        self.0.post(&["api", "v1", "users", user, "reactivate"]).once().answer().await
    }

    /// For operators: people of the whole instance.
    pub async fn search(&self, search: &UserSearch) -> Result<Page<User>, Error> {
        self.0.get(&["api", "v1", "system", "users"]).query(search).answer().await
    }

    /// For operators.
    pub async fn known(&self, user: &str) -> Result<KnownUser, Error> {
        self.0.get(&["api", "v1", "system", "users", user]).answer().await
    }

    /// For operators: every session of the person ends everywhere, every token is void.
    pub async fn suspend(&self, user: &str, reason: Option<&str>) -> Result<KnownUser, Error> {
        let path = ["api", "v1", "system", "users", user, "suspend"];
        self.0.post(&path).json(&Because { reason }).once().answer().await
    }

    /// For operators.
    pub async fn reactivate(&self, user: &str) -> Result<KnownUser, Error> {
        self.0.post(&["api", "v1", "system", "users", user, "reactivate"]).once().answer().await
    }

    /// Every person of the organization.
    pub fn all(&self, filter: &UserFilter) -> impl Stream<Item = Result<User, Error>> {
        page::all(filter.cursor.clone(), move |cursor| async move {
            self.list(&UserFilter { cursor, ..filter.clone() }).await
        })
    }
}

#[derive(Serialize)]
struct Because<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}
