//! Namespaces and entries as the outside sees them.

use serde::Serialize;
use serde_json::Value;
use types::{EntryId, GroupId, NamespaceId, Timestamp};
use utoipa::ToSchema;

use crate::entries::{Outcome, Outcomes};
use crate::model::{Entry, Namespace, Visibility};
use crate::words::{Key, NamespaceName};

#[derive(Serialize, ToSchema)]
#[schema(as = StateNamespaceView)]
pub struct NamespaceView {
    pub id: NamespaceId,
    pub name: NamespaceName,
    pub description: String,
    /// `usr_…` or `agt_…`.
    pub owner: String,
    pub default_visibility: Visibility,
    #[schema(value_type = Option<Value>)]
    pub schema: Option<Value>,
    pub strict: bool,
    pub secret: bool,
    pub ttl_seconds: Option<i64>,
    pub quota_entries: i64,
    pub quota_bytes: i64,
    pub history_depth: i64,
    /// How many there are; an expired one counts until it is swept, within a minute.
    pub entries: i64,
    /// Of all values together.
    pub bytes: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub revision: i64,
}

impl From<Namespace> for NamespaceView {
    fn from(namespace: Namespace) -> Self {
        Self {
            id: namespace.id,
            name: namespace.name,
            description: namespace.description,
            owner: namespace.owner.to_string(),
            default_visibility: namespace.default_visibility,
            schema: namespace.schema,
            strict: namespace.strict,
            secret: namespace.secret,
            ttl_seconds: namespace.ttl_seconds,
            quota_entries: namespace.quota_entries,
            quota_bytes: namespace.quota_bytes,
            history_depth: namespace.history_depth,
            entries: namespace.usage.entries,
            bytes: namespace.usage.bytes,
            created_at: namespace.created_at,
            updated_at: namespace.updated_at,
            revision: namespace.revision,
        }
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = StateEntryView)]
pub struct EntryView {
    pub id: EntryId,
    pub namespace: NamespaceName,
    pub key: Key,
    /// Left out where it was not asked for, where the entry was removed, and – but for a single read – where the namespace
    /// is secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Value, required = false)]
    pub value: Option<Value>,
    /// Bytes of the value's JSON: compact, names in order.
    pub size: i64,
    /// Of the same bytes, in hexadecimal; null where the namespace is secret.
    pub sha256: Option<String>,
    /// Whether the value matched the namespace's schema when it was written.
    pub valid: bool,
    pub visibility: Visibility,
    /// `usr_…` or `agt_…`.
    pub owner: String,
    pub group: Option<GroupId>,
    pub description: String,
    pub tags: Vec<String>,
    /// 0 to 1.
    pub relevance_score: f64,
    pub expires_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// `usr_…` or `agt_…`.
    pub updated_by: String,
    /// Grows with every change, not always by one.
    pub revision: i64,
}

impl EntryView {
    pub(crate) fn new(namespace: &Namespace, entry: Entry, value: Option<Value>) -> Self {
        Self {
            id: entry.id,
            namespace: namespace.name.clone(),
            key: entry.key,
            value,
            size: entry.size,
            sha256: (!namespace.secret).then(|| hex::encode(entry.sha256)),
            valid: entry.is_valid,
            visibility: entry.visibility,
            owner: entry.owner.to_string(),
            group: entry.group,
            description: entry.description,
            tags: entry.tags,
            relevance_score: score(entry.relevance),
            expires_at: entry.expires_at,
            created_at: entry.created_at,
            updated_at: entry.updated_at,
            updated_by: entry.updated_by,
            revision: entry.revision,
        }
    }

    /// A secret that was just written is not said again.
    fn of(namespace: &Namespace, outcome: Outcome) -> Self {
        let value = outcome.value.filter(|_| !namespace.secret);
        Self::new(namespace, outcome.entry, value)
    }
}

impl From<Outcomes> for EntryView {
    /// An act on one entry has one outcome.
    fn from(outcomes: Outcomes) -> Self {
        let Outcomes { namespace, mut each } = outcomes;
        Self::of(&namespace, each.remove(0))
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = StateBatchView)]
pub struct BatchView {
    /// In the order of the operations; of a removed entry what it was. Without values, but for counters.
    pub entries: Vec<EntryView>,
}

impl From<Outcomes> for BatchView {
    fn from(outcomes: Outcomes) -> Self {
        let Outcomes { namespace, each } = outcomes;
        let view = |outcome: Outcome| {
            let value = outcome.value.filter(Value::is_number);
            EntryView::of(&namespace, Outcome { value, ..outcome })
        };
        Self { entries: each.into_iter().map(view).collect() }
    }
}

const MILLION: f64 = 1_000_000.0;

fn score(millionths: i64) -> f64 {
    f64::from(i32::try_from(millionths).unwrap_or(i32::MAX)) / MILLION
}

/// The schema has let only 0 to 1 through.
#[expect(clippy::cast_possible_truncation, reason = "between 0 and a million")]
pub(crate) fn millionths(score: f64) -> i64 {
    (score * MILLION).round() as i64
}
