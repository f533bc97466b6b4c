//! Groups and who is in them.

use futures::Stream;
use serde::{Deserialize, Serialize};

use crate::{Client, Error, Page, Time, page};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    pub id: String,
    pub name: String,
    pub description: String,
    pub external_group_id: Option<String>,
    pub email_domain: Option<String>,
    pub created_at: Time,
    pub updated_at: Time,
    pub revision: i64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NewGroup {
    pub name: String,
    pub description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_group_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email_domain: Option<String>,
}

/// What is left out stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct GroupPatch {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// `Some(None)` takes it away; so does that of `email_domain`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_group_id: Option<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email_domain: Option<Option<String>>,
}

/// Somebody who is in a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupMember {
    /// `user` or `agent`.
    pub kind: String,
    pub member: String,
    pub added_by: String,
    pub added_at: Time,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct GroupFilter {
    /// Part of the name or description.
    pub q: Option<String>,
    /// Items per page, 1 to 200.
    pub limit: Option<u32>,
    pub cursor: Option<String>,
}

/// `client.groups()`.
#[derive(Clone, Copy)]
pub struct Groups<'a>(&'a Client);

impl Client {
    pub fn groups(&self) -> Groups<'_> {
        Groups(self)
    }
}

const PATH: [&str; 3] = ["api", "v1", "groups"];

impl Groups<'_> {
    pub async fn create(&self, new: &NewGroup) -> Result<Group, Error> {
        self.0.post(&PATH).json(new).once().answer().await
    }

    pub async fn list(&self, filter: &GroupFilter) -> Result<Page<Group>, Error> {
        self.0.get(&PATH).query(filter).answer().await
    }

    pub fn all(&self, filter: &GroupFilter) -> impl Stream<Item = Result<Group, Error>> {
        page::all(filter.cursor.clone(), move |cursor| async move {
            self.list(&GroupFilter { cursor, ..filter.clone() }).await
        })
    }

    pub async fn get(&self, group: &str) -> Result<Group, Error> {
        self.0.get(&["api", "v1", "groups", group]).answer().await
    }

    pub async fn update(
        &self,
        group: &str,
        patch: &GroupPatch,
        revision: Option<i64>,
    ) -> Result<Group, Error> {
        self.0.patch(&["api", "v1", "groups", group]).json(patch).if_revision(revision).answer().await
    }

    pub async fn delete(&self, group: &str) -> Result<Group, Error> {
        self.0.delete(&["api", "v1", "groups", group]).answer().await
    }

    pub async fn members(&self, group: &str, cursor: Option<&str>) -> Result<Page<GroupMember>, Error> {
        self.0.get(&["api", "v1", "groups", group, "members"]).query(&From { cursor }).answer().await
    }

    /// `member` is the id of a user or an agent.
    pub async fn add(&self, group: &str, member: &str) -> Result<GroupMember, Error> {
        self.0.post(&["api", "v1", "groups", group, "members"]).json(&Who { member }).once().answer().await
    }

    pub async fn remove(&self, group: &str, member: &str) -> Result<GroupMember, Error> {
        self.0.delete(&["api", "v1", "groups", group, "members", member]).answer().await
    }
}

#[derive(Serialize)]
struct Who<'a> {
    member: &'a str,
}

#[derive(Serialize)]
struct From<'a> {
    cursor: Option<&'a str>,
}
