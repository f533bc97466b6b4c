//! Bringing people in by a link.

use futures::Stream;
use serde::{Deserialize, Serialize};

use crate::auth::OrgName;
use crate::{Client, Error, Page, Time, page};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    pub id: String,
    pub email: String,
    pub roles: Vec<String>,
    /// `open`, `accepted`, `revoked` or `expired`.
    pub status: String,
    pub invited_by: String,
    pub created_at: Time,
    pub sent_at: Time,
    pub expires_at: Time,
    pub accepted_by: Option<String>,
    pub revision: i64,
}

/// An invitation with its link. No `Debug`: whoever holds the link gets in.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invited {
    #[serde(flatten)]
    pub invitation: Invitation,
    /// Shown once; works once.
    pub link: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NewInvitation {
    pub email: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
}

/// The organization that somebody joined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Joined {
    pub org: OrgName,
    pub roles: Vec<String>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct InvitationFilter {
    /// `open`, `accepted`, `revoked` or `expired`.
    pub status: Option<String>,
    /// Items per page, 1 to 200.
    pub limit: Option<u32>,
    pub cursor: Option<String>,
}

/// `client.invitations()`.
#[derive(Clone, Copy)]
pub struct Invitations<'a>(&'a Client);

impl Client {
    pub fn invitations(&self) -> Invitations<'_> {
        Invitations(self)
    }
}

const PATH: [&str; 3] = ["api", "v1", "invitations"];

impl Invitations<'_> {
    pub async fn create(&self, new: &NewInvitation) -> Result<Invited, Error> {
        self.0.post(&PATH).json(new).once().answer().await
    }

    pub async fn list(&self, filter: &InvitationFilter) -> Result<Page<Invitation>, Error> {
        self.0.get(&PATH).query(filter).answer().await
    }

    pub fn all(&self, filter: &InvitationFilter) -> impl Stream<Item = Result<Invitation, Error>> {
        page::all(filter.cursor.clone(), move |cursor| async move {
            self.list(&InvitationFilter { cursor, ..filter.clone() }).await
        })
    }

    pub async fn get(&self, invitation: &str) -> Result<Invitation, Error> {
        self.0.get(&["api", "v1", "invitations", invitation]).answer().await
    }

    /// A new link; the old one is void.
    pub async fn resend(&self, invitation: &str) -> Result<Invited, Error> {
        self.0.post(&["api", "v1", "invitations", invitation, "resend"]).once().answer().await
    }

    pub async fn revoke(&self, invitation: &str) -> Result<Invitation, Error> {
        self.0.delete(&["api", "v1", "invitations", invitation]).answer().await
    }

    /// Makes the signed-in person a member. `token` is what stands behind `#` in the link.
    pub async fn accept(&self, token: &str) -> Result<Joined, Error> {
        self.0.post(&["api", "v1", "invitations", "accept"]).json(&Token { token }).answer().await
    }
}

#[derive(Serialize)]
struct Token<'a> {
    token: &'a str,
}
