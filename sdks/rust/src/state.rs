//! State: JSON that functions, agents and people remember, in namespaces under keys.

use futures::Stream;
use reqwest::header::IF_NONE_MATCH;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::call::Call;
use crate::{Client, Error, Events, Page, Time, page};

/// A namespace: how its entries are kept, and how full it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StateNamespace {
    pub id: String,
    pub name: String,
    pub description: String,
    /// `usr_…` or `agt_…`.
    pub owner: String,
    /// Of entries that do not say: `private`, `group` or `organization`.
    pub default_visibility: String,
    pub schema: Option<Value>,
    pub strict: bool,
    pub secret: bool,
    pub ttl_seconds: Option<i64>,
    pub quota_entries: i64,
    pub quota_bytes: i64,
    pub history_depth: i64,
    pub entries: i64,
    pub bytes: i64,
    pub created_at: Time,
    pub updated_at: Time,
    pub revision: i64,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NewStateNamespace {
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_visibility: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schema: Option<Value>,
    pub strict: bool,
    pub secret: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl_seconds: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quota_entries: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quota_bytes: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub history_depth: Option<i64>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct StateNamespaceFilter {
    /// Part of the name or description.
    pub q: Option<String>,
    pub limit: Option<u32>,
    pub cursor: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StateEntry {
    pub id: String,
    pub namespace: String,
    pub key: String,
    /// None where it was not asked for or is secret; JSON's null is a value.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "value")]
    pub value: Option<Value>,
    pub size: i64,
    pub sha256: Option<String>,
    /// Whether the value matched the namespace's schema when it was written.
    pub valid: bool,
    pub visibility: String,
    pub owner: String,
    pub group: Option<String>,
    pub description: String,
    pub tags: Vec<String>,
    pub relevance_score: f64,
    pub expires_at: Option<Time>,
    pub created_at: Time,
    pub updated_at: Time,
    pub updated_by: String,
    pub revision: i64,
}

/// An entry as it shall be.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NewStateEntry {
    pub value: Value,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visibility: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relevance_score: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Time>,
}

/// What must be true of an entry before it is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Expected {
    #[default]
    Anything,
    /// There is none yet.
    Absent,
    Revision(i64),
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct StateEntryFilter {
    /// What keys begin with.
    pub prefix: Option<String>,
    /// With commas between; an entry must have all of them.
    pub tags: Option<String>,
    /// Part of key, description or value.
    pub q: Option<String>,
    pub owner: Option<String>,
    pub group: Option<String>,
    pub visibility: Option<String>,
    /// RFC 6901 pointer at which something must stand.
    pub pointer: Option<String>,
    /// The JSON that must stand there.
    pub equals: Option<String>,
    /// `key` or `relevance`.
    pub order: Option<String>,
    /// Adds the values, of at most 50 entries.
    pub values: Option<bool>,
    pub limit: Option<u32>,
    pub cursor: Option<String>,
    pub count: Option<bool>,
}

/// An entry as it was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StateRevision {
    pub revision: i64,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "value")]
    pub value: Option<Value>,
    pub size: i64,
    pub sha256: Option<String>,
    pub visibility: String,
    pub written_at: Time,
    pub written_by: String,
}

/// What became of the acts of a batch, in their order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StateBatch {
    pub entries: Vec<StateEntry>,
}

/// `client.state()`. A namespace is named by its id or name.
#[derive(Clone, Copy)]
pub struct State<'a>(&'a Client);

impl Client {
    pub fn state(&self) -> State<'_> {
        State(self)
    }
}

impl State<'_> {
    pub async fn create(&self, new: &NewStateNamespace) -> Result<StateNamespace, Error> {
        self.0.post(&path(&[])).json(new).once().answer().await
    }

    pub async fn list(&self, filter: &StateNamespaceFilter) -> Result<Page<StateNamespace>, Error> {
        self.0.get(&path(&[])).query(filter).answer().await
    }

    pub fn all(&self, filter: &StateNamespaceFilter) -> impl Stream<Item = Result<StateNamespace, Error>> {
        page::all(filter.cursor.clone(), move |cursor| async move {
            self.list(&StateNamespaceFilter { cursor, ..filter.clone() }).await
        })
    }

    pub async fn get(&self, namespace: &str) -> Result<StateNamespace, Error> {
        self.0.get(&path(&[namespace])).answer().await
    }

    /// A merge patch (RFC 7396).
    pub async fn update(
        &self,
        namespace: &str,
        patch: &Value,
        revision: Option<i64>,
    ) -> Result<StateNamespace, Error> {
        self.0.patch(&path(&[namespace])).json(patch).if_revision(revision).answer().await
    }

    /// Only an empty one goes.
    pub async fn delete(&self, namespace: &str) -> Result<StateNamespace, Error> {
        self.0.delete(&path(&[namespace])).answer().await
    }

    pub async fn entries(
        &self,
        namespace: &str,
        filter: &StateEntryFilter,
    ) -> Result<Page<StateEntry>, Error> {
        self.0.get(&path(&[namespace, "entries"])).query(filter).answer().await
    }

    pub fn all_entries(
        &self,
        namespace: &str,
        filter: &StateEntryFilter,
    ) -> impl Stream<Item = Result<StateEntry, Error>> {
        page::all(filter.cursor.clone(), move |cursor| async move {
            self.entries(namespace, &StateEntryFilter { cursor, ..filter.clone() }).await
        })
    }

    /// In a secret namespace this leaves a fact.
    pub async fn entry(&self, namespace: &str, key: &str) -> Result<StateEntry, Error> {
        self.0.get(&of(namespace, "entries", key)).answer().await
    }

    /// In place of what is there, or new.
    pub async fn put(
        &self,
        namespace: &str,
        key: &str,
        entry: &NewStateEntry,
        expected: Expected,
    ) -> Result<StateEntry, Error> {
        let call = self.0.put(&of(namespace, "entries", key)).json(entry);
        expecting(call, expected).answer().await
    }

    /// A merge patch (RFC 7396); members of an object value are merged.
    pub async fn patch(
        &self,
        namespace: &str,
        key: &str,
        patch: &Value,
        revision: Option<i64>,
    ) -> Result<StateEntry, Error> {
        self.0.patch(&of(namespace, "entries", key)).json(patch).if_revision(revision).answer().await
    }

    /// With its history.
    pub async fn remove(
        &self,
        namespace: &str,
        key: &str,
        revision: Option<i64>,
    ) -> Result<StateEntry, Error> {
        self.0.delete(&of(namespace, "entries", key)).if_revision(revision).answer().await
    }

    /// Adds to a whole number; counts once, however often the call arrives.
    pub async fn increment(&self, namespace: &str, key: &str, by: i64) -> Result<StateEntry, Error> {
        self.0.post(&of(namespace, "increment", key)).json(&json!({ "by": by })).once().answer().await
    }

    /// Adds to the end of a list, of which the last `keep` stay.
    pub async fn append(
        &self,
        namespace: &str,
        key: &str,
        items: &[Value],
        keep: Option<u32>,
    ) -> Result<StateEntry, Error> {
        let body = json!({ "items": items, "keep": keep });
        self.0.post(&of(namespace, "append", key)).json(&body).once().answer().await
    }

    /// Up to 100 acts, all or none, as the API writes them.
    pub async fn batch(&self, namespace: &str, operations: &[Value]) -> Result<StateBatch, Error> {
        let body = json!({ "operations": operations });
        self.0.post(&path(&[namespace, "batch"])).json(&body).once().answer().await
    }

    /// Newest first.
    pub async fn history(
        &self,
        namespace: &str,
        key: &str,
        limit: Option<u32>,
        cursor: Option<&str>,
    ) -> Result<Page<StateRevision>, Error> {
        let limit = limit.map(|limit| limit.to_string());
        let query = [("limit", limit.as_deref()), ("cursor", cursor)];
        let query: Vec<_> = query.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        self.0.get(&of(namespace, "history", key)).query(&query).answer().await
    }

    /// Changes as they happen, named `written`, `deleted` or `expired`; of keys that begin with `prefix`.
    pub fn watch(&self, namespace: &str, prefix: Option<&str>) -> Events {
        let query = prefix.map(|prefix| ("prefix".to_owned(), prefix.to_owned()));
        Events::new(self.0, &path(&[namespace, "watch"]), query.into_iter().collect())
    }
}

pub(crate) fn expecting(call: Call<'_>, expected: Expected) -> Call<'_> {
    match expected {
        Expected::Anything => call,
        Expected::Absent => call.header(IF_NONE_MATCH, "*"),
        Expected::Revision(revision) => call.if_revision(Some(revision)),
    }
}

/// A value that is there, and be it null.
fn value<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(from).map(Some)
}

fn path<'a>(rest: &[&'a str]) -> Vec<&'a str> {
    [&["api", "v1", "state"], rest].concat()
}

/// Slashes of a key are slashes of the path.
fn of<'a>(namespace: &'a str, what: &'a str, key: &'a str) -> Vec<&'a str> {
    path(&[namespace, what]).into_iter().chain(key.split('/')).collect()
}
