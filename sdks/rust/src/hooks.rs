//! Hooks: incoming webhooks, and what came in to them.

use std::collections::BTreeMap;

use futures::Stream;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{Client, Error, FieldError, Page, Time, page};

/// What a hook sets off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HookTarget {
    /// `fn_…`.
    pub function: String,
    /// `namespace/name`.
    pub name: String,
}

/// How a sender proves itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct HookAuthentication {
    /// `token`, `hmac`, `basic` or `none`.
    pub kind: String,
    /// Of `hmac`: `github`, `stripe`, `slack`, `standard_webhooks` or `generic`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preset: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    /// `sha256` or `sha512`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub algorithm: Option<String>,
    /// `hex` or `base64`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoding: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timestamp_header: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tolerance_seconds: Option<i64>,
}

/// What the function is given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HookInput {
    /// `body` or `envelope`.
    pub mode: String,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub defaults: Map<String, Value>,
}

/// A way for a delivery: the first whose tests all hold is taken.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct HookRoute {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub when: Vec<HookRouteTest>,
    /// The function's input, with `{"$at": "/body/id"}` and `{"$text": "{/body/a}"}` filled in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transform: Option<Map<String, Value>>,
}

/// What one place of the request must be.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct HookRouteTest {
    /// RFC 6901, into method, path, path_params, query, headers and body.
    pub at: String,
    /// `present`, `equal_to`, `one_of`, `containing`, `beginning_with`, `ending_with`, `at_least` or `at_most`.
    pub is: String,
    #[serde(skip_serializing_if = "Value::is_null")]
    pub value: Value,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub not: bool,
}

/// A request to try a hook with, or a delivery of before.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct HookTrial {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivery: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// With values in place of `{parameters}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub query: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// In place of the hook's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<HookInput>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub routes: Option<Vec<HookRoute>>,
}

/// What it would come to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HookTried {
    /// `accepted`, `ignored` or `duplicate`.
    pub outcome: String,
    /// From 0.
    pub route: Option<u64>,
    pub declined: Vec<HookRouteDeclined>,
    pub input: Option<Value>,
    /// Where that does not fit the function's schema; none where the function is not yours to execute.
    pub misfits: Option<Vec<FieldError>>,
    pub repeat_of: Option<String>,
}

/// A route that a delivery does not go, and its first test that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HookRouteDeclined {
    pub route: u64,
    pub test: u64,
}

/// What tells a repeat: a header or a place in the body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HookDeduplication {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    /// RFC 6901.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    pub ttl_seconds: i64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hook {
    pub id: String,
    pub path: String,
    pub methods: Vec<String>,
    /// Where to send to.
    pub url: String,
    pub description: String,
    pub active: bool,
    pub target: HookTarget,
    /// For whom it acts: `usr_…` or `agt_…`.
    pub owner: String,
    pub permissions: Vec<String>,
    pub authentication: HookAuthentication,
    /// Shown once: when it was made or changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    pub previous_secret_until: Option<Time>,
    pub allowed_ips: Vec<String>,
    pub input: HookInput,
    pub routes: Vec<HookRoute>,
    /// `sync`, `mapped` or `async`.
    pub response: String,
    pub deduplication: Option<HookDeduplication>,
    pub rate_per_minute: i64,
    pub concurrency: i64,
    pub max_body_bytes: i64,
    pub created_at: Time,
    pub updated_at: Time,
    pub revision: i64,
}

/// A function by its id or `namespace:name`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewHookTarget {
    pub function: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NewHook {
    pub path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub methods: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active: Option<bool>,
    pub target: NewHookTarget,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub permissions: Vec<String>,
    pub authentication: HookAuthentication,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allowed_ips: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<HookInput>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<HookRoute>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deduplication: Option<HookDeduplication>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_per_minute: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_body_bytes: Option<i64>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct HookFilter {
    /// Part of the path or description.
    pub q: Option<String>,
    pub active: Option<bool>,
    /// Id of the function that it runs.
    pub function: Option<String>,
    pub limit: Option<u32>,
    pub cursor: Option<String>,
}

/// What came in, or so many of a kind that were refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HookDelivery {
    pub id: String,
    pub hook: String,
    pub received_at: Time,
    pub method: String,
    pub ip: Option<String>,
    /// `accepted`, `refused`, `duplicate` or `ignored`.
    pub outcome: String,
    pub reason: Option<String>,
    pub count: i64,
    pub run: Option<String>,
    pub replay_of: Option<String>,
    pub size: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<HookRequest>,
}

/// What was sent, without what proved who sent it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HookRequest {
    pub path: String,
    pub query: String,
    pub headers: BTreeMap<String, String>,
    /// In base64.
    pub body: String,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct HookDeliveryFilter {
    pub outcome: Option<String>,
    pub limit: Option<u32>,
    pub cursor: Option<String>,
}

/// `client.hooks()`.
#[derive(Clone, Copy)]
pub struct Hooks<'a>(&'a Client);

impl Client {
    pub fn hooks(&self) -> Hooks<'_> {
        Hooks(self)
    }
}

impl Hooks<'_> {
    /// Its secret is in this answer and in no other.
    pub async fn create(&self, new: &NewHook) -> Result<Hook, Error> {
        self.0.post(&path(&[])).json(new).once().answer().await
    }

    pub async fn list(&self, filter: &HookFilter) -> Result<Page<Hook>, Error> {
        self.0.get(&path(&[])).query(filter).answer().await
    }

    pub fn all(&self, filter: &HookFilter) -> impl Stream<Item = Result<Hook, Error>> {
        page::all(filter.cursor.clone(), move |cursor| async move {
            self.list(&HookFilter { cursor, ..filter.clone() }).await
        })
    }

    pub async fn get(&self, hook: &str) -> Result<Hook, Error> {
        self.0.get(&path(&[hook])).answer().await
    }

    /// A merge patch (RFC 7396).
    pub async fn update(&self, hook: &str, patch: &Value, revision: Option<i64>) -> Result<Hook, Error> {
        self.0.patch(&path(&[hook])).json(patch).if_revision(revision).answer().await
    }

    /// What it set off and still runs ends with it.
    pub async fn delete(&self, hook: &str) -> Result<Hook, Error> {
        self.0.delete(&path(&[hook])).answer().await
    }

    /// Another secret – this one, or one that is made –, in the answer; the one of before stays good for so long.
    pub async fn rotate(
        &self,
        hook: &str,
        secret: Option<&str>,
        overlap_seconds: Option<i64>,
    ) -> Result<Hook, Error> {
        let body = json!({ "secret": secret, "overlap_seconds": overlap_seconds });
        self.0.post(&path(&[hook, "rotate"])).json(&body).once().answer().await
    }

    /// What a delivery would come to; nothing is run.
    pub async fn attempt(&self, hook: &str, trial: &HookTrial) -> Result<HookTried, Error> {
        self.0.post(&path(&[hook, "try"])).json(trial).answer().await
    }

    /// Newest first.
    pub async fn deliveries(
        &self,
        hook: &str,
        filter: &HookDeliveryFilter,
    ) -> Result<Page<HookDelivery>, Error> {
        self.0.get(&path(&[hook, "deliveries"])).query(filter).answer().await
    }

    pub fn all_deliveries(
        &self,
        hook: &str,
        filter: &HookDeliveryFilter,
    ) -> impl Stream<Item = Result<HookDelivery, Error>> {
        page::all(filter.cursor.clone(), move |cursor| async move {
            self.deliveries(hook, &HookDeliveryFilter { cursor, ..filter.clone() }).await
        })
    }

    /// With what was sent, for those who may change the hook.
    pub async fn delivery(&self, hook: &str, delivery: &str) -> Result<HookDelivery, Error> {
        self.0.get(&path(&[hook, "deliveries", delivery])).answer().await
    }

    /// A new run with what was sent then; each call is one more.
    pub async fn replay(&self, hook: &str, delivery: &str) -> Result<HookDelivery, Error> {
        self.0.post(&path(&[hook, "deliveries", delivery, "replay"])).json(&json!({})).once().answer().await
    }

    /// What the caller may use – functions and hooks – as an OpenAPI document.
    pub async fn mine(&self) -> Result<Value, Error> {
        self.0.get(&["api", "v1", "openapi", "mine.json"]).answer().await
    }

    /// The active hooks as an OpenAPI document.
    pub async fn openapi(&self) -> Result<Value, Error> {
        self.0.get(&path(&["openapi.json"])).answer().await
    }
}

fn path<'a>(rest: &[&'a str]) -> Vec<&'a str> {
    [&["api", "v1", "hooks"], rest].concat()
}
