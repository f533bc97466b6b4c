//! Counting, appending, and up to a hundred acts in one change.

use authority::Required;
use axum::extract::State;
use problem::{CONFLICT, INPUT_INVALID, NAMESPACE_FULL, STALE_REVISION, VALUE_KIND};
use serde::Deserialize;
use serde_json::Value;
use types::{GroupId, Timestamp};
use utoipa::ToSchema;
use web::{
    Allowed, Input, Patched, Precondition, Refusal, Reply, Segment, Segments, Spec, leaves, operation,
    refuses,
};

use super::entries::{fitting_tags, named};
use super::views::{BatchView, EntryView, millionths};
use crate::entries::{Act, Deed, Whole};
use crate::model::Visibility;
use crate::words::{Key, NamespaceRef};
use crate::{StateError, StateStore, facts};

operation! {
    /// Adds to a whole number; an entry that is not there starts at 0.
    pub IncrementEntry(Increment) -> EntryView = Spec::post("state.entries.increment", "/api/v1/state/{namespace}/increment/{*key}")
        .needs("state:write").facts(leaves![facts::ENTRY_WRITTEN]).further_facts(leaves![facts::ENTRY_EXPIRED])
        .errors(refuses![VALUE_KIND, INPUT_INVALID, NAMESPACE_FULL, CONFLICT, STALE_REVISION])
        .example(r#"{"by": 1}"#);

    /// Adds to the end of a list; an entry that is not there starts empty.
    pub AppendToEntry(Append) -> EntryView = Spec::post("state.entries.append", "/api/v1/state/{namespace}/append/{*key}")
        .needs("state:write").facts(leaves![facts::ENTRY_WRITTEN]).further_facts(leaves![facts::ENTRY_EXPIRED])
        .errors(refuses![VALUE_KIND, INPUT_INVALID, NAMESPACE_FULL, CONFLICT, STALE_REVISION])
        .example(r#"{"items": [{"said": "hello"}], "keep": 100}"#);

    /// Does up to 100 acts on entries of one namespace, all or none.
    pub WriteBatch(Batch) -> BatchView = Spec::post("state.entries.batch", "/api/v1/state/{namespace}/batch")
        .needs("state:write").facts(leaves![facts::ENTRY_WRITTEN])
        .further_facts(leaves![facts::ENTRY_DELETED, facts::ENTRY_EXPIRED])
        .errors(refuses![VALUE_KIND, INPUT_INVALID, NAMESPACE_FULL, CONFLICT, STALE_REVISION])
        .example(r#"{"operations": [{"op": "put", "key": "cases/1", "value": {"status": "open"}, "if_absent": true}, {"op": "increment", "key": "cases/count"}]}"#);
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = StateIncrement)]
pub struct Increment {
    /// 1, if left out.
    pub by: Option<i64>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = StateAppend)]
pub struct Append {
    #[schema(min_items = 1, max_items = 1000)]
    pub items: Vec<Value>,
    /// How many of the last items stay; all, if left out.
    #[schema(minimum = 1, maximum = 100000)]
    pub keep: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = StateOp)]
pub enum Op {
    Put,
    Increment,
    Append,
    Delete,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = StateBatch)]
pub struct Batch {
    #[schema(min_items = 1, max_items = 100)]
    pub operations: Vec<BatchItem>,
}

/// One act; each `op` takes what it needs and nothing else. `delete` also needs `state:delete`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = StateBatchItem)]
pub struct BatchItem {
    pub op: Op,
    pub key: Key,
    /// The revision that the entry must have.
    pub if_revision: Option<i64>,
    /// Whether there must be no such entry yet.
    #[serde(default)]
    pub if_absent: bool,
    /// `put`.
    #[serde(default)]
    #[schema(value_type = Option<Value>)]
    pub value: Patched<Value>,
    /// `put`.
    #[schema(max_length = 4000)]
    pub description: Option<String>,
    /// `put`.
    #[schema(max_items = 50)]
    pub tags: Option<Vec<String>>,
    /// `put`.
    pub visibility: Option<Visibility>,
    /// `put`.
    pub group: Option<GroupId>,
    /// `put`.
    #[schema(minimum = 0, maximum = 1)]
    pub relevance_score: Option<f64>,
    /// `put`.
    pub expires_at: Option<Timestamp>,
    /// `increment`; 1 if left out.
    pub by: Option<i64>,
    /// `append`.
    #[schema(min_items = 1, max_items = 1000)]
    pub items: Option<Vec<Value>>,
    /// `append`.
    #[schema(minimum = 1, maximum = 100000)]
    pub keep: Option<usize>,
}

const DELETE: Required = Required::parse("state:delete");

pub async fn increment(
    State(state): State<StateStore>,
    allowed: Allowed<IncrementEntry>,
    Segments(path): Segments<(String, String)>,
    Input(increment): Input<IncrementEntry>,
) -> Result<Reply, Refusal> {
    let (of, key) = named(path)?;
    let deed = Deed::Increment { by: increment.by.unwrap_or(1) };
    let acts = [Act { key, precondition: allowed.precondition(), needs: None, deed, at: String::new() }];
    let _turn = state.inner().turns.take(allowed.org(), acts.iter().map(|act| &act.key)).await;
    allowed.settle::<IncrementEntry, _, _, _>(|| state.write(&allowed, &of, &acts)).await
}

pub async fn append(
    State(state): State<StateStore>,
    allowed: Allowed<AppendToEntry>,
    Segments(path): Segments<(String, String)>,
    Input(append): Input<AppendToEntry>,
) -> Result<Reply, Refusal> {
    let (of, key) = named(path)?;
    let deed = Deed::Append { items: append.items, keep: append.keep };
    let acts = [Act { key, precondition: allowed.precondition(), needs: None, deed, at: String::new() }];
    let _turn = state.inner().turns.take(allowed.org(), acts.iter().map(|act| &act.key)).await;
    allowed.settle::<AppendToEntry, _, _, _>(|| state.write(&allowed, &of, &acts)).await
}

pub async fn batch(
    State(state): State<StateStore>,
    allowed: Allowed<WriteBatch>,
    Segment(of): Segment<NamespaceRef>,
    Input(batch): Input<WriteBatch>,
) -> Result<Reply, Refusal> {
    let acts = batch.operations.into_iter().enumerate().map(act).collect::<Result<Vec<_>, _>>()?;
    let _turn = state.inner().turns.take(allowed.org(), acts.iter().map(|act| &act.key)).await;
    allowed.settle::<WriteBatch, _, _, _>(|| state.write(&allowed, &of, &acts)).await
}

fn act((index, item): (usize, BatchItem)) -> Result<Act, StateError> {
    let at = format!("/operations/{index}");
    let taken = item.op;
    let given = [
        ("value", Op::Put, !item.value.is_kept()),
        ("description", Op::Put, item.description.is_some()),
        ("tags", Op::Put, item.tags.is_some()),
        ("visibility", Op::Put, item.visibility.is_some()),
        ("group", Op::Put, item.group.is_some()),
        ("relevance_score", Op::Put, item.relevance_score.is_some()),
        ("expires_at", Op::Put, item.expires_at.is_some()),
        ("by", Op::Increment, item.by.is_some()),
        ("items", Op::Append, item.items.is_some()),
        ("keep", Op::Append, item.keep.is_some()),
    ];
    if let Some((name, ..)) = given.iter().find(|(_, op, is_given)| *is_given && *op != taken) {
        return Err(StateError::invalid(format!("{at}/{name}"), "means nothing for this `op`"));
    }
    let precondition = match (item.if_revision, item.if_absent) {
        (None, false) => Precondition::Nothing,
        (Some(revision), false) => Precondition::Revision(revision),
        (None, true) => Precondition::Absent,
        (Some(_), true) => {
            return Err(StateError::invalid(format!("{at}/if_absent"), "contradicts `if_revision`"));
        }
    };
    let deed = match item.op {
        Op::Put => {
            let tags = item.tags.unwrap_or_default();
            fitting_tags(&tags, &at)?;
            Deed::Put(Box::new(Whole {
                value: match item.value {
                    Patched::Kept => return Err(StateError::invalid(format!("{at}/value"), "is needed")),
                    Patched::Unset => Value::Null,
                    Patched::Set(value) => value,
                },
                description: item.description.unwrap_or_default(),
                tags,
                visibility: item.visibility,
                group: item.group,
                relevance: item.relevance_score.map_or(0, millionths),
                expires_at: item.expires_at,
            }))
        }
        Op::Increment => Deed::Increment { by: item.by.unwrap_or(1) },
        Op::Append => match item.items {
            Some(items) => Deed::Append { items, keep: item.keep },
            None => return Err(StateError::invalid(format!("{at}/items"), "is needed")),
        },
        Op::Delete => Deed::Delete,
    };
    let needs = (item.op == Op::Delete).then_some(DELETE);
    Ok(Act { key: item.key, precondition, needs, deed, at })
}
