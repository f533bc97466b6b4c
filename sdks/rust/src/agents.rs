//! Agents: the registry and their standing.

use futures::Stream;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::kills::Kill;
use crate::words::words;
use crate::{Client, Error, Page, Time, page};

words! {
    AgentStatus { Pending = "pending", Active = "active", Suspended = "suspended", Decommissioned = "decommissioned", }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Agent {
    pub id: String,
    pub namespace: String,
    pub name: String,
    /// Shaped like an e-mail address.
    pub handle: String,
    pub display_name: String,
    pub description: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub version: String,
    /// Descriptive; they grant nothing.
    pub capabilities: Vec<String>,
    pub owner: Owner,
    /// What `group` reaches.
    pub group: Option<String>,
    pub deployment_env: String,
    pub status: AgentStatus,
    pub visibility: String,
    pub tags: Vec<String>,
    pub metadata: Map<String, Value>,
    pub roles: Vec<String>,
    pub permissions: Vec<String>,
    pub created_by: String,
    pub created_at: Time,
    pub updated_at: Time,
    pub last_seen_at: Option<Time>,
    pub revision: i64,
}

/// The person or group that answers for an agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    pub kind: String,
    pub id: String,
}

/// What an agent is registered with. A name or a handle is needed, all else has a default.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NewAgent {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handle: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub capabilities: Vec<String>,
    /// Id of a user; the caller if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deployment_env: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visibility: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub metadata: Map<String, Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub permissions: Vec<String>,
}

/// What is left out stays. `metadata` is merged (RFC 7396), lists are replaced.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AgentPatch {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capabilities: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deployment_env: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visibility: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map<String, Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub roles: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permissions: Option<Vec<String>>,
    /// Fields that shall have their default again, such as `description`; sent as null.
    #[serde(flatten, serialize_with = "nulls", deserialize_with = "nothing")]
    pub unset: Vec<String>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct AgentFilter {
    pub owner: Option<String>,
    pub group: Option<String>,
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub status: Option<String>,
    pub env: Option<String>,
    pub visibility: Option<String>,
    pub capability: Option<String>,
    /// Part of the handle or display name.
    pub q: Option<String>,
    /// Only those whose owner has left.
    pub orphaned: Option<bool>,
    /// Items per page, 1 to 200.
    pub limit: Option<u32>,
    pub cursor: Option<String>,
    /// Adds `total`.
    pub count: Option<bool>,
}

/// `client.agents()`. An agent is named by its id or as `namespace:name`.
#[derive(Clone, Copy)]
pub struct Agents<'a>(&'a Client);

impl Client {
    pub fn agents(&self) -> Agents<'_> {
        Agents(self)
    }
}

impl Agents<'_> {
    pub async fn create(&self, new: &NewAgent) -> Result<Agent, Error> {
        self.0.post(&PATH).json(new).once().answer().await
    }

    pub async fn list(&self, filter: &AgentFilter) -> Result<Page<Agent>, Error> {
        self.0.get(&PATH).query(filter).answer().await
    }

    /// Every agent that the filter lets through, from its cursor on.
    pub fn all(&self, filter: &AgentFilter) -> impl Stream<Item = Result<Agent, Error>> {
        page::all(filter.cursor.clone(), move |cursor| async move {
            self.list(&AgentFilter { cursor, ..filter.clone() }).await
        })
    }

    pub async fn get(&self, agent: &str) -> Result<Agent, Error> {
        self.0.get(&of(agent)).answer().await
    }

    /// With a revision the change is refused (`stale_revision`) if somebody else was faster.
    pub async fn update(
        &self,
        agent: &str,
        patch: &AgentPatch,
        revision: Option<i64>,
    ) -> Result<Agent, Error> {
        self.0.patch(&of(agent)).json(patch).if_revision(revision).answer().await
    }

    /// For good: credentials are revoked, tokens die, the record stays.
    pub async fn decommission(&self, agent: &str) -> Result<Agent, Error> {
        self.0.delete(&of(agent)).answer().await
    }

    pub async fn suspend(&self, agent: &str, reason: Option<&str>) -> Result<Agent, Error> {
        self.0.post(&under(agent, "suspend")).json(&Because { reason }).once().answer().await
    }

    pub async fn reactivate(&self, agent: &str) -> Result<Agent, Error> {
        self.0.post(&under(agent, "reactivate")).once().answer().await
    }

    /// Lets a pending agent act.
    pub async fn approve(&self, agent: &str) -> Result<Agent, Error> {
        self.0.post(&under(agent, "approve")).once().answer().await
    }

    /// Turns a pending agent away for good.
    pub async fn reject(&self, agent: &str, reason: Option<&str>) -> Result<Agent, Error> {
        self.0.post(&under(agent, "reject")).json(&Because { reason }).once().answer().await
    }

    /// Suspends the agent and voids everything that lives by it; the receipt says what died, where and how fast.
    pub async fn kill(&self, agent: &str, reason: Option<&str>) -> Result<Kill, Error> {
        self.0.post(&under(agent, "kill")).json(&Because { reason }).answer().await
    }
}

/// A patch that was read back unsets nothing: what its nulls meant is in its other fields.
fn nothing<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    serde::de::IgnoredAny::deserialize(from).map(|_| Vec::new())
}

fn nulls<S: serde::Serializer>(fields: &[String], out: S) -> Result<S::Ok, S::Error> {
    out.collect_map(fields.iter().map(|field| (field, ())))
}

const PATH: [&str; 3] = ["api", "v1", "agents"];

fn of(agent: &str) -> [&str; 4] {
    ["api", "v1", "agents", agent]
}

fn under<'a>(agent: &'a str, verb: &'a str) -> [&'a str; 5] {
    ["api", "v1", "agents", agent, verb]
}

#[derive(Serialize)]
struct Because<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}
