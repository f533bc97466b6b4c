//! Who belongs to the organization.

use futures::Stream;
use serde::{Deserialize, Serialize};

use crate::{Client, Error, Page, Time, page};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    pub user: String,
    pub display_name: String,
    pub username: Option<String>,
    pub email: Option<String>,
    pub email_verified: bool,
    /// `active` or `suspended` on the whole instance.
    pub status: String,
    pub roles: Vec<String>,
    pub joined_at: Time,
    pub invited_by: Option<String>,
    pub provider: Option<String>,
    pub last_login_at: Option<Time>,
    /// Of the membership.
    pub revision: i64,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct MemberFilter {
    /// `active` or `suspended`.
    pub status: Option<String>,
    /// Part of the display name, e-mail address or user name.
    pub q: Option<String>,
    /// Only those who were given this role themselves.
    pub role: Option<String>,
    /// Items per page, 1 to 200.
    pub limit: Option<u32>,
    pub cursor: Option<String>,
}

/// `client.members()`.
#[derive(Clone, Copy)]
pub struct Members<'a>(&'a Client);

impl Client {
    pub fn members(&self) -> Members<'_> {
        Members(self)
    }
}

impl Members<'_> {
    pub async fn list(&self, filter: &MemberFilter) -> Result<Page<Member>, Error> {
        self.0.get(&["api", "v1", "members"]).query(filter).answer().await
    }

    pub fn all(&self, filter: &MemberFilter) -> impl Stream<Item = Result<Member, Error>> {
        page::all(filter.cursor.clone(), move |cursor| async move {
            self.list(&MemberFilter { cursor, ..filter.clone() }).await
        })
    }

    pub async fn get(&self, user: &str) -> Result<Member, Error> {
        self.0.get(&["api", "v1", "members", user]).answer().await
    }

    /// Exactly these roles from now on. With a revision it is refused (`stale_revision`) if somebody else was faster.
    pub async fn update(&self, user: &str, roles: &[String], revision: Option<i64>) -> Result<Member, Error> {
        self.0
            .patch(&["api", "v1", "members", user])
            .json(&Roles { roles })
            .if_revision(revision)
            .answer()
            .await
    }

    /// Ends a membership. The member's agents pass to the user named, or are suspended.
    pub async fn remove(&self, user: &str, agents_to: Option<&str>) -> Result<Member, Error> {
        self.0.delete(&["api", "v1", "members", user]).json(&Leaving { agents_to }).answer().await
    }
}

#[derive(Serialize)]
struct Roles<'a> {
    roles: &'a [String],
}

#[derive(Serialize)]
struct Leaving<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    agents_to: Option<&'a str>,
}
